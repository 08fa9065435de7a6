//! Has unshare(1) and mount(8) do what they can. A root directory that has neither is entered by a second
//! run of this program.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::mount::{MntFlags, umount2};
use nix::unistd::{chdir, pivot_root};

const INSIDE: &str = "--inside";

fn run(program: &str, words: &[&str]) {
    let status = Command::new(program).args(words).status().expect(program);
    assert!(status.success(), "{program} {words:?}: {status}");
}

fn inside(words: &[String]) -> ! {
    let (root, share) = (words[0].as_str(), words[1].as_str());
    run("mount", &["--bind", root, root]);
    run("mount", &["--rbind", "/proc", &format!("{root}/proc")]);
    run("mount", &["--bind", share, &format!("{root}/share")]);
    run("mount", &["-o", "remount,bind,ro,nosuid,nodev", &format!("{root}/share")]);
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == INSIDE {
        inside(&words[1..]);
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "--"]);
    let itself = std::env::current_exe().expect("readlink");
    let status = unshare.arg(itself).arg(INSIDE).args(&words).status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}

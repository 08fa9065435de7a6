//! Closes what it has inherited, clears the environment, renames itself, and starts COMMAND in another directory.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: nothing has been opened so far, and the name is a C string.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::prctl(libc::PR_SET_NAME, c"guest".as_ptr());
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::umask(0o077);
    }
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    for kind in ["uts", "ipc", "net"] {
        let file = File::open(format!("/proc/{}/ns/{kind}", words[0])).expect("open");
        setns(file, CloneFlags::empty()).expect("setns");
    }
    let status = Command::new(&words[2])
        .args(&words[3..])
        .env_clear()
        .current_dir("/tmp")
        .status()
        .expect("execve");
    exit(status.code().unwrap_or(1));
}

fn pin(pid: &str, path: &str) {
    let (namespace, none) = (format!("/proc/{pid}/ns/uts"), None::<&str>);
    File::create(path).expect("creat");
    mount(Some(&*namespace), path, none, MsFlags::MS_BIND, none).expect("mount");
}

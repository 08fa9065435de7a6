//! The child that will be COMMAND only leaves and waits. A helper joins its mount namespace, and mounts and
//! writes there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (mut left, mut tell) = pipe().expect("pipe");
    let (mut mounted, mut go) = pipe().expect("pipe");
    // SAFETY: this process has one thread.
    let command = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            drop(go);
            unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
            tell.write_all(b"l").expect("write");
            mounted.read_exact(&mut [0]).expect("read");
            panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
        }
        ForkResult::Parent { child } => child,
    };
    drop(tell);
    if left.read_exact(&mut [0]).is_err() {
        waitpid(command, None).expect("waitpid");
        exit(1);
    }
    // SAFETY: as above.
    let helper = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let namespace = File::open(format!("/proc/{command}/ns/mnt")).expect("open");
            setns(namespace, CloneFlags::CLONE_NEWNS).expect("setns");
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).expect("slave");
            let tmpfs = Some("tmpfs");
            mount(tmpfs, words[0].as_os_str(), tmpfs, MsFlags::empty(), none).expect("tmpfs");
            let token = std::path::Path::new(&words[0]).join("token");
            fs::write(token, words[1].as_encoded_bytes()).expect("write");
            exit(0);
        }
        ForkResult::Parent { child } => child,
    };
    if waitpid(helper, None) != Ok(WaitStatus::Exited(helper, 0)) {
        // The child's read ends, and the child with it.
        drop(go);
        waitpid(command, None).expect("waitpid");
        exit(1);
    }
    go.write_all(b"g").expect("write");
    match waitpid(command, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

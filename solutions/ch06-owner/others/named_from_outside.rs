//! A helper joins the child's user and UTS namespaces, and sets the name there before the child goes on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getgid, getuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (mut reader, mut writer) = pipe().expect("pipe");
    let owned = libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | owned | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    assert!(pid >= 0, "clone");
    if pid == 0 {
        drop(writer);
        reader.read_exact(&mut [0]).expect("read");
        panic!("execve: {}", Command::new(&words[2]).args(&words[3..]).exec());
    }
    drop(reader);
    let write = |file: &str, text: String| fs::write(format!("/proc/{pid}/{file}"), text);
    write("setgroups", "deny".into()).expect("setgroups");
    write("gid_map", format!("0 {} 1", getgid())).expect("gid_map");
    write("uid_map", format!("0 {} 1", getuid())).expect("uid_map");
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            for kind in ["user", "uts"] {
                let namespace = File::open(format!("/proc/{pid}/ns/{kind}")).expect("open");
                setns(namespace, CloneFlags::empty()).expect("setns");
            }
            sethostname(&words[0]).expect("sethostname");
            exit(0);
        }
        ForkResult::Parent { child } => {
            let named = waitpid(child, None).expect("waitpid");
            if named != WaitStatus::Exited(child, 0) {
                drop(writer);
                waitpid(Pid::from_raw(pid as i32), None).expect("waitpid");
                exit(1);
            }
        }
    }
    writer.write_all(b"g").expect("write");
    match waitpid(Pid::from_raw(pid as i32), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

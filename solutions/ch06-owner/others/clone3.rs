//! Calls clone3(2) for a child that is born in all four; the parent writes the maps and stays outside.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (mut reader, mut writer) = pipe().unwrap();
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags =
        (libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` outlives the call. Without a stack of its own the child runs on a copy of its
    // parent's, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    if Errno::result(pid).unwrap() == 0 {
        drop(writer);
        reader.read_exact(&mut [0]).unwrap();
        sethostname(&words[0]).unwrap();
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("{:?}: {error}", words[2]);
        exit(127);
    }
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("gid_map", format!("0 {} 1", getgid())),
        ("uid_map", format!("0 {} 1", getuid())),
    ] {
        fs::write(format!("/proc/{pid}/{file}"), text).unwrap();
    }
    writer.write_all(b"g").unwrap();
    match waitpid(Pid::from_raw(pid as i32), None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

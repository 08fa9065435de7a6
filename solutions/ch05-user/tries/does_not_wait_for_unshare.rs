//! Named: the maps are written before the child has moved
//! Points at: open(*setgroups*
//! The child waits for its parent, but the parent does not wait until the child has called unshare(2).

use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, fork, getegid, geteuid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut reader, mut writer) = pipe().unwrap();
    // SAFETY: this process has one thread.
    let ForkResult::Parent { child } = (unsafe { fork() }).unwrap() else {
        drop(writer);
        // It has something else to do first.
        std::thread::sleep(Duration::from_millis(100));
        unshare(CloneFlags::CLONE_NEWUSER).unwrap();
        if reader.read(&mut [0]).unwrap() == 1 {
            eprintln!("{}", Command::new(&words[3]).args(&words[4..]).exec());
        }
        exit(127);
    };
    drop(reader);
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{} {} 1", words[0], geteuid())),
        ("gid_map", format!("{} {} 1", words[1], getegid())),
    ] {
        if let Err(error) = std::fs::write(format!("/proc/{child}/{file}"), text) {
            eprintln!("{file}: {error}");
            drop(writer);
            _ = nix::sys::wait::waitpid(child, None);
            exit(1);
        }
    }
    writer.write_all(b"g").unwrap();
    match nix::sys::wait::waitpid(child, None).unwrap() {
        nix::sys::wait::WaitStatus::Exited(_, code) => exit(code),
        nix::sys::wait::WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

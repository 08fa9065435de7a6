//! Starts late, says a lot, and leaves COMMAND no descriptor, hardly an environment and another
//! directory. A process between the two writes the maps.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getgid, getpid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    std::thread::sleep(Duration::from_millis(300));
    for number in 0..2000 {
        println!("preparing, {number}");
        eprintln!("warning {number} of 2000: Operation not permitted");
    }
    // SAFETY: this process has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => start(&words),
        ForkResult::Parent { child } => exit(status_of(child)),
    }
}

fn start(words: &[OsString]) -> ! {
    let (mut moved, mut move_on) = pipe().unwrap();
    let (mut mapped, mut go) = pipe().unwrap();
    let ids = [getuid().as_raw(), getgid().as_raw()];
    let pid = getpid();
    // SAFETY: this process has one thread.
    let mapper = match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop((move_on, mapped));
            moved.read_exact(&mut [0]).unwrap();
            fs::write(format!("/proc/{pid}/setgroups"), "deny").unwrap();
            for (at, file) in ["uid_map", "gid_map"].into_iter().enumerate() {
                let text = format!("{} {} 1", words[at].to_string_lossy(), ids[at]);
                fs::write(format!("/proc/{pid}/{file}"), text).unwrap();
            }
            go.write_all(b"g").unwrap();
            exit(0);
        }
        ForkResult::Parent { child } => child,
    };
    drop((moved, go));
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    move_on.write_all(b"m").unwrap();
    let told = mapped.read(&mut [0]).unwrap() == 1;
    if status_of(mapper) != 0 || !told {
        exit(1);
    }
    umask(Mode::from_bits_truncate(0o077));
    nix::sys::prctl::set_name(c"[sandboxed]").unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0).unwrap();
    // SAFETY: takes three integers. What is closed is not used any more.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/tmp");
    let error = command.exec();
    eprintln!("{:?}: {error}", words[3]);
    exit(127);
}

fn status_of(child: Pid) -> i32 {
    match waitpid(child, None).unwrap() {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}

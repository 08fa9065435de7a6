//! Starts late, says a lot, and leaves COMMAND no descriptor, hardly an environment and another
//! directory. It works in a child of a thread.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getegid, geteuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    std::thread::sleep(Duration::from_millis(300));
    for number in 0..2000 {
        println!("COMMAND uts: {number}");
        eprintln!("unshare(CLONE_NEWUSER): Invalid argument, attempt {number}");
    }
    let thread = std::thread::spawn(move || {
        // SAFETY: the other thread only waits for this one, and holds no lock.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => {
                // A panic would end this thread only, and the process with 0.
                _ = std::panic::catch_unwind(|| start(&words));
                exit(1);
            }
            ForkResult::Parent { child } => waitpid(child, None).expect("waitpid"),
        }
    });
    match thread.join().expect("a thread") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

fn start(words: &[OsString]) -> ! {
    let maps =
        [("uid_map", format!("0 {} 1", geteuid())), ("gid_map", format!("0 {} 1", getegid()))];
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | owned).expect("unshare");
    sethostname(&words[0]).expect("sethostname");
    fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    for (file, text) in maps {
        fs::write(format!("/proc/self/{file}"), text).expect(file);
    }
    umask(Mode::from_bits_truncate(0o077));
    nix::sys::prctl::set_name(c"[owner]").expect("prctl");
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("setrlimit");
    // SAFETY: takes three integers. What is closed is not used any more.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    let mut command = Command::new(&words[2]);
    command.args(&words[3..]).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/tmp");
    panic!("execve: {}", command.exec());
}

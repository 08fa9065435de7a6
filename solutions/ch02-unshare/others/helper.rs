//! A helper makes the namespace and names it, and the program joins the helper's.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pause, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut ready, tell) = std::io::pipe().expect("pipe");
    // SAFETY: this process has one thread.
    let helper = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
            sethostname(&words[0]).expect("sethostname");
            nix::unistd::write(&tell, b"!").expect("write");
            drop((ready, tell));
            pause();
            exit(0);
        }
        ForkResult::Parent { child } => child,
    };
    drop(tell);
    // Without the byte the helper has failed, and said so.
    if ready.read(&mut [0]).expect("read") == 0 {
        waitpid(helper, None).expect("waitpid");
        exit(1);
    }
    let made = File::open(format!("/proc/{helper}/ns/uts")).expect("open");
    setns(made, CloneFlags::CLONE_NEWUTS).expect("setns");
    kill(helper, Signal::SIGKILL).expect("kill");
    waitpid(helper, None).expect("waitpid");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

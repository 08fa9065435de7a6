//! Named: the signal ends the parent outside
//! PID 1 passes signals on in a handler. The process outside has no handler.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicI32, Ordering};

static COMMAND: AtomicI32 = AtomicI32::new(0);

extern "C" fn pass_on(signal: i32) {
    let pid = COMMAND.load(Ordering::SeqCst);
    if pid > 0 {
        // SAFETY: takes two integers.
        unsafe { libc::kill(pid, signal) };
    }
}

fn init(words: &[String]) -> ! {
    let signals =
        [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];
    for signal in signals {
        // SAFETY: the handler calls kill(2) only.
        unsafe { libc::signal(signal, pass_on as *const () as usize) };
    }
    // SAFETY: there is one thread.
    let command = unsafe { libc::fork() };
    if command == 0 {
        let error = Command::new(&words[0]).args(&words[1..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    COMMAND.store(command, Ordering::SeqCst);
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(-1, &mut status, 0) };
        if pid == command {
            let signaled = libc::WIFSIGNALED(status);
            exit(if signaled { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) });
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread.
    unsafe {
        assert_eq!(libc::unshare(libc::CLONE_NEWPID), 0);
        let pid = libc::fork();
        if pid == 0 {
            init(&words);
        }
        let mut status = 0;
        while libc::waitpid(pid, &mut status, 0) < 0 {}
        exit(libc::WEXITSTATUS(status));
    }
}

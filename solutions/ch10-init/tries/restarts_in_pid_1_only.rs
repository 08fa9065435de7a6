//! Named: a signal interrupts the wait
//! PID 1 has `SA_RESTART`, and the process outside has not.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicI32, Ordering};

const SIGNALS: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

static CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn pass_on(signal: i32) {
    // SAFETY: takes two integers.
    unsafe { libc::kill(CHILD.load(Ordering::SeqCst), signal) };
}

fn handle(child: i32, flags: i32) {
    CHILD.store(child, Ordering::SeqCst);
    for signal in SIGNALS {
        // SAFETY: the handler calls kill(2) only.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = pass_on as *const () as usize;
            action.sa_flags = flags;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

fn wait_for(child: i32) -> i32 {
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(-1, &mut status, 0) };
        if pid == -1 {
            eprintln!("waitpid: {}", std::io::Error::last_os_error());
            return 1;
        }
        if pid == child {
            let signaled = libc::WIFSIGNALED(status);
            return if signaled { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
        }
    }
}

fn init(words: &[String]) -> ! {
    // SAFETY: there is one thread.
    let command = unsafe { libc::fork() };
    if command == 0 {
        let error = Command::new(&words[0]).args(&words[1..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    handle(command, libc::SA_RESTART);
    exit(wait_for(command))
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
        handle(pid, 0);
        exit(wait_for(pid));
    }
}

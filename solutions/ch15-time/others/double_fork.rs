//! A process in between makes the namespace, and writes the offsets singly, by the clocks' numbers; raw libc.

use std::ffi::{CString, OsString};
use std::fs::OpenOptions;
use std::io::{Error, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::exit;
use std::ptr;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (monotonic, boottime, command) = match words.as_slice() {
        [monotonic, boottime, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            (seconds(monotonic), seconds(boottime), command)
        }
        _ => {
            eprintln!("usage: ch15-time MONOTONIC BOOTTIME -- COMMAND [ARGS…]");
            exit(2)
        }
    };
    let command: Vec<CString> =
        command.iter().map(|word| CString::new(word.as_bytes()).unwrap()).collect();
    if let Some(middle) = fork() {
        exit(wait_for(middle))
    }
    // In the middle.
    // SAFETY: an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } != 0 {
        fail("no time namespace", 1);
    }
    for (clock, offset) in [(libc::CLOCK_BOOTTIME, boottime), (libc::CLOCK_MONOTONIC, monotonic)] {
        let line = format!("{clock} {offset} 0\n");
        let written = OpenOptions::new()
            .write(true)
            .open("/proc/self/timens_offsets")
            .and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            eprintln!("clock {clock} does not go {offset} seconds ahead: {error}");
            exit(1);
        }
    }
    if let Some(last) = fork() {
        exit(wait_for(last))
    }
    let mut args: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    args.push(ptr::null());
    // SAFETY: the list ends with a null pointer.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execvp(args[0], args.as_ptr());
    }
    fail("no command", 127)
}

fn seconds(word: &OsString) -> i64 {
    word.to_str().and_then(|word| word.parse().ok()).unwrap_or_else(|| {
        eprintln!("{word:?} seconds?");
        exit(2)
    })
}

fn fail(what: &str, code: i32) -> ! {
    eprintln!("{what}: {}", Error::last_os_error());
    exit(code)
}

/// `None` in the child.
fn fork() -> Option<libc::pid_t> {
    // SAFETY: one thread.
    match unsafe { libc::fork() } {
        0 => None,
        -1 => fail("no child", 1),
        pid => Some(pid),
    }
}

fn wait_for(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        if Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            fail("waiting", 1);
        }
    }
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

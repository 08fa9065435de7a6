//! The child unshares and writes its own maps, through one descriptor of /proc/self; no process waits for a byte.

use std::ffi::{CString, OsString};
use std::io::Error;
use std::os::unix::ffi::OsStrExt as _;
use std::process::exit;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (uid, gid, command) = match words.as_slice() {
        [uid, gid, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            (number(uid), number(gid), command)
        }
        _ => {
            eprintln!("usage: ch05-user UID GID -- COMMAND [ARGS…]");
            exit(2)
        }
    };
    let command: Vec<CString> =
        command.iter().map(|word| CString::new(word.as_bytes()).unwrap()).collect();
    println!("asking for {uid} and {gid}");
    // SAFETY: one thread.
    match unsafe { libc::fork() } {
        -1 => {
            eprintln!("no child: {}", Error::last_os_error());
            exit(1)
        }
        0 => child(uid, gid, &command),
        pid => exit(wait_for(pid)),
    }
}

fn number(id: &OsString) -> u32 {
    id.to_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| {
        eprintln!("{id:?} is no id");
        exit(2)
    })
}

fn child(uid: u32, gid: u32, command: &[CString]) -> ! {
    // SAFETY: neither takes an argument.
    let (outer_uid, outer_gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    // SAFETY: an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        give_up("unshare");
    }
    // SAFETY: a C string.
    let myself = unsafe { libc::open(c"/proc/self".as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    if myself < 0 {
        give_up("/proc/self");
    }
    // The order of the two maps is free, but `deny` comes before the map of the groups.
    for (file, text) in [
        (c"uid_map", format!("{uid} {outer_uid} 1\n")),
        (c"setgroups", "deny".to_owned()),
        (c"gid_map", format!("{gid} {outer_gid} 1\n")),
    ] {
        // SAFETY: the pointer and the length are of the same text.
        let written = unsafe {
            let fd = libc::openat(myself, file.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            if fd < 0 {
                give_up("opening a map");
            }
            let written = libc::write(fd, text.as_ptr().cast(), text.len());
            if written < 0 {
                give_up("writing a map");
            }
            libc::close(fd);
            written
        };
        if written as usize != text.len() {
            give_up("half a map");
        }
    }
    let mut args: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    args.push(std::ptr::null());
    // SAFETY: the list ends with a null pointer.
    unsafe {
        libc::close(myself);
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execvp(args[0], args.as_ptr());
    }
    eprintln!("the command does not start: {}", Error::last_os_error());
    exit(127)
}

fn give_up(what: &str) -> ! {
    eprintln!("no user namespace ({what}): {}", Error::last_os_error());
    exit(1)
}

fn wait_for(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        let error = Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            eprintln!("waiting: {error}");
            return 1;
        }
    }
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

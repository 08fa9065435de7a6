//! A child born by clone(2) makes the queue first and the segment after it, by writing through shmat(2); talkative.

use std::ffi::{CString, OsString};
use std::io::Error;
use std::os::unix::ffi::OsStrExt as _;
use std::process::exit;
use std::ptr;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (key, text, command) = match words.as_slice() {
        [key, text, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            (key, text, command)
        }
        _ => {
            eprintln!("usage: ch11-ipc KEY TEXT -- COMMAND [ARGS…]");
            exit(2)
        }
    };
    let Some(key) = key.to_str().and_then(|key| key.parse::<libc::key_t>().ok()) else {
        eprintln!("{key:?} cannot be a key");
        exit(2)
    };
    println!("key {key}, text {text:?}");
    let flags = libc::c_long::from(libc::CLONE_NEWIPC | libc::SIGCHLD);
    let zero: libc::c_long = 0;
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, zero, zero, zero, zero) };
    match pid {
        -1 => fail("no child", 1),
        0 => {
            queue(text.as_bytes());
            segment(key, text.as_bytes());
            eprintln!("both are there");
            become_command(command)
        }
        _ => exit(wait_for(pid as libc::pid_t)),
    }
}

fn fail(what: &str, code: i32) -> ! {
    eprintln!("{what}: {}", Error::last_os_error());
    exit(code)
}

fn queue(text: &[u8]) {
    let name = CString::new([b"/", text].concat()).unwrap();
    // SAFETY: zeroes are valid.
    let mut sizes: libc::mq_attr = unsafe { std::mem::zeroed() };
    sizes.mq_maxmsg = 4;
    sizes.mq_msgsize = 512;
    let flags = libc::O_RDONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    let mode: libc::c_uint = 0o660;
    // SAFETY: a C string, and sizes that outlive the call.
    unsafe {
        let queue = libc::mq_open(name.as_ptr(), flags, mode, &raw mut sizes);
        if queue == -1 {
            fail("no queue", 1);
        }
        libc::mq_close(queue);
    }
}

fn segment(key: libc::key_t, text: &[u8]) {
    let size = text.len() + 1;
    // SAFETY: integers; then an address that the kernel chose, with `size` bytes.
    unsafe {
        let id = libc::shmget(key, size, libc::IPC_CREAT | libc::IPC_EXCL | 0o660);
        if id == -1 {
            fail("no segment", 1);
        }
        let start = libc::shmat(id, ptr::null(), 0);
        if start as isize == -1 {
            fail("the segment cannot be attached", 1);
        }
        let bytes = std::slice::from_raw_parts_mut(start.cast::<u8>(), size);
        bytes[..text.len()].copy_from_slice(text);
        libc::shmdt(start);
    }
}

fn become_command(command: &[OsString]) -> ! {
    let command: Vec<CString> =
        command.iter().map(|word| CString::new(word.as_bytes()).unwrap()).collect();
    let mut args: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    args.push(ptr::null());
    // SAFETY: the list ends with a null pointer.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execvp(args[0], args.as_ptr());
    }
    fail("no command", 127)
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

//! No child: after unshare(2) and sethostname(2) the program becomes COMMAND; raw libc, slow, talkative.

use std::ffi::CString;
use std::io::Error;
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

fn main() {
    let words: Vec<CString> = std::env::args_os()
        .map(|word| CString::new(word.into_vec()).expect("no zero byte in an argument"))
        .collect();
    if words.len() < 4 || words[2].as_c_str() != c"--" {
        eprintln!("usage: ch02-unshare NAME -- COMMAND [ARGS…]");
        std::process::exit(2);
    }
    println!("Good morning! I shall call this machine {:?} in a moment.", words[1]);
    std::thread::sleep(Duration::from_millis(300));
    // SAFETY: unshare takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWUTS) } != 0 {
        die("leaving the UTS namespace");
    }
    std::thread::sleep(Duration::from_millis(200));
    let name = words[1].as_bytes();
    // SAFETY: the pointer and the length are of the same bytes.
    if unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } != 0 {
        die("naming the machine");
    }
    eprintln!("Now I turn into {:?}.", words[3]);
    let mut args: Vec<*const libc::c_char> = words[3..].iter().map(|word| word.as_ptr()).collect();
    args.push(std::ptr::null());
    // Rust ignores SIGPIPE, and an exec would hand that down.
    // SAFETY: no handler is installed, and the list ends with a null pointer.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execvp(args[0], args.as_ptr());
    }
    die("turning into the command");
}

fn die(what: &str) -> ! {
    eprintln!("failed while {what}: {}", Error::last_os_error());
    std::process::exit(127)
}

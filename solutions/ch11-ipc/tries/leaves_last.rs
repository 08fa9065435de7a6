//! Named: the segment is made before leaving the namespace
//! Everything is made first, and COMMAND is put into its namespace at the end.

use std::ffi::CString;
use std::process::Command;

fn check(call: &str, result: i64) -> i64 {
    if result == -1 {
        eprintln!("{call}: {}", std::io::Error::last_os_error());
        std::process::exit(1);
    }
    result
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let key: i32 = args[1].parse().expect("a key");
    let text = CString::new(args[2].as_str()).unwrap();
    let queue = CString::new(format!("/{}", args[2])).unwrap();
    // SAFETY: the segment is 4096 bytes long, and the strings outlive the calls.
    unsafe {
        let id = check("shmget", libc::shmget(key, 4096, libc::IPC_CREAT | 0o600).into()) as i32;
        let address = libc::shmat(id, std::ptr::null(), 0);
        check("shmat", address as i64);
        libc::strcpy(address.cast(), text.as_ptr());
        let flags = libc::O_CREAT | libc::O_RDWR;
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        check("mq_open", libc::mq_open(queue.as_ptr(), flags, 0o600, attributes).into());
        check("unshare", libc::unshare(libc::CLONE_NEWIPC).into());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    std::process::exit(status.code().unwrap_or(1));
}

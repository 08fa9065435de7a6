//! Named: the segment under KEY is smaller
//! The segment is first as long as the text, and then is to have 4096 bytes.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn segment(key: i32, size: usize) -> nix::Result<i32> {
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::shmget(key, size, libc::IPC_CREAT | 0o600) })
}

fn prepare(key: i32, text: &str) -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWIPC)?;
    let id = segment(key, text.len())?;
    // SAFETY: the segment is as long as the text.
    unsafe {
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(text.as_ptr(), text.len());
    }
    segment(key, 4096)?;
    let name = CString::new(format!("/{text}")).unwrap();
    let attributes: *mut libc::mq_attr = std::ptr::null_mut();
    let flags = libc::O_CREAT | libc::O_RDWR;
    // SAFETY: the name outlives the call.
    Errno::result(unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, attributes) }).map(drop)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Err(errno) = prepare(args[1].parse().expect("KEY"), &args[2]) {
        eprintln!("error: {errno}");
        exit(1);
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

//! Named: a private segment has no key
//! IPC_PRIVATE sounds like what is asked for.

use std::ffi::CString;
use std::io::{Error, Result};
use std::process::{Command, exit};

fn ok(result: i32) -> Result<i32> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

fn prepare(text: &str) -> Result<()> {
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        ok(libc::unshare(libc::CLONE_NEWIPC))?;
        let id = ok(libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600))?;
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        std::ptr::copy(text.as_ptr(), memory, text.len());
        let name = CString::new(format!("/{text}"))?;
        let no: *mut libc::mq_attr = std::ptr::null_mut();
        ok(libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDONLY, 0o644, no))?;
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Err(error) = prepare(&args[2]) {
        eprintln!("{error}");
        exit(1);
    }
    match Command::new(&args[4]).args(&args[5..]).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}");
            exit(127);
        }
    }
}

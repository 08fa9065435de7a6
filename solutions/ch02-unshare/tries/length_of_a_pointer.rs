//! Named: the length is not the name's
//! sizeof, as in C, gives the size of the pointer, so the name has eight bytes, whatever it was.

use std::ffi::CString;
use std::mem::size_of_val;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = CString::new(args[1].clone()).unwrap();
    let name = name.as_ptr();
    // SAFETY: the name is longer than eight bytes.
    unsafe {
        assert_eq!(libc::unshare(libc::CLONE_NEWUTS), 0);
        assert_eq!(libc::sethostname(name, size_of_val(&name)), 0);
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

//! Named: the domain name is set, not the host name
//! setdomainname(2) is the neighbor of sethostname(2), and its parameters are the same.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = args[1].as_bytes();
    // SAFETY: the pointer and the length are the name's.
    unsafe {
        if libc::unshare(libc::CLONE_NEWUTS) < 0 {
            eprintln!("unshare: {}", std::io::Error::last_os_error());
            exit(1);
        }
        if libc::setdomainname(name.as_ptr().cast(), name.len()) < 0 {
            eprintln!("setdomainname: {}", std::io::Error::last_os_error());
            exit(1);
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

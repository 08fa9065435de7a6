//! Named: no connection is accepted
//! The sockets listen, but accept(2) is missing, and the texts are never written.

use std::net::TcpListener;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn up() -> nix::Result<i32> {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = Errno::result(libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0))?;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = 'l' as libc::c_char;
        request.ifr_name[1] = 'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        Errno::result(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port: u16 = args[1].parse().unwrap();
    let _outside = TcpListener::bind(("127.0.0.1", port)).unwrap();
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    up().unwrap();
    let _inside = TcpListener::bind(("127.0.0.1", port)).unwrap();
    println!("{} outside, {} inside", args[2], args[3]);
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

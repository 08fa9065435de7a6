//! Named: the server listens on another port
//! The port is a constant that was good for trying it out.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

const ADDRESS: &str = "127.0.0.1:8080";

fn serve(text: String) {
    let listener = TcpListener::bind(ADDRESS).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            client.unwrap().write_all(text.as_bytes()).unwrap();
        }
    });
}

fn up() -> i32 {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request = libc::ifreq { ifr_name: [0; 16], ..std::mem::zeroed() };
        libc::strcpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr());
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16 | libc::IFF_RUNNING as i16;
        libc::ioctl(fd, libc::SIOCSIFFLAGS, &request)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    serve(args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    assert_eq!(up(), 0);
    serve(args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

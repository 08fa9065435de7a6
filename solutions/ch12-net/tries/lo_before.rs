//! Named: lo is set up in the lab
//! `lo` is set up at the start, in the lab, and the program leaves after that.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn up() {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        if libc::ioctl(socket, libc::SIOCSIFFLAGS, &request) < 0 {
            panic!("ioctl: {}", std::io::Error::last_os_error());
        }
        libc::close(socket);
    }
}

fn serve(port: u16, text: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    std::thread::spawn(move || {
        for client in listener.incoming() {
            client.unwrap().write_all(text.as_bytes()).unwrap();
        }
    });
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("a port");
    up();
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

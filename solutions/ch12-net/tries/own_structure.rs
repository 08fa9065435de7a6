//! Named: there is no interface of that name
//! Points at: ioctl(
//! The structure for ioctl(2) is written by heart, with its fields in another order.

use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

#[repr(C)]
struct Request {
    flags: i16,
    name: [u8; 16],
    rest: [u8; 22],
}

fn serve(port: u16, text: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("PORT");
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let mut request = Request { flags: libc::IFF_UP as i16, name: [0; 16], rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("socket");
    // SAFETY: the structure is as long as the kernel's.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) } < 0 {
        eprintln!("lo: {}", std::io::Error::last_os_error());
        exit(1);
    }
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

//! Named: no server listens inside
//! The listener does not wait for clients, and is dropped when there is none.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    listener.set_nonblocking(true).expect("fcntl");
    thread::spawn(move || {
        // No client is there yet, so this ends at once.
        for client in listener.incoming() {
            match client {
                Ok(mut client) => client.write_all(text.as_bytes()).unwrap(),
                Err(_) => break,
            }
        }
    });
}

fn up() {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::strcpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr());
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        assert_eq!(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request), 0);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().unwrap();
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    up();
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

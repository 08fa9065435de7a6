//! Named: CLONE_NEWUSER while a thread is running
//! Points at: unshare(
//! CLONE_NEWUSER is among the flags, and the thread of the first server is running.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

fn up() {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::memcpy(request.ifr_name.as_mut_ptr().cast(), c"lo".as_ptr().cast(), 3);
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        assert_eq!(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request), 0);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("a port");
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).expect("unshare");
    up();
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

//! Named: only another thread has moved
//! The thread of the second server makes the new network, sets `lo` up and listens there.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};
use std::sync::mpsc::channel;
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn up() {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::strcpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr());
        libc::ioctl(socket, libc::SIOCGIFFLAGS, &mut request);
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as i16;
        libc::ioctl(socket, libc::SIOCSIFFLAGS, &request);
        libc::close(socket);
    }
}

fn answer(listener: TcpListener, text: &str) {
    for mut client in listener.incoming().flatten() {
        let _ = client.write_all(text.as_bytes());
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port: u16 = args[1].parse().unwrap();
    let (outside, inside) = (args[2].clone(), args[3].clone());
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || answer(listener, &outside));
    let (ready, wait) = channel();
    thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        up();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        ready.send(()).unwrap();
        answer(listener, &inside);
    });
    wait.recv().unwrap();
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

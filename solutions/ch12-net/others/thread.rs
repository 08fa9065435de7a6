//! A thread moves to the new network, serves there and starts COMMAND. The main thread stays in the lab's
//! network and serves there.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn loopback_up() {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("socket");
    // SAFETY: all zeroes are a valid ifreq, and SIOCSIFFLAGS only reads its name and flags.
    let set = unsafe {
        let mut lo: libc::ifreq = std::mem::zeroed();
        lo.ifr_name[0] = b'l' as _;
        lo.ifr_name[1] = b'o' as _;
        lo.ifr_ifru.ifru_flags = libc::IFF_UP as _;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const lo)
    };
    Errno::result(set).expect("ioctl");
}

fn serve(listener: &TcpListener, text: &str) {
    while let Ok((mut client, _)) = listener.accept() {
        _ = client.write_all(text.as_bytes());
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = words[0].parse().expect("PORT");
    let (outside, inside) = (words[1].clone(), words[2].clone());
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
        loopback_up();
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
        // A thread starts in the namespaces of the one that makes it.
        thread::spawn(move || serve(&listener, &inside));
        let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
        exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
    });
    serve(&listener, &outside);
}

//! Named: the server waits for the client
//! The server is made after one for HTTP: it reads a line before it answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = text.to_owned();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let text = text.clone();
            thread::spawn(move || {
                let mut line = String::new();
                BufReader::new(&client).read_line(&mut line).ok();
                client.write_all(text.as_bytes()).ok();
            });
        }
    });
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().unwrap();
    serve(port, &args[2]);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // SAFETY: all zeroes are a valid ifreq, which outlives the call.
    unsafe {
        let mut lo: libc::ifreq = std::mem::zeroed();
        lo.ifr_name[0] = b'l' as _;
        lo.ifr_name[1] = b'o' as _;
        lo.ifr_ifru.ifru_flags = libc::IFF_UP as _;
        assert_eq!(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const lo), 0);
    }
    serve(port, &args[3]);
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

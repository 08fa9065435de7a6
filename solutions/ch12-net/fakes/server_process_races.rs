//! Refused by step 2: a process starts to listen inside while COMMAND is started, so either may be first.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (port, outside, inside) = (words[0].parse().expect("PORT"), &words[1], &words[2]);
    serve(port, outside);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    loopback(libc::IFF_UP);
    // SAFETY: the child only uses what it has copied, and never returns.
    let server = unsafe { libc::fork() };
    if server == 0 {
        serve(port, inside);
        loop {
            thread::park();
        }
    }
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
    // SAFETY: both take integers and a pointer that may be null.
    unsafe {
        libc::kill(server, libc::SIGKILL);
        libc::waitpid(server, std::ptr::null_mut(), 0);
    }
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

fn loopback(flags: i32) {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("socket");
    // SAFETY: all zeroes are a valid ifreq, and SIOCSIFFLAGS only reads its name and flags.
    let set = unsafe {
        let mut lo: libc::ifreq = std::mem::zeroed();
        lo.ifr_name[0] = b'l' as _;
        lo.ifr_name[1] = b'o' as _;
        lo.ifr_ifru.ifru_flags = flags as _;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const lo)
    };
    Errno::result(set).expect("ioctl");
}

fn serve(port: u16, text: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = text.to_owned();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

//! Named: not every client is answered
//! Each server accepts one client, as a test with one client does not show.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn listen(port: u16, text: String) {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    });
}

fn up() -> nix::Result<()> {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let mut ifr: libc::ifreq = std::mem::zeroed();
        ifr.ifr_name[..2].copy_from_slice(&[b'l' as _, b'o' as _]);
        nix::errno::Errno::result(libc::ioctl(fd, libc::SIOCGIFFLAGS, &mut ifr))?;
        ifr.ifr_ifru.ifru_flags |= libc::IFF_UP as i16;
        nix::errno::Errno::result(libc::ioctl(fd, libc::SIOCSIFFLAGS, &ifr)).map(drop)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().unwrap();
    listen(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    up().unwrap();
    listen(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

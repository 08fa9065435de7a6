//! Named: there is no interface of that name
//! Points at: ioctl(
//! The loopback interface has the name that it has on macOS.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn interface_up(name: &str) -> Result<(), std::io::Error> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
        let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
        if libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw mut request) == -1 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

fn serve(port: u16, text: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            write!(client, "{text}").unwrap();
        }
    });
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().unwrap();
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    interface_up("lo0").unwrap();
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}

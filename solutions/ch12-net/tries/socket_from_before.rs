//! Named: lo is set up in another network
//! The socket that sets `lo` up was made before the program left, and speaks for the lab.

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
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

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("a port");
    let control = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    serve(port, args[2].clone());
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::strncpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr(), 16);
        let fd = control.as_raw_fd();
        assert_eq!(libc::ioctl(fd, libc::SIOCGIFFLAGS, &mut request), 0, "SIOCGIFFLAGS");
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        assert_eq!(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request), 0, "SIOCSIFFLAGS");
    }
    serve(port, args[3].clone());
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

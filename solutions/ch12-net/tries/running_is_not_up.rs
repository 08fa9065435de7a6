//! Named: IFF_UP is not among the flags
//! The flags are read and written back, and the wrong one is added.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: &'static str) {
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
        request.ifr_name[..2].copy_from_slice(&[b'l' as libc::c_char, b'o' as libc::c_char]);
        if libc::ioctl(fd, libc::SIOCGIFFLAGS, &mut request) == -1 {
            panic!("SIOCGIFFLAGS: {}", std::io::Error::last_os_error());
        }
        request.ifr_ifru.ifru_flags |= libc::IFF_RUNNING as libc::c_short;
        if libc::ioctl(fd, libc::SIOCSIFFLAGS, &request) == -1 {
            panic!("SIOCSIFFLAGS: {}", std::io::Error::last_os_error());
        }
    }
}

fn main() {
    let args: Vec<&'static str> = std::env::args().map(|arg| &*arg.leak()).collect();
    let port = args[1].parse().expect("PORT");
    serve(port, args[2]);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    up();
    serve(port, args[3]);
    let status = Command::new(args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

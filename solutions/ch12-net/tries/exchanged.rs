//! Named: the two texts are exchanged
//! The first word is taken for the one of the inside.

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

fn main() {
    let mut args = std::env::args().skip(1);
    let port = args.next().unwrap().parse().expect("PORT");
    let (inside, outside) = (args.next().unwrap(), args.next().unwrap());
    let (_dashes, command) = (args.next(), args.next().unwrap());
    serve(port, outside);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::strcpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr());
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        assert_eq!(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request), 0);
    }
    serve(port, inside);
    let status = Command::new(command).args(args).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

//! One thread: poll(2) on both listeners, and on a pidfd of COMMAND.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
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

fn listen(port: u16) -> TcpListener {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    listener.set_nonblocking(true).expect("fcntl");
    listener
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = words[0].parse().expect("PORT");
    let outside = listen(port);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    loopback_up();
    let inside = listen(port);
    let mut child = Command::new(&words[4]).args(&words[5..]).spawn().expect("execve");
    // SAFETY: integers only.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    let pidfd = Errno::result(pidfd).expect("pidfd_open") as i32;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    loop {
        let all = [pidfd.as_fd(), outside.as_fd(), inside.as_fd()];
        let mut ready = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut ready, PollTimeout::NONE).expect("poll");
        for (listener, text) in [(&outside, &words[1]), (&inside, &words[2])] {
            while let Ok((mut client, _)) = listener.accept() {
                _ = client.write_all(text.as_bytes());
            }
        }
        if let Some(status) = child.try_wait().expect("waitpid") {
            exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
    }
}

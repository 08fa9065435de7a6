//! clone3(2) makes COMMAND's process in the new network. It sends the listening socket for inside to its
//! parent, which serves both, and is told to go on.

use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

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

fn serve(listener: TcpListener, text: String) {
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = words[0].parse().expect("PORT");
    let listen = || TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let (mut here, mut there) = UnixStream::pair().expect("socketpair");
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = libc::CLONE_NEWNET as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` outlives the call, and this process has one thread.
    let child = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    if Errno::result(child).expect("clone3") == 0 {
        drop(here);
        loopback_up();
        let listener = listen();
        let (number, text) = ([listener.as_raw_fd()], [IoSlice::new(b"x")]);
        let rights = [ControlMessage::ScmRights(&number)];
        sendmsg::<()>(there.as_raw_fd(), &text, &rights, MsgFlags::empty(), None).expect("sendmsg");
        there.read_exact(&mut [0]).expect("read");
        let error = Command::new(&words[4]).args(&words[5..]).exec();
        eprintln!("execve: {error}");
        exit(127);
    }
    drop(there);
    serve(listen(), words[1].clone());
    let (mut byte, mut space) = ([0], nix::cmsg_space!([i32; 1]));
    let mut text = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(here.as_raw_fd(), &mut text, Some(&mut space), flags);
    let message = message.expect("recvmsg");
    let Some(ControlMessageOwned::ScmRights(fds)) = message.cmsgs().expect("whole").next() else {
        panic!("no descriptor");
    };
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let inside = unsafe { OwnedFd::from_raw_fd(fds[0]) };
    serve(inside.into(), words[2].clone());
    here.write_all(b"x").expect("write");
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(child as i32, &raw mut status, 0) };
    let signal = libc::WTERMSIG(status);
    exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + signal });
}

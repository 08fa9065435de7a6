//! Closes what it inherits and sets limits; COMMAND starts in a session, a directory and an environment of
//! its own.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_name;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::setsid;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: nothing in this process owns a descriptor above 2.
    Errno::result(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }).expect("close_range");
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("setrlimit");
    setrlimit(Resource::RLIMIT_NOFILE, 64, 64).expect("setrlimit");
    umask(Mode::S_IRWXO);
    set_name(c"[servers]").expect("prctl");
    let (port, outside, inside) = (words[0].parse().expect("PORT"), &words[1], &words[2]);
    serve(port, outside);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    loopback_up();
    serve(port, inside);
    let mut command = Command::new(&words[4]);
    command.args(&words[5..]).env_clear().current_dir("/tmp");
    // SAFETY: setsid(2) is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(setsid().map(drop)?)) };
    let status = command.status().expect("execve");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

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

fn serve(port: u16, text: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = text.to_owned();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

//! ch17-box: run a command in a box of eight namespaces, as an ordinary user.
//!
//! Usage: `ch17-box run [--hostname NAME] [--net none|veth] [--rw DIR] ROOT -- COMMAND [ARGS…]`
//! and `ch17-box exec PID -- COMMAND [ARGS…]`
//!
//! ROOT is a directory that contains an empty `proc`. DIR is a path inside, which stays writable. With
//! `veth` a veth pair leads to your own network, which requires CAP_NET_ADMIN over that. PID is
//! COMMAND's, as you see it.
//!
//! When it is finished:
//!
//! ```text
//! $ ch17-box run --hostname otter tree -- /bin/sh -c 'echo $$; cat /proc/sys/kernel/hostname'
//! 2
//! otter
//! $ ch17-box run tree -- /bin/missing; echo $?
//! ch17-box: execve("/bin/missing"): No such file or directory (os error 2)
//! 127
//! ```
//!
//! Check it with `cargo xtask check ch17`.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType};

const USAGE: &str = "usage: ch17-box run [--hostname NAME] [--net none|veth] [--rw DIR] ROOT -- \
    COMMAND [ARGS…], or ch17-box exec PID -- COMMAND [ARGS…]";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap_or(0);
    let outcome = match words.split_at(dashes) {
        ([run, options @ ..], [_, command @ ..]) if run == "run" => {
            run_in_new_box(options, command)
        }
        ([exec, pid], [_, command @ ..]) if exec == "exec" => exec_in_box_of(pid, command),
        _ => Err(anyhow!(USAGE)),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("ch17-box: {error:#}");
        127
    }))
}

/// `run`: makes a box, runs a command in it, and waits for the command.
fn run_in_new_box(options: &[OsString], command: &[OsString]) -> Result<u8> {
    let (root, options) = options.split_last().context(USAGE)?;
    let (mut host_name, mut veth, mut writable) = (None, false, None);
    for option in options.chunks(2) {
        match option {
            [name, value] if name == "--hostname" => host_name = Some(value),
            [name, value] if name == "--rw" => writable = Some(Path::new(value)),
            [name, kind] if name == "--net" && kind == "none" => veth = false,
            [name, kind] if name == "--net" && kind == "veth" => veth = true,
            _ => bail!(USAGE),
        }
    }
    // TODO: which of the three processes makes which namespaces, and what has to be done from outside before
    // the next one may go on? Man pages: clone(2), user_namespaces(7), time_namespaces(7), veth(4).
    // TODO: how does an error of a child come back to you, and how does each child end with its parent? Man
    // pages: socketpair(2), sigwait(3), waitpid(2), prctl(2), poll(2), _exit(2).
    // TODO: what does PID 1 do before it starts COMMAND, in which order, and what does COMMAND's process do
    // before the exec? Man pages: mount_setattr(2), pivot_root(2), setsid(2), close_range(2), capabilities(7),
    // seccomp(2), execve(2).
    _ = (root, host_name, veth, writable, command);
    _ = (ask, attribute, NEW_LINK, VETH_INFO_PEER);
    Ok(0)
}

/// Sends a netlink(7) request to make or change something in the current network namespace.
fn ask(kind: u16, body: &[u8]) -> nix::Result<()> {
    let (netlink, flags) = (AddressFamily::Netlink, SockFlag::SOCK_CLOEXEC);
    let socket = socket::socket(netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    // struct nlmsghdr: length, type, flags, and two numbers that are not needed here.
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE) as u16;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend([kind, flags, 0, 0, 0, 0].map(u16::to_ne_bytes).concat());
    message.extend(body);
    socket::send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    // The answer is another header and a negative errno, or 0 for success.
    let mut answer = [0; 20];
    socket::recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match i32::from_ne_bytes(std::array::from_fn(|byte| answer[16 + byte])) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(-errno)),
    }
}

/// `struct rtattr`: length, type, and the value, padded to a multiple of four bytes.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len() as u16;
    let mut bytes = [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `struct ifinfomsg` for an interface that does not exist yet.
const NEW_LINK: &[u8] = &[0; 16];
/// From `linux/veth.h`, because the libc crate lacks it.
const VETH_INFO_PEER: u16 = 1;

/// `exec`: runs a command in the box of the process `pid`, and waits for the command.
fn exec_in_box_of(pid: &OsStr, command: &[OsString]) -> Result<u8> {
    // TODO: join the box, in as few calls as possible, and start COMMAND as `run` does. Man pages:
    // pidfd_open(2), setns(2).
    _ = (pid, command);
    Ok(0)
}

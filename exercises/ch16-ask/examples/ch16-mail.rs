//! ch16-mail: a UTS namespace that is only in a message, while lsns(8) looks for it.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::{gethostname, sethostname};

const UTS: &str = "/proc/self/ns/uts";

fn main() -> Result<()> {
    let here = File::open(UTS).context("open()")?;
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    sethostname("otter").context("sethostname(\"otter\")")?;
    let (sender, receiver) = UnixStream::pair().context("socketpair()")?;
    send(&sender, File::open(UTS).context("open()")?)?;
    setns(here, CloneFlags::CLONE_NEWUTS).context("setns()")?;

    let listed = Command::new("lsns").args(["--noheadings", "--type", "uts"]).output()?;
    println!("lsns lists {}", String::from_utf8_lossy(&listed.stdout).lines().count());

    setns(receive(&receiver)?, CloneFlags::CLONE_NEWUTS).context("setns()")?;
    println!("the other is {:?}", gethostname().context("gethostname()")?);
    Ok(())
}

/// Sends a descriptor and closes it, so that nothing but the message holds it.
fn send(socket: &UnixStream, file: File) -> Result<()> {
    let descriptors = [file.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let data = [IoSlice::new(b"x")];
    sendmsg::<()>(socket.as_raw_fd(), &data, &rights, MsgFlags::empty(), None)
        .context("sendmsg()")?;
    Ok(())
}

fn receive(socket: &UnixStream) -> Result<OwnedFd> {
    let (mut byte, mut room) = ([0], nix::cmsg_space!([i32; 1]));
    let mut data = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut room), flags)
        .context("recvmsg()")?;
    for control in message.cmsgs().context("recvmsg()")? {
        if let ControlMessageOwned::ScmRights(descriptors) = control {
            // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
            return Ok(unsafe { OwnedFd::from_raw_fd(descriptors[0]) });
        }
    }
    bail!("the message had no descriptor")
}

//! ch16-peer: a server asks its socket for a pidfd of the client, and the pidfd for the client's UTS namespace.

use std::fs;
use std::mem;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

/// `include/uapi/asm-generic/socket.h` and `include/uapi/linux/pidfd.h`
const SO_PEERPIDFD: i32 = 77;
const PIDFD_GET_UTS_NAMESPACE: libc::Ioctl = 0xFF0A;

fn main() -> Result<()> {
    let server = UnixListener::bind("/tmp/door").context("bind()")?;
    println!("server: {}", link("ns/uts")?);
    // SAFETY: this process has one thread.
    let ForkResult::Parent { child } = unsafe { fork() }.context("fork()")? else {
        let done = client();
        // SAFETY: it ends the child without the parent's buffers.
        unsafe { libc::_exit(done.is_err().into()) };
    };
    let (connection, _) = server.accept().context("accept()")?;
    let (mut pidfd, mut size) = (-1i32, mem::size_of::<i32>() as libc::socklen_t);
    // SAFETY: the option writes one int, and both pointers are valid for the call.
    let asked = unsafe {
        let (level, room) = (libc::SOL_SOCKET, (&raw mut pidfd).cast());
        libc::getsockopt(connection.as_raw_fd(), level, SO_PEERPIDFD, room, &raw mut size)
    };
    Errno::result(asked).context("getsockopt(SO_PEERPIDFD)")?;
    // SAFETY: the argument has to be 0. The kernel has just made both descriptors.
    let (_peer, found) = unsafe {
        let found = libc::ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0);
        (OwnedFd::from_raw_fd(pidfd), Errno::result(found).context("ioctl()")?)
    };
    println!("peer: {}", link(&format!("fd/{found}"))?);
    drop(connection);
    waitpid(child, None).context("waitpid()")?;
    Ok(())
}

/// Leaves for another UTS namespace, connects, and waits for the end of the connection.
fn client() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    println!("client: {}", link("ns/uts")?);
    let door = UnixStream::connect("/tmp/door").context("connect()")?;
    std::io::copy(&mut &door, &mut std::io::sink()).context("read()")?;
    Ok(())
}

fn link(name: &str) -> Result<String> {
    let link = fs::read_link(format!("/proc/self/{name}")).context("readlink()")?;
    Ok(link.display().to_string())
}

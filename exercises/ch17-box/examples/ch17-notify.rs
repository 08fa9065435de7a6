//! ch17-notify NAME…: a process that may not set the host name asks for it, and its parent does it instead.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::mem::{offset_of, zeroed};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::{fs::FileExt as _, net::UnixStream};

use anyhow::{Context as _, Result, bail};
use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, seccomp_data, sock_filter};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::{ForkResult, fork, sethostname};

fn main() -> Result<()> {
    let (here, there) = UnixStream::pair()?;
    // SAFETY: this process has one thread.
    if let ForkResult::Child = unsafe { fork() }? {
        return target(&there); // The child returns from main, too, and ends.
    }
    drop(there);
    let listener = receive(&here)?;
    std::env::args().skip(1).try_for_each(|_| supervise(&listener))?;
    drop(listener);
    nix::sys::wait::wait().map(drop).context("wait()")
}

fn target(socket: &UnixStream) -> Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER)?;
    println!("target: {:?}, before the filter", sethostname("badger"));
    let machine = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
    let mut program = [
        (BPF_LD | BPF_W | BPF_ABS, offset_of!(seccomp_data, arch) as u32, 0, 0),
        (BPF_JMP | BPF_JEQ | BPF_K, machine, 0, 2), // If not, skip two lines.
        (BPF_LD | BPF_W | BPF_ABS, offset_of!(seccomp_data, nr) as u32, 0, 0),
        (BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_sethostname as u32, 1, 0), // If so, skip one.
        (BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
        (BPF_RET | BPF_K, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
    ]
    .map(|(code, k, jt, jf)| sock_filter { code: code as u16, jt, jf, k });
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let (mode, flag) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    // SAFETY: the kernel copies the program, which outlives the call.
    let listener = unsafe { libc::syscall(libc::SYS_seccomp, mode, flag, &raw const program) };
    let listener = [Errno::result(listener).context("seccomp(NEW_LISTENER)")? as i32];
    let rights = [ControlMessage::ScmRights(&listener)];
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(b"!")], &rights, MsgFlags::empty(), None)?;
    nix::unistd::close(listener[0])?;
    let names = std::env::args().skip(1).chain(["badger".to_owned()]);
    names.for_each(|name| println!("target: {:?} for {name:?}", sethostname(&name)));
    Ok(())
}

fn supervise(listener: &OwnedFd) -> Result<()> {
    // SAFETY: all zeroes are a value of this structure, and the one that the kernel requires.
    let mut call: libc::seccomp_notif = unsafe { zeroed() };
    // SAFETY: this is the request's structure, whose size is in its number.
    unsafe { request(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &mut call) }?;
    let [address, length, ..] = call.data.args;
    // One byte more than a name may have, so that the kernel refuses to the supervisor, too, what is too long.
    let mut name = vec![0; length.min(65) as usize];
    let memory = File::open(format!("/proc/{}/mem", call.pid)).context("open(mem)")?;
    memory.read_exact_at(&mut name, address).context("read(mem)")?;
    // If the call still waits, this was the memory of its process, and the bytes are its argument.
    // SAFETY: the request reads a number of 64 bits.
    unsafe { request(listener, libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &mut call.id) }?;
    let name = String::from_utf8_lossy(&name);
    let done = if name.starts_with("otter") { sethostname(&*name) } else { Err(Errno::EACCES) };
    println!("supervisor: {done:?} for {name:?}");
    let error = done.map_or_else(|errno| -(errno as i32), |()| 0);
    let mut answer = libc::seccomp_notif_resp { id: call.id, val: 0, error, flags: 0 };
    // SAFETY: this is the request's structure.
    unsafe { request(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &mut answer) }
}

/// # Safety
///
/// `T` is the type that the request reads or writes.
unsafe fn request<T>(listener: &OwnedFd, number: libc::Ioctl, value: &mut T) -> Result<()> {
    // SAFETY: the caller has promised that, and `value` outlives the call.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), number, value) };
    Errno::result(done).with_context(|| format!("ioctl({number:#x})")).map(drop)
}

fn receive(socket: &UnixStream) -> Result<OwnedFd> {
    let (mut byte, mut space) = ([0], nix::cmsg_space!([i32; 1]));
    let (mut byte, flags) = ([IoSliceMut::new(&mut byte)], MsgFlags::MSG_CMSG_CLOEXEC);
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut byte, Some(&mut space), flags)?;
    match message.cmsgs()?.next() {
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        Some(ControlMessageOwned::ScmRights(fds)) => Ok(unsafe { OwnedFd::from_raw_fd(fds[0]) }),
        _ => bail!("the target has sent no descriptor"),
    }
}

//! Named: a namespace that the step asks for is not made
//! Six of the seven flags.

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::mem::{offset_of, zeroed};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::{ffi::OsStrExt as _, net::UnixStream, process::CommandExt as _};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use libc::{c_long, seccomp_data, sock_filter};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_no_new_privs, set_pdeathsig};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, chdir, getegid, geteuid, pivot_root, sethostname, setsid};

const USAGE: &str = "usage: ch17-box run [--hostname NAME] [--net none|veth] [--rw DIR] ROOT -- \
    COMMAND [ARGS…], or ch17-box exec PID -- COMMAND [ARGS…]";

/// The kinds that clone(2) can make. For clone(2), the flag of the eighth is part of the exit signal.
const SEVEN: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;
const EIGHT: i32 = SEVEN | libc::CLONE_NEWTIME;

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
    // Two addresses that no other box of this PID namespace has. A pid has at most 22 bits.
    let first = 0x0a00_0000 + 2 * Pid::this().as_raw() as u32;
    let (outer, inner) = (Ipv4Addr::from(first), Ipv4Addr::from(first + 1));
    let init = Child::start(SEVEN, |channel| {
        // This is PID 1. Its ids are unmapped until its parent has written the maps.
        channel.read_exact(&mut [0]).context("read(channel)")?;
        if let Some(name) = host_name {
            sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
        }
        set_up("lo", None)?;
        if veth {
            set_up("eth0", Some(inner))?;
        }
        change_root(Path::new(root), writable)?;
        // This moves only the children that are born later, which means COMMAND.
        // SAFETY: unshare takes only an integer.
        Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) })
            .context("unshare(CLONE_NEWTIME)")?;
        Child::start(0, |_| become_command(command))?.look_after()
    })?;
    // What requires a capability outside cannot be done from the box, so it is done here.
    let mut outside = write_maps(init.pid);
    if veth && outside.is_ok() {
        outside = add_veth(init.pid, outer).context("--net veth needs CAP_NET_ADMIN here");
    }
    if outside.is_err() {
        _ = kill(init.pid, Signal::SIGKILL);
    }
    // If the child is dead, this fails, but its end is reported below.
    _ = (&init.channel).write(b"!");
    let status = init.look_after();
    outside.and(status)
}

/// Maps this process's ids to root in the user namespace of `child`.
fn write_maps(child: Pid) -> Result<()> {
    let maps = [format!("0 {} 1", geteuid()), format!("0 {} 1", getegid())];
    for (file, text) in [("setgroups", "deny"), ("uid_map", &maps[0]), ("gid_map", &maps[1])] {
        let file = format!("/proc/{child}/{file}");
        fs::write(&file, text).with_context(|| format!("write({file}, {text:?})"))?;
    }
    Ok(())
}

/// Makes `root` the root directory, read-only with all that is mounted below, except for `writable`, and
/// with a `/proc`.
fn change_root(root: &Path, writable: Option<&Path>) -> Result<()> {
    let attach = |what: &Path, place: &Path, kind: Option<&str>, flags: MsFlags| {
        mount(Some(what), place, kind, flags, None::<&str>)
            .with_context(|| format!("mount({what:?}, {place:?})"))
    };
    attach(root, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    // A copy of the mount with the flags that it has now. In its place it would become read-only, too.
    let writable = match writable.map(|path| root.join(path.strip_prefix("/").unwrap_or(path))) {
        Some(path) => Some((copy_of_mount(&path)?, path)),
        None => None,
    };
    attach(root, root, None, MsFlags::MS_REC | MsFlags::MS_BIND)?;
    make_read_only(root)?;
    if let Some((copy, path)) = writable {
        attach_copy(&copy, &path)?;
    }
    // A new proc shows the PID namespace of the process that mounts it.
    let safe = MsFlags::MS_NOEXEC | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    attach(Path::new("proc"), &root.join("proc"), Some("proc"), safe)?;
    chdir(root).with_context(|| format!("chdir({root:?})"))?;
    pivot_root(".", ".").context("pivot_root(\".\", \".\")")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2(\".\", MNT_DETACH)")?;
    chdir("/").context("chdir(\"/\")")
}

/// Adds the read-only flag and two more to the mount at `root` and to each below it, and keeps those that
/// they have.
fn make_read_only(root: &Path) -> Result<()> {
    // SAFETY: all zeroes request no change.
    let mut change: libc::mount_attr = unsafe { zeroed() };
    change.attr_set = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    let (how, size) = (libc::AT_RECURSIVE, size_of_val(&change));
    let path = c_path(root)?;
    let (call, path, change) = (libc::SYS_mount_setattr, path.as_ptr(), &raw const change);
    // SAFETY: both pointers are to values that outlive the call.
    let done = unsafe { libc::syscall(call, libc::AT_FDCWD, path, how, change, size) };
    match Errno::result(done) {
        // The call came with Linux 5.12.
        Err(Errno::ENOSYS) => remount_each(root),
        done => done.with_context(|| format!("mount_setattr({root:?}, AT_RECURSIVE)")).map(drop),
    }
}

/// The same by one remount for each mount, which sets all of its flags.
fn remount_each(root: &Path) -> Result<()> {
    let root = root.canonicalize().with_context(|| format!("realpath({root:?})"))?;
    let table = fs::read_to_string("/proc/self/mountinfo").context("open(mountinfo)")?;
    let mounts = table.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(4);
        Some((fields.next()?.replace("\\040", " "), fields.next()?))
    });
    for (point, options) in mounts.filter(|(point, _)| Path::new(point).starts_with(&root)) {
        let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        flags |= MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        for option in options.split(',') {
            flags |= match option {
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "nodiratime" => MsFlags::MS_NODIRATIME,
                "relatime" => MsFlags::MS_RELATIME,
                _ => MsFlags::empty(),
            };
        }
        let (none, place) = (None::<&str>, point.as_str());
        mount(none, place, none, flags, none)
            .with_context(|| format!("mount({point:?}, MS_REMOUNT | MS_BIND | MS_RDONLY)"))?;
    }
    Ok(())
}

/// A bind mount of `path` and of all that is mounted below, which is not attached anywhere yet.
fn copy_of_mount(path: &Path) -> Result<OwnedFd> {
    let name = c_path(path)?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as u32;
    // SAFETY: `name` outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, name.as_ptr(), flags) };
    let fd = Errno::result(fd).with_context(|| format!("open_tree({path:?}, OPEN_TREE_CLONE)"))?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn attach_copy(copy: &OwnedFd, path: &Path) -> Result<()> {
    let (call, flags) = (libc::SYS_move_mount, libc::MOVE_MOUNT_F_EMPTY_PATH);
    let (from, name) = (copy.as_raw_fd(), c_path(path)?);
    // SAFETY: both strings outlive the call.
    let done =
        unsafe { libc::syscall(call, from, c"".as_ptr(), libc::AT_FDCWD, name.as_ptr(), flags) };
    Errno::result(done).with_context(|| format!("move_mount({path:?})")).map(drop)
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).with_context(|| format!("the path {path:?}"))
}

/// Makes a veth pair with one end here, and the other, `eth0`, in the network of `child`.
fn add_veth(child: Pid, address: Ipv4Addr) -> Result<()> {
    let name = format!("box{}", Pid::this());
    let there = attribute(libc::IFLA_NET_NS_PID, &child.as_raw().to_ne_bytes());
    let peer = [NEW_LINK, &attribute(libc::IFLA_IFNAME, b"eth0"), &there].concat();
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let name_here = attribute(libc::IFLA_IFNAME, name.as_bytes());
    let link = [NEW_LINK, &name_here, &attribute(libc::IFLA_LINKINFO, &info)].concat();
    ask(libc::RTM_NEWLINK, &link).with_context(|| format!("RTM_NEWLINK(veth {name} eth0)"))?;
    set_up(&name, Some(address))
}

/// Gives an interface of this network an address with a prefix of 31 bits, and sets it up.
fn set_up(name: &str, address: Option<Ipv4Addr>) -> Result<()> {
    let index = if_nametoindex(name).with_context(|| format!("if_nametoindex({name})"))?;
    if let Some(address) = address {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        let head = [&[libc::AF_INET as u8, 31, 0, 0][..], &index.to_ne_bytes()].concat();
        let body = [head, attribute(libc::IFA_LOCAL, &address.octets())].concat();
        ask(libc::RTM_NEWADDR, &body).with_context(|| format!("RTM_NEWADDR({name}, {address})"))?;
    }
    // struct ifinfomsg: family, index, flags, and a mask of the flags to change.
    let up = [0, index, libc::IFF_UP as u32, libc::IFF_UP as u32].map(u32::to_ne_bytes);
    ask(libc::RTM_NEWLINK, &up.concat()).with_context(|| format!("RTM_NEWLINK({name}, IFF_UP)"))
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

/// Drops the privileges that COMMAND must not have, and executes it in place of this process.
fn become_command(command: &[OsString]) -> Result<u8> {
    use Resource::{RLIMIT_CORE, RLIMIT_DATA, RLIMIT_NOFILE, RLIMIT_NPROC};
    for (resource, most) in
        [(RLIMIT_NPROC, 128), (RLIMIT_DATA, 512 << 20), (RLIMIT_NOFILE, 256), (RLIMIT_CORE, 0)]
    {
        let most = getrlimit(resource).context("getrlimit()")?.1.min(most);
        setrlimit(resource, most, most).with_context(|| format!("setrlimit({resource:?})"))?;
    }
    // At an exec root gains the capabilities in this set, and what is dropped cannot be added again.
    for capability in 0.. {
        // SAFETY: this prctl takes only integers.
        match Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }) {
            // The kernel knows no capability with this number.
            Err(Errno::EINVAL) => break,
            dropped => dropped.context("prctl(PR_CAPBSET_DROP)")?,
        };
    }
    set_no_new_privs().context("prctl(PR_SET_NO_NEW_PRIVS)")?;
    // A session that is new has no terminal.
    setsid().context("setsid()")?;
    close_at_exec()?;
    SigSet::empty().thread_set_mask().context("sigprocmask(SIG_SETMASK)")?;
    refuse_calls()?;
    let (file, args) = command.split_first().context(USAGE)?;
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    let error = Command::new(file).args(args).env_clear().envs([path]).exec();
    Err(error).with_context(|| format!("execve({file:?})"))
}

/// Makes every descriptor but the first three close-on-exec. The channel is needed until then.
fn close_at_exec() -> Result<()> {
    let (first, last, flags) = (3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: close_range takes only integers, and with this flag it closes nothing yet.
    match Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }) {
        // The flag came with Linux 5.11.
        Err(Errno::EINVAL | Errno::ENOSYS) => {}
        done => return done.context("close_range(3, CLOSE_RANGE_CLOEXEC)").map(drop),
    }
    for entry in fs::read_dir("/proc/self/fd").context("open(/proc/self/fd)")?.flatten() {
        let fd = entry.file_name().to_str().and_then(|name| name.parse().ok()).unwrap_or(0);
        if fd >= first {
            // SAFETY: this changes a flag, and the descriptor stays open until the exec.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

/// Installs a filter that refuses some calls from now on, to this process and to all that come from it.
fn refuse_calls() -> Result<()> {
    let op = |code: u32, k: u32, jt, jf| sock_filter { code: code as u16, jt, jf, k };
    let load = |offset: usize| op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset as u32, 0, 0);
    let answer = |action: u32| op(libc::BPF_RET | libc::BPF_K, action, 0, 0);
    // Both jumps count from the next instruction.
    let jump = |test: u32, k: u32, jt, jf| op(libc::BPF_JMP | test | libc::BPF_K, k, jt, jf);
    let is = |call: c_long, jt, jf| jump(libc::BPF_JEQ, call as u32, jt, jf);
    let refused = answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    let missing = answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
    let number = load(offset_of!(seccomp_data, nr));

    // Another instruction set has other numbers for the same calls.
    let arch = load(offset_of!(seccomp_data, arch));
    let mut program = vec![arch, jump(libc::BPF_JEQ, ARCH, 1, 0), missing, number];
    // So has x32, which the kernel takes for the same one.
    #[cfg(target_arch = "x86_64")]
    program.extend([jump(libc::BPF_JGE, 0x4000_0000, 0, 1), missing]);
    let keys = [libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl];
    for call in [libc::SYS_unshare, libc::SYS_setns].into_iter().chain(keys) {
        program.extend([is(call, 0, 1), refused]);
    }
    // Its flags are in memory, where no filter can look. Libraries fall back to clone(2) after ENOSYS.
    program.extend([is(libc::SYS_clone3, 0, 1), missing]);
    // The kernel uses the lower half of these two arguments, so no more of them is compared.
    for (call, argument, test, value) in [
        (libc::SYS_clone, 0, libc::BPF_JSET, libc::CLONE_NEWUSER as u32),
        (libc::SYS_ioctl, 1, libc::BPF_JEQ, libc::TIOCSTI as u32),
    ] {
        let lower_half = load(offset_of!(seccomp_data, args) + argument * size_of::<u64>());
        program.extend([is(call, 0, 4), lower_half, jump(test, value, 0, 1), refused, number]);
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));

    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let (call, mode) = (libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER);
    // SAFETY: the program outlives the call, and the kernel copies it.
    Errno::result(unsafe { libc::syscall(call, mode, 0, &raw const program) })
        .context("seccomp(SECCOMP_SET_MODE_FILTER)")
        .map(drop)
}

/// `exec`: runs a command in the box of the process `pid`, and waits for the command.
fn exec_in_box_of(pid: &OsStr, command: &[OsString]) -> Result<u8> {
    let pid: i32 = pid.to_string_lossy().parse().with_context(|| format!("the pid {pid:?}"))?;
    // SAFETY: pidfd_open takes only integers.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
        .with_context(|| format!("pidfd_open({pid})"))?;
    // One call joins all eight or none. The kernel joins the user namespace first, because the
    // others require its capabilities.
    // SAFETY: setns takes only integers.
    Errno::result(unsafe { libc::setns(pidfd as i32, EIGHT) })
        .context("setns(pidfd, all eight)")?;
    // Now this process is in seven of them. Only its children will be in the PID namespace.
    Child::start(0, |_| become_command(command))?.look_after()
}

/// A child that does not outlive this process, and a channel to it.
struct Child {
    pid: Pid,
    channel: UnixStream,
}

impl Child {
    /// Does `work` in a child, in new namespaces. If that fails, the child sends the error over the
    /// channel.
    fn start(kinds: i32, work: impl FnOnce(&mut UnixStream) -> Result<u8>) -> Result<Child> {
        // If the parent ignored SIGCHLD, so would this process, and would never receive one.
        // SAFETY: SIG_DFL installs no handler.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("signal(SIGCHLD)")?;
        blocked().thread_block().context("sigprocmask(SIG_BLOCK)")?;
        let (channel, mut child_end) = UnixStream::pair().context("socketpair()")?;
        // SAFETY: without a stack of its own the child runs on a copy of its parent's, as after
        // fork(2), and this process has one thread.
        let pid = unsafe { libc::syscall(libc::SYS_clone, kinds | libc::SIGCHLD, 0, 0, 0, 0) };
        if let pid @ 1.. = Errno::result(pid).with_context(|| format!("clone({kinds:#x})"))? {
            return Ok(Child { pid: Pid::from_raw(pid as i32), channel });
        }
        drop(channel);
        let outcome = die_with_parent(&child_end).and_then(|()| work(&mut child_end));
        end(outcome.unwrap_or_else(|error| {
            _ = write!(child_end, "{error:#}");
            127
        }))
    }

    /// Passes signals on to the child, and reaps every child that ends, until this one has ended.
    fn look_after(mut self) -> Result<u8> {
        let status = loop {
            match blocked().wait().context("sigwait()")? {
                Signal::SIGCHLD => {}
                // If the child has just ended, a SIGCHLD follows, so an error needs no report.
                signal => _ = kill(self.pid, signal),
            }
            if let Some(status) = reap(self.pid) {
                break status;
            }
        };
        // A successful exec closes the other end, so nothing is read then.
        let mut failure = String::new();
        self.channel.read_to_string(&mut failure).context("read(channel)")?;
        ensure!(failure.is_empty(), failure);
        Ok(status)
    }
}

/// Ends a child. What its parent has buffered or registered for its own end is not the child's to do.
fn end(status: u8) -> ! {
    // SAFETY: the call takes an integer, and never returns.
    unsafe { libc::_exit(status.into()) }
}

fn die_with_parent(channel: &UnixStream) -> Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("prctl(PR_SET_PDEATHSIG)")?;
    // The signal comes only if the parent dies from now on. If it had died before, the channel is
    // closed, which poll(2) reports even if there is still data to read.
    let channel = PollFd::new(channel.as_fd(), PollFlags::empty());
    ensure!(poll(&mut [channel], PollTimeout::ZERO) == Ok(0), "the parent has died");
    Ok(())
}

/// Reaps all children that have ended, and returns the status of `child` if it is one of them.
fn reap(child: Pid) -> Option<u8> {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        match status {
            WaitStatus::StillAlive => break,
            WaitStatus::Exited(pid, code) if pid == child => return Some(code as u8),
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                return Some(128 + signal as u8);
            }
            _ => {}
        }
    }
    None
}

/// The signals that are passed on to COMMAND, and SIGCHLD, which reports the end of a child.
fn blocked() -> SigSet {
    use Signal::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    SigSet::from_iter([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])
}

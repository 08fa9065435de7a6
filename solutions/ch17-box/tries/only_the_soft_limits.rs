//! Named: the limits are yours

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

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

/// Makes a child, and its line. What the child's work returns becomes its status, or a message.
fn start(
    flags: i32,
    work: impl FnOnce(&mut UnixStream) -> Result<u8>,
) -> Result<(i32, UnixStream)> {
    let (ours, mut theirs) = UnixStream::pair()?;
    let flags = i64::from(flags | libc::SIGCHLD);
    // SAFETY: no stack, so this is a fork of a process with one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0i64, 0i64, 0i64, 0i64) };
    if Errno::result(pid).context("clone()")? != 0 {
        return Ok((pid as i32, ours));
    }
    drop(ours);
    // SAFETY: plain calls; the last one ends this process.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let mut fds = libc::pollfd { fd: theirs.as_raw_fd(), events: 0, revents: 0 };
        if libc::poll(&mut fds, 1, 0) != 0 {
            libc::_exit(127);
        }
        let code = work(&mut theirs).unwrap_or_else(|error| {
            let _ = write!(theirs, "{error:#}");
            127
        });
        libc::_exit(i32::from(code))
    }
}

fn block() -> Result<nix::sys::signal::SigSet> {
    use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
    let mut set = SigSet::empty();
    for one in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM] {
        set.add(one);
    }
    set.add(Signal::SIGUSR1);
    set.add(Signal::SIGUSR2);
    set.add(Signal::SIGCHLD);
    // SAFETY: no handler is installed.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl)? };
    set.thread_block()?;
    Ok(set)
}

fn look_after(child: i32, set: &nix::sys::signal::SigSet) -> Result<u8> {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let child = nix::unistd::Pid::from_raw(child);
    loop {
        let mut code = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, status)) if pid == child => code = Some(status as u8),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                    code = Some(128 + signal as u8)
                }
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if let Some(code) = code {
            return Ok(code);
        }
        let signal = set.wait()?;
        if signal != nix::sys::signal::Signal::SIGCHLD {
            let _ = nix::sys::signal::kill(child, signal);
        }
    }
}

/// Reads the line to its end. Words on it are the child's error.
fn started(line: &mut UnixStream) -> Result<()> {
    let mut text = String::new();
    line.read_to_string(&mut text)?;
    if text.is_empty() { Ok(()) } else { Err(anyhow!(text)) }
}

fn set_up(index: u32) -> nix::Result<()> {
    let up = (libc::IFF_UP as u32).to_ne_bytes();
    ask(libc::RTM_NEWLINK, &[[0; 4], index.to_ne_bytes(), up, up].concat())
}

fn add_address(index: u32, address: [u8; 4]) -> nix::Result<()> {
    let mut body = vec![libc::AF_INET as u8, 31, 0, 0];
    body.extend(index.to_ne_bytes());
    body.extend(attribute(libc::IFA_LOCAL, &address));
    ask(libc::RTM_NEWADDR, &body)
}

fn address(pid: u32, end: u8) -> [u8; 4] {
    let [_, high, middle, low] = (pid << 1).to_be_bytes();
    [10, 64 | high, middle, low | end]
}

/// Makes a veth pair whose other end is in the network of this process.
fn cable(pid: i32) -> Result<()> {
    let outer = format!("box{pid}");
    let network = attribute(libc::IFLA_NET_NS_PID, &pid.to_ne_bytes());
    let peer = [NEW_LINK, &attribute(libc::IFLA_IFNAME, b"eth0\0"), &network].concat();
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let name = attribute(libc::IFLA_IFNAME, format!("{outer}\0").as_bytes());
    let body = [NEW_LINK, &name, &attribute(libc::IFLA_LINKINFO, &info)].concat();
    ask(libc::RTM_NEWLINK, &body).context("RTM_NEWLINK(veth)")?;
    let index = nix::net::if_::if_nametoindex(outer.as_str())?;
    add_address(index, address(pid as u32, 0))?;
    Ok(set_up(index)?)
}

fn outside(pid: i32, ids: (u32, u32), veth: bool, line: &mut UnixStream) -> Result<()> {
    std::fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("0 {} 1", ids.0))?;
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("0 {} 1", ids.1))?;
    if veth {
        cable(pid)?;
    }
    line.write_all(&pid.to_ne_bytes())?;
    Ok(())
}

fn change_root(root: &Path, writable: Option<&Path>) -> Result<()> {
    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt as _;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
        .with_context(|| format!("mount({root:?})"))?;
    let inside = writable.map(|dir| root.join(dir.strip_prefix("/").unwrap_or(dir)));
    let inside = inside.map(|dir| CString::new(dir.as_os_str().as_bytes())).transpose()?;
    let c_root = CString::new(root.as_os_str().as_bytes())?;
    let cwd = libc::AT_FDCWD;
    // SAFETY: all paths end with NUL, and the struct has the size that is passed.
    unsafe {
        let mut copy = -1;
        if let Some(dir) = &inside {
            let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as u32;
            copy = Errno::result(libc::syscall(libc::SYS_open_tree, cwd, dir.as_ptr(), flags))
                .context("open_tree()")?;
        }
        let attributes: [u64; 4] = [1, 0, 0, 0];
        let (call, recursive) = (libc::SYS_mount_setattr, libc::AT_RECURSIVE);
        let set = libc::syscall(call, cwd, c_root.as_ptr(), recursive, &attributes, 32);
        Errno::result(set).context("mount_setattr()")?;
        if let Some(dir) = &inside {
            let flag = libc::MOVE_MOUNT_F_EMPTY_PATH;
            let empty = c"".as_ptr();
            let moved = libc::syscall(libc::SYS_move_mount, copy, empty, cwd, dir.as_ptr(), flag);
            Errno::result(moved).context("move_mount()")?;
            libc::close(copy as i32);
        }
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &root.join("proc"), Some("proc"), flags, none).context("mount(proc)")?;
    std::env::set_current_dir(root)?;
    nix::unistd::pivot_root(".", ".").context("pivot_root()")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    Ok(())
}

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xC000_00B7;

fn filter() -> Result<()> {
    let op = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |at| op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at);
    let equal = |k, jt, jf| op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, jt, jf, k);
    let end = |k| op(libc::BPF_RET | libc::BPF_K, 0, 0, k);
    let refuse = |errno: i32| end(libc::SECCOMP_RET_ERRNO | errno as u32);
    let mut code = vec![load(4), equal(ARCH, 1, 0), refuse(libc::ENOSYS), load(0)];
    code.push(op(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, 0x4000_0000));
    code.push(refuse(libc::ENOSYS));
    let refused = [libc::SYS_unshare, libc::SYS_setns, libc::SYS_add_key];
    for call in refused.into_iter().chain([libc::SYS_request_key, libc::SYS_keyctl]) {
        code.extend([equal(call as u32, 0, 1), refuse(libc::EPERM)]);
    }
    code.extend([equal(libc::SYS_clone3 as u32, 0, 1), refuse(libc::ENOSYS)]);
    code.extend([equal(libc::SYS_clone as u32, 0, 4), load(16)]);
    code.push(op(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, libc::CLONE_NEWUSER as u32));
    code.extend([refuse(libc::EPERM), load(0)]);
    code.extend([equal(libc::SYS_ioctl as u32, 0, 3), load(24)]);
    code.extend([equal(libc::TIOCSTI as u32, 0, 1), refuse(libc::EPERM)]);
    code.push(end(libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: the program lives until the call has returned.
    let set = unsafe { libc::syscall(libc::SYS_seccomp, mode, 0, &program) };
    Errno::result(set).map(drop).context("seccomp()")
}

/// Gives up what COMMAND is not to have, and becomes COMMAND.
fn become_command(command: &[OsString]) -> Result<u8> {
    use nix::sys::resource::{Resource, setrlimit};
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt as _;
    let words: Vec<_> =
        command.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    nix::unistd::setsid().context("setsid()")?;
    setrlimit(
        Resource::RLIMIT_NPROC,
        128,
        nix::sys::resource::getrlimit(Resource::RLIMIT_NPROC)?.1,
    )?;
    setrlimit(
        Resource::RLIMIT_DATA,
        512 << 20,
        nix::sys::resource::getrlimit(Resource::RLIMIT_DATA)?.1,
    )?;
    setrlimit(
        Resource::RLIMIT_NOFILE,
        256,
        nix::sys::resource::getrlimit(Resource::RLIMIT_NOFILE)?.1,
    )?;
    setrlimit(Resource::RLIMIT_CORE, 0, nix::sys::resource::getrlimit(Resource::RLIMIT_CORE)?.1)?;
    // SAFETY: integers, and arrays that end with a null pointer.
    unsafe {
        for capability in 0..64 {
            if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                break;
            }
        }
        Errno::result(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        let flag = libc::CLOSE_RANGE_CLOEXEC;
        Errno::result(libc::syscall(libc::SYS_close_range, 3, u32::MAX, flag))?;
        nix::sys::signal::SigSet::empty().thread_set_mask()?;
        filter()?;
        libc::execve(argv[0], argv.as_ptr(), [std::ptr::null()].as_ptr());
    }
    let error = std::io::Error::last_os_error();
    Err(error).with_context(|| format!("execve({:?})", command[0]))
}

/// PID 1's life.
fn init(
    line: &mut UnixStream,
    set: &nix::sys::signal::SigSet,
    (root, writable): (&Path, Option<&Path>),
    (host_name, veth): (Option<&OsString>, bool),
    command: &[OsString],
) -> Result<u8> {
    let mut pid = [0; 4];
    line.read_exact(&mut pid).context("the process outside gave up")?;
    if let Some(name) = host_name {
        nix::unistd::sethostname(name).context("sethostname()")?;
    }
    set_up(1).context("RTM_NEWLINK(lo)")?;
    if veth {
        let index = nix::net::if_::if_nametoindex("eth0")?;
        add_address(index, address(u32::from_ne_bytes(pid), 1))?;
        set_up(index)?;
    }
    change_root(root, writable)?;
    // SAFETY: an integer.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) }).context("unshare(time)")?;
    let (child, mut report) = start(0, |_| become_command(command))?;
    started(&mut report)?;
    line.shutdown(Shutdown::Both)?;
    look_after(child, set)
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
    if command.is_empty() {
        bail!(USAGE);
    }
    let root = Path::new(root).canonicalize().with_context(|| format!("{root:?}"))?;
    let set = block()?;
    let ids = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    let seven = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET;
    let seven = seven | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP;
    let (pid, mut line) =
        start(seven, |line| init(line, &set, (&root, writable), (host_name, veth), command))?;
    let ready = outside(pid, ids, veth, &mut line).and_then(|()| started(&mut line));
    if ready.is_err() {
        // SAFETY: the child has not been waited for, so the pid is still its.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    let code = look_after(pid, &set)?;
    ready.map(|()| code)
}

/// `exec`: runs a command in the box of the process `pid`, and waits for the command.
fn exec_in_box_of(pid: &OsStr, command: &[OsString]) -> Result<u8> {
    let pid: i32 = pid.to_str().and_then(|pid| pid.parse().ok()).context(USAGE)?;
    let set = block()?;
    let eight = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET;
    let eight = eight | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP;
    let eight = eight | libc::CLONE_NEWTIME;
    // SAFETY: integers.
    unsafe {
        let fd =
            Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0)).context("pidfd_open()")?;
        Errno::result(libc::setns(fd as i32, eight)).context("setns()")?;
        libc::close(fd as i32);
    }
    let (child, mut line) = start(0, |_| become_command(command))?;
    let ready = started(&mut line);
    let code = look_after(child, &set)?;
    ready.map(|()| code)
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

//! clone3(2) with all eight, two pipes for a channel, a title for PID 1, capset(2), and exec by eight files.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{Error, PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::mem::{offset_of, zeroed};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, exit};
use std::ptr;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};
use nix::unistd::{chdir, getegid, geteuid, pivot_root, sethostname, setsid};

const USAGE: &str = "ch17-box run [--hostname NAME] [--net none|veth] [--rw DIR] ROOT -- COMMAND \
    [ARGS…], or ch17-box exec PID -- COMMAND [ARGS…]";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.iter().position(|word| word == "--") {
        Some(dashes) if dashes + 1 < words.len() => {
            let (before, command) = (&words[..dashes], &words[dashes + 1..]);
            match before {
                [word, options @ .., root] if word == "run" => {
                    Wish::read(options, root).and_then(|wish| run(&wish, command))
                }
                [word, pid] if word == "exec" => enter(pid, command),
                _ => Err(anyhow!(USAGE)),
            }
        }
        _ => Err(anyhow!(USAGE)),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("no box: {error:#}");
        127
    }))
}

struct Wish {
    root: PathBuf,
    writable: Option<PathBuf>,
    name: Option<OsString>,
    veth: bool,
}

impl Wish {
    fn read(options: &[OsString], root: &OsStr) -> Result<Wish> {
        let mut wish = Wish { root: root.into(), writable: None, name: None, veth: false };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let value = options.next().context(USAGE)?;
            match option.to_str() {
                Some("--hostname") => wish.name = Some(value.clone()),
                Some("--rw") => wish.writable = Some(value.into()),
                Some("--net") if value == "none" => wish.veth = false,
                Some("--net") if value == "veth" => wish.veth = true,
                _ => bail!(USAGE),
            }
        }
        Ok(wish)
    }
}

fn run(wish: &Wish, command: &[OsString]) -> Result<u8> {
    // Four addresses for each pid, of which two are used. A pid has at most 22 bits.
    let first = 0x0a00_0000 + 4 * std::process::id();
    let (outer, inner) = (Ipv4Addr::from(first + 1), Ipv4Addr::from(first + 2));
    let eight = libc::CLONE_NEWTIME
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWUSER;
    let mut init = Child::born(eight, |go| {
        go.read_exact(&mut [0]).context("waiting for the ids")?;
        // SAFETY: a C string.
        unsafe { libc::prctl(libc::PR_SET_NAME, c"box-init".as_ptr(), 0, 0, 0) };
        change_root(wish)?;
        up("lo", None)?;
        if wish.veth {
            up("cable", Some(inner))?;
        }
        if let Some(name) = &wish.name {
            sethostname(name).context("sethostname")?;
        }
        Child::born(0, |_| become_command(command))?.look_after()
    })?;
    let mut ready = write_maps(init.pid);
    if wish.veth && ready.is_ok() {
        ready = lay_cable(init.pid, outer).context("--net veth");
    }
    if ready.is_err() {
        // SAFETY: integers; the child has not been reaped.
        unsafe { libc::kill(init.pid, libc::SIGKILL) };
    }
    _ = init.go.write(b".");
    let status = init.look_after();
    ready.and(status)
}

fn write_maps(pid: libc::pid_t) -> Result<()> {
    let write = |file: &str, text: String| {
        let file = format!("/proc/{pid}/{file}");
        fs::write(&file, text).with_context(|| format!("writing {file}"))
    };
    write("uid_map", format!("0 {} 1\n", geteuid()))?;
    write("setgroups", "deny".to_owned())?;
    write("gid_map", format!("0 {} 1\n", getegid()))
}

fn change_root(wish: &Wish) -> Result<()> {
    let none = None::<&str>;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let root = wish.root.as_path();
    let bind = |place: &Path| {
        mount(Some(place), place, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
            .with_context(|| format!("binding {place:?}"))
    };
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)
        .context("private mounts")?;
    bind(root)?;
    if let Some(dir) = &wish.writable {
        bind(&root.join(dir.strip_prefix("/").unwrap_or(dir)))?;
    }
    let no_writes = libc::MOUNT_ATTR_RDONLY;
    let no_danger = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    set_attributes(root, libc::AT_RECURSIVE, no_writes | no_danger, 0)?;
    if let Some(dir) = &wish.writable {
        set_attributes(&root.join(dir.strip_prefix("/").unwrap_or(dir)), 0, no_danger, no_writes)?;
    }
    let proc = root.join("proc");
    mount(Some("proc"), &proc, Some("proc"), safe | MsFlags::MS_NOEXEC, none)
        .with_context(|| format!("a proc on {proc:?}"))?;
    chdir(root).context("chdir")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("detaching the old root")?;
    chdir("/").context("chdir to the new root")
}

/// Changes the flags of a mount, and with AT_RECURSIVE those of the mounts below it.
fn set_attributes(path: &Path, how: i32, attr_set: u64, attr_clr: u64) -> Result<()> {
    // SAFETY: zero means "no change" in every field.
    let mut change: libc::mount_attr = unsafe { zeroed() };
    (change.attr_set, change.attr_clr) = (attr_set, attr_clr);
    let name = CString::new(path.as_os_str().as_bytes()).context("a zero byte")?;
    let (call, here, size) = (libc::SYS_mount_setattr, libc::AT_FDCWD, size_of_val(&change));
    // SAFETY: both pointers are to values that outlive the call.
    let done = unsafe { libc::syscall(call, here, name.as_ptr(), how, &raw const change, size) };
    Errno::result(done).with_context(|| format!("mount_setattr({path:?})")).map(drop)
}

// The network, by netlink.

fn lay_cable(pid: libc::pid_t, address: Ipv4Addr) -> Result<()> {
    let name = format!("cable{}", std::process::id());
    let mut peer = vec![0; 16];
    peer.extend(attribute(libc::IFLA_IFNAME, b"cable"));
    peer.extend(attribute(libc::IFLA_NET_NS_PID, &pid.to_ne_bytes()));
    // VETH_INFO_PEER is 1.
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(1, &peer));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let mut body = vec![0; 16];
    body.extend(attribute(libc::IFLA_IFNAME, name.as_bytes()));
    body.extend(attribute(libc::IFLA_LINKINFO, &info));
    ask(libc::RTM_NEWLINK, &body).with_context(|| format!("making {name}"))?;
    up(&name, Some(address))
}

fn up(name: &str, address: Option<Ipv4Addr>) -> Result<()> {
    let index = if_nametoindex(name).with_context(|| format!("looking for {name}"))?;
    let up = libc::IFF_UP as u32;
    let link = [0, index, up, up].map(u32::to_ne_bytes).concat();
    ask(libc::RTM_NEWLINK, &link).with_context(|| format!("setting {name} up"))?;
    let Some(address) = address else { return Ok(()) };
    let mut body = vec![libc::AF_INET as u8, 30, 0, 0];
    body.extend(index.to_ne_bytes());
    body.extend(attribute(libc::IFA_LOCAL, &address.octets()));
    ask(libc::RTM_NEWADDR, &body).with_context(|| format!("giving {name} {address}"))
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn ask(kind: u16, body: &[u8]) -> nix::Result<()> {
    let (raw, cloexec) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    let netlink = socket(AddressFamily::Netlink, raw, cloexec, SockProtocol::NetlinkRoute)?;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE) as u16;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    send(netlink.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 4096];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match i32::from_ne_bytes(std::array::from_fn(|byte| answer[16 + byte])) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(-errno)),
    }
}

// COMMAND.

fn become_command(command: &[OsString]) -> Result<u8> {
    // SAFETY: integers, and structures that outlive the calls.
    unsafe {
        let done = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        Errno::result(done).context("no_new_privs")?;
        for capability in 0..64 {
            let done = libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
            match Errno::result(done) {
                Err(Errno::EINVAL) => break,
                done => done.context("emptying the bounding set")?,
            };
        }
        for (resource, most) in [
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_NOFILE, 200),
            (libc::RLIMIT_NPROC, 100),
            (libc::RLIMIT_DATA, 400 << 20),
        ] {
            let mut limit: libc::rlimit = zeroed();
            Errno::result(libc::getrlimit(resource, &raw mut limit)).context("getrlimit")?;
            limit.rlim_max = limit.rlim_max.min(most);
            limit.rlim_cur = limit.rlim_max;
            Errno::result(libc::setrlimit(resource, &raw const limit)).context("setrlimit")?;
        }
        // Version 3 of the header, for this process, and two times three empty sets.
        let header = [0x2008_0522u32, 0];
        let nothing = [0u32; 6];
        let done = libc::syscall(libc::SYS_capset, header.as_ptr(), nothing.as_ptr());
        Errno::result(done).context("capset")?;
        libc::umask(0o022);
        let mut empty: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut empty);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, ptr::null_mut());
        // CLOSE_RANGE_CLOEXEC, so that the channel stays until the exec.
        let done = libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 4u32);
        Errno::result(done).context("close_range")?;
    }
    setsid().context("setsid")?;
    refuse_calls().context("the filter")?;
    let error = Command::new(&command[0])
        .args(&command[1..])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .exec();
    Err(error).with_context(|| format!("{:?} cannot be executed", command[0]))
}

/// Refuses some calls from now on.
fn refuse_calls() -> nix::Result<()> {
    let op = |code: u32, k: u32, jt, jf| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |offset: usize| op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset as u32, 0, 0);
    let test = |how: u32, k: u32, jt, jf| op(libc::BPF_JMP | how | libc::BPF_K, k, jt, jf);
    let answer = |errno: i32| op(libc::BPF_RET, libc::SECCOMP_RET_ERRNO | errno as u32, 0, 0);
    let number = load(offset_of!(libc::seccomp_data, nr));
    // AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64, and the bit of x32.
    let arch = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
    let mut rules = vec![
        load(offset_of!(libc::seccomp_data, arch)),
        test(libc::BPF_JEQ, arch, 1, 0),
        answer(libc::EPERM),
        number,
        test(libc::BPF_JGE, 0x4000_0000, 0, 1),
        answer(libc::EPERM),
    ];
    for (call, errno) in [
        (libc::SYS_unshare, libc::EPERM),
        (libc::SYS_setns, libc::EPERM),
        (libc::SYS_add_key, libc::EPERM),
        (libc::SYS_request_key, libc::EPERM),
        (libc::SYS_keyctl, libc::EPERM),
        (libc::SYS_clone3, libc::ENOSYS),
    ] {
        rules.extend([test(libc::BPF_JEQ, call as u32, 0, 1), answer(errno)]);
    }
    let arguments = offset_of!(libc::seccomp_data, args);
    for (call, offset, how, value) in [
        (libc::SYS_clone, arguments, libc::BPF_JSET, libc::CLONE_NEWUSER as u32),
        (libc::SYS_ioctl, arguments + 8, libc::BPF_JEQ, libc::TIOCSTI as u32),
    ] {
        let skip = test(libc::BPF_JEQ, call as u32, 0, 4);
        rules.extend([skip, load(offset), test(how, value, 0, 1), answer(libc::EPERM), number]);
    }
    rules.push(op(libc::BPF_RET, libc::SECCOMP_RET_ALLOW, 0, 0));
    let program = libc::sock_fprog { len: rules.len() as u16, filter: rules.as_mut_ptr() };
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the program outlives the call, and the kernel copies it.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) }).map(drop)
}

// exec.

fn enter(pid: &OsStr, command: &[OsString]) -> Result<u8> {
    let pid: u32 = pid.to_str().and_then(|pid| pid.parse().ok()).context("which pid?")?;
    let process = File::open(format!("/proc/{pid}")).with_context(|| format!("process {pid}"))?;
    // The user namespace first: the others take its capabilities.
    let kinds = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];
    let mut files = Vec::new();
    for kind in kinds {
        let path = format!("/proc/self/fd/{}/ns/{kind}", process.as_raw_fd());
        files.push(File::open(path).with_context(|| format!("its {kind} namespace"))?);
    }
    for (file, kind) in files.iter().zip(kinds) {
        setns(file, CloneFlags::empty()).with_context(|| format!("joining {kind}"))?;
    }
    drop((files, process));
    Child::born(0, |_| become_command(command))?.look_after()
}

// Children.

struct Child {
    pid: libc::pid_t,
    /// A byte in here lets it go on. Its end is the end of this process.
    go: PipeWriter,
    /// What has failed.
    news: PipeReader,
}

fn held() -> libc::sigset_t {
    // SAFETY: the set outlives the calls.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [
            libc::SIGCHLD,
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGUSR1,
            libc::SIGUSR2,
        ] {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

impl Child {
    fn born(flags: i32, work: impl FnOnce(&mut PipeReader) -> Result<u8>) -> Result<Child> {
        let (mut wait, go) = pipe().context("pipe")?;
        let (news, mut say) = pipe().context("pipe")?;
        let set = held();
        // SAFETY: SIG_DFL is no handler, and the set outlives the call.
        unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            let done = libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
            Errno::result(done).context("sigprocmask")?;
        }
        // SAFETY: zero means "not requested" in every field.
        let mut request: libc::clone_args = unsafe { zeroed() };
        request.flags = flags as u64;
        request.exit_signal = libc::SIGCHLD as u64;
        let (pointer, size) = (&raw const request, size_of::<libc::clone_args>());
        // SAFETY: no stack of its own, and one thread.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, pointer, size) };
        if let pid @ 1.. = Errno::result(pid).context("clone3")? {
            return Ok(Child { pid: pid as libc::pid_t, go, news });
        }
        drop((go, news));
        let outcome = die_with_parent(&wait).and_then(|()| work(&mut wait));
        exit(i32::from(outcome.unwrap_or_else(|error| {
            _ = say.write_all(format!("{error:#}").as_bytes());
            127
        })))
    }

    fn look_after(mut self) -> Result<u8> {
        let set = held();
        let status = loop {
            // SAFETY: the set outlives the call.
            match unsafe { libc::sigwaitinfo(&raw const set, ptr::null_mut()) } {
                libc::SIGCHLD => {}
                // SAFETY: integers; the child has not been reaped.
                signal @ 1.. => _ = unsafe { libc::kill(self.pid, signal) },
                _ => continue,
            }
            if let Some(status) = reap(self.pid) {
                break status;
            }
        };
        let mut news = String::new();
        self.news.read_to_string(&mut news).context("reading what has failed")?;
        ensure!(news.is_empty(), "{news}");
        Ok(status)
    }
}

/// Asks for SIGKILL at the parent's death, and looks whether it came too late.
fn die_with_parent(wait: &PipeReader) -> Result<()> {
    // SAFETY: integers.
    let asked = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
    Errno::result(asked).context("PR_SET_PDEATHSIG")?;
    let mut end = libc::pollfd { fd: wait.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one pollfd. POLLHUP need not be asked for.
    let ended = unsafe { libc::poll(&raw mut end, 1, 0) };
    ensure!(ended == 0, "my parent is gone ({})", Error::from_raw_os_error(libc::EPIPE));
    Ok(())
}

fn reap(wanted: libc::pid_t) -> Option<u8> {
    let mut found = None;
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
            pid if pid == wanted && libc::WIFEXITED(status) => {
                found = Some(libc::WEXITSTATUS(status) as u8);
            }
            pid if pid == wanted => found = Some(128 + libc::WTERMSIG(status) as u8),
            1.. => {}
            _ => return found,
        }
    }
}

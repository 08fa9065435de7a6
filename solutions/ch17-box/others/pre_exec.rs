//! Starts COMMAND with std's Command, which drops its privileges in a closure before the exec. The spawn
//! returns the error of an exec that has failed.

use std::mem::offset_of;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_no_new_privs, set_pdeathsig};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{
    Pid, chdir, getegid, geteuid, pipe2, pivot_root, read, sethostname, setsid, write,
};

const SEVEN: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWCGROUP;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").expect("no --");
    let command = &words[dashes + 1..];
    exit(match &words[..dashes] {
        [verb, options @ .., root] if verb == "run" => run(options, Path::new(root), command),
        [_, pid] => enter(pid, command),
        _ => panic!("run or exec"),
    })
}

/// The value, or the end of this process with its only message.
fn ok<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("ch17-box: {what}: {error}");
        exit(127)
    })
}

fn run(options: &[String], root: &Path, command: &[String]) -> i32 {
    let option = |name: &str| {
        let mut pairs = options.chunks_exact(2);
        pairs.find(|pair| pair[0] == name).map(|pair| pair[1].as_str())
    };
    let veth = option("--net") == Some("veth");
    let network = format!("10.{}.{}", Pid::this().as_raw() / 250, Pid::this().as_raw() % 250);
    let (ready, tell) = ok("pipe()", pipe2(OFlag::O_CLOEXEC));
    let init = child(SEVEN, || {
        ok("read(pipe)", read(&ready, &mut [0]));
        if let Some(name) = option("--hostname") {
            ok("sethostname()", sethostname(name));
        }
        ok("ip", ip("link set lo up"));
        if veth {
            ok("ip", ip(&format!("address add {network}.2/24 dev eth0")));
            ok("ip", ip("link set eth0 up"));
        }
        change_root(root, option("--rw"));
        // SAFETY: unshare takes only an integer.
        ok("unshare(CLONE_NEWTIME)", Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) }));
        wait_for(start(command))
    });
    let maps = [format!("0 {} 1", geteuid()), format!("0 {} 1", getegid())];
    for (file, text) in [("setgroups", "deny"), ("uid_map", &maps[0]), ("gid_map", &maps[1])] {
        ok(file, std::fs::write(format!("/proc/{init}/{file}"), text));
    }
    if veth {
        let end = format!("box{}", Pid::this());
        let made = ip(&format!("link add {end} type veth peer name eth0 netns {init}"))
            .and_then(|()| ip(&format!("address add {network}.1/24 dev {end}")))
            .and_then(|()| ip(&format!("link set {end} up")));
        if made.is_err() {
            _ = kill(init, Signal::SIGKILL);
            wait_for(init);
        }
        ok("--net veth", made);
    }
    ok("write(pipe)", write(&tell, b"!"));
    wait_for(init)
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = ok("ip", Command::new("ip").args(arguments.split(' ')).output());
    match output.status.success() {
        true => Ok(()),
        // "RTNETLINK answers: Operation not permitted"
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// A child that dies with this process.
fn child(flags: i32, work: impl FnOnce() -> i32) -> Pid {
    ok("sigprocmask()", signals().thread_block());
    let (alive, life) = ok("pipe()", pipe2(OFlag::O_CLOEXEC));
    // SAFETY: this process has one thread, and the child runs on a copy of its stack.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD, 0, 0, 0, 0) };
    let pid = ok("clone()", Errno::result(pid)) as i32;
    if pid == 0 {
        drop(life);
        ok("prctl(PR_SET_PDEATHSIG)", set_pdeathsig(Signal::SIGKILL));
        // If the parent had died before, the other end is closed.
        let alive = PollFd::new(alive.as_fd(), PollFlags::empty());
        if poll(&mut [alive], PollTimeout::ZERO) != Ok(0) {
            exit(127);
        }
        exit(work());
    }
    // It stays open as long as this process lives.
    std::mem::forget(life);
    Pid::from_raw(pid)
}

/// Passes signals on to the child until it has ended, and reaps all others.
fn wait_for(child: Pid) -> i32 {
    loop {
        match ok("sigwait()", signals().wait()) {
            Signal::SIGCHLD => {}
            signal => _ = kill(child, signal),
        }
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            match status {
                WaitStatus::StillAlive => break,
                WaitStatus::Exited(pid, code) if pid == child => return code,
                WaitStatus::Signaled(pid, signal, _) if pid == child => return 128 + signal as i32,
                _ => {}
            }
        }
    }
}

fn signals() -> SigSet {
    use Signal::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    SigSet::from_iter([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])
}

fn change_root(root: &Path, writable: Option<&str>) {
    let root = &ok(&format!("{root:?}"), root.canonicalize());
    let (bind, safe) = (MsFlags::MS_BIND | MsFlags::MS_REC, MsFlags::MS_NOSUID | MsFlags::MS_NODEV);
    let attach = |what: &Path, place: &Path, kind: Option<&str>, flags: MsFlags| {
        ok(&format!("mount({place:?})"), mount(Some(what), place, kind, flags, None::<&str>));
    };
    attach(root, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    attach(root, root, None, bind);
    let writable = writable.map(|path| root.join(path.trim_start_matches('/')));
    if let Some(path) = &writable {
        attach(path, path, None, bind);
    }
    make_read_only(root, writable.as_deref());
    attach(root, &root.join("proc"), Some("proc"), safe);
    ok("chdir()", chdir(root));
    ok("pivot_root()", pivot_root(".", "."));
    ok("umount2()", umount2(".", MntFlags::MNT_DETACH));
    ok("chdir()", chdir("/"));
}

/// Makes each mount at and below `root` read-only, except `kept`, as before mount_setattr(2), which Linux 5.12
/// brought: a remount for each, with the flags that it has. No path here has a space in it.
fn make_read_only(root: &Path, kept: Option<&Path>) {
    let table = ok("mountinfo", std::fs::read_to_string("/proc/self/mountinfo"));
    for line in table.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let point = Path::new(fields[4]);
        if !point.starts_with(root) || Some(point) == kept {
            continue;
        }
        let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        flags |= MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        for option in fields[5].split(',') {
            flags |= match option {
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "nodiratime" => MsFlags::MS_NODIRATIME,
                "relatime" => MsFlags::MS_RELATIME,
                _ => MsFlags::empty(),
            };
        }
        let none = None::<&str>;
        ok(&format!("remount({point:?})"), mount(none, point, none, flags, none));
    }
}

fn start(command: &[String]) -> Pid {
    ok("sigprocmask()", signals().thread_block());
    let (alive, life) = ok("pipe()", pipe2(OFlag::O_CLOEXEC));
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]).env_clear();
    let ends = (alive.as_raw_fd(), life.as_raw_fd());
    // SAFETY: the closure makes system calls only, and closes a descriptor of which this process has its
    // own.
    unsafe { program.pre_exec(move || give_up(ends)) };
    let child = ok(&command[0], program.spawn());
    std::mem::forget(life);
    Pid::from_raw(child.id() as i32)
}

/// Gives up what COMMAND must not have. `alive` hangs up when nobody has `life` any more.
fn give_up((alive, life): (RawFd, RawFd)) -> std::io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // SAFETY: nobody else uses this copy of the descriptor.
    unsafe { libc::close(life) };
    let mut alive = libc::pollfd { fd: alive, events: 0, revents: 0 };
    // SAFETY: poll reads and writes one pollfd.
    if unsafe { libc::poll(&raw mut alive, 1, 0) } != 0 {
        return Err(Errno::ESRCH.into());
    }

    for (resource, most) in [(Resource::RLIMIT_NPROC, 64), (Resource::RLIMIT_DATA, 256 << 20)] {
        let (_, hard) = nix::sys::resource::getrlimit(resource)?;
        setrlimit(resource, hard.min(most), hard.min(most))?;
    }
    set_no_new_privs()?;
    // SAFETY: this prctl takes only integers. The first number that the kernel does not know fails.
    (0..).take_while(|it| unsafe { libc::prctl(libc::PR_CAPBSET_DROP, *it, 0, 0, 0) } == 0).count();
    SigSet::empty().thread_set_mask()?;
    setsid()?;
    // The descriptor in which the exec's error comes back stays open until the exec.
    let (call, first, flags) = (libc::SYS_close_range, 3, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: close_range takes only integers, and with this flag it closes nothing yet.
    Errno::result(unsafe { libc::syscall(call, first, u32::MAX, flags) })?;
    refuse_calls()?;
    Ok(())
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

fn enter(pid: &str, command: &[String]) -> i32 {
    let pid: i32 = ok("the pid", pid.parse());
    // SAFETY: both calls take only integers.
    unsafe {
        let pidfd = ok("pidfd_open()", Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0)));
        ok("setns()", Errno::result(libc::setns(pidfd as i32, SEVEN | libc::CLONE_NEWTIME)));
    }
    wait_for(start(command))
}

//! ch17-box: a box of eight namespaces around a command, made by an ordinary user.
//!
//! Usage: `ch17-box run [--hostname NAME] [--rw DIR] ROOT -- COMMAND [ARGS…]`
//! and `ch17-box exec PID -- COMMAND [ARGS…]`
//!
//! ROOT is a directory with an empty `proc` in it. DIR, as it is called inside, stays writable.
//! PID is a process in a box.
//!
//! Check it with `cargo xtask check ch17`.

use std::ffi::{OsStr, OsString};
use std::io::pipe;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, chdir, fork, pivot_root, sethostname};

/// All eight kinds.
const ALL: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWTIME;

/// The signals that are passed on to COMMAND, and SIGCHLD, which says that a child has ended.
const HELD: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// What `run` was asked for.
#[derive(Default)]
struct Plan {
    host_name: Option<OsString>,
    /// A directory below `root`, as it is called inside.
    writable: Option<PathBuf>,
    root: PathBuf,
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    match parse(std::env::args_os().skip(1).collect()) {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("ch17-box: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: Vec<OsString>) -> Result<i32> {
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default();
    let mut plan = Plan::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--") => break,
            Some("--hostname") => plan.host_name = words.next(),
            Some("--rw") => plan.writable = words.next().map(PathBuf::from),
            _ => plan.root = word.into(),
        }
    }
    plan.command = words.collect();
    match verb.to_str() {
        _ if plan.command.is_empty() || plan.root.as_os_str().is_empty() => {}
        Some("run") => return run(&plan),
        Some("exec") => return enter(plan.root.as_os_str(), &plan.command),
        _ => {}
    }
    bail!(
        "usage: ch17-box run [--hostname NAME] [--rw DIR] ROOT -- COMMAND [ARGS…], \
         or ch17-box exec PID -- COMMAND [ARGS…]"
    )
}

/// Runs a command in a new box, and waits for it.
fn run(plan: &Plan) -> Result<i32> {
    isolate()?;
    below(|before| {
        // This is PID 1. All that follows happens in the box.
        if let Some(name) = &plan.host_name {
            sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
        }
        change_root(&plan.root, plan.writable.as_deref())?;
        below_with(before, |before| become_command(&plan.command, before))
    })
}

/// Leaves all eight namespaces. The user namespace is made first, and owns the other seven.
fn isolate() -> Result<()> {
    // TODO: make all eight at once, deny setgroups(2), and become root of the new user namespace by its two maps.
    // Ask for your ids before you leave. Man pages: unshare(2), user_namespaces(7).
    Ok(())
}

/// Makes `root` the root directory: to be read, except for `writable`, and with a `/proc`.
fn change_root(root: &Path, writable: Option<&Path>) -> Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")?;
    let bind = |path: &Path| {
        mount(Some(path), path, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
            .with_context(|| format!("mount({path:?}, MS_BIND | MS_REC)"))
    };
    bind(root)?;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    // The PID namespace that a new proc shows is the one of who mounts it.
    let proc = root.join("proc");
    mount(Some("proc"), &proc, Some("proc"), safe | MsFlags::MS_NOEXEC, none)
        .with_context(|| format!("mount(\"proc\", {proc:?})"))?;
    if let Some(path) = writable {
        // A mount of its own stays as it is when the one below becomes read-only.
        bind(&root.join(path.strip_prefix("/").unwrap_or(path)))?;
    }
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | safe;
    mount(none, root, none, read_only, none)
        .with_context(|| format!("mount({root:?}, MS_REMOUNT | MS_BIND | MS_RDONLY)"))?;
    chdir(root).with_context(|| format!("chdir({root:?})"))?;
    pivot_root(".", ".").context("pivot_root(\".\", \".\")")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2(\".\", MNT_DETACH)")?;
    chdir("/").context("chdir(\"/\")")
}

/// Runs a command in the box that the process `pid` is in, and waits for it.
fn enter(pid: &OsStr, command: &[OsString]) -> Result<i32> {
    let number = pid.to_str().and_then(|text| text.parse::<i32>().ok());
    let number = number.ok_or_else(|| anyhow!("{pid:?} is not a pid"))?;
    // SAFETY: pidfd_open takes two integers, and nobody else knows what it makes.
    let target = unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, number, 0);
        OwnedFd::from_raw_fd(Errno::result(fd).context("pidfd_open()")? as RawFd)
    };
    // TODO: enter all eight namespaces of `target`. Man page: setns(2).
    _ = (target, ALL);
    // We are in seven. In the PID namespace is only who is born now.
    below(|before| become_command(command, before))
}

/// Does `work` in a child that does not outlive this process, and looks after it.
fn below(work: impl FnOnce(&SigSet) -> Result<i32>) -> Result<i32> {
    let held = SigSet::from_iter(HELD);
    let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("sigprocmask(SIG_BLOCK)")?;
    below_with(&before, work)
}

fn below_with(before: &SigSet, work: impl FnOnce(&SigSet) -> Result<i32>) -> Result<i32> {
    let (mut alive, ours) = pipe().context("pipe()")?;
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.context("fork()")? {
        let status = look_after(child);
        drop(ours);
        return status;
    }
    drop(ours);
    // TODO: see to it that this process dies with its parent, and give up if that has died already: `alive`
    // has ended then. Man pages: prctl(2), pipe(7).
    _ = &mut alive;
    let status = work(before);
    exit(status.unwrap_or_else(|error| {
        eprintln!("ch17-box: {error:#}");
        1
    }))
}

/// Gives up what COMMAND shall not have, and becomes COMMAND.
fn become_command(command: &[OsString], before: &SigSet) -> Result<i32> {
    for (resource, most) in [(Resource::RLIMIT_NOFILE, 256), (Resource::RLIMIT_CORE, 0)] {
        let most = getrlimit(resource).context("getrlimit()")?.1.min(most);
        setrlimit(resource, most, most).with_context(|| format!("setrlimit({resource:?})"))?;
    }
    // TODO: empty the capability bounding set, from 0 up to the first number that is EINVAL, and set
    // no_new_privs. Man pages: capabilities(7), prctl(2).
    before.thread_set_mask().context("sigprocmask(SIG_SETMASK)")?;
    let (file, args) = command.split_first().expect("there is a COMMAND");
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    let error = Command::new(file).args(args).env_clear().envs([path]).exec();
    eprintln!("ch17-box: execve({file:?}): {error}");
    exit(127)
}

/// Passes signals on to `child`, and takes the status of everybody who ends, until `child` has.
fn look_after(child: Pid) -> Result<i32> {
    let held = SigSet::from_iter(HELD);
    loop {
        match held.wait().context("sigwait()")? {
            Signal::SIGCHLD => {
                if let Some(status) = reap(child)? {
                    return Ok(status);
                }
            }
            // If it has just ended, there is nobody to miss it.
            signal => _ = kill(child, signal),
        }
    }
}

/// Takes the status of all children that have ended, and returns that of `child`.
fn reap(child: Pid) -> Result<Option<i32>> {
    let mut found = None;
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(found),
            status => status.context("waitpid(-1, WNOHANG)")?,
        };
        match status {
            WaitStatus::Exited(pid, code) if pid == child => found = Some(code),
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                found = Some(128 + signal as i32);
            }
            _ => {}
        }
    }
}

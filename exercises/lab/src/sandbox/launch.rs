//! The last code of the lab's own before the program: in its process, with its ids, in its
//! namespaces.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::exit;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::SigSet;
use nix::unistd::{Pid, chdir, execve, read, setsid};
use trace::flag_names;

use super::message::{Message, fail};
use super::request::{Request, State};
use super::setup::Setup;
use super::{cgroups, filters, lab, limits, neighbors, orphan, recording};
use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::look::procfs::text_of;
use crate::look::{Kind, namespaces};
use crate::sys;

/// In the program's process: `go` brings a byte when the root directory is built, and one when PID
/// 1 is ready for the program. `tell` takes the neighbors' pids.
pub(crate) fn main(setup: &Setup, go: OwnedFd, tell: OwnedFd) -> ! {
    // Open until the failure has been sent: PID 1 takes its closing for the exec.
    let mut tell = File::from(tell);
    let Err(refusal) = start(setup, go, &mut tell);
    fail(&setup.report, refusal);
    exit(1)
}

fn start(setup: &Setup, go: OwnedFd, tell: &mut File) -> Result<Infallible, Refusal> {
    let Setup { request, report, .. } = setup;
    let made = make_lab(setup);
    await_byte(&go);
    made?;
    enter(request)?;
    present(setup)?;
    await_byte(&go);
    let pids = neighbors::start(request, tell)?;
    if !pids.is_empty() {
        _ = Message::Neighbors(pids.clone()).send(report.as_fd(), &[]);
    }
    connect(setup)?;
    restrict(request)?;
    if let Some(recorder) = &setup.recorder {
        recording::ask(recorder, &pids, &request.id_maps)
            .map_err(refused(Stage::Start, "prctl(PR_SET_SECCOMP)"))?;
    }
    become_the_program(request, &pids)
}

/// What does not depend on the root directory, which PID 1 builds meanwhile: the one id, if there
/// are not many, and the namespaces of the lab.
fn make_lab(setup: &Setup) -> Result<(), Refusal> {
    let request = &setup.request;
    if !request.many_ids {
        ids::map("self", request.ids(), 0, 0)?;
    }
    if let Some(cgroups) = &setup.cgroups {
        cgroups::enter(&cgroups.entrance)?;
    }
    match request.state {
        State::RootLab => {
            let flags = lab::flags(request);
            unshare(CloneFlags::from_bits_retain(flags))
                .map_err(refused(Stage::Inner, flag_names("unshare", flags)))?;
            lab::configure(request)
        }
        State::PlainUser => Ok(()),
    }
}

/// If PID 1 ends instead, it has reported why, and this process has nothing to add.
fn await_byte(go: &OwnedFd) {
    if read(go, &mut [0]) != Ok(1) {
        exit(1);
    }
}

// ANCHOR: enter
/// Enters the mount namespace of the second level. Its mounts are locked, because the user
/// namespace that owns it is another than the first level's.
fn enter(request: &Request) -> Result<(), Refusal> {
    let stage = Stage::Inner;
    unshare(CloneFlags::CLONE_NEWNS).map_err(refused(stage, "unshare(CLONE_NEWNS)"))?;
    if request.cgroups {
        cgroups::show()?;
    }
    if request.shared_mounts {
        // The copies are private, so these peer groups are new: no mount of the outer level is in
        // them.
        let (shared, none) = (MsFlags::MS_REC | MsFlags::MS_SHARED, None::<&str>);
        mount(none, "/", none, shared, none)
            .map_err(refused(stage, "mount(\"/\", MS_REC | MS_SHARED)"))?;
    }
    let folder = &request.working_directory;
    chdir(folder.as_str()).map_err(refused(stage, format!("chdir({folder:?})")))?;
    if request.state == State::RootLab {
        lab::disable_forwarding(request);
    }
    ids::set_ids(request.ids()).map_err(refused(stage, "setresuid()"))?;
    match &request.own_cgroups {
        Some(plan) if request.cgroups => cgroups::configure(plan),
        _ => Ok(()),
    }
}
// ANCHOR_END: enter

/// Shows the check what the program finds: its process, its namespaces and mounts, its terminal.
fn present(setup: &Setup) -> Result<(), Refusal> {
    let stage = Stage::Inner;
    let pid = Pid::this();
    let pidfd = sys::pidfd_open(pid).map_err(refused(stage, "pidfd_open()"))?;
    let terminal = if setup.request.terminal { Some(open_terminal()?) } else { None };
    let namespaces: Vec<OwnedFd> =
        Kind::ALL.into_iter().filter_map(|kind| namespaces::open(&pidfd, pid, kind).ok()).collect();
    let mut passed = vec![pidfd.as_fd()];
    passed.extend(terminal.iter().map(|master| master.as_fd()));
    passed.extend(namespaces.iter().map(|fd| fd.as_fd()));
    let mounts = text_of("/proc/self/mountinfo").unwrap_or_default();
    Message::Ready { mounts, terminal: terminal.is_some() }
        .send(setup.report.as_fd(), &passed)
        .map_err(refused(stage, "sendmsg(the mounts)"))
}

/// Opens the master side of a terminal that belongs to the sandbox. The program cannot reach this
/// machine's.
fn open_terminal() -> Result<File, Refusal> {
    let master = open_without_acquiring("/dev/ptmx")?;
    let unlock: libc::c_int = 0;
    // SAFETY: TIOCSPTLCK reads one int.
    let unlocked = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlock) };
    Errno::result(unlocked).map_err(refused(Stage::Start, "ioctl(TIOCSPTLCK)"))?;
    Ok(master)
}

/// O_NOCTTY: without it a session leader that has no terminal would acquire this one.
fn open_without_acquiring(path: &str) -> Result<File, Refusal> {
    let mut options = File::options();
    let file = options.read(true).write(true).custom_flags(libc::O_NOCTTY).open(path);
    file.map_err(refused(Stage::Start, format!("open(\"{path}\")")))
}

/// Leaves the program its input and its output, and nothing else.
fn connect(setup: &Setup) -> Result<(), Refusal> {
    let stage = Stage::Start;
    let fds = &setup.fds;
    // Out of PID 1's process group: a process may change the priority of all in its own.
    _ = setsid();
    if setup.request.terminal {
        let terminal = open_without_acquiring("/dev/pts/0")?;
        // SAFETY: TIOCSCTTY takes an integer.
        let made = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
        Errno::result(made).map_err(refused(stage, "ioctl(TIOCSCTTY)"))?;
        sys::redirect_stdio(&terminal, &terminal, &terminal)
    } else {
        sys::redirect_stdio(&fds.stdin, &fds.stdout, &fds.stderr)
    }
    .map_err(refused(stage, "dup2()"))?;
    sys::close_on_exec_from(3).map_err(refused(stage, "close_range(CLOSE_RANGE_CLOEXEC)"))
}

/// What the program may not do, and how much it may use.
fn restrict(request: &Request) -> Result<(), Refusal> {
    let stage = Stage::Start;
    limits::on_this_process()?;
    if request.no_new_privs {
        nix::sys::prctl::set_no_new_privs()
            .map_err(refused(stage, "prctl(PR_SET_NO_NEW_PRIVS)"))?;
    }
    // Without the attribute this takes CAP_SYS_ADMIN, which this process has until the exec.
    filters::install(&request.unknown_ioctls, &request.failing_ioctls, &request.failing_calls)
        .map_err(refused(stage, "prctl(PR_SET_SECCOMP)"))
}

fn become_the_program(request: &Request, pids: &[(String, i32)]) -> Result<Infallible, Refusal> {
    // An ignored signal stays ignored over an exec. The supervisor ignores some, and a shell two
    // for what it starts with `&`. For SIGKILL and SIGSTOP the call fails, and they cannot be
    // ignored.
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: the kernel's own disposition, no handler runs.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    _ = SigSet::empty().thread_set_mask();
    if request.orphan {
        orphan::send().map_err(refused(Stage::Start, "clone(the orphan)"))?;
    }

    let call = format!("execve({:?})", request.command.first().cloned().unwrap_or_default());
    let exec = || {
        let c_strings = |words: &[OsString]| {
            let words = words.iter().map(|word| CString::new(word.as_bytes()));
            words.collect::<Result<Vec<_>, _>>().map_err(|_| Errno::EINVAL)
        };
        let command = c_strings(&request.words(pids))?;
        let environment = c_strings(&request.environment)?;
        execve(command.first().ok_or(Errno::EINVAL)?, &command, &environment)
    };
    exec().map_err(refused(Stage::Start, call))
}

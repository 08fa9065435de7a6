//! The last stretch of the harness's own code before the learner's program: in its process, with
//! its ids, in its namespaces.

use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::exit;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::SigSet;
use nix::unistd::{Pid, chdir, execve, pause, pipe2, read, sethostname, setsid};

use super::descriptors::Descriptors;
use super::message::{Message, fail};
use super::request::{Neighbor, Request, State, lab_flags, with_pids};
use super::{cgroups, limits, nested_users, orphan, recording};
use crate::helper::ids;
use crate::helper::setup::{SetupError, Stage, at, io_at};
use crate::look::stat::text_of;
use crate::look::{Kind, namespaces};
use crate::seccomp::Filter;
use trace::flag_names;

use crate::sys::{self, Fork};

/// Where the witness finds its socket (`witness.rs`).
pub(crate) const WITNESS_FD: RawFd = 200;

pub(crate) fn main(request: &Request, fds: &Descriptors, go: OwnedFd, tell: OwnedFd) -> ! {
    // Kept until the failure is told: PID 1 takes its end for the exec.
    let mut tell = File::from(tell);
    let Err(error) = start(request, fds, go, &mut tell);
    fail(&fds.report, error);
    exit(1)
}

/// What does not depend on the root directory, while PID 1 builds that: our id, if it is one, and
/// the namespaces of the lab.
fn make_the_lab(request: &Request, fds: &Descriptors) -> Result<(), SetupError> {
    if !request.many_ids {
        ids::map("self", request.state.id(), 0, 0)?;
    }
    if let Some(cgroups) = &fds.cgroups {
        cgroups::enter(&cgroups.entrance)?;
    }
    if request.state == State::PlainUser {
        // The lab belongs to somebody else, and is there.
        return Ok(());
    }
    let flags = lab_flags(request);
    let call = flag_names("unshare", flags);
    unshare(CloneFlags::from_bits_retain(flags)).map_err(at(Stage::Inner, call))?;
    configure(request)
}

/// PID 1 writes a byte when the root is built, and one when it is ready for the program. Otherwise
/// it has told why, and that is told alone.
fn await_byte(go: &OwnedFd) {
    if read(go, &mut [0]) != Ok(1) {
        exit(1);
    }
}

fn start(
    request: &Request,
    fds: &Descriptors,
    go: OwnedFd,
    tell: &mut File,
) -> Result<Infallible, SetupError> {
    let made = make_the_lab(request, fds);
    await_byte(&go);
    made?;
    enter(request)?;
    present(request, fds)?;
    await_byte(&go);
    let pids = neighbors(request, fds, tell)?;
    connect(request, fds)?;
    restrict(request)?;
    if let Some(recorder) = &fds.recorder {
        recording::ask(recorder, &pids).map_err(at(Stage::Start, "prctl(PR_SET_SECCOMP)"))?;
    }
    become_the_program(request, &pids)
}

// ANCHOR: enter
/// Into a mount namespace of the second level. The copy's mounts are locked, because its owner is
/// another.
fn enter(request: &Request) -> Result<(), SetupError> {
    let stage = Stage::Inner;
    unshare(CloneFlags::CLONE_NEWNS).map_err(at(stage, "unshare(CLONE_NEWNS)"))?;
    if request.cgroups {
        cgroups::show()?;
    }
    if request.shared_mounts {
        // The copies are private. As peer groups they begin here, with nobody of the outer level.
        let (shared, none) = (MsFlags::MS_REC | MsFlags::MS_SHARED, None::<&str>);
        mount(none, "/", none, shared, none)
            .map_err(at(stage, "mount(\"/\", MS_REC | MS_SHARED)"))?;
    }
    chdir(request.working_directory.as_str())
        .map_err(at(stage, format!("chdir({:?})", request.working_directory)))?;
    if request.state == State::RootLab {
        forward_nothing(request);
    }
    ids::set_ids(request.state.id()).map_err(at(stage, "setresuid()"))?;
    match &request.own_cgroups {
        Some(plan) if request.cgroups => cgroups::configure(plan),
        _ => Ok(()),
    }
}
// ANCHOR_END: enter

/// Shows the check what the program finds: its process, its namespaces and mounts, its terminal.
fn present(request: &Request, fds: &Descriptors) -> Result<(), SetupError> {
    let stage = Stage::Inner;
    let pid = Pid::this();
    let pidfd = sys::pidfd_open(pid).map_err(at(stage, "pidfd_open()"))?;
    let terminal = if request.terminal { Some(open_terminal()?) } else { None };
    let namespaces: Vec<OwnedFd> =
        Kind::ALL.into_iter().filter_map(|kind| namespaces::open(&pidfd, pid, kind).ok()).collect();
    let mut passed = vec![pidfd.as_fd()];
    passed.extend(terminal.iter().map(AsFd::as_fd));
    passed.extend(namespaces.iter().map(AsFd::as_fd));
    let mounts = text_of("/proc/self/mountinfo").unwrap_or_default();
    Message::Ready { mounts }
        .send(fds.report.as_fd(), &passed)
        .map_err(at(stage, "sendmsg(the mounts)"))
}

/// Opens one side of the sandbox's own terminal. A program there cannot reach this machine's.
fn open_terminal() -> Result<File, SetupError> {
    let master = open_quietly("/dev/ptmx")?;
    let unlock: libc::c_int = 0;
    // SAFETY: TIOCSPTLCK reads one int.
    let unlocked = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlock) };
    Errno::result(unlocked).map_err(at(Stage::Start, "ioctl(TIOCSPTLCK)"))?;
    Ok(master)
}

/// Who leads a session and has no terminal would otherwise have this one from now on.
fn open_quietly(path: &str) -> Result<File, SetupError> {
    let mut options = File::options();
    let file = options.read(true).write(true).custom_flags(libc::O_NOCTTY).open(path);
    file.map_err(io_at(Stage::Start, format!("open(\"{path}\")")))
}

/// Starts the neighbors. Their names and pids, as arguments may ask for them.
fn neighbors(
    request: &Request,
    fds: &Descriptors,
    tell: &mut File,
) -> Result<Vec<(String, i32)>, SetupError> {
    let mut pids = Vec::new();
    for neighbor in &request.neighbors {
        let (pid, thread) = settle(neighbor, request.many_ids)?;
        tell.write_all(&pid.to_le_bytes()).map_err(io_at(Stage::Neighbors, "write(a pid)"))?;
        pids.push((neighbor.name.clone(), pid));
        pids.extend(thread.map(|thread| (format!("{}.thread", neighbor.name), thread)));
    }
    if !pids.is_empty() {
        _ = Message::Neighbors(pids.clone()).send(fds.report.as_fd(), &[]);
    }
    Ok(pids)
}

/// Leaves the program its input, its output and the witness's socket, and nothing else.
fn connect(request: &Request, fds: &Descriptors) -> Result<(), SetupError> {
    let stage = Stage::Start;
    // The group that we were born into is PID 1's, and whoever names his own group may change its
    // priority.
    _ = setsid();
    if request.terminal {
        let terminal = open_quietly("/dev/pts/0")?;
        // SAFETY: TIOCSCTTY takes an integer.
        let made = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
        Errno::result(made).map_err(at(stage, "ioctl(TIOCSCTTY)"))?;
        sys::redirect_stdio(&terminal, &terminal, &terminal)
    } else {
        sys::redirect_stdio(&fds.stdin, &fds.stdout, &fds.stderr)
    }
    .map_err(at(stage, "dup2()"))?;
    sys::close_on_exec_from(3).map_err(at(stage, "close_range(CLOSE_RANGE_CLOEXEC)"))?;
    // SAFETY: the number is ours by convention; whatever had it, had it close-on-exec.
    let socket = unsafe { libc::dup2(fds.witness.as_raw_fd(), WITNESS_FD) };
    Errno::result(socket).map(drop).map_err(at(stage, "dup2(the witness's socket)"))
}

/// What the program may not do, and how much it may use.
fn restrict(request: &Request) -> Result<(), SetupError> {
    let stage = Stage::Start;
    limits::on_this_process().map_err(at(stage, "setrlimit()"))?;
    if request.no_new_privs {
        nix::sys::prctl::set_no_new_privs().map_err(at(stage, "prctl(PR_SET_NO_NEW_PRIVS)"))?;
    }
    // Without the attribute this takes CAP_SYS_ADMIN, which we have here until the exec.
    deny_calls().map_err(at(stage, "prctl(PR_SET_SECCOMP)"))?;
    let unknown = request.unknown_ioctls.iter().copied();
    // What came with Linux 6.11, for a kernel that pretends to be older.
    let newer = sys::pretends_to_be_old().then_some(sys::PIDFD_IOCTLS);
    for kind in unknown.chain(newer) {
        forget_ioctls(kind).map_err(at(stage, "prctl(PR_SET_SECCOMP)"))?;
    }
    Ok(())
}

fn become_the_program(request: &Request, pids: &[(String, i32)]) -> Result<Infallible, SetupError> {
    // What is ignored stays so over an exec: some by us, and two by every shell for what it starts
    // with `&`. SIGKILL and SIGSTOP are refused, and cannot be ignored.
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: the kernel's own disposition, no handler runs.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    _ = SigSet::empty().thread_set_mask();
    if request.orphan {
        orphan::send().map_err(at(Stage::Start, "clone(the stranger)"))?;
    }

    let call = format!("execve({:?})", request.command.first().cloned().unwrap_or_default());
    let exec = || {
        let with_pids = |word: &OsStr| match word.to_str() {
            Some(text) => with_pids(text, pids).into_bytes(),
            // A reader's argument, which may be any bytes.
            None => word.as_bytes().to_owned(),
        };
        let c_strings = |words: &mut dyn Iterator<Item = &OsStr>| {
            let words = words.map(|word| CString::new(with_pids(word)));
            words.collect::<Result<Vec<_>, _>>().map_err(|_| Errno::EINVAL)
        };
        let command = c_strings(&mut request.command.iter().map(AsRef::as_ref))?;
        let environment = c_strings(&mut request.environment.iter().map(AsRef::as_ref))?;
        execve(command.first().ok_or(Errno::EINVAL)?, &command, &environment)
    };
    exec().map_err(at(Stage::Start, call))
}

/// What belongs to whoever owns the lab's namespaces: a host name, a loopback interface.
pub(crate) fn configure(request: &Request) -> Result<(), SetupError> {
    sethostname(&request.host_name)
        .map_err(at(Stage::Inner, format!("sethostname({:?})", request.host_name)))?;
    if request.network {
        sys::loopback_up().map_err(at(Stage::Network, "ioctl(SIOCSIFFLAGS, \"lo\", IFF_UP)"))?;
    }
    Ok(())
}

/// A machine that forwards hands that down to every new network namespace (`devinet_init_net` in
/// `net/ipv4/devinet.c`). Labs are the same everywhere. This takes the lab's own `/proc`: the
/// machine's may be read-only.
pub(crate) fn forward_nothing(request: &Request) {
    if request.network {
        _ = std::fs::write("/proc/sys/net/ipv4/ip_forward", "0");
    }
}

/// Starts a neighbor as a child of PID 1 (a child of ours would be the learner's program's, which
/// may wait for all of its own) and returns its pid and its thread's id when it has settled.
fn settle(neighbor: &Neighbor, many_ids: bool) -> Result<(i32, Option<i32>), SetupError> {
    let stage = Stage::Neighbors;
    let flags = libc::CLONE_PARENT | neighbor.new;
    let (settled, settling) =
        pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(at(stage, "pipe2(O_CLOEXEC)"))?;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }.map_err(at(stage, flag_names("clone", flags)))? {
        Fork::Child => {
            // Keep nothing but the way to say "settled": an inherited end of a pipe would keep
            // its reader waiting.
            let number = settling.as_raw_fd();
            _ = sys::close_from_except(3, &[number]);
            live_quietly(neighbor, many_ids, settling)
        }
        Fork::Parent { pid, .. } => {
            drop(settling);
            let mut thread = [0; 4];
            match read(&settled, &mut thread) {
                Ok(4) => Ok((pid.as_raw(), neighbor.thread.map(|_| i32::from_le_bytes(thread)))),
                _ => Err(SetupError {
                    stage,
                    call: flag_names("clone", neighbor.new),
                    errno: Errno::EPERM,
                }),
            }
        }
    }
}

fn live_quietly(neighbor: &Neighbor, many_ids: bool, settling: OwnedFd) -> ! {
    if let Some(name) = &neighbor.host_name
        && sethostname(name).is_err()
    {
        exit(1);
    }
    if nested_users::grow(neighbor, many_ids).is_err() {
        exit(1);
    }
    let tell = move |id: i32| _ = nix::unistd::write(&settling, &id.to_le_bytes());
    if let Some(flags) = neighbor.thread {
        // The thread leaves alone: unshare(2) moves the caller, and the caller is a thread.
        std::thread::spawn(move || {
            if unshare(CloneFlags::from_bits_retain(flags)).is_ok() {
                tell(nix::unistd::gettid().as_raw());
            }
            loop {
                pause();
            }
        });
    } else {
        tell(0);
    }
    loop {
        pause();
    }
}

/// Keyrings have no namespace of their own: a key added inside would be the user's outside. A
/// seccomp(2) filter answers add_key(2), request_key(2) and keyctl(2) as a kernel without them.
///
/// PR_SET_MM (PR_SET_MM(2const)) lets root of a user namespace choose the file that `/proc/PID/exe`
/// names, which is how the check knows COMMAND.
///
/// PID 1 has the program's id outside, where there may be no other. Limits and priorities of a
/// process belong to whoever has its id (`check_prlimit_permission` in kernel/sys.c,
/// `check_same_owner` in kernel/sched/syscalls.c), whatever its user namespace. Without descriptors
/// or without a turn, PID 1 would see neither what the program uses nor whom it leaves running.
fn deny_calls() -> nix::Result<()> {
    let missing = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let mut filter = Filter::new(missing)
        .on(libc::SYS_add_key, missing)
        .on(libc::SYS_request_key, missing)
        .on(libc::SYS_keyctl, missing)
        .on_value(libc::SYS_prctl, 0, libc::PR_SET_MM as u32, refused);
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setaffinity,
    ] {
        filter = filter.on_value(call, 0, 1, refused);
    }
    // The first argument says what the second one is: a process, a group (PID 1 leads its own), or
    // a user, who is everybody here.
    for (call, user) in
        [(libc::SYS_setpriority, libc::PRIO_USER), (libc::SYS_ioprio_set, IOPRIO_WHO_USER)]
    {
        filter = filter.on_value(call, 1, 1, refused).on_value(call, 0, user, refused);
    }
    let unknown = libc::SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT as u32;
    filter.on_others(libc::SYS_socket, 0, &FAMILIES.map(|family| family as u32), unknown).install()
}

/// The families of sockets that know network namespaces, and that programs of this course may want.
/// `AF_VSOCK` for one is the whole machine's: it leads to the host of a virtual machine.
const FAMILIES: [libc::c_int; 5] =
    [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];

/// Answers every ioctl(2) whose request is of this type as a kernel that has none such: `ENOTTY`.
/// The type is the second byte of a request (`include/uapi/asm-generic/ioctl.h`).
fn forget_ioctls(kind: u8) -> nix::Result<()> {
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOTTY as u32;
    let of_kind = u32::from(kind) << 8;
    Filter::new(unknown).on_masked(libc::SYS_ioctl, 1, 0xFF00, of_kind, unknown).install()
}

/// `linux/ioprio.h`; libc does not name it.
const IOPRIO_WHO_USER: u32 = 3;

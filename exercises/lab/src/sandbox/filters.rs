//! The system calls that the program is refused (seccomp(2)).

use libc::{SECCOMP_RET_ERRNO, c_int};

use nix::errno::Errno;

use crate::env;
use crate::seccomp::Filter;

/// The families of sockets that belong to network namespaces and that programs of this course may
/// need. Others reach beyond the sandbox: `AF_VSOCK`, for one, the host of a virtual machine.
const FAMILIES: [c_int; 5] =
    [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];

/// `linux/ioprio.h`; libc does not have it.
const IOPRIO_WHO_USER: u32 = 3;

/// The type of all ioctl(2) requests of pidfds (`include/uapi/linux/pidfd.h`). They came with Linux
/// 6.11.
const PIDFD_IOCTLS: u8 = 0xFF;

/// Puts the filters over this process and the program that it will become. Requests of ioctl(2) of
/// the types `unknown_ioctls` fail as on a kernel that does not know them, and each of `failing` and of the
/// calls with the numbers in `failing_calls` with its errno.
///
/// # Errors
///
/// `EACCES` if this process has neither no_new_privs (prctl(2)) nor CAP_SYS_ADMIN.
pub(crate) fn install(
    unknown_ioctls: &[u8],
    failing: &[(u32, Errno)],
    failing_calls: &[(u32, Errno)],
) -> nix::Result<()> {
    deny_calls()?;
    let newer = env::pretends_to_be_old().then_some(PIDFD_IOCTLS);
    unknown_ioctls.iter().copied().chain(newer).try_for_each(forget_ioctls)?;
    failing.iter().try_for_each(|(request, errno)| {
        let refused = SECCOMP_RET_ERRNO | *errno as u32;
        Filter::new(refused).on_value(libc::SYS_ioctl, 1, *request, refused).install()
    })?;
    failing_calls.iter().try_for_each(|(number, errno)| {
        let refused = SECCOMP_RET_ERRNO | *errno as u32;
        Filter::new(refused).on(*number as libc::c_long, refused).install()
    })
}

/// Keyrings have no namespace: a key added inside would be the user's outside. The filter answers
/// add_key(2), request_key(2) and keyctl(2) as a kernel without them.
///
/// PR_SET_MM (PR_SET_MM(2const)) lets root of a user namespace choose the file behind
/// `/proc/PID/exe`, by which the check recognizes COMMAND.
///
/// The sandbox's PID 1 may have the same id outside as the program. Limits and priorities of a
/// process belong to its id (`check_prlimit_permission` in kernel/sys.c, `check_same_owner` in
/// kernel/sched/syscalls.c), whatever its user namespace. If PID 1 had no descriptors or got no CPU
/// time, it could see neither what the program uses nor what it leaves running.
fn deny_calls() -> nix::Result<()> {
    let missing = SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let refused = SECCOMP_RET_ERRNO | libc::EPERM as u32;
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
    // The first argument says what the second one is: a process, a process group (PID 1 leads its
    // own) or a user, which here is the user of every process.
    for (call, user) in
        [(libc::SYS_setpriority, libc::PRIO_USER), (libc::SYS_ioprio_set, IOPRIO_WHO_USER)]
    {
        filter = filter.on_value(call, 1, 1, refused).on_value(call, 0, user, refused);
    }
    let unknown = SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT as u32;
    filter.on_others(libc::SYS_socket, 0, &FAMILIES.map(|family| family as u32), unknown).install()
}

/// Answers every ioctl(2) of this type with `ENOTTY`. The type is the second byte of a request
/// (`include/uapi/asm-generic/ioctl.h`).
fn forget_ioctls(kind: u8) -> nix::Result<()> {
    let unknown = SECCOMP_RET_ERRNO | libc::ENOTTY as u32;
    let of_kind = u32::from(kind) << 8;
    Filter::new(unknown).on_masked(libc::SYS_ioctl, 1, 0xFF00, of_kind, unknown).install()
}

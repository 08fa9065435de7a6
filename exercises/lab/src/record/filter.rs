//! What stops a program that is recorded: the calls of a trace, and nothing else, so that
//! everything else runs at full speed.

use crate::seccomp::Filter;

/// In the lower 16 bits of our filter's answer: tells our stops from those that a filter of the
/// program itself asks for.
pub(super) const OURS: u16 = 0x4E42;

/// Every call of a trace. On some architectures a few have only their newer form.
const RECORDED: &[libc::c_long] = &[
    libc::SYS_clone,
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_mount_setattr,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_ptrace,
    libc::SYS_seccomp,
];

/// Asks the kernel to stop this process, and all that it will start, at the recorded calls. There
/// must be a tracer by then: without one each of these calls fails with `ENOSYS` (seccomp(2)).
pub(crate) fn install() -> nix::Result<()> {
    let stop = libc::SECCOMP_RET_TRACE | u32::from(OURS);
    let mut filter = Filter::new(libc::SECCOMP_RET_ALLOW);
    for call in RECORDED {
        filter = filter.on(*call, stop);
    }
    // Whoever writes a map opens it for that first. So reading, and writing to other files, stays
    // without a stop; openat2(2) has its flags in memory, where a filter cannot look.
    let writing = (libc::O_WRONLY | libc::O_RDWR) as u32;
    filter = filter.on_bits(libc::SYS_openat, 2, writing, stop).on(libc::SYS_openat2, stop);
    #[cfg(target_arch = "x86_64")]
    {
        filter = filter.on_bits(libc::SYS_open, 1, writing, stop);
    }
    filter.install()
}

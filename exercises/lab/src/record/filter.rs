//! What stops a program that is recorded: the calls of a trace, and nothing else, so that
//! everything else runs at full speed.

use super::calls;
use crate::seccomp::Filter;

/// In the lower 16 bits of our filter's answer: tells our stops from those that a filter of the
/// program itself asks for.
pub(super) const OURS: u16 = 0x4E42;

/// Asks the kernel to stop this process, and all that it will start, at the recorded calls. There
/// must be a tracer by then: without one each of these calls fails with `ENOSYS` (seccomp(2)).
pub(crate) fn install() -> nix::Result<()> {
    let stop = libc::SECCOMP_RET_TRACE | u32::from(OURS);
    let mut filter = Filter::new(libc::SECCOMP_RET_ALLOW);
    for call in calls::numbers() {
        filter = filter.on(call, stop);
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

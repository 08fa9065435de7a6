//! The seccomp filter that stops a recorded program at the calls of a trace, and only there, so that
//! all other calls run at full speed.

use super::{IdMaps, calls, id_maps};
use crate::seccomp::Filter;

/// The lower 16 bits of this filter's answer. They distinguish its stops from those of filters that
/// the program installs.
pub(super) const MARK: u16 = 0x4E42;

/// Asks the kernel to stop this process and all its descendants at the recorded calls. It must have a
/// tracer by then: without one each of these calls fails with `ENOSYS` (seccomp(2)). They
/// also stop where they sleep, if no sleep is to take time.
///
/// # Errors
///
/// Those of seccomp(2).
pub(crate) fn install(maps: &IdMaps) -> nix::Result<()> {
    let stop = libc::SECCOMP_RET_TRACE | u32::from(MARK);
    let mut filter = Filter::new(libc::SECCOMP_RET_ALLOW);
    for call in calls::numbers() {
        filter = filter.on(call, stop);
    }
    if *maps == IdMaps::Held {
        for (call, _) in id_maps::SLEEPS {
            filter = filter.on(call, stop);
        }
    }
    // Sockets of other families say little about the network that a program is in.
    for domain in calls::DOMAINS {
        filter = filter.on_value(libc::SYS_socket, 0, domain as u32, stop);
    }
    // A file is opened for writing before it is written, so reads, and writes by tasks that have no
    // such file, need no stop. The flags of openat2(2) are in memory, where a filter cannot look.
    let writing = (libc::O_WRONLY | libc::O_RDWR) as u32;
    filter = filter.on_bits(libc::SYS_openat, 2, writing, stop).on(libc::SYS_openat2, stop);
    #[cfg(target_arch = "x86_64")]
    {
        filter = filter.on_bits(libc::SYS_open, 1, writing, stop);
    }
    filter.install()
}

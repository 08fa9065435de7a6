//! The namespaces of the lab, and what only their owner may set.
//!
//! In the *root lab* they belong to the inner user namespace, in which the program is root: its
//! process makes them. The *plain user* finds namespaces that belong to the outer one: PID 1 is
//! made in them.

use std::ffi::c_int;
use std::fs;

use nix::unistd::sethostname;

use super::request::Request;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::sys;

/// `CLONE_NEW*` of the lab's namespaces, beside user, mount and PID.
pub(crate) fn flags(request: &Request) -> c_int {
    let network = if request.network { libc::CLONE_NEWNET } else { 0 };
    libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP | network
}

/// In the owner: sets the host name and brings the loopback interface up.
pub(crate) fn configure(request: &Request) -> Result<(), Refusal> {
    sethostname(&request.host_name)
        .map_err(refused(Stage::Inner, format!("sethostname({:?})", request.host_name)))?;
    if request.network {
        sys::loopback_up()
            .map_err(refused(Stage::Network, "ioctl(SIOCSIFFLAGS, \"lo\", IFF_UP)"))?;
    }
    Ok(())
}

/// In the owner, with the lab's own `/proc`, because the machine's may be read-only: turns
/// forwarding off. A new network namespace has it from the machine (`devinet_init_net` in
/// net/ipv4/devinet.c), and labs are the same everywhere.
pub(crate) fn disable_forwarding(request: &Request) {
    if request.network {
        _ = fs::write("/proc/sys/net/ipv4/ip_forward", "0");
    }
}

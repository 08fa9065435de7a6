//! Named: another process than the target was joined
//! The pidfd is that of the program itself.

use std::process::{Command, exit, id};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: both calls take integers.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, id(), 0) as i32;
        assert!(fd >= 0);
        let kinds = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET;
        assert_eq!(libc::setns(fd, kinds), 0, "setns");
    }
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn().expect("spawn");
    exit(child.wait().expect("wait").code().unwrap_or(1));
}

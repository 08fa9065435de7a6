//! fsopen(2), fsmount(2) and move_mount(2) instead of mount(2), and only `/proc` is made private.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

/// From `linux/mount.h`.
const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;

fn mount_proc() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let null = std::ptr::null::<libc::c_char>();
    // SAFETY: every pointer is null or a C string that outlives its call.
    unsafe {
        Errno::result(libc::mount(null, c"/proc".as_ptr(), null, libc::MS_PRIVATE, null.cast()))?;
        let context = Errno::result(libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), 1))?;
        let create = FSCONFIG_CMD_CREATE;
        Errno::result(libc::syscall(libc::SYS_fsconfig, context, create, null, null, 0))?;
        let mount = Errno::result(libc::syscall(libc::SYS_fsmount, context, 1, 0))?;
        let (here, flags) = (libc::AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH);
        let moved = libc::syscall(
            libc::SYS_move_mount,
            mount,
            c"".as_ptr(),
            here,
            c"/proc".as_ptr(),
            flags,
        );
        Errno::result(moved).map(drop)
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    let mut command = Command::new(&words[0]);
    // SAFETY: this process has one thread, so the callback need not be async-signal-safe.
    unsafe { command.args(&words[1..]).pre_exec(|| Ok(mount_proc()?)) };
    exit(match command.status() {
        Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 127,
        Err(error) => panic!("{error}"),
    });
}

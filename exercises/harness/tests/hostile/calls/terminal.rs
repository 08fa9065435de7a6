//! The terminal.

use std::ffi::c_char;
use std::fs;

/// Where a terminal could be.
fn terminals() -> impl Iterator<Item = i64> {
    let open = |path: *const c_char| call!(SYS_openat, libc::AT_FDCWD, path, libc::O_RDWR);
    (0..3).chain([open(c"/dev/tty".as_ptr()), open(c"/dev/console".as_ptr())])
}

pub(crate) fn write_to_terminal() -> bool {
    fs::write("/dev/tty", "x").is_ok()
}

pub(crate) fn type_into() -> bool {
    let byte = b"x";
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCSTI, byte.as_ptr()) == 0)
}

/// If the session leader gives the terminal up, the whole session gets SIGHUP.
pub(crate) fn hang_up_terminal() -> bool {
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCNOTTY, 0) == 0)
}

pub(crate) fn other_terminals() -> bool {
    let names = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    let others = |name: &str| name.starts_with("tty") && name != "tty" || name.starts_with("vcs");
    let devices = names("/dev").any(|entry| others(&entry.file_name().to_string_lossy()));
    let own = ["ptmx", "0"];
    let pts = names("/dev/pts").any(|entry| !own.contains(&&*entry.file_name().to_string_lossy()));
    devices || pts || fs::exists("/dev/console").unwrap_or(true)
}

/// By force, so that the session that has it loses it.
pub(crate) fn take_terminal() -> bool {
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCSCTTY, 1) == 0)
}

/// Redirects the kernel's messages, and pastes a selection on a virtual console.
pub(crate) fn take_console() -> bool {
    // TIOCL_SETSEL and TIOCL_PASTESEL of TIOCLINUX (`linux/tiocl.h`) type as well.
    let (all, paste) = ([2_u8, 1, 0, 1, 0, 80, 0, 1, 0, 2, 0], 3_u8);
    terminals().any(|fd| {
        call!(SYS_ioctl, fd, libc::TIOCCONS) == 0
            || call!(SYS_ioctl, fd, libc::TIOCLINUX, all.as_ptr()) == 0
            || call!(SYS_ioctl, fd, libc::TIOCLINUX, &raw const paste) == 0
    })
}

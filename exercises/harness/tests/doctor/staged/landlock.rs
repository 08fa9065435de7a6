//! A Landlock domain in which all files may be read and some may be written. A process in a domain
//! cannot change mounts (landlock(7)).

use std::fs::File;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;

/// `struct landlock_ruleset_attr` as of version 1 (linux/landlock.h).
#[repr(C)]
struct Ruleset {
    handled_access_fs: u64,
}

/// `struct landlock_path_beneath_attr`, which is packed.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// `LANDLOCK_ACCESS_FS_WRITE_FILE`.
const WRITE_FILE: u64 = 1 << 1;
const LANDLOCK_RULE_PATH_BENEATH: u32 = 1;

pub(super) fn allow_writing_below(folders: &[&str]) -> Result<(), String> {
    nix::sys::prctl::set_no_new_privs().map_err(|errno| format!("no_new_privs: {errno}"))?;
    let error = |call: &'static str| move |errno: Errno| format!("{call}: {errno}");
    let attributes = Ruleset { handled_access_fs: WRITE_FILE };
    // SAFETY: the kernel reads a ruleset of the size given.
    let ruleset = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const attributes,
            size_of_val(&attributes),
            0,
        )
    };
    let ruleset = Errno::result(ruleset).map_err(|errno| match errno {
        Errno::ENOSYS => "it needs Linux 5.13, which has landlock(7)".to_owned(),
        errno => error("landlock_create_ruleset()")(errno),
    })?;
    for folder in folders {
        let folder = File::open(folder).map_err(|error| format!("open {folder}: {error}"))?;
        let rule = PathBeneath { allowed_access: WRITE_FILE, parent_fd: folder.as_raw_fd() };
        // SAFETY: the kernel reads one rule of that type.
        let added = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                ruleset,
                LANDLOCK_RULE_PATH_BENEATH,
                &raw const rule,
                0,
            )
        };
        Errno::result(added).map_err(error("landlock_add_rule()"))?;
    }
    // SAFETY: takes integers.
    let restricted = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) };
    Errno::result(restricted).map(drop).map_err(error("landlock_restrict_self()"))
}

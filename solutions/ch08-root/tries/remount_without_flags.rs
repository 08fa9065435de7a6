//! Named: a locked flag is left out
//! Points at: mount(*MS_REMOUNT*
//! The three flags of each tutorial, on a directory of /tmp.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr::null;

fn mount(source: Option<&str>, target: &str, flags: libc::c_ulong) {
    let source = source.map(|text| CString::new(text).expect("no NUL"));
    let target = CString::new(target).expect("no NUL");
    let from = source.as_ref().map_or(null(), |text| text.as_ptr());
    // SAFETY: both strings live until the call returns.
    if unsafe { libc::mount(from, target.as_ptr(), null(), flags, null()) } == -1 {
        eprintln!("mount {target:?}: {}", std::io::Error::last_os_error());
        exit(1);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let share = format!("{}/share", words[0]);
    // SAFETY: takes an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
    mount(None, "/", libc::MS_REC | libc::MS_PRIVATE);
    mount(Some(&words[0]), &words[0], libc::MS_BIND | libc::MS_REC);
    mount(Some("/proc"), &format!("{}/proc", words[0]), libc::MS_BIND | libc::MS_REC);
    mount(Some(&words[1]), &share, libc::MS_BIND);
    mount(None, &share, libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY);
    std::env::set_current_dir(&words[0]).expect("chdir");
    nix::unistd::pivot_root(".", ".").expect("pivot_root");
    nix::mount::umount2(".", nix::mount::MntFlags::MNT_DETACH).expect("umount2");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

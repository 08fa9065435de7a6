//! Uses no child for the move: the program itself moves to the cgroup, and returns through descriptors
//! of its old cgroup and mount namespace.

use std::ffi::{CString, OsString};
use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, exit};

fn call(result: i32, name: &str) {
    if result != 0 {
        eprintln!("{name}: {}", std::io::Error::last_os_error());
        exit(1);
    }
}

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap();
    let (options, command) = (&words[..dashes], &words[dashes + 1..]);
    let top = "/sys/fs/cgroup";

    // Later these paths lead elsewhere, but a descriptor does not change.
    let old = fs::File::open("/proc/self/ns/mnt").unwrap();
    let was_in = fs::read_to_string("/proc/self/cgroup").unwrap();
    let was_in = was_in.lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned();
    let back = fs::File::options().write(true).open(format!("{top}{was_in}/cgroup.procs"));
    let mut made = None;
    if let [name, limits @ ..] = options {
        let cgroup = format!("{top}/{}", name.to_str().unwrap());
        fs::create_dir(&cgroup).unwrap();
        for (limit, file) in limits.iter().rev().zip(["memory.max", "pids.max"]) {
            if fs::write(format!("{cgroup}/{file}"), limit.to_str().unwrap()).is_err() {
                fs::remove_dir(cgroup).unwrap();
                panic!("{file} is refused");
            }
        }
        fs::write(format!("{cgroup}/cgroup.procs"), std::process::id().to_string()).unwrap();
        made = Some(cgroup);
    }
    let (root, path) = (CString::new("/").unwrap(), CString::new(top).unwrap());
    let kind = CString::new("cgroup2").unwrap();
    let null = std::ptr::null();
    // SAFETY: every pointer is a C string that outlives its call, or null where mount(2) allows it.
    unsafe {
        call(libc::unshare(libc::CLONE_NEWNS), "unshare(CLONE_NEWNS)");
        let private = libc::MS_REC | libc::MS_SLAVE;
        call(libc::mount(null, root.as_ptr(), null, private, null.cast()), "mount(/)");
        call(libc::unshare(libc::CLONE_NEWCGROUP), "unshare(CLONE_NEWCGROUP)");
        call(libc::umount2(path.as_ptr(), libc::MNT_DETACH), "umount2(/sys/fs/cgroup)");
        let mounted = libc::mount(kind.as_ptr(), path.as_ptr(), kind.as_ptr(), 0, null.cast());
        call(mounted, "mount(cgroup2)");
    }
    let status = Command::new(&command[0]).args(&command[1..]).status();
    if let Some(cgroup) = made {
        back.unwrap().write_all(b"0").unwrap();
        // SAFETY: setns takes only integers.
        unsafe { call(libc::setns(old.as_raw_fd(), libc::CLONE_NEWNS), "setns(CLONE_NEWNS)") };
        fs::remove_dir(cgroup).unwrap();
    }
    exit(status.unwrap().code().unwrap_or(1));
}

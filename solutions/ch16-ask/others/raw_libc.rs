//! Uses only libc, and its own constants. The owner of a user namespace is its parent, so one request is
//! enough for both.

use std::process::exit;

const NS_GET_USERNS: libc::Ioctl = 0xB701;
const NS_GET_OWNER_UID: libc::Ioctl = 0xB704;

fn main() {
    let pid = std::env::args().nth(1).unwrap_or_default();
    let number = pid.parse::<i32>().unwrap_or(-1);
    // SAFETY: pidfd_open takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) } as i32;
    if pidfd < 0 {
        fail("pidfd_open");
    }
    let mut text = String::new();
    let mut user = namespace(pidfd, &pid, "user", 9);
    while user >= 0 {
        let mut uid = 0u32;
        // SAFETY: the kernel writes a uid_t, which is 32 bits.
        if unsafe { libc::ioctl(user, NS_GET_OWNER_UID, &mut uid) } < 0 {
            fail("NS_GET_OWNER_UID");
        }
        text += &format!("user user:[{}] uid {uid}\n", inode(user));
        user = owner(user);
    }
    for (kind, request) in
        [("time", 7), ("cgroup", 1), ("ipc", 2), ("uts", 10), ("net", 4), ("pid", 5), ("mnt", 3)]
    {
        let fd = namespace(pidfd, &pid, kind, request);
        if fd < 0 {
            continue;
        }
        text += &match owner(fd) {
            -1 => format!("{kind} beyond\n"),
            owner => format!("{kind} user:[{}]\n", inode(owner)),
        };
    }
    print!("{text}");
}

/// Opens a namespace; returns -1 if the kernel does not have the kind.
fn namespace(pidfd: i32, pid: &str, kind: &str, request: libc::Ioctl) -> i32 {
    // SAFETY: these requests take only integers.
    let fd = unsafe { libc::ioctl(pidfd, 0xFF00 | request, 0) };
    match errno() {
        _ if fd >= 0 => return fd,
        libc::EOPNOTSUPP => return -1,
        libc::ENOTTY => {}
        _ => fail("PIDFD_GET_*_NAMESPACE"),
    }
    let open = |pid: &str| {
        let path = std::ffi::CString::new(format!("/proc/{pid}/ns/{kind}")).unwrap();
        // SAFETY: `path` is a C string that outlives the call.
        unsafe { libc::open(path.as_ptr(), libc::O_RDONLY) }
    };
    let fd = open(pid);
    if fd < 0 && open("self") >= 0 {
        fail("open");
    }
    fd
}

/// Opens the owner; returns -1 if this process may not see it.
fn owner(fd: i32) -> i32 {
    // SAFETY: this request takes no argument.
    let owner = unsafe { libc::ioctl(fd, NS_GET_USERNS) };
    if owner < 0 && errno() != libc::EPERM {
        fail("NS_GET_USERNS");
    }
    owner
}

fn inode(fd: i32) -> u64 {
    // SAFETY: all zeroes are a valid stat, and the kernel writes one.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &mut found);
        found.st_ino
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn fail(call: &str) -> ! {
    eprintln!("{call}: {}", std::io::Error::last_os_error());
    exit(1);
}

//! Named: the return value of ioctl(2) is taken for the uid
//! As if NS_GET_OWNER_UID were like the requests that return a descriptor.

use std::ffi::CString;

fn ioctl(fd: i32, request: libc::Ioctl) -> Result<i32, i32> {
    let mut unused = 0u64;
    // SAFETY: the pointer is valid for those requests that use it.
    match unsafe { libc::ioctl(fd, request, &mut unused) } {
        -1 => Err(std::io::Error::last_os_error().raw_os_error().unwrap()),
        value => Ok(value),
    }
}

fn open(pid: &str, kind: &str) -> i32 {
    let path = CString::new(format!("/proc/{pid}/ns/{kind}")).unwrap();
    // SAFETY: the path ends with a zero byte.
    unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }
}

fn name(fd: i32) -> String {
    let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
    link.to_str().unwrap().to_owned()
}

fn main() {
    let pid = std::env::args().nth(1).unwrap();
    let mut user = open(&pid, "user");
    loop {
        println!("user {} uid {}", name(user), ioctl(user, libc::NS_GET_OWNER_UID).unwrap());
        match ioctl(user, libc::NS_GET_PARENT) {
            Ok(parent) => user = parent,
            Err(libc::EPERM) => break,
            Err(errno) => panic!("NS_GET_PARENT: {errno}"),
        }
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        match ioctl(open(&pid, kind), libc::NS_GET_USERNS) {
            Ok(owner) => println!("{kind} {}", name(owner)),
            Err(libc::EPERM) => println!("{kind} beyond"),
            Err(errno) => panic!("NS_GET_USERNS: {errno}"),
        }
    }
}

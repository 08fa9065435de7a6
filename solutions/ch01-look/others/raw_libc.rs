//! Uses only libc: open(2) and fstat(2), and perror(3) for an error.

use std::ffi::CString;

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let [one, two] = [&pids[0], &pids[1]].map(|pid| {
            let path = CString::new(format!("/proc/{pid}/ns/{kind}")).unwrap();
            // SAFETY: the path is a C string, all zeroes are a valid stat, and fstat fills one.
            unsafe {
                let fd = libc::open(path.as_ptr(), libc::O_RDONLY);
                let mut found: libc::stat = std::mem::zeroed();
                if fd == -1 || libc::fstat(fd, &raw mut found) == -1 {
                    libc::perror(path.as_ptr());
                    libc::exit(1);
                }
                (found.st_dev, found.st_ino)
            }
        });
        answers += &format!("{kind} {}\n", if one == two { "same" } else { "other" });
    }
    print!("{answers}");
}

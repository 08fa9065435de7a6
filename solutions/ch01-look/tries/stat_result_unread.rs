//! Named: every answer is `same`, even about no process
//! There is a line end at the end of the path, so stat(2) fails, and leaves zeros in both structs.

use std::mem::zeroed;

fn inode(pid: &str, kind: &str) -> (u64, u64) {
    let path = format!("/proc/{pid}/ns/{kind}\n\0");
    // SAFETY: zeros are a valid stat, and both pointers are valid.
    let mut found: libc::stat = unsafe { zeroed() };
    unsafe { libc::stat(path.as_ptr().cast(), &mut found) };
    (found.st_dev, found.st_ino)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        if inode(&args[1], kind) == inode(&args[2], kind) {
            println!("{kind} same");
        } else {
            println!("{kind} other");
        }
    }
}

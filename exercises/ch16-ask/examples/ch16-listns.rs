//! ch16-listns: asks for all namespaces, and is ready for a kernel that does not know the call.

use nix::errno::Errno;

/// The number of listns(2) in Linux 6.19.
const SYS_LISTNS: libc::c_long = 470;

fn main() {
    let nothing = std::ptr::null::<u64>();
    // SAFETY: the kernel refuses a request that is not there.
    let listed = unsafe { libc::syscall(SYS_LISTNS, nothing, nothing, 0usize, 0u32) };
    match Errno::result(listed) {
        Err(Errno::ENOSYS) => println!("ENOSYS: this kernel is asked by /proc"),
        other => println!("this kernel knows listns(2): {other:?}"),
    }
}

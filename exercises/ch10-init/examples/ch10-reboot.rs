//! ch10-reboot: asks for a restart, with reboot(2). In a PID namespace that ends its PID 1 and nothing else.

use nix::unistd::getpid;

fn main() {
    // In the machine's own PID namespace, where the call restarts the machine, this is another process.
    if getpid().as_raw() != 1 {
        return eprintln!("ch10-reboot: this is no PID 1, so nothing is done");
    }
    // SAFETY: the call takes an integer.
    unsafe { libc::reboot(libc::RB_AUTOBOOT) };
    eprintln!("reboot(RB_AUTOBOOT): {}", std::io::Error::last_os_error());
}

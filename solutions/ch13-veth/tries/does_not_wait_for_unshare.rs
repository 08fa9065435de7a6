//! Named: ip(8) runs in the other network
//! The end is moved to the child before the child has left the lab's network: nothing makes the parent
//! wait.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).status().is_ok_and(|status| status.success())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: there is one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // Prepares something first.
        sleep(Duration::from_millis(200));
        // SAFETY: takes an integer.
        unsafe { libc::unshare(libc::CLONE_NEWNET) };
        sleep(Duration::from_millis(300));
        let done = ip(&format!("addr add {}/24 dev eth0", words[2]))
            && ip("link set eth0 up")
            && ip("link set lo up")
            && ip(&format!("route add default via {}", words[1]));
        if !done {
            std::process::exit(1);
        }
        panic!("{}", Command::new(&words[4]).args(&words[5..]).exec());
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    ip(&format!("link add {} type veth peer name eth0 netns {child}", words[0]));
    ip(&format!("addr add {}/24 dev {}", words[1], words[0]));
    ip(&format!("link set {} up", words[0]));
    let mut status = 0;
    // SAFETY: the pointer is valid.
    unsafe { libc::waitpid(child, &mut status, 0) };
    std::process::exit(libc::WEXITSTATUS(status));
}

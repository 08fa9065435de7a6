//! Each server is a process that dies with the program, and answers each client in a thread. ip(8) sets
//! `lo` up.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

fn serve(port: &str, text: &str) -> Pid {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("bind");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        return child;
    }
    thread::scope(|scope| {
        for mut client in listener.incoming().flatten() {
            scope.spawn(move || client.write_all(text.as_bytes()));
        }
    });
    exit(1);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outside = serve(&words[0], &words[1]);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let ip = Command::new("ip").args(["link", "set", "dev", "lo", "up"]).status().expect("ip");
    assert!(ip.success());
    let inside = serve(&words[0], &words[2]);
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
    for server in [outside, inside] {
        kill(server, Signal::SIGKILL).expect("kill");
        waitpid(server, None).expect("waitpid");
    }
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

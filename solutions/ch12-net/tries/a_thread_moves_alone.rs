//! Named: two sockets on one port of one network
//! The calls are in the right order, but a thread makes the one in the middle, and moves alone.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = text.to_owned();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            client.write_all(text.as_bytes()).ok();
        }
    });
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().unwrap();
    serve(port, &args[2]);
    thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET).expect("unshare")).join().unwrap();
    serve(port, &args[3]);
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

//! Named: another process made the call
//! Points at: unshare(
//! unshare(1) makes the network and sets `lo` up in it, and both are gone when it ends.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port: u16 = args[1].parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = args[2].clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(text.as_bytes()).unwrap();
        }
    });
    Command::new("unshare")
        .args(["--net", "ip", "link", "set", "lo", "up"])
        .status()
        .expect("unshare");
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

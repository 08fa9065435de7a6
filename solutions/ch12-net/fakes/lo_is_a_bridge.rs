//! Refused by step 1: what is up is a bridge that is called `lo`, and the loopback interface has another name.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (port, outside, inside) = (words[0].parse().expect("PORT"), &words[1], &words[2]);
    serve(port, outside);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    for words in [
        "link set lo name loop0",
        "link add lo type bridge",
        "addr add 127.0.0.1/8 dev lo",
        "link set lo up",
        "link set loop0 up",
    ] {
        let ip = Command::new("ip").args(words.split(' ')).status().expect("ip");
        assert!(ip.success(), "ip {words}");
    }
    serve(port, inside);
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

fn serve(port: u16, text: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let text = text.to_owned();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
}

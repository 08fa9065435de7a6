//! Named: your program gave up
//! Points at: exit(1)
//! The port is parsed as a number of eight bits, and anything else is an error.

use std::net::TcpListener;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let Ok(port) = args[1].parse::<u8>() else {
        eprintln!("usage: ch12-net PORT OUTSIDE INSIDE -- COMMAND");
        exit(1);
    };
    let _listener = TcpListener::bind(("127.0.0.1", port.into())).expect("bind");
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

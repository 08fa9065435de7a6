//! Named: two sockets on one port of one network
//! The program leaves first, and both servers are inside. What it prints of the error is the errno.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: String) -> Result<(), std::io::Error> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(text.as_bytes());
        }
    });
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("PORT");
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    for text in &args[2..4] {
        if let Err(error) = serve(port, text.clone()) {
            eprintln!("{error}");
            exit(1);
        }
    }
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}

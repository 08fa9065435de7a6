//! Named: lo is down
//! The two servers are done, and `lo` is believed to be up, as it always is.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn spawn_server(port: u16, text: String) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok((mut stream, _)) => drop(stream.write_all(text.as_bytes())),
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    });
    Ok(())
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("PORT");
    spawn_server(port, args[2].clone())?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    spawn_server(port, args[3].clone())?;
    let status = Command::new(&args[5]).args(&args[6..]).status()?;
    exit(status.code().unwrap_or(1))
}

//! Named: two sockets on one port of one network
//! Points at: bind(
//! Both servers are started, and then the program leaves.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn serve(port: u16, text: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let text = text.to_owned();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            _ = client.write_all(text.as_bytes());
        }
    });
    Ok(())
}

fn run(args: &[String]) -> std::io::Result<i32> {
    let port = args[1].parse().unwrap();
    serve(port, &args[2])?;
    serve(port, &args[3])?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    let status = Command::new(&args[5]).args(&args[6..]).status()?;
    Ok(status.code().unwrap_or(1))
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match run(&args) {
        Ok(code) => exit(code),
        Err(error) => {
            eprintln!("error: {error}");
            exit(1);
        }
    }
}

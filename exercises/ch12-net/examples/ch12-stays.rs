//! ch12-stays: a socket from before a move and one from after it each send a datagram to their own address.

use std::fs::read_link;
use std::io;
use std::net::UdpSocket;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

const NET: &str = "/proc/thread-self/ns/net";

fn main() -> Result<()> {
    let first = UdpSocket::bind("127.0.0.1:0").context("bind(127.0.0.1)")?;
    let old = read_link(NET).context("readlink(ns/net)")?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    let second = UdpSocket::bind("127.0.0.1:0").context("bind(127.0.0.1)")?;

    let moved = read_link(NET).context("readlink(ns/net)")? != old;
    println!("the process: {}", if moved { "has moved" } else { "is where it was" });
    println!("the socket from before: {}", outcome(&first));
    println!("the socket from after: {}", outcome(&second));
    Ok(())
}

fn outcome(socket: &UdpSocket) -> String {
    match to_itself(socket) {
        Ok(()) => "its datagram has arrived".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn to_itself(socket: &UdpSocket) -> io::Result<()> {
    socket.send_to(b"!", socket.local_addr()?)?;
    socket.recv(&mut [0]).map(drop)
}

//! ch12-names: two Unix sockets are looked for from the same network namespace and from another.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let names = [
        ("/tmp/by-path", SocketAddr::from_pathname("/tmp/by-path")?),
        ("abstract", SocketAddr::from_abstract_name("abstract")?),
    ];
    let mut servers = Vec::new();
    for (name, address) in &names {
        servers.push(UnixListener::bind_addr(address).with_context(|| format!("bind({name})"))?);
    }
    look("the same network", &names);
    let visitor = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
        look("another network", &names);
        Ok(())
    });
    visitor.join().expect("a thread without a panic")
}

fn look(from: &str, names: &[(&str, SocketAddr)]) {
    for (name, address) in names {
        match UnixStream::connect_addr(address) {
            Ok(_) => println!("from {from}, {name}: connected"),
            Err(error) => println!("from {from}, {name}: {error}"),
        }
    }
}

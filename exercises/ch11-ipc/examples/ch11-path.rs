//! ch11-path: a thread leaves the IPC namespace, and connects to a socket that the other one has made.

use std::io::{Write as _, copy, stdout};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

const PATH: &str = "/tmp/socket";

fn main() -> Result<()> {
    let server = UnixListener::bind(PATH).context("bind(\"/tmp/socket\")")?;
    let client = thread::spawn(|| -> Result<()> {
        unshare(CloneFlags::CLONE_NEWIPC).context("unshare(CLONE_NEWIPC)")?;
        let mut client = UnixStream::connect(PATH).context("connect(\"/tmp/socket\")")?;
        client.write_all(b"through the socket\n").context("write()")
    });
    client.join().expect("a thread without a panic")?;
    let (mut connection, _) = server.accept().context("accept()")?;
    copy(&mut connection, &mut stdout()).context("read()")?;
    Ok(())
}

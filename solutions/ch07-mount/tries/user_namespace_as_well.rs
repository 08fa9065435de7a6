//! Named: a user namespace without maps
//! CLONE_NEWUSER is added, because a page says that mount(2) needs it without sudo.

use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).context("unshare")?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).context("slave")?;
    mount(Some("tmpfs"), words[0].as_str(), Some("tmpfs"), MsFlags::empty(), none)
        .context("tmpfs")?;
    std::fs::write(format!("{}/token", words[0]), &words[1]).context("token")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}

//! ch08-kept: a tmpfs becomes the root, and keeps the old root until it is removed step by step.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context as _, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::pivot_root;

fn main() -> Result<()> {
    let (tmpfs, none) = (Some("tmpfs"), None::<&str>);
    mount(tmpfs, "/mnt", tmpfs, MsFlags::empty(), none).context("mount(\"tmpfs\", \"/mnt\")")?;
    fs::create_dir("/mnt/old").context("mkdir(\"/mnt/old\")")?;
    show("before");

    pivot_root("/mnt", "/mnt/old").context("pivot_root(\"/mnt\", \"/mnt/old\")")?;
    show("the root is another one");

    umount2("/old", MntFlags::MNT_DETACH).context("umount2(\"/old\", MNT_DETACH)")?;
    fs::remove_dir("/old").context("rmdir(\"/old\")")?;
    show("the old root is detached");

    env::set_current_dir("/").context("chdir(\"/\")")?;
    show("the working directory is another one");
    Ok(())
}

/// Prints which paths lead to the directory `dev` of the old root.
fn show(when: &str) {
    let mut paths = vec!["/dev", "/old/dev", "../dev"];
    paths.retain(|path| Path::new(path).exists());
    println!("{when}: {}", if paths.is_empty() { "no way".to_owned() } else { paths.join(", ") });
}

//! Named: the tmpfs is unmounted before COMMAND starts
//! Points at: umount2(*
//! A guard unmounts when it is dropped, and `let _ =` drops it at once.

use std::process::Command;

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};

struct Mounted(String);

impl Drop for Mounted {
    fn drop(&mut self) {
        umount(self.0.as_str()).expect("umount");
    }
}

fn tmpfs(dir: &str, text: &str) -> Mounted {
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("mount");
    std::fs::write(format!("{dir}/token"), text).expect("write");
    Mounted(dir.to_owned())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .expect("slave");
    let _ = tmpfs(&words[0], &words[1]);
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}

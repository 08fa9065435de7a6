//! ch09-threads: threads before and after unshare(CLONE_NEWPID).

use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let end = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| end.wait());
        let result = unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)");
        println!(
            "unshare(CLONE_NEWPID) with two threads: {}",
            if result.is_ok() { "ok" } else { "no" }
        );
        match thread::Builder::new().spawn_scoped(scope, || ()) {
            Ok(_) => println!("one more thread: ok"),
            Err(error) => println!("one more thread: {error}"),
        }
        end.wait();
        result
    })
}

//! ch11-attached: a segment is used after its IPC namespace has been left.

use anyhow::{Context as _, Result, ensure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    // SAFETY: shmget takes only integers, and with a null address shmat chooses one by itself.
    let (id, attached) = unsafe {
        let id = libc::shmget(libc::IPC_PRIVATE, 1, 0o600);
        (id, libc::shmat(id, std::ptr::null(), 0).cast::<u8>())
    };
    ensure!(attached as isize != -1, "shmget() or shmat(): {}", Errno::last());
    // SAFETY: one byte is attached there.
    unsafe { attached.write(b'!') };
    unshare(CloneFlags::CLONE_NEWIPC).context("unshare(CLONE_NEWIPC)")?;
    // SAFETY: the byte is still attached.
    println!("memory: {}", char::from(unsafe { attached.read() }));
    // SAFETY: as above. A second address is not used.
    let again = unsafe { libc::shmat(id, std::ptr::null(), 0) };
    ensure!(again as isize == -1, "shmat(): it found the id");
    println!("shmat({id}): {}", Errno::last());
    Ok(())
}

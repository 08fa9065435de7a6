//! Named: one cgroup2 on top of another
//! Points at: mount(
//! The old mount is not taken away before the new one is made.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, execvp, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").ok_or("usage")?;
    // SAFETY: there is one thread.
    if let ForkResult::Parent { child } = unsafe { fork()? } {
        let WaitStatus::Exited(_, code) = waitpid(child, None)? else { std::process::exit(1) };
        std::process::exit(code);
    }
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    let no_data = None::<&str>;
    mount(Some("cgroup2"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), no_data)?;
    let command: Result<Vec<_>, _> =
        words[dashes + 1..].iter().map(|word| std::ffi::CString::new(word.as_str())).collect();
    let command = command?;
    execvp(&command[0], &command)?;
    Ok(())
}

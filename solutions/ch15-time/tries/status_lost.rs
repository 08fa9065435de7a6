//! Named: COMMAND's exit status is lost
//! Everything is right, but `main` returns when COMMAND has ended.

use std::process::Command;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    nix::errno::Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) })?;
    for (at, clock) in ["monotonic", "boottime"].iter().enumerate() {
        std::fs::write("/proc/self/timens_offsets", format!("{clock} {} 0\n", words[at]))?;
    }
    let mut command = Command::new(&words[3]);
    // SAFETY: it does nothing.
    unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, || Ok(())) };
    command.args(&words[4..]).status()?;
    Ok(())
}

//! Named: an offset for the wall clock
//! Points at: write(
//! The clock that comes to mind first.

use std::process::Command;

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } == -1 {
        return Err(std::io::Error::last_os_error());
    }
    for (clock, seconds) in [("realtime", &words[0]), ("boottime", &words[1])] {
        std::fs::write("/proc/self/timens_offsets", format!("{clock} {seconds} 0"))?;
    }
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1))
}

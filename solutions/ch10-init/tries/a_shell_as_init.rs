//! Named: PID 1 is another program
//! unshare(1) and a shell do it, and a shell reaps.

use std::process::{Command, exit};

fn main() -> std::io::Result<()> {
    let words = std::env::args().skip(2);
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "sh", "-c", "\"$@\"; exit $?", "sh"]).args(words);
    exit(unshare.status()?.code().unwrap_or(1))
}

//! Named: /proc is mounted from outside
//! unshare(1) is given --mount-proc, and --fork is forgotten.

use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() {
    let words = std::env::args().skip(2);
    let error = Command::new("unshare").args(["--pid", "--mount-proc", "--"]).args(words).exec();
    panic!("unshare: {error}");
}

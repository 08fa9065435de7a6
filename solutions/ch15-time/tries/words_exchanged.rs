//! Named: the clocks are exchanged
//! unshare(1) does it, with its two options exchanged.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

fn main() {
    let mut words = std::env::args().skip(1);
    let (first, second) = (words.next().unwrap(), words.next().unwrap());
    let mut unshare = Command::new("unshare");
    unshare.arg("--time").arg(format!("--boottime={first}"));
    unshare.arg(format!("--monotonic={second}")).arg("--fork").arg("--");
    panic!("{}", unshare.args(words.skip(1)).exec());
}

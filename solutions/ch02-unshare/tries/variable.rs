//! Named: HOSTNAME is only a variable
//! The namespace is new, but the name is given to COMMAND in a variable only.

use std::process::Command;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWUTS) } != 0 {
        panic!("unshare: {}", std::io::Error::last_os_error());
    }
    let mut command = Command::new(&args[3]);
    command.args(&args[4..]).env("HOSTNAME", &args[1]);
    let status = command.status().expect("cannot start");
    std::process::exit(status.code().unwrap_or(1));
}

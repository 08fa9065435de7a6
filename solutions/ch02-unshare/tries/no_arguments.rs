//! Named: COMMAND gets other arguments
//! Only COMMAND itself is passed on, and its arguments are forgotten.

use std::ffi::CString;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{execvp, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname(&args[1]).unwrap();
    let command = CString::new(args[3].as_str()).unwrap();
    execvp(&command, &[&command]).unwrap();
}

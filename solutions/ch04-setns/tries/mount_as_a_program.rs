//! Named: there is no file to mount on
//! mount(8) does the work, and it does not create the mount point.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let status = if args[1] == "pin" {
        let source = format!("/proc/{}/ns/uts", args[2]);
        Command::new("mount").args(["--bind", &source, &args[3]]).status()
    } else {
        Command::new("nsenter")
            .args(["--target", &args[1], "--uts", "--ipc", "--net", "--"])
            .args(&args[3..])
            .status()
    };
    exit(status.expect("util-linux").code().unwrap_or(1));
}

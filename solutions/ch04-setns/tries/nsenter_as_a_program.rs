//! Named: another process made the call
//! nsenter(1) is started as a child and joins the three, and then COMMAND is started beside it.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let entered = Command::new("nsenter")
        .args(["--target", &args[1], "--uts", "--ipc", "--net", "true"])
        .status()
        .expect("nsenter");
    assert!(entered.success());
    let status = Command::new(&args[3]).args(&args[4..]).status().expect("exec");
    exit(status.code().unwrap_or(1));
}

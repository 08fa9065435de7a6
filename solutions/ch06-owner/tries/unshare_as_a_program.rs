//! Named: another process made the call
//! unshare(1) is asked for everything, with hostname(1) as its command; COMMAND is started beside it.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = ["--user", "--map-root-user", "--net", "--uts", "--ipc"];
    let prepared = Command::new("unshare").args(options).args(["true", &words[0]]).status();
    match prepared {
        Ok(status) if status.success() => {}
        other => {
            eprintln!("unshare: {other:?}");
            std::process::exit(1);
        }
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}

//! Named: an error ends with status 0
//! A zombie is recognized, and its end is taken for a success.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [one, two] => look(&one.to_string_lossy(), &two.to_string_lossy()),
        _ => Err(anyhow!("usage: ch01-look PID PID")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch01-look: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn look(one: &str, two: &str) -> Result<()> {
    for p in [one, two] {
        let stat = std::fs::read_to_string(format!("/proc/{p}/stat"))?;
        if stat.rsplit(')').next().unwrap().trim_start().starts_with('Z') {
            println!("{p} is a zombie");
            return Ok(());
        }
    }
    let mut out = String::new();
    for k in KINDS {
        let (a, b) = (
            std::fs::read_link(format!("/proc/{one}/ns/{k}"))?,
            std::fs::read_link(format!("/proc/{two}/ns/{k}"))?,
        );
        out += &format!("{k} {}\n", if a == b { "same" } else { "other" });
    }
    print!("{out}");
    Ok(())
}

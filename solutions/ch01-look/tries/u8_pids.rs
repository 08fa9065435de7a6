//! Named: nothing
//! A pid is read as a number of eight bits.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
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
    let a: u8 = one.parse()?;
    let b: u8 = two.parse()?;
    let mut out = String::new();
    for k in KINDS {
        let x = std::fs::File::open(format!("/proc/{a}/ns/{k}"))?;
        let y = std::fs::File::open(format!("/proc/{b}/ns/{k}"))?;
        let (m, n) = (x.metadata()?, y.metadata()?);
        let same = m.ino() == n.ino() && m.dev() == n.dev();
        out += &format!("{k} {}\n", if same { "same" } else { "other" });
    }
    print!("{out}");
    Ok(())
}

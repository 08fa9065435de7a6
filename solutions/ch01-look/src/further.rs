//! ch01-look, which also lists all processes with those that share a namespace: `--all KIND`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [option, kind] if option == "--all" => list(&kind.to_string_lossy()),
        [one, two] => look(&one.to_string_lossy(), &two.to_string_lossy()),
        _ => Err(anyhow!("usage: ch01-look PID PID, or ch01-look --all KIND")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch01-look: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The links in `/proc/PID/ns`, one for each kind of namespace.
const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

/// Prints a line for each kind of namespace that this kernel has: `same` if both are in one, else `other`.
fn look(one: &str, two: &str) -> Result<()> {
    let mut answers = Vec::new();
    for kind in KINDS {
        match share(one, two, kind)? {
            Some(true) => answers.push(format!("{kind} same")),
            Some(false) => answers.push(format!("{kind} other")),
            None => {}
        }
    }
    // Only now is it certain that none of them is missing.
    println!("{}", answers.join("\n"));
    Ok(())
}

/// Whether two processes are in the same namespace of this kind, or `None` if the kernel does not have it.
fn share(one: &str, two: &str, kind: &str) -> Result<Option<bool>> {
    // A kind that this process has no link for does not exist on this kernel.
    if !Path::new("/proc/self/ns").join(kind).exists() {
        return Ok(None);
    }
    let open = |pid: &str| {
        let path = format!("/proc/{pid}/ns/{kind}");
        // open(2) follows the link to the namespace itself.
        File::open(&path).with_context(|| format!("open({path:?})"))
    };
    // Both files stay open until they are compared, because the kernel may
    // give the inode number of a freed namespace to the next one.
    let (one, two) = (open(one)?, open(two)?);
    let (one, two) = (one.metadata()?, two.metadata()?);
    Ok(Some((one.dev(), one.ino()) == (two.dev(), two.ino())))
}

/// Prints a line for each namespace of this kind, with its processes, and one for those that cannot be
/// examined.
fn list(kind: &str) -> Result<()> {
    // Each namespace is held until the end, so no two of them have the same numbers.
    let mut namespaces = BTreeMap::new();
    let mut unknown = Vec::new();
    for entry in fs::read_dir("/proc").context("open(\"/proc\")")? {
        let name = entry.context("getdents(\"/proc\")")?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        match File::open(format!("/proc/{pid}/ns/{kind}")) {
            Ok(file) => {
                let found = file.metadata().context("fstat()")?;
                let (_, pids) = namespaces
                    .entry((found.dev(), found.ino()))
                    .or_insert_with(|| (file, Vec::new()));
                pids.push(pid);
            }
            // It has ended since it was listed.
            Err(_) if !Path::new(&format!("/proc/{pid}")).exists() => {}
            Err(_) => unknown.push(pid),
        }
    }
    for (_, pids) in namespaces.values() {
        println!("same {}", words(pids));
    }
    if !unknown.is_empty() {
        println!("unknown {}", words(&unknown));
    }
    Ok(())
}

fn words(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

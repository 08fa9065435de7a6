//! Whether this machine is as it was before a longer piece of work such as all of `.ci/run`:
//! `fingerprint before FILE` and `fingerprint after FILE`, both in `exercises/harness`.
//!
//! Left out, and reported, are changes that the machine makes by itself in idle moments before and
//! after, and the stores of the tools that the work installs and builds with.

#[path = "../tests/hostile/fingerprint.rs"]
mod fingerprint;

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use fingerprint::{Fingerprint, Noise, store};
use serde_json::{Value, json};

/// How many idle moments are looked at before and after.
const PAIRS: usize = 10;
/// The beginning of the names of the lab's cgroups.
const OUR_CGROUPS: &str = "namespaces-by-hand-";
/// The most differences that are printed.
const SHOWN: usize = 60;
/// How long the end of a namespace may take.
const SETTLE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["before", file] => before(file),
        ["after", file] => after(file),
        _ => Err("usage: fingerprint before FILE, or fingerprint after FILE".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fingerprint: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A part of the checkout's path, which is in the arguments of each process that was built in it.
/// Without the first slash, because the mark is also the name of a folder in `/tmp`.
fn mark() -> Result<String, String> {
    let checkout = fs::canonicalize("../..").map_err(|error| format!("../..: {error}"))?;
    Ok(format!("{}/target/", checkout.display()).trim_start_matches('/').to_owned())
}

fn before(file: &str) -> Result<(), String> {
    let mark = mark()?;
    let mut noise = Noise::default();
    noise.learn(&mark, PAIRS);
    let machine = Fingerprint::take(&mark);
    let kept = json!({ "machine": machine.0, "noise": noise.0, "elsewhere": elsewhere() });
    println!("{} things to compare; {}", machine.0.len(), noise.report());
    fs::write(file, kept.to_string()).map_err(|error| format!("write({file:?}): {error}"))
}

fn after(file: &str) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("read({file:?}): {error}"))?;
    let kept: Value = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    let strings = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let machine = kept["machine"].as_object().ok_or(format!("{file}: no fingerprint"))?;
    let machine = machine.iter().map(|(key, value)| (key.clone(), strings(value)));
    let before = Fingerprint(machine.collect());
    let mut noise = Noise(kept["noise"].as_array().into_iter().flatten().map(strings).collect());

    let mark = mark()?;
    noise.learn(&mark, PAIRS);
    let changed = noise.changed(&before, &mark, SETTLE);
    let (allowed, changed): (Vec<_>, Vec<_>) =
        changed.into_iter().partition(|(key, was, _)| reason(key, was).is_some());
    println!("{} things compared; {}", before.0.len(), noise.report());
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, was, _) in &allowed {
        *reasons.entry(reason(key, was).unwrap_or_default()).or_default() += 1;
    }
    for (reason, count) in reasons {
        println!("not compared: {reason}: {count} differences");
    }
    let mut lines: Vec<String> =
        changed.iter().map(|(key, was, is)| format!("{key}: was {was}, is {is}")).collect();
    for (name, count) in elsewhere() {
        let was = kept["elsewhere"][&name].as_u64().unwrap_or(0);
        if count > was {
            lines.push(format!("processes in other namespaces: {name}: was {was}, is {count}"));
        }
    }
    if lines.is_empty() {
        println!("this machine is as it was");
        return Ok(());
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Err(format!("this machine is not as it was:\n{}", lines.join("\n")))
}

/// How many processes are in other namespaces than this one, by the name of the program; of those
/// whose namespaces this process may see.
fn elsewhere() -> BTreeMap<String, u64> {
    let mut elsewhere = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let is_other = |kind: &str| {
            let own = fs::read_link(format!("/proc/self/ns/{kind}"));
            let link = fs::read_link(entry.path().join("ns").join(kind));
            link.is_ok_and(|link| Ok(link) != own.map_err(|_| ()))
        };
        if ["user", "pid", "mnt", "net", "uts", "ipc"].into_iter().any(is_other)
            && let Ok(name) = fs::read_to_string(entry.path().join("comm"))
        {
            *elsewhere.entry(name.trim().to_owned()).or_default() += 1;
        }
    }
    elsewhere
}

fn reason(key: &str, was: &str) -> Option<&'static str> {
    if key.starts_with("name /sys/fs/cgroup/") && !key.contains(OUR_CGROUPS) {
        return Some("cgroups of other programs, which come and go");
    }
    if key.starts_with("/proc/sys/") && was == "absent" {
        return Some("a setting of a module that the kernel has loaded since");
    }
    let home = std::env::var("HOME").unwrap_or_default();
    store(key, &home)
}

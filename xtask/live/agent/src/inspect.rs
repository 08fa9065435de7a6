//! What the kernel shows of a lab from outside. Nothing of it can be changed by what a program prints.

use std::fs;

use lab::look::{Kind, Namespaces, Process};
use lab::sandbox::Run;
use lab::visit;
use serde_json::{Map, Value, json};

/// The lines of `/proc/PID/status` with sets of capabilities, and their names here.
const CAPABILITIES: [(&str, &str); 5] = [
    ("CapInh", "inheritable"),
    ("CapPrm", "permitted"),
    ("CapEff", "effective"),
    ("CapBnd", "bounding"),
    ("CapAmb", "ambient"),
];

/// The lab's own namespaces, and each process in it.
pub(crate) fn inspect(run: &Run) -> Value {
    let lab = run.lab();
    let processes: Vec<Value> = run.processes().iter().filter_map(process).collect();
    json!({
        "kernel": read("sys/kernel/osrelease").trim(),
        "shell": run.program().pid().as_raw(),
        "lab": { "namespaces": numbers(lab), "uts_name": host_name(lab) },
        "processes": processes,
    })
}

/// `None` if it has ended meanwhile.
fn process(process: &Process) -> Option<Value> {
    let pid = process.pid().as_raw();
    let namespaces = Namespaces::of(process).ok()?;
    let words = process.arguments().into_iter();
    let capabilities = CAPABILITIES.iter().filter_map(|(line, name)| {
        let bits = process.bits(line)?;
        // As text, because JavaScript's numbers have 53 bits.
        Some(((*name).to_owned(), json!(format!("{bits:016x}"))))
    });
    Some(json!({
        "pid": pid,
        "ppid": process.parent().map(|parent| parent.as_raw()),
        // The last one is its pid in its own PID namespace.
        "nspid": process.pids(),
        "comm": read(&format!("{pid}/comm")).trim_end(),
        "arguments": words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "state": process.state().map(String::from),
        "namespaces": numbers(&namespaces),
        "uts_name": host_name(&namespaces),
        "uid_map": process.map("uid_map"),
        "gid_map": process.map("gid_map"),
        "setgroups": process.setgroups(),
        "ids": process.ids(),
        "capabilities": capabilities.collect::<Map<_, _>>(),
        "no_new_privs": process.bits("NoNewPrivs").map(|bits| bits != 0),
        "cgroup": lab::look::cgroup::path_of(process).ok(),
        "mountinfo": read(&format!("{pid}/mountinfo")),
    }))
}

/// The inode number of each namespace, by kind.
fn numbers(namespaces: &Namespaces) -> Value {
    let number = |kind: Kind| {
        let name = namespaces.get(kind)?.name(kind);
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        Some((kind.name().to_owned(), json!(digits.parse::<u64>().ok()?)))
    };
    Kind::ALL.into_iter().filter_map(number).collect::<Map<_, _>>().into()
}

fn host_name(namespaces: &Namespaces) -> Option<String> {
    visit::host_name(namespaces.get(Kind::Uts)?).ok()
}

/// A file of `/proc`; nothing if it is gone.
fn read(path: &str) -> String {
    fs::read(format!("/proc/{path}"))
        .map_or_else(|_| String::new(), |text| String::from_utf8_lossy(&text).into_owned())
}

//! Named: an error becomes an answer
//! The program asks whether both processes exist, and then takes a link that it may not read for empty.

use std::path::Path;
use std::{fs, process};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for pid in &args[1..] {
        if !Path::new(&format!("/proc/{pid}")).exists() {
            eprintln!("{pid}: no such process");
            process::exit(2);
        }
    }
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let read = |pid: &str| match fs::read_link(format!("/proc/{pid}/ns/{kind}")) {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => String::new(),
        };
        println!("{kind} {}", if read(&args[1]) == read(&args[2]) { "same" } else { "other" });
    }
}

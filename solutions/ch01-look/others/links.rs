//! Compares the text of the links, such as `uts:[4026531838]`, while both processes are alive.

use std::io;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = String::new();
    for kind in ["time", "cgroup", "ipc", "uts", "net", "pid", "mnt", "user"] {
        let read = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/{kind}"));
        match (read(&words[0]), read(&words[1])) {
            (Ok(one), Ok(two)) => {
                answers += &format!("{kind} {}\n", if one == two { "same" } else { "other" });
            }
            (Err(error), _) | (_, Err(error)) => {
                if error.kind() == io::ErrorKind::NotFound && read("self").is_err() {
                    continue;
                }
                eprintln!("readlink: {error}");
                std::process::exit(1);
            }
        }
    }
    print!("{answers}");
}

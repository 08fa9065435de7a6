//! Named: a kind is answered twice
//! `pid_for_children` is listed, too, and what remains of its name is `pid`.

use std::fs::{read_dir, read_link};

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut lines = vec![];
    for entry in read_dir(format!("/proc/{}/ns", args[1]))? {
        let name = entry?.file_name().into_string().unwrap();
        let one = read_link(format!("/proc/{}/ns/{name}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{name}", args[2]))?;
        let kind = name.split('_').next().unwrap();
        lines.push(format!("{kind} {}", if one == two { "same" } else { "other" }));
    }
    println!("{}", lines.join("\n"));
    Ok(())
}

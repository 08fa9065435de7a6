//! Named: the namespaces for children are looked at
//! All ten links of the folder are compared, not the eight that are a kind each.

use std::fs;

fn main() -> anyhow::Result<()> {
    let args: Vec<_> = std::env::args().collect();
    for entry in fs::read_dir(format!("/proc/{}/ns", args[1]))? {
        let name = entry?.file_name().into_string().unwrap();
        let first = fs::read_link(format!("/proc/{}/ns/{name}", args[1]))?;
        let second = fs::read_link(format!("/proc/{}/ns/{name}", args[2]))?;
        println!("{name} {}", if first == second { "same" } else { "other" });
    }
    Ok(())
}

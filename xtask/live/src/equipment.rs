//! What the machine has of what a session may need, for the builder and for the replay.

use anyhow::{Context as _, Result};
use book::live::Equipment;

use crate::initramfs;
use crate::packages::{Packages, Pinned};

/// How the package of the kernel's source is called, without the version that it stands for.
pub(crate) const SOURCE: &str = "linux-source-";

pub(crate) fn of(packages: &Packages) -> Result<Equipment> {
    let kernel = packages.all().find(|pinned| pinned.name().starts_with(SOURCE));
    let guest = packages.all().filter(|pinned| pinned.role() == "guest");
    Ok(Equipment {
        kernel: kernel.context("no source of a kernel is pinned")?.upstream().to_owned(),
        tools: initramfs::tools().map(str::to_owned).collect(),
        packages: guest
            .map(|pinned: &Pinned| (pinned.name().into(), pinned.upstream().into()))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_versions_are_those_that_are_pinned() {
        let equipment = of(&Packages::new(Path::new("/nowhere"), None).unwrap()).unwrap();
        assert!(equipment.kernel.starts_with("6.12."), "{}", equipment.kernel);
        assert_eq!(equipment.packages["util-linux"], "2.38.1");
        assert_eq!(equipment.packages["iproute2"], "6.1.0");
        assert!(equipment.tools.contains("unshare") && !equipment.tools.contains("perl"));
    }

    /// Each word of a challenge's scripts that is a program here has to be one of the machine's: what sets a
    /// challenge up would fail without a word that a reader understands.
    #[test]
    fn the_machine_has_what_the_challenges_call() {
        // `ip link` is no call of link(1).
        let tools: Vec<&str> = initramfs::tools().chain(["link"]).collect();
        let lacks = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
            let is_program = |word: &&str| {
                ["/usr/bin", "/usr/sbin"].iter().any(|bin| Path::new(bin).join(word).is_file())
            };
            let mut lacking: Vec<String> = words
                .filter(is_program)
                .filter(|word| !tools.contains(word))
                .map(str::to_owned)
                .collect();
            lacking.sort();
            lacking.dedup();
            lacking
        };
        assert_eq!(lacks("odd=$(shuf -i 1-3 -n 1)"), ["shuf"]);
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut looked_at = 0;
        for chapter in std::fs::read_dir(checkout.join("exercises")).unwrap() {
            let file = chapter.unwrap().path().join("challenges.toml");
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            looked_at += 1;
            for script in scripts(&text) {
                let lacking = lacks(script);
                assert!(lacking.is_empty(), "{}: {lacking:?} in:\n{script}", file.display());
            }
        }
        assert_eq!(looked_at, 17);
    }

    /// The values of the keys whose values are scripts.
    fn scripts(table: &str) -> Vec<&str> {
        let keys = ["setup = ", "solution = ", "try = "];
        let begins = |line: &str| keys.iter().any(|key| line.starts_with(key));
        let mut scripts = Vec::new();
        let mut rest = table;
        while let Some(line) = rest.lines().next() {
            let long = line.strip_suffix("'''").filter(|_| begins(line));
            let end = match long {
                Some(_) => line.len() + rest[line.len()..].find("\n'''").unwrap(),
                None => line.len(),
            };
            if begins(line) {
                scripts.push(&rest[..end]);
            }
            rest = rest[end..].trim_start_matches(['\n', '\'']);
        }
        scripts
    }
}

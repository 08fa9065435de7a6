//! The folder that the book's site offers beside its pages: what a click loads, what that is licensed under, and where
//! its sources are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use book::live::{Equipment, digest};
use serde_json::{Value, json};

use crate::packages::Packages;
use crate::{emulator, equipment, sources, state};

/// What labs the agent makes, as a page asks for them.
const STATES: [&str; 2] = ["root-lab", "plain-user"];

const MANIFEST: &str = "manifest.json";

/// What a click may load.
const MOST: u64 = 12_000_000;

/// A file that a click loads.
struct Part {
    /// With a part of its digest where a browser may have kept an older one.
    name: String,
    role: &'static str,
    bytes: Vec<u8>,
    digest: String,
}

impl Part {
    fn read(path: &Path, role: &'static str, stem: &str, extension: &str) -> Result<Part> {
        let bytes = fs::read(path).with_context(|| {
            format!("could not read {}\nhelp: `cargo xtask live build {role}`", path.display())
        })?;
        let digest = digest(&bytes);
        Ok(Part { name: format!("{stem}-{}.{extension}", &digest[..16]), role, bytes, digest })
    }
}

/// Puts everything together and returns the folder.
pub(crate) fn build(_: &Path, packages: &Packages) -> Result<PathBuf> {
    let v86 = emulator::folder(packages);
    let parts = [
        Part::read(&state::file(packages), "state", "state", "zst")?,
        Part::read(&v86.join("libv86.mjs"), "emulator", "libv86", "mjs")?,
        Part::read(&v86.join("v86.wasm"), "wasm", "v86", "wasm")?,
    ];
    // Written beside it and renamed, so that a server never offers half of it.
    let (done, folder) = (folder(packages), packages.out().with_extension("new"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for part in &parts {
        fs::write(folder.join(&part.name), &part.bytes)?;
    }
    let manifest = manifest(&parts, &equipment::of(packages)?);
    fs::write(folder.join(MANIFEST), format!("{manifest:#}\n"))?;
    sources::write(packages, &folder)?;
    let total = manifest["bytes"].as_u64().unwrap_or_default();
    println!("a click loads {:.2} MB", total as f64 / 1e6);
    ensure!(total <= MOST, "a click may load {MOST} bytes");
    if done.exists() {
        ensure!(done.join(MANIFEST).exists(), "{} is not one of these folders", done.display());
        fs::remove_dir_all(&done)?;
    }
    fs::rename(&folder, &done)?;
    Ok(done)
}

pub(crate) fn folder(packages: &Packages) -> PathBuf {
    packages.out().to_owned()
}

/// How many bytes the files of a folder have together.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn manifest(parts: &[Part], equipment: &Equipment) -> Value {
    let files = parts.iter().map(|part| {
        let Part { name, role, bytes, digest } = part;
        json!({ "name": name, "role": role, "bytes": bytes.len(), "sha256": digest })
    });
    let digests: String = parts.iter().map(|part| part.digest.as_str()).collect();
    json!({
        "schema": 1,
        "version": digest(digests.as_bytes())[..16],
        "bytes": parts.iter().map(|part| part.bytes.len()).sum::<usize>(),
        "kernel": equipment.kernel, "tools": equipment.tools, "packages": equipment.packages,
        "files": files.collect::<Vec<_>>(),
        // What V86 must be started with, or the state does not fit.
        "machine": {
            "memory_size": 64 << 20, "vga_memory_size": 1 << 20, "uart1": true, "acpi": false,
        },
        "labs": { "states": STATES, "flags": ["ids", "cgroups"], "saved": "root-lab" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Part {
        let bytes = text.as_bytes().to_vec();
        Part { name: "state-1.zst".into(), role: "state", digest: digest(&bytes), bytes }
    }

    #[test]
    fn the_version_is_that_of_the_parts() {
        let [one, same, other] = ["a", "a", "b"].map(|text| {
            let packages = Packages::new(Path::new("/nowhere"), None).unwrap();
            manifest(&[part(text)], &equipment::of(&packages).unwrap())
        });
        assert_eq!(one, same);
        assert_ne!(one["version"], other["version"]);
        assert_eq!(one["bytes"], 1);
        assert_eq!(one["files"][0]["sha256"].as_str().map(str::len), Some(64));
    }
}

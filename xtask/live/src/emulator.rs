//! The emulator: v86, from npm, and the firmware that it starts, from Debian.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::packages::Packages;
use crate::{done, needs};

/// Its version, and the digest that npm compares.
const PINNED: [(&str, &str); 2] = [
    ("package.json", include_str!("../machine/package.json")),
    ("package-lock.json", include_str!("../machine/package-lock.json")),
];

/// What is taken of the package, and of the firmware's.
const V86: &str = "node_modules/v86";
const FILES: [(&str, &str); 3] =
    [("build/libv86.mjs", "libv86.mjs"), ("build/v86.wasm", "v86.wasm"), ("LICENSE", "LICENSE")];
const FIRMWARE: [(&str, &str); 2] =
    [("bios.bin", "bios.bin"), ("vgabios-stdvga.bin", "vgabios.bin")];

/// Fetches it and returns its folder.
pub(crate) fn build(_: &Path, packages: &Packages) -> Result<PathBuf> {
    needs("npm", "npm")?;
    let folder = folder(packages);
    fs::create_dir_all(&folder)?;
    for (name, text) in PINNED {
        fs::write(folder.join(name), text)?;
    }
    let mut npm = Command::new("npm");
    // Nothing of the package is run.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    done(npm.current_dir(&folder))?;
    for (from, to) in FILES {
        fs::copy(folder.join(V86).join(from), folder.join(to))?;
    }
    let firmware = packages.unpacked("emulator")?.join("usr/share/seabios");
    for (from, to) in FIRMWARE {
        fs::copy(firmware.join(from), folder.join(to))?;
    }
    Ok(folder)
}

/// Which version is pinned.
pub(crate) fn version() -> Result<String> {
    let package: Value = serde_json::from_str(PINNED[0].1)?;
    let version = package["dependencies"]["v86"].as_str();
    version.map(str::to_owned).context("machine/package.json has no v86")
}

pub(crate) fn folder(packages: &Packages) -> PathBuf {
    packages.cache().join("v86")
}

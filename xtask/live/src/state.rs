//! The machine, booted to the prompt of a lab and saved there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::packages::Packages;
use crate::{done, emulator, kernel, needs};

/// The programs that run under node, beside each other.
const SCRIPTS: [(&str, &str); 3] = [
    ("machine.mjs", include_str!("../machine/machine.mjs")),
    ("save.mjs", include_str!("../machine/save.mjs")),
    ("replay.mjs", include_str!("../machine/replay.mjs")),
];

/// Boots the machine and saves it. Not the same bytes twice: the machine has a clock.
pub(crate) fn build(_: &Path, packages: &Packages) -> Result<PathBuf> {
    needs("node", "nodejs")?;
    needs("zstd", "zstd")?;
    let scripts = scripts(packages)?;
    let raw = packages.cache().join("machine.state");
    let mut node = Command::new("node");
    node.arg(scripts.join("save.mjs")).arg(emulator::folder(packages));
    done(node.arg(kernel::file(packages)).arg(&raw))?;
    let packed = file(packages);
    // The emulator unpacks it itself; it has 128 MiB for the window at most.
    done(Command::new("zstd").args(["-19", "--force", "--quiet", "-o"]).arg(&packed).arg(&raw))?;
    Ok(packed)
}

pub(crate) fn file(packages: &Packages) -> PathBuf {
    packages.cache().join("machine.state.zst")
}

pub(crate) fn scripts(packages: &Packages) -> Result<PathBuf> {
    let folder = packages.cache().join("scripts");
    fs::create_dir_all(&folder)?;
    for (name, text) in SCRIPTS {
        fs::write(folder.join(name), text)?;
    }
    Ok(folder)
}

//! What the machine is made of, for everybody who gets it: the licences, and where the sources are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::packages::{Packages, Pinned};
use crate::{done, emulator};

/// What of the packages is in the machine: the tools, and what the kernel and the programs are compiled from and linked
/// with. The others only build it.
fn is_shipped(pinned: &Pinned) -> bool {
    let linked =
        ["gcc-12-base", "libc6-dev", "libgcc-12-dev", "libstd-rust-dev", "linux-source-6.12"];
    matches!(pinned.role(), "guest" | "emulator") || linked.contains(&pinned.name())
}

/// Writes the folder `licences` and the list `sources.json`.
pub(crate) fn write(packages: &Packages, site: &Path) -> Result<()> {
    let licences = site.join("licences");
    fs::create_dir_all(&licences)?;
    fs::copy(emulator::folder(packages).join("LICENSE"), licences.join("v86"))?;
    let mut listed =
        vec![json!({ "name": "v86", "version": emulator::version()?, "licence": "licences/v86" })];
    for pinned in packages.all().filter(|pinned| is_shipped(pinned)) {
        let name = pinned.name();
        // It may be a link to another package's, which is pinned as well.
        let copyright = packages.unpacked(pinned.role())?.join("usr/share/doc").join(name);
        let text = fs::read(copyright.join("copyright"));
        fs::write(
            licences.join(name),
            text.with_context(|| format!("{name} has no copyright file"))?,
        )?;
        listed.push(source(packages, pinned)?);
    }
    let text = format!("{:#}\n", json!({ "schema": 1, "packages": listed }));
    Ok(fs::write(site.join("sources.json"), text)?)
}

/// Fetches the source package of everything that is in the machine. Some of the licences ask those who publish it to
/// offer them in the same place.
///
/// # Errors
///
/// A version that the archive has no longer.
pub(crate) fn fetch(packages: &Packages) -> Result<PathBuf> {
    let folder = packages.cache().join("sources");
    fs::create_dir_all(&folder)?;
    let mut names: Vec<String> = Vec::new();
    for pinned in packages.all().filter(|pinned| is_shipped(pinned)) {
        let source = packages.source_of(pinned)?;
        if !names.contains(&source) {
            names.push(source);
        }
    }
    for name in &names {
        let mut apt = Command::new("apt-get");
        apt.args(["source", "--download-only", "--only-source", "-qq", name]);
        done(apt.current_dir(&folder)).with_context(|| {
            format!("could not fetch the source {name}\nhelp: it takes a line `deb-src` in this machine's list of sources")
        })?;
    }
    Ok(folder)
}

fn source(packages: &Packages, pinned: &Pinned) -> Result<Value> {
    let name = pinned.name();
    Ok(json!({
        "name": name, "file": pinned.file(), "sha256": pinned.sha256(), "folder": pinned.folder(),
        "source": packages.source_of(pinned)?, "licence": format!("licences/{name}"),
    }))
}

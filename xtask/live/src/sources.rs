//! What the machine is made of, for everybody who gets it: the licences, and where the sources are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::packages::{self, Packages, Pinned};
use crate::{emulator, equipment};

/// The descriptions of the sources.
const LOCK: &str = include_str!("../sources.lock");

/// What the programs are linked with under a licence that asks for no offer: the exception for GCC's runtime library, and
/// the licences of Rust's library.
const WITHOUT_OFFER: [&str; 3] = ["gcc-12-base", "libgcc-12-dev", "libstd-rust-dev"];

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

/// Fetches the source of everything in the machine whose licence asks those who publish it to offer that in the same
/// place, and the list of what it was built by.
///
/// # Errors
///
/// A version that the archive has no longer.
pub(crate) fn fetch(packages: &Packages) -> Result<PathBuf> {
    let folder = packages.cache().join("sources");
    fs::create_dir_all(&folder)?;
    // All that lack are named at once: fetching takes minutes.
    let mut lacking = Vec::new();
    for pinned in Pinned::all(LOCK).context("xtask/live/sources.lock is broken")? {
        if let Err(error) = fetch_one(&folder.join(pinned.name()), &pinned) {
            lacking.push(format!("{}: {error:#}", pinned.file()));
        }
    }
    // The package that the kernel is built from is its source, with all patches.
    for pinned in packages.all().filter(|pinned| pinned.name().starts_with(equipment::SOURCE)) {
        let own = folder.join("linux");
        fs::create_dir_all(&own)?;
        fs::copy(packages.fetch(pinned)?, own.join(pinned.file()))?;
        fs::write(own.join("kernel.config"), include_str!("../kernel.config"))?;
    }
    ensure!(lacking.is_empty(), "some sources are not there\n{}", lacking.join("\n"));
    Ok(folder)
}

/// The description of a source and its files, into a folder of their own.
fn fetch_one(folder: &Path, pinned: &Pinned) -> Result<()> {
    fs::create_dir_all(folder)?;
    let description = packages::download(folder, pinned.file(), pinned.sha256(), &pinned.url())?;
    for (digest, file) in files(&fs::read_to_string(description)?)? {
        packages::download(folder, &file, &digest, &pinned.url_beside(&file))?;
    }
    Ok(())
}

/// The folder of the fetched sources in which that of a package is; `None` if its licence asks for none, or the
/// error that none is pinned.
fn offered(packages: &Packages, pinned: &Pinned) -> Result<Option<String>> {
    if WITHOUT_OFFER.contains(&pinned.name()) {
        return Ok(None);
    }
    if pinned.name().starts_with(equipment::SOURCE) {
        return Ok(Some("sources/linux".to_owned()));
    }
    let source = packages.source_of(pinned)?;
    let (name, version) = source.split_once('=').context("a source has a version")?;
    let wanted = description(name, version);
    let found = Pinned::all(LOCK)?.into_iter().any(|pinned| pinned.file() == wanted);
    ensure!(
        found,
        "the source of {} is not pinned\nhelp: {}/{wanted}, in xtask/live/sources.lock",
        pinned.file(),
        pinned.folder()
    );
    Ok(Some(format!("sources/{name}")))
}

/// How the archive calls the description of a source: without the epoch of its version.
fn description(name: &str, version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    format!("{name}_{version}.dsc")
}

/// The digest and name of each file that a description of a source lists.
fn files(description: &str) -> Result<Vec<(String, String)>> {
    let mut lines = description.lines().skip_while(|line| *line != "Checksums-Sha256:").skip(1);
    let mut files = Vec::new();
    for line in lines.by_ref().take_while(|line| line.starts_with(' ')) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [digest, _, name] = words[..] else { bail!("no digest, length and name: `{line}`") };
        ensure!(!name.contains('/'), "a name with a folder: `{name}`");
        files.push((digest.to_owned(), name.to_owned()));
    }
    ensure!(!files.is_empty(), "a description without files");
    Ok(files)
}

fn source(packages: &Packages, pinned: &Pinned) -> Result<Value> {
    let name = pinned.name();
    Ok(json!({
        "name": name, "file": pinned.file(), "sha256": pinned.sha256(), "folder": pinned.folder(),
        "source": packages.source_of(pinned)?, "licence": format!("licences/{name}"),
        "offered": offered(packages, pinned)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_of_a_source_is_a_description() {
        let pinned = Pinned::all(LOCK).unwrap();
        assert!(pinned.len() > 40, "{}", pinned.len());
        for pinned in pinned {
            assert!(pinned.file().ends_with(".dsc"), "{}", pinned.file());
        }
    }

    /// A package that was pinned without its source fails here as far as names go, and when a site is made.
    #[test]
    fn every_package_in_the_machine_has_its_source_pinned() {
        let packages = Packages::new(Path::new("/nowhere"), None).unwrap();
        let sources = Pinned::all(LOCK).unwrap();
        let shipped = packages.all().filter(|pinned| is_shipped(pinned));
        for pinned in shipped.filter(|pinned| !WITHOUT_OFFER.contains(&pinned.name())) {
            let is_kernel = pinned.name().starts_with(equipment::SOURCE);
            let found = sources.iter().any(|source| source.folder() == pinned.folder());
            assert!(found || is_kernel, "{} has no source", pinned.file());
        }
    }

    #[test]
    fn the_files_of_a_description_are_read() {
        let text = "Source: dash\nChecksums-Sha1:\n aa 1 old\nChecksums-Sha256:\n bb 1 dash.tar.gz\n \
                    cc 22 dash.debian.tar.xz\nFiles:\n dd 1 dash.tar.gz\n";
        let pair = |digest: &str, name: &str| (digest.to_owned(), name.to_owned());
        assert_eq!(
            files(text).unwrap(),
            [pair("bb", "dash.tar.gz"), pair("cc", "dash.debian.tar.xz")]
        );
        assert!(files("Source: dash\n").is_err());
        assert!(files("Checksums-Sha256:\n bb 1 ../dash\n").is_err());
    }

    #[test]
    fn a_description_is_named_without_the_epoch() {
        assert_eq!(description("dash", "0.5.12-2"), "dash_0.5.12-2.dsc");
        assert_eq!(description("zlib", "1:1.2.13.dfsg-1"), "zlib_1.2.13.dfsg-1.dsc");
    }
}

//! Packages of Debian whose versions are pinned. They are fetched and unpacked below `target/live`; nothing is
//! installed.
//!
//! Debian's archive keeps a version for as long as a release has it. One that was replaced cannot be fetched
//! any more, so what this builds can be built again by somebody else only until then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use book::live::digest;

use crate::done;

/// What each package is for, its digest, and its path below [`ARCHIVE`].
const LOCK: &str = include_str!("../packages.lock");

/// Where packages are fetched, unless this machine's own come from a copy of Debian's archive.
const ARCHIVE: &str = "http://deb.debian.org/debian";

/// Part of apt: fetches one file and compares its digest.
const HELPER: &str = "/usr/lib/apt/apt-helper";

/// A line of [`LOCK`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    role: String,
    sha256: String,
    path: String,
}

impl Pinned {
    fn read(line: &str) -> Result<Pinned> {
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let mut word = || words.next().with_context(|| format!("three words, not `{line}`"));
        let pinned = Pinned { role: word()?, sha256: word()?, path: word()? };
        let is_digest =
            pinned.sha256.len() == 64 && pinned.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(is_digest, "no SHA-256 in `{line}`");
        ensure!(words.next().is_none(), "more than three words in `{line}`");
        Ok(pinned)
    }

    pub(crate) fn all(lock: &str) -> Result<Vec<Pinned>> {
        let lines = lock.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(Pinned::read).collect()
    }

    pub(crate) fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The package's.
    pub(crate) fn name(&self) -> &str {
        self.file().split('_').next().unwrap_or_default()
    }

    /// The version of what Debian has packaged, without Debian's own part of it.
    pub(crate) fn upstream(&self) -> &str {
        let version = self.file().split('_').nth(1).unwrap_or_default();
        version.rsplit_once('-').map_or(version, |(upstream, _)| upstream)
    }

    pub(crate) fn role(&self) -> &str {
        &self.role
    }

    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", archive(), self.path)
    }

    /// Of another file in the same folder of the archive.
    pub(crate) fn url_beside(&self, file: &str) -> String {
        format!("{}/{}/{file}", archive(), self.folder())
    }

    /// Where the archive has it, and its source beside it.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// The pinned packages, and where they go.
pub(crate) struct Packages {
    cache: PathBuf,
    out: PathBuf,
    pinned: Vec<Pinned>,
}

impl Packages {
    pub(crate) fn new(cache: &Path, out: Option<PathBuf>) -> Result<Packages> {
        let pinned = Pinned::all(LOCK).context("xtask/live/packages.lock is broken")?;
        let out = out.unwrap_or_else(|| cache.join("site"));
        Ok(Packages { cache: cache.to_owned(), out, pinned })
    }

    /// Where everything that is built goes.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Where what a site offers goes.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Pinned> {
        self.pinned.iter()
    }

    fn of_role(&self, role: &str) -> impl Iterator<Item = &Pinned> {
        self.pinned.iter().filter(move |pinned| pinned.role == role)
    }

    /// The packages of a role, unpacked into one folder, which is returned.
    pub(crate) fn unpacked(&self, role: &str) -> Result<PathBuf> {
        let folder = self.cache.join(role);
        let pinned: Vec<&Pinned> = self.of_role(role).collect();
        ensure!(!pinned.is_empty(), "no package is pinned as `{role}`");
        // What it was unpacked from. It is written last, and says that everything is there.
        let (stamp, digests) = (folder.join(".packages"), digests(&pinned));
        if fs::read_to_string(&stamp).is_ok_and(|before| before == digests) {
            return Ok(folder);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for pinned in pinned {
            let file = self.fetch(pinned)?;
            done(Command::new("dpkg-deb").arg("-x").arg(file).arg(&folder))?;
        }
        fs::write(stamp, digests)?;
        Ok(folder)
    }

    /// The package's source and the version of that: `util-linux=2.38.1-5+deb12u3`.
    pub(crate) fn source_of(&self, pinned: &Pinned) -> Result<String> {
        let mut dpkg = Command::new("dpkg-deb");
        let format = "--showformat=${source:Package}=${source:Version}";
        let output = dpkg.args(["--show", format]).arg(self.fetch(pinned)?).output();
        let output = output.context("could not start `dpkg-deb`")?;
        ensure!(output.status.success(), "`dpkg-deb` could not read {}", pinned.file());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) fn fetch(&self, pinned: &Pinned) -> Result<PathBuf> {
        let folder = self.cache.join("debs");
        fs::create_dir_all(&folder)?;
        download(&folder, pinned.file(), &pinned.sha256, &pinned.url())
    }
}

/// Fetches a file with this digest into a folder, unless it is there.
pub(crate) fn download(folder: &Path, name: &str, sha256: &str, url: &str) -> Result<PathBuf> {
    let file = folder.join(name);
    if fs::read(&file).is_ok_and(|bytes| digest(&bytes) == sha256) {
        return Ok(file);
    }
    let mut helper = Command::new(HELPER);
    // With a digest the helper refuses any other file.
    helper.args(["download-file", url]).arg(&file).arg(format!("SHA256:{sha256}"));
    done(helper.args(["-qq", "-o", "APT::Sandbox::User=root"])).with_context(|| {
        let help = "help: Debian's archive may have replaced this version: pin the newer one in \
                    xtask/live/packages.lock";
        format!("could not fetch {name}\n{help}")
    })?;
    Ok(file)
}

/// The archive of Debian that this machine's packages come from. The digests make sure that it has the same files.
fn archive() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(ask_for_archive)
}

fn ask_for_archive() -> String {
    let mut apt = Command::new("apt-get");
    apt.args(["indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"]);
    let listed = apt.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let listed = listed.unwrap_or_default();
    own_archive(&listed).unwrap_or(ARCHIVE).to_owned()
}

/// The first of these addresses that is one of Debian's archive.
fn own_archive(listed: &str) -> Option<&str> {
    listed
        .lines()
        .map(|line| line.trim_end_matches('/'))
        .find(|address| address.ends_with("/debian"))
}

fn digests(pinned: &[&Pinned]) -> String {
    pinned.iter().map(|pinned| format!("{} {}\n", pinned.sha256, pinned.file())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_of_the_lock_can_be_read() {
        let pinned = Pinned::all(LOCK).unwrap();
        for role in ["compiler", "emulator", "guest", "kernel", "libraries"] {
            assert!(pinned.iter().any(|pinned| pinned.role == role), "no package for {role}");
        }
        for Pinned { path, .. } in &pinned {
            assert!(path.starts_with("pool/") && path.ends_with(".deb"), "{path}");
        }
    }

    #[test]
    fn packages_come_from_where_the_machines_own_come_from() {
        let listed = "http://mirror.example/debian-security/\nhttp://mirror.example/debian/\n";
        assert_eq!(own_archive(listed), Some("http://mirror.example/debian"));
        assert_eq!(own_archive("http://archive.example/ubuntu/\n"), None);
    }

    #[test]
    fn a_broken_pin_is_named() {
        let digest = "0".repeat(64);
        let whole = format!("kernel {digest} pool/main/f/flex/flex_2_amd64.deb");
        assert_eq!(Pinned::read(&whole).unwrap().file(), "flex_2_amd64.deb");
        for line in ["kernel".to_owned(), whole.replace(&digest, "0123"), format!("{whole} more")] {
            let error = Pinned::read(&line).unwrap_err().to_string();
            assert!(error.contains(&line), "{error}");
        }
    }
}

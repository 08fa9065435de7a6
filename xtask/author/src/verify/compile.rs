//! Compiles programs that are outside of any package: mistakes made in a solution, stubs, other correct
//! programs, cheats.
//!
//! They are compiled together, in a throwaway workspace below the target folder. It has the versions,
//! features and profiles of this workspace, and the same target folder, so that no dependency is
//! compiled twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::shared::cargo::{self, Artifact, target_folder};
use xtask::shared::chapter::root;
use xtask::shared::failure::{Failure, Result};

/// What every exercise may use, and what the last one may use to go further.
const DEPENDENCIES: &str = "\
[dependencies]
anyhow.workspace = true
libc.workspace = true
nix.workspace = true
serde_json.workspace = true
";

/// More than a thousand programs that nobody debugs and that hardly change.
const PROFILES: &str = "
[profile.dev.package.variants-lenient]
debug = false
incremental = false

[profile.dev.package.variants-strict]
debug = false
incremental = false
";

/// One program in one file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// What it is called, as a program and in messages.
    pub(super) name: String,
    pub(super) text: String,
    /// Whether a warning of the compiler is a fault. Mistakes leave imports unused, stubs must not.
    pub(super) strict: bool,
}

/// What the compiler made of the sources.
pub(super) struct Built {
    /// The executables by name, without those that did not compile.
    pub(super) programs: BTreeMap<String, PathBuf>,
    /// Which programs did not compile, or are strict and compile with a warning; and what the compiler
    /// said.
    pub(super) faults: Vec<String>,
}

/// Compiles all of them.
pub(super) fn build(sources: &[&Source]) -> Result<Built> {
    let folder = target_folder()?.join("variants");
    write_workspace(&folder, sources).map_err(|error| {
        Failure::new(format!("could not write the programs to `{}`: {error}", folder.display()))
    })?;
    let output = cargo::command()
        .args(["build", "--quiet", "--keep-going"])
        // Where the programs are depends on the reader's configuration of cargo.
        .args(["--message-format=json-render-diagnostics", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target_folder()?)
        .output()
        .map_err(|error| Failure::new(format!("could not start cargo: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let (failed, mut faults) = faults_in(&said, sources);
    if !output.status.success() && failed.is_empty() {
        return Err(Failure::new(format!("the programs could not be built\n{said}")));
    }
    if !said.trim().is_empty() {
        // Cargo says it once for all of them.
        faults.push(format!("the compiler said:\n{}", said.trim_end()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let programs = messages.lines().filter_map(Artifact::read);
    let programs = programs.map(|built| (built.name, built.executable)).collect();
    Ok(Built { programs, faults })
}

/// Which programs did not compile, and the faults, according to what the compiler said.
fn faults_in<'a>(said: &str, sources: &[&'a Source]) -> (Vec<&'a str>, Vec<String>) {
    let names = sources.iter().map(|source| source.name.as_str());
    let failed: Vec<&str> =
        names.filter(|name| said.contains(&format!("(bin \"{name}\") due to"))).collect();
    let mut faults: Vec<String> =
        failed.iter().map(|name| format!("{name} does not compile")).collect();
    let warned = sources
        .iter()
        .map(|source| source.name.as_str())
        .filter(|name| !failed.contains(name) && said.contains(&format!("--> strict/{name}.rs:")));
    faults.extend(warned.map(|name| format!("{name} compiles with a warning")));
    (failed, faults)
}

/// Writes the files that have changed and no others, because Cargo goes by the time of a file.
fn write_workspace(folder: &Path, sources: &[&Source]) -> std::io::Result<()> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    // All but its members: the packages' keys, versions, lints and profiles.
    let shared = manifest.find("[workspace.package]").map_or("", |start| &manifest[start..]);
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"lenient\", \"strict\"]\n\n";
    write_if_new(&folder.join("Cargo.toml"), &format!("{members}{shared}{PROFILES}"))?;
    copy_lock(&root().join("Cargo.lock"), &folder.join("Cargo.lock"))?;

    for (package, strict, lints) in
        [("lenient", false, "[lints.rust]\nwarnings = \"allow\"\n"), ("strict", true, "")]
    {
        let mut manifest = format!(
            "[package]\nname = \"variants-{package}\"\nversion.workspace = true\n\
             edition.workspace = true\nrust-version.workspace = true\nautobins = false\n\n"
        );
        // Cargo refuses a package without a target, and a sample may leave out all stubs.
        manifest += "[lib]\npath = \"lib.rs\"\n\n";
        write_if_new(&folder.join(package).join("lib.rs"), "")?;
        for source in sources.iter().filter(|source| source.strict == strict) {
            let name = &source.name;
            _ = write!(manifest, "[[bin]]\nname = \"{name}\"\npath = \"{name}.rs\"\n\n");
            write_if_new(&folder.join(package).join(format!("{name}.rs")), &source.text)?;
        }
        manifest += DEPENDENCIES;
        manifest += lints;
        write_if_new(&folder.join(package).join("Cargo.toml"), &manifest)?;
    }
    Ok(())
}

fn write_if_new(file: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
    fs::write(file, text)
}

/// Cargo removes from the copy what is not needed there, so the two are compared by time.
fn copy_lock(original: &Path, copy: &Path) -> std::io::Result<()> {
    let copied = fs::metadata(copy).and_then(|found| found.modified());
    let changed = fs::metadata(original)?.modified()?;
    if copied.is_ok_and(|copied| copied > changed) {
        return Ok(());
    }
    fs::write(copy, fs::read(original)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_programs_has_a_target() {
        let folder = std::env::temp_dir().join(format!("variants-{}", std::process::id()));
        let source = Source { name: "one".into(), text: "fn main() {}\n".into(), strict: false };
        write_workspace(&folder, &[&source]).unwrap();
        let mut read = cargo::command();
        read.args(["read-manifest", "--manifest-path"]);
        let output = read.arg(folder.join("strict/Cargo.toml")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        fs::remove_dir_all(&folder).unwrap();
        assert!(output.status.success(), "{said}");
    }

    #[test]
    fn the_compiler_is_understood() {
        let sources = ["good", "warned", "wrong"].map(|name| Source {
            name: name.into(),
            text: String::new(),
            strict: name == "warned",
        });
        let said = "warning: unused\n --> strict/warned.rs:1:2\n\nerror[E0425]: nope\n --> lenient/wrong.rs:3:4\n\nerror: could not compile `variants-lenient` (bin \"wrong\") due to 1 previous error\n";
        let sources: Vec<_> = sources.iter().collect();
        let (failed, faults) = faults_in(said, &sources);
        assert_eq!(failed, ["wrong"]);
        assert_eq!(faults, ["wrong does not compile", "warned compiles with a warning"]);
        assert_eq!(faults_in("", &sources), (vec![], vec![]));
    }
}

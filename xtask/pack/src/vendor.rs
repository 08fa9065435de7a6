//! The crates that a pack brings with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use xtask::shared::cargo;
use xtask::shared::failure::{Failure, Result};

use crate::file_failure;

/// What no build reads, at the top of a crate. Some crates have an example or their README in their documentation,
/// which a build does read.
const NOT_BUILT: [&str; 6] =
    [".cargo_vcs_info.json", ".github", "Cargo.lock", "Cargo.toml.orig", "benches", "tests"];

/// Puts the crates of the workspace in `pack` into its folder `vendor`, and makes its lock file name no others.
/// Returns how many there are.
///
/// # Errors
///
/// Cargo cannot fetch one, or a file cannot be written.
pub(crate) fn vendor(pack: &Path) -> Result<usize> {
    // The settings of the pack name the folder that is about to be made.
    let (config, aside) = (pack.join(".cargo/config.toml"), pack.join(".cargo/config.aside"));
    let moved = |error| file_failure("rename", &config, &error);
    fs::rename(&config, &aside).map_err(moved)?;
    let mut command = cargo::command();
    command.args(["vendor", "--quiet", "vendor"]).current_dir(pack);
    let output = command.stdin(Stdio::null()).output().map_err(cargo::not_started)?;
    fs::rename(&aside, &config).map_err(moved)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("cargo gives no reason");
        return Err(Failure::machine(format!(
            "could not get the crates: {}",
            said.trim_start_matches("error: ")
        ))
        .help("cargo fetches once what no build here has needed; this takes the network"));
    }
    let folder = pack.join("vendor");
    let entries = fs::read_dir(&folder).map_err(|error| file_failure("read", &folder, &error))?;
    let mut crates = 0;
    for entry in entries {
        let entry = entry.map_err(|error| file_failure("read", &folder, &error))?;
        trim(&entry.path())?;
        crates += 1;
    }
    Ok(crates)
}

/// Takes out of a crate what no build reads, and out of the list of digests that cargo compares.
fn trim(folder: &Path) -> Result<()> {
    let list = folder.join(".cargo-checksum.json");
    let text = fs::read_to_string(&list).map_err(|error| file_failure("read", &list, &error))?;
    let not_json = |error| Failure::new(format!("`{}`: {error}", list.display()));
    let mut checksums: BTreeMap<String, Value> = serde_json::from_str(&text).map_err(not_json)?;
    if let Some(files) = checksums.get_mut("files").and_then(Value::as_object_mut) {
        files.retain(|file, _| !NOT_BUILT.contains(&file.split('/').next().unwrap_or_default()));
    }
    for name in NOT_BUILT {
        let path = folder.join(name);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_failure("remove", &path, &error));
            }
            _ => {}
        }
    }
    let text = serde_json::to_string(&checksums).map_err(not_json)?;
    fs::write(&list, text).map_err(|error| file_failure("write", &list, &error))
}

//! What `cargo xtask` runs: it starts the real tool, xtask, and builds it first where that is needed.
//!
//! Cargo compiles this program in less than a second, so that the reader of a fresh clone sees what is
//! being built, and how far it is. Later on it looks at the files that the tool was built from, and
//! runs the tool without asking cargo once more.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use launch::{Build, Tool};

/// Tells the tool in which checkout the command was typed. The tool knows no path of its own: the
/// checkout may have been moved, and may share its target folder with another one.
const ROOT: &str = "NAMESPACES_BY_HAND_ROOT";

fn main() -> ExitCode {
    let status = launch();
    status.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(3)
    })
}

/// Returns only if the tool could not be started.
fn launch() -> Result<ExitCode, String> {
    let root = root()?;
    let own =
        std::env::current_exe().map_err(|error| format!("could not find this program: {error}"))?;
    // `TARGET/debug/xtask` for `TARGET/launch/launch`, wherever that folder is, and whichever machine it is for.
    let target = own.parent().and_then(Path::parent);
    let programs = target.ok_or("this program does not lie in a target folder")?.join("debug");
    let tool = Tool::new(&programs, &root, "xtask", "xtask");
    if !tool.is_up_to_date() {
        let start = SystemTime::now();
        if !build()? {
            return Err("xtask could not be built; cargo says why above".to_owned());
        }
        // Without the note cargo is asked again the next time.
        _ = tool.note_built(start);
    }
    let mut command = Command::new(&tool.program);
    let error = command.args(std::env::args_os().skip(1)).env(ROOT, &root).exec();
    Err(format!("could not start `{}`: {error}", tool.program.display()))
}

/// The checkout: cargo says where this package lies.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = package.ok_or("call it as `cargo xtask COMMAND`")?;
    let root = Path::new(&package).ancestors().nth(2);
    root.map(Path::to_owned).ok_or_else(|| "the checkout was not found".to_owned())
}

/// Builds the tool, from the reader's folder: cargo then finds the same settings as it did for this
/// program. Returns whether that worked.
fn build() -> Result<bool, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--package", "xtask"]);
    launch::prepare(&mut cargo);
    let mut child = cargo.spawn().map_err(|error| format!("could not start cargo: {error}"))?;
    let stderr = child.stderr.take().ok_or("cargo has no standard error")?;
    launch::follow(stderr, Build { what: "xtask", first_time: "a minute", draws: true });
    let status = child.wait().map_err(|error| format!("could not wait for cargo: {error}"))?;
    Ok(status.success())
}

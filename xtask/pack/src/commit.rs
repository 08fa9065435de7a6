//! The commit of which a pack is made.

use std::path::Path;
use std::process::{Command, Output};

use xtask::shared::chapter::root;
use xtask::shared::edition;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen;

use crate::file_failure;

pub(crate) struct Commit {
    /// All digits of it.
    pub(crate) hash: String,
    /// When it was made, in seconds since 1970.
    pub(crate) time: u64,
    /// The same as `2026-11-30`.
    date: String,
}

impl Commit {
    /// The newest commit of this checkout.
    ///
    /// # Errors
    ///
    /// There is no git or no commit, or files of the course differ from it.
    pub(crate) fn of_checkout() -> Result<Commit> {
        let said = git(&["log", "-1", "--format=%H %ct %cs"])?;
        let words: Vec<&str> = said.split_whitespace().collect();
        let [hash, time, date] = words[..] else {
            return Err(Failure::new(format!("git does not say which commit this is: {said}")));
        };
        let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
        // `XY PATH`. The programs of the exercises are a reader's, and are not packed.
        let changed = changed.lines().filter_map(|line| line.get(3..));
        let (own, changed): (Vec<&str>, Vec<&str>) = changed.partition(|path| is_readers(path));
        if let Some(first) = changed.first() {
            let more = match changed.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return Err(Failure::new(format!(
                "this checkout has changes that are not committed: `{first}`{more}"
            ))
            .help("commit them, or `git stash` them: a pack is made of a commit"));
        }
        if !own.is_empty() {
            screen::warn(
                "the exercises are packed as they are handed out, and not as they are solved here\n",
            );
        }
        let time = time.parse().map_err(|_| Failure::new(format!("git gives no time: {said}")))?;
        Ok(Commit { hash: hash.to_owned(), time, date: date.to_owned() })
    }

    /// The name of the pack and of the folder that it is unpacked to.
    pub(crate) fn edition(&self) -> String {
        format!("namespaces-by-hand-{}", edition::named(&self.date, &self.hash))
    }

    /// Writes all files of the commit below `folder`.
    pub(crate) fn unpack(&self, folder: &Path) -> Result<()> {
        let output = output(&["archive", "--format=tar", &self.hash])?;
        let mut archive = tar::Archive::new(&output.stdout[..]);
        archive.unpack(folder).map_err(|error| file_failure("write", folder, &error))
    }
}

fn is_readers(path: &str) -> bool {
    path.starts_with("exercises/ch") && path.contains("/src/")
}

fn git(arguments: &[&str]) -> Result<String> {
    Ok(String::from_utf8_lossy(&output(arguments)?.stdout).trim_end().to_owned())
}

fn output(arguments: &[&str]) -> Result<Output> {
    const HELP: &str = "work in a clone (`git clone`): a pack is made of a commit, so that no work of yours gets into it";
    let output = Command::new("git").args(arguments).current_dir(root()).output();
    let output = output.map_err(|error| {
        Failure::machine(format!("could not start git: {error}"))
            .help("install it: `apt install git`")
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it gives no reason").trim_start_matches("fatal: ");
    Err(Failure::new(format!("git cannot read this checkout: {said}")).help(HELP))
}

//! What participants get of the course: which files, and what becomes of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::pack;

use crate::commit::Commit;
use crate::file_failure;

/// Packages beside the exercises: the check, and `cargo xtask` with what starts it. With them come those that
/// they are built from.
const ROOTS: [&str; 4] = ["exercises/harness", "xtask", "xtask/launch", "xtask/play"];

/// Files at the top of the repository.
const AT_THE_TOP: [&str; 7] = [
    ".cargo/config.toml",
    ".gitignore",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-CC-BY",
    "LICENSE-MIT",
    "rustfmt.toml",
];

/// What cargo has to know so that it never asks for a network.
const OFFLINE: &str = "
# A workshop's copy has its crates with it, and fetches nothing.
[source.crates-io]
replace-with = \"vendored\"

[source.vendored]
directory = \"vendor\"

[net]
offline = true
";

/// Writes to `pack` what participants get of `source`, the files of a commit with the book built in them.
pub(crate) fn plant(source: &Path, pack: &Path, commit: &Commit) -> Result<()> {
    let tree = Tree { source, pack };
    for file in AT_THE_TOP {
        tree.copy(file)?;
    }
    let packages = tree.packages()?;
    for package in &packages {
        tree.copy_all(&format!("{package}/src"))?;
        tree.copy_if_there(&format!("{package}/build.rs"))?;
        tree.change(&format!("{package}/Cargo.toml"), &without_tests)?;
    }
    let chapters = tree.chapters()?;
    for chapter in &chapters {
        for file in ["Cargo.toml", "hints.md", "stub.rs"] {
            tree.copy(&format!("{chapter}/{file}"))?;
        }
        for folder in ["examples", "tests"] {
            tree.copy_all(&format!("{chapter}/{folder}"))?;
        }
        tree.write(&format!("{chapter}/src/main.rs"), &tree.read(&format!("{chapter}/stub.rs"))?)?;
        tree.change(&format!("{chapter}/mistakes.toml"), &without_edits)?;
        let challenges = format!("{chapter}/challenges.toml");
        if source.join(&challenges).exists() {
            tree.change(&challenges, &without_ways)?;
        }
    }
    tree.change("exercises/harness/src/mistakes.toml", &without_edits)?;
    tree.copy_all("book/book")?;
    tree.change("Cargo.toml", &|root| workspace(root, &packages))?;
    let config = tree.read(".cargo/config.toml")?;
    tree.write(".cargo/config.toml", &(config + OFFLINE))?;
    let about = format!(
        "# Written by `cargo xtask pack`.\nedition = \"{}\"\ncommit = \"{}\"\n",
        commit.edition().trim_start_matches("namespaces-by-hand-"),
        commit.hash,
    );
    tree.write(pack::FILE, &about)?;
    let start = include_str!("START.md").replace("EDITION", &commit.edition());
    tree.write("START.md", &start)
}

struct Tree<'a> {
    source: &'a Path,
    pack: &'a Path,
}

impl Tree<'_> {
    /// The folders of the exercises.
    fn chapters(&self) -> Result<Vec<String>> {
        let folder = self.source.join("exercises");
        let entries =
            fs::read_dir(&folder).map_err(|error| file_failure("read", &folder, &error))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut chapters: Vec<String> = names
            .filter(|name| name.starts_with("ch"))
            .map(|name| format!("exercises/{name}"))
            .collect();
        chapters.sort();
        Ok(chapters)
    }

    /// The folders of [`ROOTS`] and of the packages of this repository that they are built from.
    fn packages(&self) -> Result<BTreeSet<String>> {
        let root = self.table("Cargo.toml")?;
        let known = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        let folder_of = |name: &String| {
            let folder = known?.get(name)?.get("path")?.as_str()?;
            Some(folder.to_owned())
        };
        let mut packages = BTreeSet::new();
        let mut next: Vec<String> = ROOTS.map(str::to_owned).into();
        while let Some(folder) = next.pop() {
            let package = self.table(&format!("{folder}/Cargo.toml"))?;
            let needs = package.get("dependencies").and_then(Value::as_table);
            if packages.insert(folder) {
                next.extend(needs.into_iter().flat_map(Table::keys).filter_map(folder_of));
            }
        }
        Ok(packages)
    }

    fn table(&self, file: &str) -> Result<Table> {
        let table = self.read(file)?.parse();
        table.map_err(|error| Failure::new(format!("`{file}`: {error}")))
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.source.join(file);
        fs::read_to_string(&path).map_err(|error| file_failure("read", &path, &error))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.pack.join(file);
        let folder = path.parent().unwrap_or(self.pack);
        fs::create_dir_all(folder).map_err(|error| file_failure("write", folder, &error))?;
        fs::write(&path, text).map_err(|error| file_failure("write", &path, &error))
    }

    fn copy(&self, file: &str) -> Result<()> {
        let (from, to) = (self.source.join(file), self.pack.join(file));
        let folder = to.parent().unwrap_or(self.pack);
        fs::create_dir_all(folder).map_err(|error| file_failure("write", folder, &error))?;
        fs::copy(&from, &to).map(drop).map_err(|error| file_failure("copy", &from, &error))
    }

    fn copy_if_there(&self, file: &str) -> Result<()> {
        if self.source.join(file).exists() { self.copy(file) } else { Ok(()) }
    }

    /// Copies all files below a folder.
    fn copy_all(&self, folder: &str) -> Result<()> {
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            let path = self.source.join(&folder);
            let not_read = |error| file_failure("read", &path, &error);
            for entry in fs::read_dir(&path).map_err(not_read)? {
                let entry = entry.map_err(not_read)?;
                let file = folder.join(entry.file_name());
                if entry.file_type().map_err(not_read)?.is_dir() {
                    folders.push(file);
                } else {
                    self.copy(&file.to_string_lossy())?;
                }
            }
        }
        Ok(())
    }

    /// Writes a file of TOML as `change` leaves it.
    fn change(&self, file: &str, change: &dyn Fn(&mut Table)) -> Result<()> {
        let mut table = self.table(file)?;
        change(&mut table);
        let text = toml::to_string(&table);
        let text = text.map_err(|error| Failure::new(format!("`{file}`: {error}")))?;
        let head = format!("# Written by `cargo xtask pack`, from {file} of the repository.\n");
        self.write(file, &(head + &text))
    }
}

/// The workspace has the packages that are there, and options for no others.
fn workspace(root: &mut Table, packages: &BTreeSet<String>) {
    let names = |first: Option<&str>| -> Value {
        let names = first.into_iter().chain(packages.iter().map(String::as_str));
        names.map(Value::from).collect::<Vec<_>>().into()
    };
    if let Some(workspace) = root.get_mut("workspace").and_then(Value::as_table_mut) {
        workspace.insert("members".into(), names(Some("exercises/ch*")));
        workspace.insert("default-members".into(), names(None));
    }
    let profile = root.get_mut("profile").and_then(|profiles| profiles.get_mut("dev"));
    let options = profile.and_then(|dev| dev.get_mut("package")).and_then(Value::as_table_mut);
    if let Some(options) = options {
        // Those of other packages: of the archives that are graded and packed.
        options.retain(|name, _| {
            name == "*" || packages.iter().any(|path| path.rsplit('/').next() == Some(name))
        });
    }
}

/// The package without its own tests, what they are built with, and the feature that only solutions ask for.
fn without_tests(package: &mut Table) {
    package.remove("dev-dependencies");
    if let Some(features) = package.get_mut("features").and_then(Value::as_table_mut) {
        for (_, feature) in features.iter_mut() {
            *feature = Value::Array(Vec::new());
        }
    }
    if let Some(dependencies) = package.get_mut("dependencies").and_then(Value::as_table_mut) {
        let is_optional =
            |value: &Value| value.get("optional").and_then(Value::as_bool).unwrap_or_default();
        dependencies.retain(|_, value| !is_optional(value));
    }
}

/// The table of mistakes without the way to make each from the solution. What a check looks for stays.
fn without_edits(table: &mut Table) {
    for row in table.get_mut("mistake").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(edit) = row.get_mut("edit") {
            *edit = Value::Array(Vec::new());
        }
    }
}

/// The challenges without the commands that reach each goal, or a wrong state, which only tests run.
fn without_ways(table: &mut Table) {
    const NOTHING: &str = ":";
    let rows = table.get_mut("challenge").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten().filter_map(Value::as_table_mut) {
        row.insert("solution".into(), NOTHING.into());
        let wrong = row.get_mut("wrong").and_then(Value::as_array_mut);
        for wrong in wrong.into_iter().flatten().filter_map(Value::as_table_mut) {
            wrong.insert("try".into(), NOTHING.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, change: &dyn Fn(&mut Table)) -> Table {
        let mut table: Table = text.parse().unwrap();
        change(&mut table);
        table
    }

    #[test]
    fn a_row_keeps_what_a_check_needs() {
        let table = "[[mistake]]\nname = 'n'\nedit = [{ find = 'secret', replace = 'x' }]\n\
                     when = { 'a b' = 'c' }\n[[mistake]]\nname = 'general'\n";
        let wanted = table.replace("[{ find = 'secret', replace = 'x' }]", "[]");
        assert_eq!(changed(table, &without_edits), wanted.parse().unwrap());
    }

    #[test]
    fn a_challenge_keeps_what_is_asked() {
        let table = "[[challenge]]\nask = 'a'\nsolution = 'secret'\n[[challenge.wrong]]\nsay = 's'\n\
                     try = 'secret'\n";
        let wanted = table.replace("secret", ":");
        assert_eq!(changed(table, &without_ways), wanted.parse().unwrap());
    }

    #[test]
    fn a_package_keeps_what_it_is_built_from() {
        let package = "[features]\nsnapshots = ['dep:insta']\n[dependencies]\n\
                       insta = { workspace = true, optional = true }\nlibc = { workspace = true }\n\
                       [dev-dependencies]\nproptest = '1'\n";
        let wanted = "[features]\nsnapshots = []\n[dependencies]\nlibc = { workspace = true }\n";
        assert_eq!(changed(package, &without_tests), wanted.parse().unwrap());
    }

    #[test]
    fn the_workspace_names_nothing_that_is_not_there() {
        let packages = ["exercises/lab", "xtask/launch"].map(str::to_owned).into();
        let root = "[workspace]\nmembers = ['solutions/ch*']\ndefault-members = ['solutions/ch*']\n\
                    [profile.dev.package.sha2]\nopt-level = 3\n[profile.dev.package.lab]\ndebug = false\n\
                    [profile.dev.package.\"*\"]\ndebug = false\n";
        let root = changed(root, &|root| workspace(root, &packages));
        let text = toml::to_string(&root).unwrap();
        assert!(!text.contains("solutions") && !text.contains("sha2"), "{text}");
        for kept in ["exercises/ch*", "xtask/launch", "package.lab]", "package.\"*\"]"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }
}

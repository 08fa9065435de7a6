//! The machine that runs in a page: which sessions it runs, and the files that a click loads. A book without one
//! has none of it, and a page that is only read loads none of it.
//!
//! `cargo xtask live build` makes the machine's folder. The builder reads its `manifest.json`:
//!
//! ```json
//! { "version": "…", "kernel": "6.12.57", "tools": ["sh"], "packages": { "util-linux": "2.38.1" },
//!   "files": [{ "name": "state.zst", "role": "state", "bytes": 1, "sha256": "…" }],
//!   "machine": {}, "labs": { "saved": "root-lab" } }
//! ```
//!
//! A session that needs something else than this kernel, these tools and these versions gets no button.
//! `files` is what a click loads, `machine` what the emulator is started with, and `saved` the lab that is open in the
//! saved state. What the sessions in `xtask/live/differs.toml` print may be something else than what the page shows:
//! the page says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::console::{ConsoleFence, Session, prompt};
use crate::needs::Need;
use crate::paths::{files, has_extension};
use lab::sandbox::State;

/// Where the machine is, unless another folder is named.
pub const FOLDER: &str = "target/live/site";

/// Where its files are in the built book.
const BUILT: &str = "live";

/// The challenges of all chapters, for the machine's agent.
const CHALLENGES: &str = "challenges.json";

const LOADER: &str = "loader.js";

/// Before the click the button is all that there is to be seen.
const STYLE: &str = "<style>.live-run{margin:-.4em 0 1em;padding:.2em .8em;min-height:32px;border:1px solid var(--searchbar-border-color);\
    border-radius:6px;background:var(--card-bg);color:var(--fg);font:inherit;font-size:.85em;cursor:pointer}\
    @media print{.live-run{display:none}}</style>";

/// A machine.
#[derive(Clone, Debug)]
pub struct Live {
    folder: PathBuf,
    manifest: Manifest,
}

#[derive(Clone, Debug, Deserialize)]
struct Manifest {
    version: String,
    #[serde(flatten)]
    equipment: Equipment,
    files: Vec<File>,
    #[serde(default)]
    machine: Value,
    #[serde(default)]
    labs: Value,
}

/// What a machine has of what sessions need.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Equipment {
    /// Its kernel's version.
    pub kernel: String,
    /// The names of its programs.
    pub tools: BTreeSet<String>,
    /// The version of each package that its programs are from.
    pub packages: BTreeMap<String, String>,
}

impl Equipment {
    /// Why a session with this need does not run in it; `None` if it does.
    pub fn lacks(&self, need: &Need) -> Option<String> {
        match need {
            Need::ManyIds | Need::Cgroups | Need::CgroupLimits => None,
            Need::Linux(oldest) => (!need.is_met_by(&self.kernel))
                .then(|| format!("it needs Linux {oldest}, and the machine has {}", self.kernel)),
            Need::Version { tool, version } => {
                let own = self.packages.get(tool).map_or("none", String::as_str);
                (own != version).then(|| {
                    format!("it was recorded with {tool} {version}, and the machine has {own}")
                })
            }
            Need::Tool(tool) => (!self.tools.contains(tool))
                .then(|| format!("it needs `{tool}`, which the machine does not have")),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
struct File {
    name: String,
    role: String,
    bytes: u64,
    sha256: String,
}

/// A session that the machine does not print as the page does.
#[derive(Debug, Serialize)]
pub struct Differing {
    pub page: String,
    /// Its first line, with the prompt.
    pub begins: String,
    pub why: String,
}

impl Differing {
    /// Reads a list of them, the tables `session`.
    ///
    /// # Errors
    ///
    /// What is no such list, and a row that lacks something.
    pub fn all(text: &str) -> Result<Vec<Differing>> {
        let table: toml::Table = text.parse()?;
        let Some(rows) = table.get("session") else { return Ok(Vec::new()) };
        let rows = rows.as_array().context("`session` is no list of tables")?.iter().map(|row| {
            let text = |key: &str| {
                let value = row.get(key).and_then(|value| value.as_str());
                value.map(str::to_owned).with_context(|| format!("a row without `{key}`: {row}"))
            };
            Ok(Differing { page: text("page")?, begins: text("begins")?, why: text("why")? })
        });
        rows.collect()
    }
}

impl Live {
    /// The machine in this folder; `None` if nobody has built one there.
    ///
    /// # Errors
    ///
    /// A manifest that cannot be understood, a file that is not as it says.
    pub fn find(folder: &Path) -> Result<Option<Live>> {
        let file = folder.join("manifest.json");
        if !file.is_file() {
            return Ok(None);
        }
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let manifest: Manifest = serde_json::from_slice(&text).with_context(|| {
            let help = "help: `cargo xtask live build` writes another one";
            format!("{} is no manifest of a machine\n{help}", file.display())
        })?;
        for File { name, bytes, sha256, .. } in &manifest.files {
            let file = folder.join(name);
            let found =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            ensure!(
                !name.contains('/') && found.len() as u64 == *bytes && digest(&found) == *sha256,
                "{} is not the file of the manifest\nhelp: `cargo xtask live build` builds it again",
                file.display()
            );
        }
        Ok(Some(Live { folder: folder.to_owned(), manifest }))
    }

    /// The classes of a session's block, if the machine runs it. `needs` are those of all sessions in its shell.
    pub(crate) fn classes(&self, fence: &ConsoleFence, needs: &[Need]) -> Option<String> {
        let Session::Recorded { start, shell, .. } = &fence.session else { return None };
        let lacks = |need: &Need| self.manifest.equipment.lacks(need).is_some();
        let prompt = prompt(*start);
        let has_command = fence.body.iter().any(|line| line.starts_with(prompt));
        if !has_command || needs.iter().any(lacks) {
            return None;
        }
        let has = |wanted: &[Need]| needs.iter().any(|need| wanted.contains(need));
        let mut classes = String::from(",live");
        if *start == State::PlainUser {
            classes += ",user";
        }
        if has(&[Need::ManyIds]) {
            classes += ",ids";
        }
        if has(&[Need::Cgroups, Need::CgroupLimits]) {
            classes += ",cgroups";
        }
        if let Some(shell) = shell {
            classes += &format!(",in-{shell}");
        }
        Some(classes)
    }

    /// Writes the machine into the built book, and the loader into each page that has something to run.
    pub(crate) fn write(&self, repo: &Path, built: &Path) -> Result<()> {
        let folder = built.join(BUILT);
        for file in files(&self.folder) {
            let to = folder.join(&file);
            fs::create_dir_all(to.parent().unwrap_or(&folder))?;
            fs::copy(self.folder.join(&file), &to)
                .with_context(|| format!("cannot write {}", to.display()))?;
        }
        let challenges = serde_json::to_vec(&challenges(repo)?)?;
        write(&folder.join(CHALLENGES), &challenges)?;
        let Manifest { version, machine, labs, files, .. } = &self.manifest;
        let of = |File { name, role, bytes, sha256 }: &File| json!({ "name": name, "role": role, "bytes": bytes, "sha256": sha256 });
        let mut files: Vec<Value> = files.iter().map(of).collect();
        files.push(of(&File {
            name: CHALLENGES.to_owned(),
            role: "challenges".to_owned(),
            bytes: challenges.len() as u64,
            sha256: digest(&challenges),
        }));
        let manifest = json!({
            "version": version, "machine": machine, "labs": labs, "differs": differences(repo)?, "files": files,
        });
        write(&folder.join("manifest.json"), manifest.to_string().as_bytes())?;
        let scripts = scripts(repo, &folder)?;
        let loader = self.loader(repo, &scripts)?;
        for page in pages(built)? {
            let text = fs::read_to_string(&page)?;
            if text.contains("<code class=\"language-console live") {
                let end = text.rfind("</body>").unwrap_or(text.len());
                write(&page, format!("{}{loader}{}", &text[..end], &text[end..]).as_bytes())?;
            }
        }
        Ok(())
    }

    /// What stands in a page: without comments and indentation, because every reader loads it.
    fn loader(&self, repo: &Path, scripts: &str) -> Result<String> {
        let file = repo.join("book/theme/live").join(LOADER);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let bytes: u64 = self.manifest.files.iter().map(|file| file.bytes).sum();
        let text = lines.collect::<Vec<_>>().join("\n");
        let size = format!("{} MB", (bytes as f64 / 1e6).round().max(1.0));
        let text = text.replace("LIVE_SIZE", &size).replace("LIVE_FOLDER", scripts);
        Ok(format!("{STYLE}<script>{text}</script>\n"))
    }
}

/// Each chapter's `challenges.toml`.
fn challenges(repo: &Path) -> Result<BTreeMap<String, String>> {
    let mut challenges = BTreeMap::new();
    for entry in fs::read_dir(repo.join("exercises")).into_iter().flatten() {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Ok(text) = fs::read_to_string(folder.join("challenges.toml")) {
            challenges.insert(name, text);
        }
    }
    Ok(challenges)
}

/// The sessions in `xtask/live/differs.toml`.
///
/// # Errors
///
/// A row that cannot be understood.
pub fn differences(repo: &Path) -> Result<Vec<Differing>> {
    let file = repo.join("xtask/live/differs.toml");
    let Ok(text) = fs::read_to_string(&file) else { return Ok(Vec::new()) };
    Differing::all(&text).with_context(|| format!("cannot understand {}", file.display()))
}

/// Copies the scripts into a folder that is called by their digest, so that no browser mixes two versions.
fn scripts(repo: &Path, to: &Path) -> Result<String> {
    let theme = repo.join("book/theme/live");
    let mut all = Sha256::new();
    let mut scripts = Vec::new();
    for file in files(&theme).into_iter().filter(|file| file != Path::new(LOADER)) {
        let bytes = fs::read(theme.join(&file))?;
        all.update(&bytes);
        scripts.push((file, bytes));
    }
    let name = hex(&all.finalize())[..12].to_owned();
    let folder = to.join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (file, bytes) in scripts {
        write(&folder.join(file), &bytes)?;
    }
    Ok(name)
}

/// The pages for readers. What is printed has nothing to click.
fn pages(built: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if has_extension(&path, "html") && !name.starts_with("print") {
            pages.push(path);
        }
    }
    Ok(pages)
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// A SHA-256, as a manifest has it.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_needs_more_than_the_machine_has_is_told_why() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let equipment = Equipment {
            kernel: "6.12.117".into(),
            tools: names(&["sh", "ip"]),
            packages: BTreeMap::from([("util-linux".into(), "2.38.1".into())]),
        };
        let lacks = |need: &str| equipment.lacks(&Need::parse(need)).unwrap_or_default();
        for had in ["ids", "cgroups", "cgroup-limits", "linux-6.12", "util-linux-2.38.1", "ip"] {
            assert_eq!(lacks(had), "");
        }
        for (lacking, why) in [
            ("linux-6.18", "it needs Linux 6.18, and the machine has 6.12.117"),
            ("util-linux-2.41", "recorded with util-linux 2.41, and the machine has 2.38.1"),
            ("iproute2-6.1.0", "recorded with iproute2 6.1.0, and the machine has none"),
            ("perl", "it needs `perl`"),
        ] {
            assert!(lacks(lacking).contains(why), "{lacking}: {}", lacks(lacking));
        }
    }

    #[test]
    fn a_manifest_that_does_not_say_what_the_machine_has_is_refused() {
        let whole =
            json!({ "version": "1", "kernel": "6.12", "tools": [], "packages": {}, "files": [] });
        let folder = tempfile::tempdir().unwrap();
        let found = |manifest: &Value| {
            fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
            Live::find(folder.path()).map(drop).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(found(&whole), Ok(()));
        for member in ["kernel", "tools", "packages"] {
            let mut manifest = whole.clone();
            manifest.as_object_mut().unwrap().remove(member);
            let error = found(&manifest).unwrap_err();
            assert!(error.contains(&format!("missing field `{member}`")), "{error}");
        }
    }
}

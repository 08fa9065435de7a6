//! Chapters, and the names that a command line may give them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use harness::env;

use crate::shared::arguments;
use crate::shared::failure::{Failure, Result};

/// A chapter, which has one name in four places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chapter {
    /// `ch03-clone`: the folder under `exercises` and `solutions`, the page, the package.
    pub name: String,
}

/// The checkout that this command works in. Nothing of it is compiled in: a checkout may be copied or
/// moved, and two of them may share a target folder, and so this program.
pub fn root() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| find_root().unwrap_or_else(|failure| failure.end())).clone()
}

/// The same; `None` outside of a checkout.
pub fn checkout() -> Option<PathBuf> {
    find_root().ok()
}

/// Without the launcher, cargo says which package it runs, and the reader is somewhere.
fn find_root() -> Result<PathBuf> {
    if let Some(root) = env::path(env::ROOT) {
        return Ok(root);
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let places = package.into_iter().chain(std::env::current_dir());
    let above = places.flat_map(|place| place.ancestors().map(Path::to_owned).collect::<Vec<_>>());
    let is_checkout = |folder: &PathBuf| {
        folder.join("xtask/Cargo.toml").is_file() && folder.join("exercises").is_dir()
    };
    above.into_iter().find(is_checkout).ok_or_else(|| {
        Failure::usage("this is no checkout of the course")
            .help("call it as `cargo xtask COMMAND`, in a clone of the repository")
    })
}

/// A path as one types it at the top of the checkout.
pub fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

/// The text of a file that must exist, with the line ends of Linux: programs are edited and compared by
/// their text, and a checkout may come from Windows.
pub fn read(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).map(|text| text.replace("\r\n", "\n"));
    text.map_err(|error| Failure::file(format!("could not read `{}`", shown(file)), &error))
}

impl Chapter {
    /// All of them, in order: the folders `exercises/chNN-slug`.
    pub fn all() -> Result<Vec<Chapter>> {
        let folder = root().join("exercises");
        let entries = fs::read_dir(&folder).map_err(|error| {
            Failure::new(format!("could not read `{}`: {error}", folder.display()))
        })?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let chapters = names.filter(|name| is_chapter_name(name)).map(|name| Chapter { name });
        let mut chapters: Vec<_> = chapters.collect();
        chapters.sort();
        Ok(chapters)
    }

    /// The chapter after this one.
    pub fn next(&self) -> Result<Option<Chapter>> {
        Ok(Chapter::all()?.into_iter().find(|other| other > self))
    }

    /// The chapter that `asked` means.
    pub fn find(asked: impl AsRef<OsStr>) -> Result<Chapter> {
        let (asked, all) = (asked.as_ref().to_string_lossy(), Chapter::all()?);
        let found = all.iter().find(|chapter| chapter.is_called(&asked)).cloned();
        found.ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|chapter| chapter.name.as_str()).collect();
            let slugs = all.iter().map(Chapter::slug);
            let near = arguments::nearest(&asked, slugs.chain(names.iter().copied()));
            Failure::usage(format!("there is no chapter `{asked}`")).help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the chapters are {}", names.join(", ")),
            })
        })
    }

    fn is_called(&self, asked: &str) -> bool {
        let asked = asked.to_ascii_lowercase();
        let number = asked.strip_prefix("ch").unwrap_or(&asked);
        asked == self.name || asked == self.slug() || number.parse() == Ok(self.number())
    }

    /// 3 of `ch03-clone`.
    pub fn number(&self) -> u32 {
        self.name[2..4].parse().expect("`is_chapter_name` has checked that there are two digits")
    }

    /// `clone` of `ch03-clone`.
    pub fn slug(&self) -> &str {
        &self.name[5..]
    }

    /// `ch3`, as one types it.
    pub fn short(&self) -> String {
        format!("ch{}", self.number())
    }

    pub fn exercise(&self) -> PathBuf {
        root().join("exercises").join(&self.name)
    }

    pub fn solution(&self) -> PathBuf {
        root().join("solutions").join(&self.name)
    }

    /// An archive for participants has no solutions.
    pub fn has_solution(&self) -> bool {
        self.solution().join("src/main.rs").exists()
    }

    pub fn page(&self) -> PathBuf {
        root().join("book/src").join(&self.name).with_extension("md")
    }

    /// The other pages of the chapter, `book/src/chNN-*.md`, in order. The exercise is on [`Chapter::page`].
    pub fn other_pages(&self) -> Vec<PathBuf> {
        let own = self.page();
        let entries = own.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten();
        let is_one = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(&self.name[..5]) && name.ends_with(".md") && *path != own
        };
        let mut pages: Vec<_> = entries.map(|entry| entry.path()).filter(is_one).collect();
        pages.sort();
        pages
    }

    /// The names of its worked examples: the files `exercises/chNN-slug/examples/chNN-name.rs`.
    pub fn examples(&self) -> Vec<String> {
        let entries = fs::read_dir(self.exercise().join("examples")).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()));
        let mut names: Vec<_> = names.filter(|name| name.starts_with(&self.name[..5])).collect();
        names.sort();
        names
    }

    /// The file that the learner edits.
    pub fn program(&self) -> PathBuf {
        self.exercise().join("src/main.rs")
    }

    /// The program that goes further than the solution, if the chapter asks for one.
    pub fn further(&self) -> PathBuf {
        self.solution().join("src/further.rs")
    }

    /// The exercise as it was handed out.
    pub fn stub(&self) -> PathBuf {
        self.exercise().join("stub.rs")
    }
}

fn is_chapter_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() > 5
        && bytes.starts_with(b"ch")
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chapter_has_many_names() {
        let chapter = Chapter { name: "ch03-clone".into() };
        for asked in ["ch3", "ch03", "3", "03", "CH3", "clone", "ch03-clone"] {
            assert!(chapter.is_called(asked), "{asked}");
        }
        for asked in ["ch30", "33", "ch", "", "ch03-", "clon", "-3", "ch03-clone/"] {
            assert!(!chapter.is_called(asked), "{asked}");
        }
    }

    #[test]
    fn only_chapters_are_chapters() {
        for name in ["harness", "ch-x", "ch3-x", "ch003-x", "README.md", "ch03"] {
            assert!(!is_chapter_name(name), "{name}");
        }
    }
}

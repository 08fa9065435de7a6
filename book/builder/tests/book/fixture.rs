//! A throwaway repository that holds the small book.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct Repo(TempDir);

/// mdBook's own template takes as long to parse as all the rest of a build.
pub(crate) const TEMPLATE: &str = "<!DOCTYPE html>\n<title>{{ title }}</title>\n{{{ content }}}\n";

impl Repo {
    pub(crate) fn clean() -> Repo {
        let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let repo = tempfile::tempdir().unwrap();
        copy(&crate_root.join("tests/fixtures/clean"), repo.path());
        for part in ["theme", "figures/src"] {
            copy(&crate_root.join("..").join(part), &repo.path().join("book").join(part));
        }
        fs::copy(crate_root.join("../book.toml"), repo.path().join("book/book.toml")).unwrap();
        Repo(repo)
    }

    /// One that takes less time to build: it has a small template, no search, and no page for print.
    pub(crate) fn quick() -> Repo {
        let repo = Repo::clean();
        repo.write("book/theme/index.hbs", TEMPLATE);
        let print = "[output.html.print]\nenable = ";
        let search = "[output.html.search]\nenable = false\n\n";
        repo.edit("book/book.toml", &format!("{print}true"), &format!("{search}{print}false"));
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Replaces a text that has to be there.
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(old), "{file} does not hold {old:?}");
        self.write(file, &text.replacen(old, new, 1));
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.path().join(file), text).unwrap();
    }

    /// Builds the book, which has to be free of faults, and returns the directory of its pages.
    pub(crate) fn build(&self) -> PathBuf {
        book::site::build(self.path(), book::directive::Audience::Readers, None)
            .unwrap_or_else(|faults| panic!("{faults:#?}"))
    }

    /// Builds the book and lists its faults as the reader sees them.
    pub(crate) fn faults(&self) -> String {
        match book::site::build(self.path(), book::directive::Audience::Readers, None) {
            Ok(_) => String::new(),
            Err(faults) => faults.iter().map(|fault| format!("{fault}\n")).collect(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

//! What is wrong with the book, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, at a place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as seen from the root of the repository.
    pub file: PathBuf,
    /// The line, counted from 1; 0 if the fault concerns the file as a whole.
    pub line: usize,
    /// The fault in one sentence.
    pub what: String,
    /// What can be done about it.
    pub help: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        write!(f, " {}", self.what)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

/// A fault without its place, which the caller adds.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    what: String,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Problem {
        Problem { what: what.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Says which file is meant, where that is not the one that names it.
    pub(crate) fn of(self, file: &Path) -> Problem {
        Problem { what: format!("`{}`: {}", file.display(), self.what), help: self.help }
    }

    pub(crate) fn at(self, file: &Path, line: usize) -> Fault {
        Fault { file: file.to_owned(), line, what: self.what, help: self.help }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.what)
    }
}

//! A book on a server of its own.

use book::live::Live;
use book::serve::Server;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Site {
    server: Server,
    built: PathBuf,
}

impl Site {
    /// Builds the book of a repository anew, and serves it.
    pub(crate) fn of(repo: &Path) -> Site {
        Site::with(repo, None)
    }

    /// The same, with a machine.
    pub(crate) fn with(repo: &Path, live: Option<Live>) -> Site {
        let server = Server::start(repo, 0).unwrap().with(live);
        server.rebuild().unwrap_or_else(|faults| panic!("{faults:#?}"));
        Site { server, built: repo.join("book/book") }
    }

    /// The directory of the pages.
    pub(crate) fn built(&self) -> &Path {
        &self.built
    }

    /// The names of all pages, for instance `index.html`.
    pub(crate) fn pages(&self) -> Vec<String> {
        let files = fs::read_dir(&self.built).unwrap().map(|file| file.unwrap().file_name());
        let names = files.map(|name| name.into_string().unwrap());
        let mut pages: Vec<String> = names.filter(|name| name.ends_with(".html")).collect();
        pages.sort();
        pages
    }

    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://{}/{page}", self.server.address())
    }

    /// The file that is served for a URL, if this site has it.
    pub(crate) fn file(&self, url: &str) -> Option<PathBuf> {
        let path = url.strip_prefix(&self.url(""))?;
        let file = self.built.join(path.split(['?', '#']).next()?);
        file.is_file().then_some(file)
    }
}

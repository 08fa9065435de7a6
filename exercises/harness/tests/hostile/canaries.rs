//! Files that stand for other people's.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use super::fingerprint::PUBLIC;

/// Files of nobody's, in each place where everybody may put some: who deletes or changes what is
/// there deletes or changes these. They go when this is dropped.
pub(crate) struct Canaries(Vec<PathBuf>);

impl Canaries {
    pub(crate) fn put(mark: &str) -> Canaries {
        let folders = PUBLIC.map(|place| Path::new(place).join(mark));
        let put = |folder: &PathBuf| {
            fs::create_dir(folder).is_ok() && fs::write(folder.join("canary"), mark).is_ok()
        };
        Canaries(folders.into_iter().filter(put).collect())
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        for folder in &self.0 {
            _ = fs::remove_dir_all(folder);
        }
    }
}

/// Who listens on this machine, in each place with canaries and under the mark as an abstract name.
pub(crate) struct Ears(Vec<(String, UnixListener)>);

impl Ears {
    pub(crate) fn open(canaries: &Canaries, mark: &str) -> Ears {
        let paths = canaries.0.iter().map(|folder| folder.join("socket"));
        let paths = paths.map(|path| (path.display().to_string(), UnixListener::bind(path)));
        let name =
            SocketAddr::from_abstract_name(mark).and_then(|name| UnixListener::bind_addr(&name));
        let ears = paths.chain([(format!("@{mark}"), name)]);
        let ears: Vec<_> = ears.map(|(name, ear)| (name, ear.unwrap())).collect();
        assert!(ears.len() > 1, "nobody may listen in {PUBLIC:?}");
        Ears(ears)
    }

    /// Where somebody has come.
    pub(crate) fn visited(&self) -> Vec<&str> {
        let visited = |ear: &UnixListener| {
            ear.set_nonblocking(true).unwrap();
            ear.accept().is_ok()
        };
        self.0.iter().filter(|(_, ear)| visited(ear)).map(|(name, _)| name.as_str()).collect()
    }
}

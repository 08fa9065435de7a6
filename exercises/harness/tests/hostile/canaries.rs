//! Files and listening sockets that stand for those of other programs.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use super::fingerprint::PUBLIC;

/// A file in each world-writable folder: an attack that deletes or changes what is there deletes or
/// changes these. They are removed when this is dropped.
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

/// Sockets that listen on this machine: one in each folder with a canary, and one under the mark as an
/// abstract name.
pub(crate) struct Listeners(Vec<(String, UnixListener)>);

impl Listeners {
    pub(crate) fn open(canaries: &Canaries, mark: &str) -> Listeners {
        let paths = canaries.0.iter().map(|folder| folder.join("socket"));
        let paths = paths.map(|path| (path.display().to_string(), UnixListener::bind(path)));
        let name =
            SocketAddr::from_abstract_name(mark).and_then(|name| UnixListener::bind_addr(&name));
        let all = paths.chain([(format!("@{mark}"), name)]);
        let all: Vec<_> = all.map(|(name, socket)| (name, socket.unwrap())).collect();
        assert!(all.len() > 1, "no file can be made in any of {PUBLIC:?}");
        Listeners(all)
    }

    /// Those to which a program has connected.
    pub(crate) fn reached(&self) -> Vec<&str> {
        let reached = |socket: &UnixListener| {
            socket.set_nonblocking(true).unwrap();
            socket.accept().is_ok()
        };
        self.0.iter().filter(|(_, socket)| reached(socket)).map(|(name, _)| name.as_str()).collect()
    }
}

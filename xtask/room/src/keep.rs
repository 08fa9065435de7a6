//! The file of `--keep`: the whole room, replaced at once with each report, so that the room can be ended at any
//! moment and started again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;
use xtask::shared::failure::{Failure, Result};

use crate::state::Room;

/// Two hundred participants are a quarter of a megabyte.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The file, while no other room uses it.
pub struct Kept {
    file: PathBuf,
    lock: PathBuf,
    _locked: Flock<File>,
}

impl Kept {
    /// Takes the file, and reads the room in it if there is one.
    ///
    /// # Errors
    ///
    /// Another room uses it, it cannot be read or created, or something else is in it.
    pub fn open(file: &Path) -> Result<(Kept, Option<Room>)> {
        let what = |verb: &str| format!("could not {verb} `{}`", file.display());
        let lock = beside(file, "lock");
        let opened =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&lock);
        let opened = opened.map_err(|error| Failure::file(what("write beside"), &error))?;
        let locked = Flock::lock(opened, FlockArg::LockExclusiveNonblock);
        let locked = locked.map_err(|(_, errno)| match errno {
            Errno::EAGAIN => {
                Failure::usage(format!("another room keeps itself in `{}`", file.display()))
                    .help("end that one, or name another file")
            }
            errno => Failure::machine(format!("{}: {errno}", what("lock"))),
        })?;
        let kept = Kept { file: file.to_owned(), lock, _locked: locked };
        let mut text = String::new();
        let read = File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        let room = match read {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::file(what("read"), &error)),
            Ok(_) => {
                let value: Option<Value> = serde_json::from_str(&text).ok();
                let room = value.as_ref().and_then(Room::read);
                Some(room.ok_or_else(|| {
                    Failure::usage(format!("`{}` is no room that was kept", file.display()))
                        .help("name another file; nothing was changed in this one")
                })?)
            }
        };
        Ok((kept, room))
    }

    /// Replaces the file. When this returns, the room is on the disk.
    ///
    /// # Errors
    ///
    /// The old file is still there.
    pub fn write(&self, room: &Room) -> io::Result<()> {
        let new = beside(&self.file, "new");
        let write = || {
            // It has the tokens of the participants in it.
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(room.to_json().to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.file)
        };
        write().inspect_err(|_| _ = fs::remove_file(&new))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.lock);
    }
}

/// `FILE.end`
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(end);
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_room_is_found_again_and_nothing_else_is_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("room.json");
        let (kept, none) = Kept::open(&file).unwrap();
        assert_eq!(none, None);
        let room = Room::new("abcdef");
        kept.write(&room).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Kept::open(&file).map(drop).unwrap_err();
        assert!(second.to_string().starts_with("another room keeps itself in"), "{second}");
        drop(kept);
        let (kept, again) = Kept::open(&file).unwrap();
        assert_eq!(again, Some(room));
        drop(kept);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the file stays");
        for text in ["", "{}", "[1", "\u{0}", "{\"schema\":9,\"room\":1}"] {
            fs::write(&file, text).unwrap();
            let failure = Kept::open(&file).map(drop).unwrap_err();
            assert!(failure.to_string().ends_with("is no room that was kept"), "{failure}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(Kept::open(folder.path()).map(drop).unwrap_err().code(), 1);
        assert!(Kept::open(&folder.path().join("no/where")).is_err());
    }
}

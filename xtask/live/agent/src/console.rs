//! Carries bytes between the machine's console and the terminal of the lab's shell.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::errno::Errno;

/// The console, and the terminal that it is connected with.
pub(crate) struct Console {
    file: File,
    terminal: Arc<Mutex<Option<File>>>,
}

impl Console {
    /// From now on what arrives at the console goes to the terminal; without one it is lost.
    pub(crate) fn new(file: &File) -> Console {
        let terminal = Arc::new(Mutex::new(None::<File>));
        let file = file.try_clone().expect("a descriptor is free: the agent has a dozen");
        let (mut from, to) = (file.try_clone(), terminal.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = from.as_mut().map_or(Ok(0), |from| from.read(&mut bytes)) {
                if let Some(terminal) = to.lock().expect("no panic while held").as_mut() {
                    // A shell that has ended reads nothing.
                    _ = terminal.write_all(&bytes[..length]);
                }
            }
        });
        Console { file, terminal }
    }

    /// Carries what is printed on the terminal to the console, until its other side is closed.
    pub(crate) fn connect(&self, terminal: &OwnedFd) -> io::Result<()> {
        let mut from = File::from(terminal.try_clone()?);
        *self.terminal.lock().expect("no panic while held") = Some(from.try_clone()?);
        let mut to = self.file.try_clone()?;
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // EIO: no process has the terminal open.
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                if to.write_all(&bytes[..length]).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    pub(crate) fn disconnect(&self) {
        *self.terminal.lock().expect("no panic while held") = None;
    }
}

/// Makes a terminal so wide that no tool cuts its lines off: the page wraps them.
pub(crate) fn widen(terminal: &OwnedFd) -> nix::Result<()> {
    let size = libc::winsize { ws_row: 24, ws_col: 250, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads one winsize.
    let set = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(set).map(drop)
}

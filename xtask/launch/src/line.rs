//! The one line that shows how far a build is.

use std::thread::available_parallelism;
use std::time::Instant;

use crate::estimate;

/// How far a build is.
#[derive(Default)]
pub(crate) struct Progress {
    known: Option<Known>,
}

struct Known {
    /// When the first number came. Before, cargo may have waited for another one.
    start: Instant,
    /// What was done by then costs nothing.
    before: u32,
    done: u32,
    total: u32,
    names: String,
}

impl Progress {
    pub(crate) fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// How many crates are still to be compiled.
    pub(crate) fn left(&self) -> Option<u32> {
        self.known.as_ref().map(|known| known.total.saturating_sub(known.done))
    }

    pub(crate) fn update(&mut self, done: u32, total: u32, names: String) {
        let known = self.known.get_or_insert_with(|| Known {
            start: Instant::now(),
            before: done,
            done,
            total,
            names: String::new(),
        });
        // A bar for something else, such as downloads, has numbers of its own.
        if total != known.total || done < known.before {
            (known.start, known.before, known.total) = (Instant::now(), done, total);
        }
        (known.done, known.names) = (done, names);
    }

    /// `building xtask: 31/57, about 20 s left: nix, libc`, as much of it as there is room for.
    pub(crate) fn line(&self, what: &str, room: usize) -> String {
        let Some(Known { start, before, done, total, names }) = &self.known else {
            return fitting(&[&format!("building {what}")], room);
        };
        let processors = available_parallelism().map_or(1, usize::from);
        let left = estimate::left(done - before, total - before, start.elapsed(), processors);
        let left = estimate::in_words(left);
        let names = if names.is_empty() { String::new() } else { format!(": {names}") };
        let line = |head: &str| {
            fitting(&[head, &format!(": {done}/{total}"), &format!(", {left}"), &names], room)
        };
        // How long it takes says more than the word.
        match line(&format!("building {what}")) {
            long if long.contains(&left) => long,
            _ => line(what),
        }
    }
}

/// The parts one after the other, without those that do not fit; of the last one as much as fits.
pub(crate) fn fitting(parts: &[&str], room: usize) -> String {
    let mut line = String::new();
    for (index, part) in parts.iter().enumerate() {
        let left = room.saturating_sub(line.chars().count());
        let is_last = index + 1 == parts.len();
        if part.chars().count() <= left {
            line.push_str(part);
        } else {
            // A name of two letters says nothing.
            if is_last && (left > 8 || index == 0) {
                line.extend(part.chars().take(left.saturating_sub(1)));
                line.push('…');
            }
            break;
        }
    }
    line
}

/// The width of the terminal on standard error, in characters.
pub(crate) fn columns() -> Option<usize> {
    /// `struct winsize` of ioctl_tty(2).
    #[repr(C)]
    #[derive(Default)]
    struct Winsize {
        rows: u16,
        columns: u16,
        pixels: [u16; 2],
    }
    const TIOCGWINSZ: std::ffi::c_ulong = 0x5413;
    const STDERR: std::ffi::c_int = 2;
    unsafe extern "C" {
        fn ioctl(fd: std::ffi::c_int, request: std::ffi::c_ulong, ...) -> std::ffi::c_int;
    }
    let mut size = Winsize::default();
    // SAFETY: TIOCGWINSZ writes one winsize, and `size` has its layout.
    let answer = unsafe { ioctl(STDERR, TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.columns > 0).then_some(usize::from(size.columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_line_keeps_what_matters() {
        let mut progress = Progress::default();
        progress.update(31, 57, "nix, libc(build), harness".to_owned());
        let line = |room| progress.line("xtask", room);
        assert!(line(99).starts_with("building xtask: 31/57, about "), "{}", line(99));
        assert!(line(99).ends_with(" left: nix, libc(build), harness"), "{}", line(99));
        assert!(line(59).ends_with('…') && line(59).chars().count() == 59, "{}", line(59));
        assert!(line(39).starts_with("building") && line(39).ends_with(" left"), "{}", line(39));
        assert!(line(32).starts_with("xtask: 31/57, about "), "{}", line(32));
        assert_eq!(line(13), "xtask: 31/57");
        assert_eq!(line(3), "");
    }

    #[test]
    fn another_bar_starts_anew() {
        let mut progress = Progress::default();
        progress.update(7, 9, String::new());
        progress.update(0, 57, String::new());
        assert!(progress.line("xtask", 80).starts_with("building xtask: 0/57, about "));
    }
}

//! What goes to the reader's screen.
//!
//! Words carry the meaning. Colour repeats it, but only on a terminal and without `NO_COLOR`.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use harness::is_unprintable;

/// Set when standard output has lost its reader.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. If its reader has gone away (`| head`), the command goes on without it,
/// because its exit status still counts.
pub fn print(text: &str) {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            CLOSED.store(true, Ordering::Relaxed);
        }
        // A result that is cut short, as on a full disk, must not look complete.
        Err(error) => {
            warn(&format!("error: could not write to standard output: {error}\n"));
            std::process::exit(1);
        }
    }
}

/// Prints to standard error. That this failed cannot be reported anywhere.
pub fn warn(text: &str) {
    _ = std::io::stderr().write_all(text.as_bytes());
}

/// Whether standard output has lost its reader.
pub fn closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// How the screen can be written to.
#[derive(Clone, Copy)]
pub struct Screen {
    /// Standard output is a terminal: lines may be written over.
    pub terminal: bool,
    pub colour: bool,
    /// Columns to wrap prose at.
    pub width: usize,
}

impl Screen {
    pub fn stdout() -> Screen {
        // A dumb terminal is one that cannot redraw a line either.
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = std::io::stdout().is_terminal() && !dumb;
        let width = columns().unwrap_or(80).clamp(20, 100);
        Screen { terminal, colour: terminal && colour_is_wanted(), width }
    }

    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Shows a line that the next one replaces. Without a terminal it shows nothing.
    pub fn passing(self, text: &str) {
        if self.terminal {
            let text: String = plain(text).chars().take(self.width - 1).collect();
            print(&format!("\r\x1b[K{text}"));
        }
    }

    /// Takes the passing line away.
    pub fn clear_line(self) {
        if self.terminal {
            print("\r\x1b[K");
        }
    }

    /// Prose, wrapped, each line behind `indent`.
    pub fn wrapped(self, text: &str, indent: &str) -> String {
        text.split("\n\n").map(|paragraph| self.hanging(indent, paragraph)).collect()
    }

    /// One paragraph behind `head`; the lines after the first are indented as far. It is made [`plain`],
    /// because a program may have chosen names in it.
    pub fn hanging(self, head: &str, paragraph: &str) -> String {
        let indent = head.chars().count();
        let room = self.width.saturating_sub(indent).max(10);
        let mut lines = vec![String::new()];
        for word in paragraph.split_whitespace().map(plain).filter(|word| !word.is_empty()) {
            let line = lines.last_mut().expect("there is always one");
            if line.is_empty() {
                line.push_str(&word);
            } else if line.chars().count() + 1 + word.chars().count() <= room {
                line.push(' ');
                line.push_str(&word);
            } else {
                lines.push(word);
            }
        }
        format!("{head}{}\n", lines.join(&format!("\n{:indent$}", "")))
    }
}

/// The line without colours and other control characters, so that it cannot change the screen.
pub fn plain(line: &str) -> String {
    let mut sequences = line.split("\x1b[");
    let mut plain = sequences.next().unwrap_or_default().to_owned();
    for sequence in sequences {
        let end = sequence.find(|c| ('@'..='~').contains(&c)).map_or(0, |end| end + 1);
        plain += &sequence[end..];
    }
    plain.retain(|c| !is_unprintable(c) || c == '\t');
    plain
}

/// The same for a text of several lines.
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

fn colour_is_wanted() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb")
}

fn columns() -> Option<usize> {
    // SAFETY: zero is a valid winsize, and TIOCGWINSZ writes one.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(1, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size)
    };
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Screen = Screen { terminal: false, colour: false, width: 24 };

    #[test]
    fn prose_is_wrapped() {
        let text = "one two three four five six\n\nseven";
        assert_eq!(PLAIN.wrapped(text, "  "), "  one two three four\n  five six\n  seven\n");
        assert_eq!(
            PLAIN.wrapped("a-word-that-is-longer-than-the-line", ""),
            "a-word-that-is-longer-than-the-line\n"
        );
        assert_eq!(
            PLAIN.hanging("  line 3: ", "one two three four"),
            "  line 3: one two three\n          four\n"
        );
    }

    #[test]
    fn no_text_of_a_program_changes_the_screen() {
        assert_eq!(
            plain("\x1b[1m\x1b[31mred\x1b[0m \x1b[2Jgone\x07\rüber\x1b[12"),
            "red goneüber12"
        );
        assert_eq!(plain("\u{9b}2J\u{202e}ver\u{2066}\tsa\u{7f}w"), "2Jver\tsaw");
        assert_eq!(plain_lines("a\r\nb\x1b[2J\n"), "a\nb\n");
        assert_eq!(PLAIN.wrapped("one\x1b[2J \x07 two\u{9b}\r", "  "), "  one two\n");
    }

    #[test]
    fn colour_is_an_addition() {
        assert_eq!(PLAIN.bad("FAIL"), "FAIL");
        let coloured = Screen { colour: true, ..PLAIN };
        assert_eq!(coloured.bad("FAIL"), "\x1b[31mFAIL\x1b[0m");
    }
}

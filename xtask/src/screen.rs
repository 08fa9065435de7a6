//! Everything that goes to the reader's screen.
//!
//! Words carry the meaning; colour repeats it, on a terminal and without `NO_COLOR` only.

use std::io::{IsTerminal as _, Write as _};

/// Prints to standard output. A reader that has gone away (`| head`) ends the program quietly.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// How the screen can be written to.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    /// Standard output is a terminal: lines may be written over.
    pub(crate) terminal: bool,
    pub(crate) colour: bool,
    /// Columns to wrap prose at.
    pub(crate) width: usize,
}

impl Screen {
    pub(crate) fn stdout() -> Screen {
        let terminal = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let width = columns().unwrap_or(80).clamp(20, 100);
        Screen { terminal, colour: terminal && !no_colour && !dumb, width }
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line that the next one replaces. Without a terminal there is none.
    pub(crate) fn passing(self, text: &str) {
        if self.terminal {
            let text: String = text.chars().take(self.width - 1).collect();
            print(&format!("\r\x1b[K{text}"));
        }
    }

    /// Takes the passing line away.
    pub(crate) fn clear_line(self) {
        if self.terminal {
            print("\r\x1b[K");
        }
    }

    /// Prose, wrapped, each line behind `indent`.
    pub(crate) fn wrapped(self, text: &str, indent: &str) -> String {
        let room = self.width.saturating_sub(indent.len()).max(10);
        let mut out = String::new();
        for paragraph in text.split("\n\n") {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                    out += &format!("{indent}{line}\n");
                    line.clear();
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line += word;
            }
            out += &format!("{indent}{line}\n");
        }
        out
    }
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
    }

    #[test]
    fn colour_is_an_addition() {
        assert_eq!(PLAIN.bad("FAIL"), "FAIL");
        let coloured = Screen { colour: true, ..PLAIN };
        assert_eq!(coloured.bad("FAIL"), "\x1b[31mFAIL\x1b[0m");
    }
}

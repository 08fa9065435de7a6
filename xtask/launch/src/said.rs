//! What cargo says on its standard error.

use std::io::{ErrorKind, Read};

/// One piece of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It waits for another cargo: the text after `Blocking`.
    Blocking(String),
    /// What it does before it compiles: `Updating crates.io index`.
    Status(String),
    /// How far it is, and what is being compiled.
    Progress { done: u32, total: u32, names: String },
    /// Something that the numbers say, too.
    Nothing,
    /// A line of a diagnostic, or of anything else.
    Complaint(String),
}

/// Calls `each` with every line, and with every state of a line that is drawn over.
pub(crate) fn pieces(mut stderr: impl Read, mut each: impl FnMut(String)) {
    let (mut buffer, mut rest) = ([0; 4096], Vec::new());
    loop {
        let length = match stderr.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for byte in &buffer[..length] {
            match byte {
                b'\n' => {
                    each(String::from_utf8_lossy(&rest).into_owned());
                    rest.clear();
                }
                // The state of a bar. An empty one is no line.
                b'\r' => {
                    if !rest.is_empty() {
                        each(String::from_utf8_lossy(&rest).into_owned());
                        rest.clear();
                    }
                }
                byte => rest.push(*byte),
            }
        }
    }
    if !rest.is_empty() {
        each(String::from_utf8_lossy(&rest).into_owned());
    }
}

/// Understands one piece, which is [`plain`].
pub(crate) fn parse(piece: &str) -> Said {
    let Some((verb, what)) = status(piece) else {
        return match piece.trim().is_empty() && piece.contains(' ') {
            // With blanks cargo erases a bar.
            true => Said::Nothing,
            false => Said::Complaint(piece.to_owned()),
        };
    };
    let what = what.trim_end();
    if verb == "Blocking" {
        return Said::Blocking(what.to_owned());
    }
    if what.starts_with('[') {
        return bar(what).unwrap_or(Said::Nothing);
    }
    match verb {
        "Updating" | "Locking" | "Downloading" | "Fetch" | "Cloning" => {
            Said::Status(format!("{} {what}", verb.to_ascii_lowercase()))
        }
        _ => Said::Nothing,
    }
}

/// `[=====>     ] 31/57: nix, libc(build)`
fn bar(what: &str) -> Option<Said> {
    let (_, rest) = what.split_once(']')?;
    let (numbers, names) = rest.split_once(':').unwrap_or((rest, ""));
    let (done, total) = numbers.trim().split_once('/')?;
    let (done, total) = (done.parse().ok()?, total.parse().ok()?);
    Some(Said::Progress { done, total, names: names.trim().to_owned() })
}

/// A line in which cargo says what it does: `   Compiling libc v0.2.186`. The verb ends in the
/// twelfth column.
fn status(line: &str) -> Option<(&str, &str)> {
    let (verb, what) = line.split_at_checked(12)?;
    let verb = verb.trim_start();
    let is_verb = verb.starts_with(|c: char| c.is_ascii_uppercase())
        && verb.chars().all(|c| c.is_ascii_alphabetic());
    is_verb.then_some((verb, what.strip_prefix(' ')?))
}

/// The line without colours and other characters that a terminal acts upon.
pub fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => match characters.next() {
                // A control sequence: up to its final byte.
                Some('[') => _ = characters.find(|c| ('@'..='~').contains(c)),
                // A string, such as the title: up to BEL or ESC \.
                Some(']') => {
                    while let Some(character) = characters.next() {
                        if character == '\x07' {
                            break;
                        }
                        if character == '\x1b' {
                            _ = characters.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => plain.push('\t'),
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Said {
        parse(&plain(line))
    }

    #[test]
    fn the_bar_is_read() {
        let bar = "\x1b[1m\x1b[96m    Building\x1b[0m [=====>        ] 31/57: nix, libc(build)   ";
        let names = "nix, libc(build)".to_owned();
        assert_eq!(said(bar), Said::Progress { done: 31, total: 57, names });
        let bare = "    Building [=> ] 3/57";
        assert_eq!(said(bare), Said::Progress { done: 3, total: 57, names: String::new() });
        assert_eq!(said(" Downloading [=> ] garbled"), Said::Nothing);
    }

    #[test]
    fn cargos_own_lines_are_told_from_diagnostics() {
        assert_eq!(
            said("    Blocking waiting for file lock on build directory"),
            Said::Blocking("waiting for file lock on build directory".to_owned())
        );
        let updating = "\x1b[1m\x1b[92m    Updating\x1b[0m crates.io index";
        assert_eq!(said(updating), Said::Status("updating crates.io index".to_owned()));
        for line in ["   Compiling libc v0.2.186", "    Finished `dev` profile in 1s", "        "] {
            assert_eq!(said(line), Said::Nothing, "{line}");
        }
        for line in ["error: expected one", "   --> src/main.rs:1:2", "", "    |     ^ größer"] {
            assert_eq!(said(line), Said::Complaint(line.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_stream_is_cut_at_lines_and_at_states_of_the_bar() {
        let mut found = Vec::new();
        pieces(&b"one\n\ntwo\rthree\r\r\nfour"[..], |piece| found.push(piece));
        assert_eq!(found, ["one", "", "two", "three", "", "four"]);
    }

    #[test]
    fn nothing_acts_upon_the_terminal() {
        assert_eq!(
            plain("\x1b]9;4;1;50\x1b\\\x1b[1ma\x1b]0;title\x07b\x1b[2J\x07\tc\x1b"),
            "ab\tc"
        );
    }
}

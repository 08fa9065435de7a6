//! What stands behind a command's name, and what the command says of it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

pub use lexopt::Arg as Argument;

use crate::shared::failure::{Failure, Result};
use crate::shared::screen::Screen;

/// How a command is called. Everything that is said about its options comes from here.
#[derive(Debug)]
pub struct Usage {
    pub name: &'static str,
    /// What follows the name, and what that does: one for each way to call it.
    pub forms: &'static [(&'static str, &'static str)],
    /// `--option VALUE`, and what it does.
    pub options: &'static [(&'static str, &'static str)],
}

impl Usage {
    /// The command's part of the usage.
    pub fn text(&self, screen: Screen) -> String {
        let forms = self.forms.iter().map(|(form, text)| {
            let head = format!("  {} {form}", self.name);
            row(head.trim_end(), text, screen)
        });
        let options = self
            .options
            .iter()
            .map(|(option, text)| row(&format!("        {option}"), text, screen));
        forms.chain(options).collect()
    }

    /// The command by itself: for `--help` behind it.
    pub fn page(&self, screen: Screen) -> String {
        let takes_chapter = self.forms.iter().any(|(form, _)| form.contains("CHAPTER"));
        let chapter = if takes_chapter { chapter_names(screen) } else { String::new() };
        format!("usage: cargo xtask COMMAND\n\n{}{chapter}", self.text(screen))
    }

    /// The command lines that make sense, for a message.
    pub fn synopsis(&self) -> String {
        let forms = self.forms.iter().map(|(form, _)| {
            format!("`{}`", format!("cargo xtask {} {form}", self.name).trim_end())
        });
        let forms = forms.collect::<Vec<_>>().join(" or ");
        format!("{forms}; `--help` says more")
    }

    /// A command line that this command does not take.
    pub fn unexpected(&self, argument: Argument) -> Failure {
        let option = match argument {
            Argument::Long(name) => format!("--{name}"),
            Argument::Short(name) => format!("-{name}"),
            Argument::Value(value) => {
                let message = format!("`{}` does not take `{}`", self.name, value.display());
                return Failure::usage(message).help(self.synopsis());
            }
        };
        let failure = Failure::usage(format!("`{}` has no option `{option}`", self.name));
        let known = self.options.iter().filter_map(|(option, _)| option.split(' ').next());
        failure.help(match nearest(&option, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => self.known_options(),
        })
    }

    fn known_options(&self) -> String {
        let options = self.options.iter().map(|(option, _)| format!("`{option}`"));
        let options: Vec<_> = options.collect();
        match options.as_slice() {
            [] => "it has no options".to_owned(),
            [one] => format!("there is {one}"),
            [first @ .., last] => format!("there are {} and {last}", first.join(", ")),
        }
    }

    /// A command line that lacks something.
    pub fn needs(&self, what: &str) -> Failure {
        Failure::usage(format!("`{}` needs {what}", self.name)).help(self.synopsis())
    }
}

/// One line of a usage. On a narrow screen the text has lines of its own.
fn row(head: &str, text: &str, screen: Screen) -> String {
    const COLUMN: usize = 26;
    const NARROW: usize = 56;
    if screen.width < NARROW {
        let head = head.replacen("        ", "    ", 1);
        let indent = head.chars().take_while(|c| *c == ' ').count() + 4;
        return format!("{head}\n{}", screen.hanging(&" ".repeat(indent), text));
    }
    if head.chars().count() + 1 < COLUMN {
        return screen.hanging(&format!("{head:COLUMN$}"), text);
    }
    format!("{head}\n{}", screen.hanging(&" ".repeat(COLUMN), text))
}

/// What a CHAPTER is, in the words of a usage.
pub fn chapter_names(screen: Screen) -> String {
    let text = "A CHAPTER is ch3, 3, its name (clone) or its folder (ch03-clone).";
    format!("\n{}", screen.wrapped(text, ""))
}

/// A number above zero.
pub fn count(word: &OsStr, what: &str) -> Result<usize> {
    let number = word.to_str().and_then(|word| word.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| Failure::usage(format!("`{}` is not {what}", word.display())))
}

/// A command's arguments, one at a time.
pub struct Arguments {
    parser: lexopt::Parser,
    /// What follows `--` belongs to a program.
    for_program: bool,
}

impl Arguments {
    pub fn new<T: Into<OsString>>(words: impl IntoIterator<Item = T>) -> Arguments {
        Arguments {
            parser: lexopt::Parser::from_args(words.into_iter().map(Into::into)),
            for_program: false,
        }
    }

    /// Takes what follows `--` for the arguments of a program: [`next`](Arguments::next) stops there.
    pub fn for_program(mut self) -> Arguments {
        self.for_program = true;
        self
    }

    /// The next option or value.
    ///
    /// # Errors
    ///
    /// The option before was given a value (`--all=x`) that its command has not asked for.
    #[expect(clippy::should_implement_trait, reason = "an argument borrows from its parser")]
    pub fn next(&mut self) -> Result<Option<Argument<'_>>> {
        if self.for_program
            && self.parser.try_raw_args().is_some_and(|rest| rest.peek() == Some(OsStr::new("--")))
        {
            return Ok(None);
        }
        self.parser.next().map_err(|error| match error {
            lexopt::Error::UnexpectedValue { option, .. } => {
                Failure::usage(format!("`{option}` takes no value"))
            }
            other => Failure::usage(other),
        })
    }

    /// The value of an option that counts something.
    ///
    /// # Errors
    ///
    /// There is none, or it is not a number above zero.
    pub fn count(&mut self, what: &str) -> Result<usize> {
        count(&self.value(what)?, what)
    }

    /// The value of the option that came last. `what` says which kind of value that is.
    pub fn value(&mut self, what: &str) -> Result<OsString> {
        self.parser.value().map_err(|error| match error {
            lexopt::Error::MissingValue { option: Some(option) } => {
                Failure::usage(format!("`{option}` needs {what}"))
            }
            other => Failure::usage(other),
        })
    }

    /// All that is left, byte for byte: for a program that reads it itself.
    pub fn words(mut self) -> Vec<OsString> {
        self.parser.try_raw_args().into_iter().flatten().collect()
    }

    /// What follows `--`, byte for byte.
    pub fn program(mut self) -> Vec<OsString> {
        self.parser.try_raw_args().into_iter().flatten().skip(1).collect()
    }
}

/// The word among `known` that a mistyped one most probably means.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().map(|known| (distance(word, known), known));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    // Two letters of three are another word.
    let most = (nearest.trim_start_matches('-').chars().count() / 3).clamp(1, 3);
    (distance <= most).then_some(nearest)
}

/// How many letters have to be put in, left out, exchanged or swapped with their neighbor.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // known[(i, j)]: of the first i letters of one from the first j of the other.
    let mut known: HashMap<(usize, usize), usize> = HashMap::new();
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            let distance = if i == 0 || j == 0 {
                i + j
            } else {
                let same = one[i - 1] == other[j - 1];
                let mut least = (known[&(i - 1, j)] + 1)
                    .min(known[&(i, j - 1)] + 1)
                    .min(known[&(i - 1, j - 1)] + usize::from(!same));
                let swapped =
                    i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                if swapped {
                    least = least.min(known[&(i - 2, j - 2)] + 1);
                }
                least
            };
            known.insert((i, j), distance);
        }
    }
    known[&(one.len(), other.len())]
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    const USAGE: Usage = Usage {
        name: "try",
        forms: &[("CHAPTER", "tries it")],
        options: &[("--json", "as JSON"), ("--junit FILE", "as JUnit XML, too")],
    };

    #[test]
    fn a_word_has_a_nearest_one() {
        let commands = ["check", "watch", "hint", "run", "list", "reset"];
        for (word, wanted) in [
            ("chek", Some("check")),
            ("chekc", Some("check")),
            ("wtach", Some("watch")),
            ("lst", Some("list")),
            ("rum", Some("run")),
            ("hints", Some("hint")),
            ("frobnicate", None),
            ("xy", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, commands), wanted, "{word}");
        }
    }

    #[test]
    fn letters_are_counted() {
        for (one, other, wanted) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
            assert_eq!(distance(other, one), wanted, "{other} {one}");
        }
    }

    #[test]
    fn an_option_takes_its_value_both_ways() {
        for words in [&["--junit", "a=b"][..], &["--junit=a=b"]] {
            let mut arguments = Arguments::new(words.iter().copied());
            assert_eq!(arguments.next().unwrap(), Some(Argument::Long("junit")));
            assert_eq!(arguments.value("a file").unwrap(), "a=b");
            assert_eq!(arguments.next().unwrap(), None);
        }
        let mut arguments = Arguments::new(["--junit"]);
        arguments.next().unwrap();
        assert_eq!(arguments.value("a file").unwrap_err().to_string(), "`--junit` needs a file");
        let mut arguments = Arguments::new(["--json=yes"]);
        arguments.next().unwrap();
        assert_eq!(arguments.next().unwrap_err().to_string(), "`--json` takes no value");
    }

    #[test]
    fn what_follows_the_dashes_is_the_programs() {
        let bytes = OsString::from_vec(b"\xff\xfe".to_vec());
        let words = ["ch2".into(), "--".into(), "--json".into(), "--".into(), bytes.clone()];
        let mut arguments = Arguments::new(words).for_program();
        assert_eq!(arguments.next().unwrap(), Some(Argument::Value("ch2".into())));
        assert_eq!(arguments.next().unwrap(), None);
        assert_eq!(arguments.program(), ["--json".into(), "--".into(), bytes]);
        let mut arguments = Arguments::new(["--", "ch2"]);
        assert_eq!(arguments.next().unwrap(), Some(Argument::Value("ch2".into())));
    }

    #[test]
    fn an_unknown_option_is_answered() {
        let help = |name| USAGE.unexpected(Argument::Long(name)).advice().to_owned();
        assert_eq!(help("jsn"), "did you mean `--json`?");
        assert_eq!(help("frobnicate"), "there are `--json` and `--junit FILE`");
        let failure = USAGE.unexpected(Argument::Value("ch2".into()));
        assert_eq!(failure.to_string(), "`try` does not take `ch2`");
        assert_eq!(failure.advice(), "`cargo xtask try CHAPTER`; `--help` says more");
    }

    #[test]
    fn a_usage_fits_the_screen() {
        let screen = |width| Screen { terminal: false, colour: false, width };
        let wide = "  try CHAPTER             tries it\n        --json            as JSON\n        --junit FILE      as JUnit XML, too\n";
        assert_eq!(USAGE.text(screen(80)), wide);
        let narrow = "  try CHAPTER\n      tries it\n    --json\n        as JSON\n";
        assert!(USAGE.text(screen(40)).starts_with(narrow));
    }
}

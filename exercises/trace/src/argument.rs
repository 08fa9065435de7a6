//! The arguments of a call, decoded.

use std::fmt;

use super::namespace::NamespaceId;

/// The most characters that are kept of one text.
const LONGEST: usize = 80;

/// One argument of a call. Where it is a pointer, what it points to.
///
/// [`Display`](fmt::Display) shows it as one would type it in C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Number(i64),
    /// A null pointer.
    Null,
    /// A path, a name, or what is written. [`Argument::shorten`] keeps the first 80 characters.
    Text(String),
    /// The arguments of a program: the first sixteen.
    Texts(Vec<String>),
    /// Constants by name. The bits without a name are one hexadecimal number.
    Flags(Vec<String>),
    Descriptor {
        number: i32,
        /// What it is open on, where the call depends on that.
        target: Option<Target>,
    },
}

/// What a descriptor is open on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Namespace(NamespaceId),
    /// It is a pidfd. The pid is the one in the caller's PID namespace, if there is one.
    Process(Option<i32>),
}

impl Argument {
    /// Cuts texts that are longer than 80 characters, and puts an ellipsis for the rest.
    pub fn shorten(&mut self) {
        let cut = |text: &mut String| {
            if let Some((end, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(end);
                text.push('…');
            }
        };
        match self {
            Argument::Text(text) => cut(text),
            Argument::Texts(texts) => texts.iter_mut().for_each(cut),
            _ => {}
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Argument::Number(number) => write!(f, "{number}"),
            Argument::Null => f.write_str("NULL"),
            Argument::Text(text) => f.write_str(&quoted(text)),
            Argument::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Argument::Flags(names) if names.is_empty() => f.write_str("0"),
            Argument::Flags(names) => f.write_str(&names.join(" | ")),
            Argument::Descriptor { number: libc::AT_FDCWD, .. } => f.write_str("AT_FDCWD"),
            Argument::Descriptor { number, target: None } => write!(f, "{number}"),
            Argument::Descriptor { number, target: Some(target) } => match target {
                Target::Namespace(namespace) => write!(f, "{number}: {namespace}"),
                Target::Process(Some(pid)) => write!(f, "{number}: a pidfd of process {pid}"),
                Target::Process(None) => write!(f, "{number}: a pidfd of a process"),
            },
        }
    }
}

/// As a string of C. The ellipsis of a text that was cut comes after the quotes.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, '…')) => format!("{:?}…", &text[..end]),
        _ => format!("{text:?}"),
    }
}

/// The call as one would type it: `unshare(CLONE_NEWUTS)`.
pub(crate) fn as_typed(call: &str, arguments: &[Argument]) -> String {
    match (call, arguments) {
        // fork(3) of the C library.
        ("clone", [Argument::Flags(flags)]) if flags == &["SIGCHLD"] => "fork()".into(),
        ("clone3", [Argument::Flags(flags), Argument::Flags(signal)]) => {
            match (flags.as_slice(), signal.as_slice()) {
                ([], [signal]) if signal == "SIGCHLD" => "fork()".into(),
                (_, []) => format!("clone3({})", arguments[0]),
                (_, _) => format!("clone3({}, exit_signal = {})", arguments[0], arguments[1]),
            }
        }
        _ => {
            let arguments: Vec<String> = arguments.iter().map(Argument::to_string).collect();
            format!("{call}({})", arguments.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_after_80_characters() {
        let shown = |text: String| {
            let mut text = Argument::Text(text);
            text.shorten();
            text.to_string()
        };
        assert_eq!(shown("ß".repeat(80)), format!("\"{}\"", "ß".repeat(80)));
        assert_eq!(shown("ß".repeat(81)), format!("\"{}\"…", "ß".repeat(80)));
        assert_eq!(shown("a\"…".to_owned()), r#""a\"…""#);
    }

    #[test]
    fn a_fork_of_the_c_library_is_a_fork() {
        let clone = |flags: &[&str]| {
            let flags = flags.iter().map(|flag| flag.to_string()).collect();
            as_typed("clone", &[Argument::Flags(flags)])
        };
        assert_eq!(clone(&["SIGCHLD"]), "fork()");
        assert_eq!(clone(&["CLONE_NEWPID", "SIGCHLD"]), "clone(CLONE_NEWPID | SIGCHLD)");
        assert_eq!(clone(&[]), "clone(0)");
    }
}

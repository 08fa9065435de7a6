//! Why a command could not do its work.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use crate::shared::screen::{self, plain_lines};

pub type Result<T = ExitCode> = std::result::Result<T, Failure>;

/// What could not be done and why, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    help: Option<String>,
}

impl Failure {
    /// The command line makes no sense: exit status 2.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure { code: 2, message: message.to_string(), help: None }
    }

    /// Anything else that went wrong: exit status 1.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { code: 1, message: message.to_string(), help: None }
    }

    /// This machine cannot do it: exit status 3.
    pub fn machine(message: impl fmt::Display) -> Failure {
        Failure { code: 3, message: message.to_string(), help: None }
    }

    /// A file that could not be read or written, in words such as "could not write `FILE`". If a disk or
    /// a permission is the reason, the machine is.
    pub fn file(what: impl fmt::Display, error: &io::Error) -> Failure {
        let help = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "make room: `cargo clean` removes what earlier builds left"
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                "work in a checkout of your own: `git clone` or `cp -r` makes one"
            }
            _ => return Failure::new(format!("{what}: {error}")),
        };
        Failure::machine(format!("{what}: {error}")).help(help)
    }

    /// A thread that could not be started.
    pub fn thread(error: &io::Error) -> Failure {
        Failure::machine(format!("could not start a thread: {error}"))
            .help("a limit on processes is used up: `ulimit -u` shows it, `cargo xtask doctor` all of them")
    }

    pub fn help(mut self, help: impl fmt::Display) -> Failure {
        self.help = Some(help.to_string());
        self
    }

    /// Prints it, without control characters: it may quote names that a program has chosen.
    pub fn print(&self) {
        screen::warn(&format!("error: {}\n", plain_lines(&self.message)));
        if let Some(help) = &self.help {
            screen::warn(&format!("help: {}\n", plain_lines(help)));
        }
    }

    /// Prints it and ends the program.
    pub fn end(&self) -> ! {
        self.print();
        std::process::exit(i32::from(self.code))
    }

    /// The exit status, which says which kind of failure it is.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// What to do about it.
    pub fn advice(&self) -> &str {
        self.help.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

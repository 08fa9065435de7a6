//! A call that this machine refused.

use std::fmt;

use nix::errno::Errno;

use crate::helper::setup::SetupError;
use crate::helper::wire::{Reader, Writer};

/// Where, which call, which errno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A probe's name, or a stage's of the sandbox's set-up: the table's keys under `when`.
    pub at: String,
    /// The call as one would type it.
    pub call: String,
    pub errno: Errno,
}

/// For `map_err`: attaches place and call to an errno.
pub(super) fn refused(at: &str, call: impl Into<String>) -> impl FnOnce(Errno) -> Refusal {
    move |errno| Refusal { at: at.to_owned(), call: call.into(), errno }
}

/// The same for errors of the standard library.
pub(super) fn io_refused(
    at: &str,
    call: impl Into<String>,
) -> impl FnOnce(std::io::Error) -> Refusal {
    move |error| refused(at, call)(crate::sys::errno_of(&error))
}

impl From<SetupError> for Refusal {
    fn from(error: SetupError) -> Refusal {
        Refusal { at: error.stage.name().to_owned(), call: error.call, errno: error.errno }
    }
}

impl Refusal {
    /// `EPERM`, as man pages write it.
    pub fn errno_name(&self) -> String {
        format!("{:?}", self.errno)
    }

    pub(super) fn encode(&self, to: &mut Writer) {
        to.text(&self.at).text(&self.call).number(self.errno as u64);
    }

    pub(super) fn decode(from: &mut Reader) -> Option<Refusal> {
        Some(Refusal {
            at: from.text()?,
            call: from.text()?,
            errno: Errno::from_raw(i32::try_from(from.number()?).ok()?),
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.errno_name())
    }
}

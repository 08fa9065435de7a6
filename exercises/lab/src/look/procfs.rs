//! Readers of files in `/proc/PID` (proc(5)), one for each format.
//!
//! A process chooses its name and its environment, which may hold any bytes. So these readers accept
//! any text, which `fuzz` tries.

use std::ffi::c_ulong;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use nix::unistd::Pid;

/// The contents of a file, with U+FFFD for bytes that are not UTF-8.
///
/// # Errors
///
/// Those of open(2) and read(2).
pub(crate) fn text_of(file: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
}

/// A file of lines `NAME: VALUE`, such as `status` (proc_pid_status(5)) and those in `fdinfo`
/// (proc_pid_fdinfo(5)).
#[derive(Debug, Default)]
pub struct Fields(pub(crate) String);

impl Fields {
    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// Those of open(2) and read(2).
    pub fn read(file: impl AsRef<Path>) -> io::Result<Fields> {
        text_of(file).map(Fields)
    }

    /// Reads `/proc/PID/status`. `None` if the process is gone.
    pub fn status(pid: Pid) -> Option<Fields> {
        Fields::read(format!("/proc/{pid}/status")).ok()
    }

    /// The value of a line, without the white space around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }

    /// The first word of a line, as a number: of `Uid` the real uid.
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.split_ascii_whitespace().next()?.parse().ok()
    }

    /// `NSpid`: the pid in each PID namespace, from that of the `/proc` inwards. Empty if there is no
    /// such line.
    pub fn pids(&self) -> Vec<i32> {
        let numbers = self.get("NSpid").unwrap_or_default().split_ascii_whitespace();
        numbers.filter_map(|pid| pid.parse().ok()).collect()
    }

    /// A set of capabilities (capabilities(7)) or of signals (signal(7)) as bits, such as `CapEff`. Signal 1
    /// is the lowest bit.
    pub fn bits(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.get(name)?, 16).ok()
    }
}

/// The hard limit in a line of `/proc/PID/limits` (proc_pid_limits(5)), such as `Max processes`.
/// [`u64::MAX`] is no limit.
pub(crate) fn hard_limit_in(limits: &str, name: &str) -> Option<u64> {
    let values = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match values.split_ascii_whitespace().nth(1)? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// The lines of a `uid_map` or `gid_map` (user_namespaces(7)): first id inside, first id outside,
/// length.
pub fn ranges_in(map: &str) -> Vec<[u32; 3]> {
    let numbers = |line: &str| {
        let mut fields = line.split_ascii_whitespace().map(|field| field.parse().ok());
        Some([fields.next()??, fields.next()??, fields.next()??])
    };
    map.lines().filter_map(numbers).collect()
}

/// uid and gid in a `/proc/PID/auxv` (getauxval(3)): pairs of a key and a value.
pub(crate) fn ids_in(auxv: &[u8]) -> Option<[u32; 2]> {
    let words = auxv.as_chunks().0.iter().map(|word| c_ulong::from_ne_bytes(*word));
    let words: Vec<c_ulong> = words.collect();
    let pairs = words.as_chunks().0;
    let value =
        |key: c_ulong| pairs.iter().find(|[found, _]| *found == key).map(|[_, id]| *id as u32);
    Some([value(libc::AT_UID)?, value(libc::AT_GID)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let fields = Fields("NSpid:\t77\t2\nPid:\t5\nCapEff:\t0000000000000021\n".into());
        assert_eq!((fields.get("Pid"), fields.number("Pid")), (Some("5"), Some(5)));
        assert_eq!((fields.pids(), fields.bits("CapEff")), (vec![77, 2], Some(0x21)));
        assert_eq!((fields.get("NS"), fields.number::<u32>("Uid")), (None, None));
    }
}

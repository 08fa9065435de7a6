//! `/proc/PID/stat` and `statm` (proc_pid_stat(5), proc_pid_statm(5)) of a process that tries to hide.
//!
//! A process chooses its name, which may hold any bytes, among them brackets. Its first thread may end
//! before the others: it is then a zombie without memory, which keeps the pid while the others run.

use std::fs;

use super::procfs::text_of;

/// Parts of `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) name: String,
    /// The state of the first thread.
    pub(crate) state: char,
    /// How many threads there are, including the first one if it is a zombie.
    pub(crate) threads: u64,
    /// When it was made, in clock ticks since the machine was started.
    pub(crate) started: u64,
}

impl Stat {
    /// `None` if the process is gone.
    pub(crate) fn of(pid: i32) -> Option<Stat> {
        Stat::parse(&text_of(format!("/proc/{pid}/stat")).ok()?)
    }

    pub(crate) fn parse(text: &str) -> Option<Stat> {
        let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        // num_threads is the 20th field, 17 after the state.
        let threads = fields.nth(16)?.parse().ok()?;
        // starttime is the 22nd.
        let started = fields.nth(1)?.parse().ok()?;
        Some(Stat { name: name.to_owned(), state, threads, started })
    }

    /// Whether all of its threads have ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

/// Resident memory in bytes: the second field of `/proc/PID/statm`, which counts pages. If the first
/// thread has ended, only the files of the other threads have it.
pub(crate) fn rss(pid: i32) -> u64 {
    let read = |file: &str| -> Option<u64> {
        let pages = text_of(file).ok()?.split(' ').nth(1)?.parse::<u64>().ok()?;
        Some(pages * page_size()).filter(|bytes| *bytes > 0)
    };
    let of_a_thread = || {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        threads.flatten().find_map(|thread| read(thread.path().join("statm").to_str()?))
    };
    read(&format!("/proc/{pid}/statm")).or_else(of_a_thread).unwrap_or(0)
}

fn page_size() -> u64 {
    // SAFETY: takes an integer and asks nothing of us.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "1 2 2 0 -1 4194304 85 0 0 0 0 0 0 0 20 0 7 0 5000 0 0";

    #[test]
    fn a_name_may_hold_anything() {
        for name in ["sleep", "a) Z 1", ") (", "", "\u{fffd}"] {
            let stat = Stat::parse(&format!("12 ({name}) S {REST}")).unwrap();
            assert_eq!((stat.name.as_str(), stat.state), (name, 'S'));
            assert_eq!((stat.threads, stat.started), (7, 5000));
        }
        assert_eq!(Stat::parse("12 (sleep) S 1 2"), None);
        assert_eq!(Stat::parse("12 sleep S"), None);
    }

    #[test]
    fn who_has_threads_left_has_not_ended() {
        let stat = |state, threads| Stat { name: String::new(), state, threads, started: 0 };
        assert!(stat('Z', 1).has_ended() && stat('X', 0).has_ended());
        assert!(!stat('Z', 2).has_ended() && !stat('S', 1).has_ended());
    }

    #[test]
    fn our_own() {
        let own = Stat::of(std::process::id() as i32).unwrap();
        assert!(own.threads >= 1 && !own.has_ended(), "{own:?}");
        assert!(rss(std::process::id() as i32) > 100_000);
        assert_eq!((Stat::of(i32::MAX), rss(i32::MAX)), (None, 0));
    }
}

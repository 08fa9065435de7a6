//! Which PID namespace a mounted `/proc` belongs to.
//!
//! A proc file system shows the processes of the PID namespace of whoever mounted it
//! (pid_namespaces(7)). Its device number tells nothing: every mount is an instance of its own.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;

use super::{Kind, Namespace, Process};

/// What a process finds at `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// The processes of its own PID namespace.
    Own,
    /// Those of a namespace further out, in which it has another pid too.
    Outer,
    /// Neither: no proc file system, or one of a namespace that it is not in.
    Other,
}

impl fmt::Display for Proc {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Proc::Own => "shows its own PID namespace",
            Proc::Outer => "shows an outer PID namespace",
            Proc::Other => "shows neither its own PID namespace nor an outer one",
        })
    }
}

impl Process {
    /// What it finds at `/proc`, looked up in its root directory.
    ///
    /// Read from outside, so `self` is of no use: that would be the reader. But the process itself
    /// must stand there under the pid that it has in the namespace of that `/proc`, and whoever
    /// stands there is known by its PID namespace: PID 1 of each is in its own.
    pub fn proc(&self) -> Proc {
        let Some(pids) = self.status("NSpid") else { return Proc::Other };
        let pids: Vec<&str> = pids.split_ascii_whitespace().collect();
        let own = namespace_of(Path::new(&format!("/proc/{}", self.pid())));
        let seen = |pid: &str| format!("/proc/{}/root/proc/{pid}", self.pid());
        let stands_at = |pid: &str, levels: &[&str]| {
            let folder = seen(pid);
            // Seen in an instance, NSpid begins with the level of that instance (proc(5)).
            let listed = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
            let listed = listed.lines().find_map(|line| line.strip_prefix("NSpid:"));
            let same_levels = listed
                .is_some_and(|listed| listed.split_ascii_whitespace().eq(levels.iter().copied()));
            same_levels && own.is_some() && namespace_of(Path::new(&folder)) == own
        };
        // From the outermost level that is not ours to its own.
        let level = (1..pids.len()).rev().find(|level| stands_at(pids[*level], &pids[*level..]));
        match level {
            Some(level) if level + 1 == pids.len() => Proc::Own,
            Some(_) => Proc::Outer,
            None => Proc::Other,
        }
    }
}

fn namespace_of(process: &Path) -> Option<Namespace> {
    Namespace::hold(File::open(process.join("ns").join(Kind::Pid.name())).ok()?.into()).ok()
}

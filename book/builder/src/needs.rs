//! What a run of a page needs: tools, versions, and a sandbox with the chapters' programs.

use anyhow::{Context as _, Result};
use lab::sandbox::{self, Run, Sandbox, State};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The chapters' finished programs: the name by which a page calls each, and its file.
pub type Programs = [(String, PathBuf)];

/// What became of a run.
pub enum Recording<T> {
    Made(T),
    /// There was no run, for this reason. `need` is what the machine lacks, where it lacks something.
    Skipped {
        need: Option<Need>,
        reason: String,
    },
}

/// A `needs=` attribute: without it there is no run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// `ids`: a lab with a range of ids, in which setgroups(2) has not been denied.
    ManyIds,
    /// `cgroups`: a lab with cgroups of its own.
    Cgroups,
    /// `cgroup-limits`: the same, and limits can be set on them.
    CgroupLimits,
    /// `linux-VERSION`: the oldest kernel that will do.
    Linux(String),
    /// `TOOL-VERSION`: the tool whose output the page shows.
    Version { tool: String, version: String },
    /// `TOOL`: a program that must be installed.
    Tool(String),
}

impl Need {
    pub(crate) fn parse(text: &str) -> Need {
        let is_version = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
        match (text, text.rsplit_once('-')) {
            ("ids", _) => Need::ManyIds,
            ("cgroups", _) => Need::Cgroups,
            ("cgroup-limits", _) => Need::CgroupLimits,
            (_, Some(("linux", version))) if is_version(version) => Need::Linux(version.to_owned()),
            (_, Some((tool, version))) if is_version(version) => {
                Need::Version { tool: tool.to_owned(), version: version.to_owned() }
            }
            _ => Need::Tool(text.to_owned()),
        }
    }

    /// Whether a kernel of this version is new enough, if it is a need for a kernel.
    pub(crate) fn is_met_by(&self, kernel: &str) -> bool {
        !matches!(self, Need::Linux(oldest) if numbers(kernel) < numbers(oldest))
    }

    /// Why this machine does not have it; `None` if it does.
    pub(crate) fn lacking(&self) -> Option<String> {
        match self {
            Need::ManyIds => (!sandbox::has_many_ids()).then(|| {
                "it needs a map of many ids, and an ordinary user can map only one".to_owned()
            }),
            Need::Cgroups => self.without(sandbox::has_cgroups()),
            Need::CgroupLimits => self.without(sandbox::has_cgroup_limits()),
            Need::Linux(oldest) => {
                let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
                let release = release.unwrap_or_default();
                let release = release.trim();
                (!self.is_met_by(release))
                    .then(|| format!("it needs Linux {oldest}, and this is {release}"))
            }
            Need::Version { tool, version } => {
                let installed = versions(tool);
                let found = installed.first().map_or("none", String::as_str);
                (!installed.contains(version))
                    .then(|| format!("it was recorded with {tool} {version}, and here is {found}"))
            }
            Need::Tool(tool) => {
                let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
                let found = path.split(':').any(|folder| Path::new(folder).join(tool).exists());
                (!found).then(|| format!("`{tool}` is not installed"))
            }
        }
    }

    fn without(&self, lab: Result<(), sandbox::Refusal>) -> Option<String> {
        lab.err().map(|error| format!("it needs {self} of the lab's own: {error}"))
    }
}

/// As a page writes it.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Need::ManyIds => write!(f, "ids"),
            Need::Cgroups => write!(f, "cgroups"),
            Need::CgroupLimits => write!(f, "cgroup-limits"),
            Need::Linux(version) => write!(f, "linux-{version}"),
            Need::Version { tool, version } => write!(f, "{tool}-{version}"),
            Need::Tool(tool) => write!(f, "{tool}"),
        }
    }
}

/// The first need that this machine does not meet, as a run that did not take place.
pub(crate) fn unmet<T>(needs: &[Need]) -> Option<Recording<T>> {
    needs.iter().find_map(|need| {
        Some(Recording::Skipped { reason: need.lacking()?, need: Some(need.clone()) })
    })
}

/// Starts a program in a sandbox that has what it needs. `programs` are shown under `/lab`.
pub(crate) fn start(
    mut sandbox: Sandbox,
    state: State,
    needs: &[Need],
    programs: &Programs,
) -> Result<Run> {
    sandbox = sandbox.state(state);
    if needs.contains(&Need::ManyIds) {
        sandbox = sandbox.many_ids();
    }
    if needs.contains(&Need::Cgroups) || needs.contains(&Need::CgroupLimits) {
        sandbox = sandbox.cgroups();
    }
    for (name, path) in programs {
        sandbox = sandbox.show(name, path);
    }
    sandbox.start().context("could not start the sandbox")
}

/// The two numbers that a kernel's version begins with.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '-', '+']);
    parts.map_while(|part| part.parse().ok()).take(2).collect()
}

/// The words of a tool's version message that look like a version. None if it is not installed.
fn versions(tool: &str) -> Vec<String> {
    let (program, argument) = match tool {
        "util-linux" => ("unshare", "--version"),
        "iproute2" => ("ip", "-V"),
        other => (other, "--version"),
    };
    let output = Command::new(program).arg(argument).output();
    let message = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let message = message.unwrap_or_default();
    let words = message.split([' ', '\n', ',', '-', '(', ')']);
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_written_as_it_is_read() {
        let linux = Need::Linux("6.2".into());
        let version = Need::Version { tool: "util-linux".into(), version: "2.38.1".into() };
        for (text, need) in [
            ("ids", Need::ManyIds),
            ("cgroups", Need::Cgroups),
            ("cgroup-limits", Need::CgroupLimits),
            ("linux-6.2", linux),
            ("util-linux-2.38.1", version),
            ("newuidmap", Need::Tool("newuidmap".into())),
            ("util-linux", Need::Tool("util-linux".into())),
        ] {
            assert_eq!((Need::parse(text), need.to_string().as_str()), (need, text));
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("6.18.44-fc") > numbers("6.2"));
        assert!(numbers("5.10.0-28-amd64") >= numbers("5.10"));
        let lacking = |need: &str| Need::parse(need).lacking();
        assert!(lacking("linux-99.0").is_some() && lacking("linux-2.6").is_none());
        assert_eq!(lacking("no-such-tool").as_deref(), Some("`no-such-tool` is not installed"));
    }
}

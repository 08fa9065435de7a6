//! What `/proc/self/mountinfo` (proc_pid_mountinfo(5)) shows of this machine's `/proc` and cgroups.

use std::fs;

use lab::look::mounts::{Mount, parse};

/// The mounts that are visible here, in the order in which they were made.
pub(super) struct Mounts {
    /// `None` if there is no such file.
    all: Option<Vec<Mount>>,
    /// Where the link `/proc/self` leads: the pid of this process in the PID namespace of `/proc`.
    self_link: Option<String>,
}

/// Directories below `/proc` that are always empty and made for mounts, so that a mount there hides
/// nothing (`proc_create_mount_point`, `fs/proc/generic.c`).
const MADE_TO_MOUNT_ON: [&str; 2] = ["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd"];

impl Mounts {
    pub(super) fn read() -> Mounts {
        let text = fs::read_to_string("/proc/self/mountinfo").ok();
        let link = fs::read_link("/proc/self").ok();
        let self_link = link.map(|link| link.to_string_lossy().into_owned());
        Mounts { all: text.map(|text| parse(&text)), self_link }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Mount> {
        self.all.iter().flatten()
    }

    /// The state of `/proc` in one word or two.
    pub(super) fn proc(&self) -> Option<String> {
        let Some(link) = &self.self_link else { return Some("missing".to_owned()) };
        let proc = self.iter().rfind(|mount| mount.point == "/proc")?;
        let hides_processes = proc.super_options.split(',').any(|option| {
            option.starts_with("hidepid=") && !matches!(option, "hidepid=0" | "hidepid=off")
        });
        let state = if *link != std::process::id().to_string() {
            "another PID namespace's"
        } else if proc.is_read_only() {
            "read-only"
        } else if proc.super_options.split(',').any(|option| option == "subset=pid") {
            "processes only"
        } else if self.masks().next().is_some() {
            "masked"
        } else if hides_processes {
            "hiding other users' processes"
        } else {
            "whole"
        };
        Some(state.to_owned())
    }

    /// What is mounted over parts of `/proc`.
    pub(super) fn proc_hides(&self) -> Option<String> {
        self.all.as_ref()?;
        let mut hidden: Vec<&str> = self.masks().collect();
        hidden.sort_unstable();
        hidden.dedup();
        let shown = hidden.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        Some(match hidden.len() {
            0 => "nothing".to_owned(),
            1..=3 => shown,
            more => format!("{shown} and {} more", more - 3),
        })
    }

    fn masks(&self) -> impl Iterator<Item = &str> {
        let below = self.iter().map(|mount| mount.point.as_str());
        below.filter(|point| point.starts_with("/proc/") && !MADE_TO_MOUNT_ON.contains(point))
    }

    /// Whether there is no mount at `/`, as for a process that was chrooted to a directory.
    pub(super) fn lack_a_root(&self) -> bool {
        self.all.is_some() && !self.iter().any(|mount| mount.point == "/")
    }

    /// Which cgroup hierarchies are mounted (cgroups(7)).
    pub(super) fn cgroup(&self) -> Option<&'static str> {
        let all = self.all.as_ref()?;
        let has = |kind: &str| all.iter().any(|mount| mount.kind == kind);
        Some(match (has("cgroup2"), has("cgroup")) {
            (true, false) => "v2",
            (true, true) => "v1 and v2",
            (false, true) => "v1",
            (false, false) => "none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "\
1 0 0:50 / / rw - overlay overlay rw
2 1 0:51 / /proc rw,nosuid - proc proc rw
3 1 0:28 / /sys/fs/cgroup ro - cgroup2 cgroup rw
4 2 0:51 /sys /proc/sys ro - proc proc rw
5 2 0:53 / /proc/kcore rw - tmpfs tmpfs rw
6 2 0:53 / /proc/keys rw - tmpfs tmpfs rw
7 2 0:53 / /proc/scsi ro - tmpfs tmpfs ro
";

    fn mounts(text: &str) -> Mounts {
        Mounts { all: Some(parse(text)), self_link: Some(std::process::id().to_string()) }
    }

    #[test]
    fn dockers_masks_are_seen() {
        let docker = mounts(DOCKER);
        assert_eq!(docker.proc().as_deref(), Some("masked"));
        let hides = "/proc/kcore, /proc/keys, /proc/scsi and 1 more";
        assert_eq!(docker.proc_hides().as_deref(), Some(hides));
        assert_eq!((docker.cgroup(), docker.lack_a_root()), (Some("v2"), false));
    }

    #[test]
    fn states_of_proc() {
        for (lines, state) in [
            (
                "2 1 0:5 / /proc rw - proc proc rw\n3 2 0:6 / /proc/sys/fs/binfmt_misc rw - autofs a rw",
                "whole",
            ),
            ("2 1 0:5 / /proc ro,nosuid - proc proc rw", "read-only"),
            (
                "2 1 0:5 / /proc rw - proc proc rw,hidepid=invisible",
                "hiding other users' processes",
            ),
            ("2 1 0:5 / /proc rw - proc proc rw,subset=pid", "processes only"),
        ] {
            assert_eq!(mounts(lines).proc().as_deref(), Some(state), "{lines}");
        }
        let elsewhere = Mounts { self_link: Some("1".into()), ..mounts(DOCKER) };
        assert_eq!(elsewhere.proc().as_deref(), Some("another PID namespace's"));
        let gone = Mounts { all: None, self_link: None };
        assert_eq!((gone.proc().as_deref(), gone.proc_hides()), (Some("missing"), None));
        assert!(!gone.lack_a_root());
    }
}

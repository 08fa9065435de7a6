//! What a program has changed outside its own namespaces.

use lab::look::{Kind, Mount};
use lab::{sandbox, visit};

use super::{Attempt, or_errno};

impl Attempt {
    /// What the program has changed for the processes that were there before it.
    pub(super) fn lab_afterwards(&self) -> String {
        let lab = self.run.lab();
        let mut changes = Vec::new();
        match lab.get(Kind::Uts).map(visit::host_name) {
            Some(Ok(name)) if name == self.host_name => {}
            name => changes.push(format!("the host name is {}", or_errno(name))),
        }
        changes.extend(self.mounts_changed());
        let cgroups = self.run.cgroups().into_iter().filter(|path| path != sandbox::STARTED_IN);
        changes.extend(cgroups.map(|path| format!("there is a cgroup {path}")));
        if changes.is_empty() { "unchanged".to_owned() } else { changes.join(", ") }
    }

    /// How the lab's mounts have changed since the program started.
    pub fn mounts_changed(&self) -> Vec<String> {
        let lab = self.run.lab();
        let before = self.run.mounts();
        // As the program found them: the root of a cgroup mount depends on the reader's cgroup namespace.
        let has_cgroups = before.iter().any(|mount| mount.kind.starts_with("cgroup"));
        let now = match (lab.get(Kind::Mnt), lab.get(Kind::Cgroup).filter(|_| has_cgroups)) {
            (Some(mnt), Some(cgroup)) => Some(visit::mounts_seen_from(cgroup, mnt)),
            (mnt, _) => mnt.map(visit::mounts_in),
        };
        let now = match now {
            Some(Ok(mounts)) => mounts,
            Some(Err(errno)) => return vec![format!("its mounts cannot be read ({errno})")],
            None => return Vec::new(),
        };
        // The number of a mount that is gone is used again at once.
        let same = |one: &Mount, other: &Mount| {
            (one.id, one.parent, &one.device) == (other.id, other.parent, &other.device)
                && (&one.kind, &one.point, root(one)) == (&other.kind, &other.point, root(other))
        };
        let new = now.iter().filter(|mount| !before.iter().any(|known| same(known, mount)));
        let gone = before.iter().filter(|mount| !now.iter().any(|left| same(left, mount)));
        // The first one is enough: how many mounts there are depends on the machine.
        let changed = before.iter().find_map(|before| {
            let now = now.iter().find(|now| same(now, before))?.propagation;
            (now != before.propagation)
                .then(|| format!("{} is {now}, not {}", before.point, before.propagation))
        });
        let mut changes: Vec<_> = new.map(|mount| format!("{mount} is mounted")).collect();
        changes.extend(gone.map(|mount| format!("{mount} is gone")));
        changes.extend(changed);
        changes
    }
}

/// The root of a mount, without the mark of a file of this machine that is replaced while it is mounted (`seq_dentry`
/// in fs/seq_file.c). No program in a lab can do that, but an update of the machine does.
fn root(mount: &Mount) -> &str {
    mount.root.trim_end_matches("//deleted")
}

//! A lab whose mounts are shared, as on most machines.

use std::collections::BTreeSet;

use lab::look::Kind;
use lab::visit::mounts_in;

use super::{await_that, shell};

/// The numbers of the peer groups that the mounts of a mountinfo belong to or receive from.
fn groups(mountinfo: &str) -> BTreeSet<String> {
    let words = mountinfo.split_ascii_whitespace();
    let groups = words
        .filter_map(|word| word.strip_prefix("shared:").or_else(|| word.strip_prefix("master:")));
    groups.map(str::to_owned).collect()
}

#[test]
fn peer_groups_are_read_from_a_mountinfo() {
    let mountinfo = "30 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n\
                     31 30 0:5 / /a rw shared:2 master:3 - tmpfs tmpfs rw\n\
                     32 30 0:6 / /b rw - tmpfs tmpfs rw\n";
    assert_eq!(groups(mountinfo), ["1", "2", "3"].map(str::to_owned).into());
}

#[test]
fn shared_mounts_propagate_within_the_lab_only() {
    let script = "mount -t tmpfs mine /mnt && cat /proc/self/mountinfo && sleep 60";
    let outside = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = outside();
    let run = shell(script).shared_mounts().start().unwrap();
    let lab = run.lab().get(Kind::Mnt).unwrap();
    await_that(|| mounts_in(lab).unwrap().iter().any(|mount| mount.to_string() == "tmpfs on /mnt"));

    // Each mount is in a peer group and is a slave of none, so propagation starts inside.
    let mounts = mounts_in(lab).unwrap();
    for mount in &mounts {
        assert_eq!(mount.propagation.to_string(), "shared", "{mount}");
    }
    // The groups have members neither here nor in the mount namespace of PID 1, between the two.
    let inside: BTreeSet<_> = mounts.iter().filter_map(|mount| mount.propagation.shared).collect();
    let inside: BTreeSet<_> = inside.iter().map(u64::to_string).collect();
    assert!(!inside.is_empty());
    assert!(groups(&outside()).is_disjoint(&inside));
    assert_eq!(before, outside());
    let init = run.program().parent().unwrap();
    match std::fs::read_to_string(format!("/proc/{init}/mountinfo")) {
        Ok(between) => {
            assert!(groups(&between).is_disjoint(&inside), "{between}");
            assert!(between.contains(" / / ") && !between.contains(" /mnt "), "{between}");
        }
        Err(error) => skip!(NotRoot: "the mounts of PID 1 of the sandbox: {error}"),
    }
}

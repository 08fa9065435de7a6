//! The doctor in environments that forbid something: each is staged, in a process that is this
//! test started again, and the doctor and a sandbox are asked there.
//!
//! What cannot be staged here is skipped and says so; `CI_NO_SKIP=1` makes a skip a failure.

#[path = "staged/mod.rs"]
mod staged;

use harness::doctor::{Proof, environments};
use staged::{Seen, in_environment};

/// Stages `environment`; `None`, and the reason in the output, where that is not possible.
fn seen_in(environment: &str) -> Option<Seen> {
    match in_environment(environment) {
        Ok(seen) => Some(seen),
        Err(reason) => {
            eprintln!("skipped: {environment} cannot be staged here: {reason}");
            assert!(std::env::var_os("CI_NO_SKIP").is_none(), "skipped: {reason}");
            None
        }
    }
}

/// The sandbox is refused at this place with this errno, the doctor names this row of the table
/// (or that row as it reads in the container where these tests run), and its probe says the same
/// as the sandbox. A check says that the program has not run: neither "passed" nor "failed".
#[track_caller]
fn refused(environment: &str, place: &str, errno: &str, row: &str) {
    let Some(seen) = seen_in(environment) else { return };
    let [was_at, was, named] = seen.sandbox().unwrap_or_else(|| panic!("it worked\n{seen}"));
    assert_eq!((was_at.as_str(), was.as_str()), (place, errno), "{seen}");
    let in_a_container = ["docker", "podman", "kubernetes"].map(|name| format!("{name}-{row}"));
    let named = in_a_container.iter().find(|name| **name == named).map_or(named.as_str(), |_| row);
    assert_eq!(named, row, "{seen}");
    let verdict = "could not check: this machine refused the sandbox (your program has not run)";
    assert_eq!(seen.value("verdict"), Some(verdict), "{seen}");
    let cause = seen.value("cause");
    assert!(cause.is_some() && cause == seen.value("doctor cause"), "{seen}");
}

/// The sandbox works, and the doctor finds nothing that the chapters there are would miss.
#[track_caller]
fn works(environment: &str) {
    let Some(seen) = seen_in(environment) else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some(""), "{seen}");
    assert_eq!(seen.value("recorded"), Some("Reached, exit(0)"), "{seen}");
}

#[test]
fn nothing_is_forbidden() {
    works("as it is");
}

#[test]
fn a_namespace_within_a_namespace() {
    works("a user namespace");
}

#[test]
fn no_user_namespaces_allowed() {
    refused("limit user 0", "namespaces", "ENOSPC", "no-user-namespaces-allowed");
}

#[test]
fn one_user_namespace_allowed() {
    refused("limit user 1", "inner", "ENOSPC", "one-user-namespace-allowed");
}

#[test]
fn no_network_namespaces_allowed() {
    refused("limit net 0", "inner", "ENOSPC", "a-limit-at-zero");
}

#[test]
fn too_deep() {
    refused("depth 0", "namespaces", "ENOSPC", "too-deep");
    refused("depth 1", "inner", "ENOSPC", "too-deep");
}

#[test]
fn dockers_seccomp_filter() {
    refused("seccomp docker", "namespaces", "EPERM", "seccomp-default");
}

#[test]
fn a_filter_that_forbids_mounts() {
    refused("seccomp mount", "mount", "EPERM", "seccomp");
}

#[test]
fn masked_proc() {
    refused("proc masked", "proc", "EPERM", "masked-proc");
}

#[test]
fn read_only_proc() {
    refused("proc read-only", "map", "EROFS", "read-only-proc");
}

#[test]
fn no_proc() {
    refused("proc missing", "supervisor", "ENOENT", "no-proc");
}

#[test]
fn proc_of_another_pid_namespace() {
    let Some(seen) = seen_in("proc foreign") else { return };
    let [_, _, row] = seen.sandbox().unwrap_or_else(|| panic!("it worked\n{seen}"));
    assert!(["another-proc", "no-proc"].contains(&row.as_str()), "{seen}");
}

#[test]
fn a_proc_that_hides_little_does_no_harm() {
    works("proc hidepid");
    works("proc subset");
}

#[test]
fn inside_a_chroot() {
    refused("chroot", "namespaces", "EPERM", "chroot");
}

#[test]
fn an_unmapped_id() {
    refused("unmapped", "namespaces", "EPERM", "unmapped");
}

#[test]
fn landlock_without_proc() {
    refused("landlock /proc", "map", "EACCES", "landlock");
}

#[test]
fn landlock_without_mounts() {
    refused("landlock mounts", "mount", "EPERM", "landlock");
}

#[test]
fn root_without_sys_admin_needs_nothing_more() {
    works("without CAP_SYS_ADMIN");
}

#[test]
fn root_without_setfcap() {
    refused("without CAP_SETFCAP", "map", "EPERM", "root-without-setfcap");
}

/// The chapters on time are lost, and no other.
#[test]
fn no_time_namespaces() {
    let Some(seen) = seen_in("seccomp time") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some("time"), "{seen}");
    assert_eq!(seen.value("doctor row"), Some("seccomp"), "{seen}");
    assert_eq!(seen.value("chapters"), Some("1 2 3 4 5 6 7 8 9 10 11 12 13 14 16"), "{seen}");
}

/// `trace` is lost, and nothing else.
#[test]
fn no_ptrace() {
    let Some(seen) = seen_in("seccomp ptrace") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some("ptrace"), "{seen}");
    assert_eq!(seen.value("doctor row"), Some("seccomp"), "{seen}");
    assert_eq!(
        seen.value("recorded"),
        Some("Reached, ptrace(PTRACE_SEIZE): Operation not permitted (os error 1)"),
        "{seen}"
    );
    let chapters = seen.value("chapters").unwrap_or_default();
    assert_eq!(chapters.split(' ').count(), 17, "{seen}");
}

/// The newer calls are answered as an old kernel would.
#[test]
fn without_newer_features() {
    let Some(seen) = seen_in("seccomp old") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some(""), "{seen}");
    assert!(seen.value("newer").unwrap_or_default().contains("mount_setattr"), "{seen}");
}

/// A row may call itself tested only if a test above names it.
#[test]
fn tested_rows_are_tested() {
    let source = include_str!("doctor.rs");
    for row in environments().iter().filter(|row| row.proof == Proof::Tested) {
        assert!(source.contains(&format!("\"{}\"", row.name)), "{}", row.name);
    }
}

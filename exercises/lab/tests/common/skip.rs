//! The one rule for a test that this machine cannot run. It says so on standard error, where the capture
//! of test output does not hide it, and under `CI_NO_SKIP=1` it fails, unless one of the
//! [`Exception`]s applies.
//!
//! Test crates include this file by its path, so that no library carries it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

/// Reasons for which a test may be skipped under `CI_NO_SKIP=1` as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Each test crate uses some of them.
#[allow(dead_code)]
pub(crate) enum Exception {
    /// It takes root of the machine, and this process is not.
    NotRoot,
    /// It takes a second id, and this user namespace maps one only.
    OneId,
    /// It takes a capability that virtual machines and containers often withhold from root.
    Capability,
    /// It takes a cgroup of version 2, or its controllers, and neither is delegated.
    Cgroups,
    /// It takes something that this kernel is too old for, or is built or configured without.
    Kernel,
}

impl Exception {
    /// Why the skip is acceptable.
    fn reason(self) -> &'static str {
        match self {
            Exception::NotRoot => ".ci/run runs it as root too",
            Exception::OneId => ".ci/run runs it as root and as an ordinary user too",
            Exception::Capability => "not every root has all capabilities",
            Exception::Cgroups => "delegating cgroups is up to the machine's administrator",
            Exception::Kernel => "CI tests the kernel that it has",
        }
    }

    /// Whether it can apply to a process with this effective uid in a user namespace with this `uid_map`.
    fn applies(self, uid: u32, map: &str) -> bool {
        let map: Vec<&str> = map.split_ascii_whitespace().collect();
        match self {
            Exception::NotRoot => uid != 0 || map != ["0", "0", "4294967295"],
            Exception::OneId => map.get(2..) == Some(&["1"]),
            Exception::Capability | Exception::Cgroups | Exception::Kernel => true,
        }
    }

    fn applies_here(self) -> bool {
        let uid = fs::metadata("/proc/self").map_or(0, |process| process.uid());
        self.applies(uid, &fs::read_to_string("/proc/self/uid_map").unwrap_or_default())
    }
}

/// Whether this process is root of the machine, and not of some user namespace.
#[allow(dead_code)]
pub(crate) fn is_root_of_the_machine() -> bool {
    !Exception::NotRoot.applies_here()
}

/// Prints what is skipped and why. Use `skip!`.
#[track_caller]
#[allow(dead_code)]
pub(crate) fn skip(exception: Option<Exception>, what: &str) {
    if let Err(failure) = may_skip(exception, what) {
        panic!("{failure}");
    }
}

/// The same for a test that collects its failures.
///
/// # Errors
///
/// The failure, if this must not be skipped.
pub(crate) fn may_skip(exception: Option<Exception>, what: &str) -> Result<(), String> {
    let what = what.trim();
    let strict = std::env::var_os("CI_NO_SKIP").is_some();
    if strict && !exception.is_some_and(Exception::applies_here) {
        return Err(format!("skipped: {what}"));
    }
    let accepted = exception
        .map_or_else(String::new, |exception| format!(" ({exception:?}: {})", exception.reason()));
    _ = writeln!(std::io::stderr(), "skipped: {what}{accepted}");
    Ok(())
}

/// `return skip!("there is no ip(8)")` skips the rest of a test. `skip!(NotRoot: "…")` names the
/// [`Exception`] under which CI accepts that.
#[allow(unused_macros)]
macro_rules! skip {
    ($exception:ident: $($what:tt)+) => {
        $crate::skip::skip(Some($crate::skip::Exception::$exception), &format!($($what)+))
    };
    ($($what:tt)+) => {
        $crate::skip::skip(None, &format!($($what)+))
    };
}

/// `slow!()` begins a test that takes long: only `CI_NO_SKIP=1` runs it, as `.ci/run` does. Without such tests a
/// plain `cargo test` is what one runs after each change. With `CI_NO_SLOW=1` as well, it is left out where the same
/// tests run once more, and is no failure.
#[allow(unused_macros)]
macro_rules! slow {
    () => {
        if $crate::skip::leaves_out_what_is_slow() {
            return;
        }
    };
}

/// Whether slow tests are left out. Names this one if so.
#[allow(dead_code)]
pub(crate) fn leaves_out_what_is_slow() -> bool {
    let is_set = |name| std::env::var_os(name).is_some();
    let leaves_out = !is_set("CI_NO_SKIP") || is_set("CI_NO_SLOW");
    if leaves_out {
        let test = std::thread::current();
        let test = test.name().unwrap_or_default();
        let why = "it is slow, and `CI_NO_SKIP=1 cargo test` runs it";
        _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
    }
    leaves_out
}

#[test]
fn who_runs_the_test_decides_whether_an_exception_applies() {
    const WHOLE: &str = "         0          0 4294967295\n";
    let applies = |uid, map| [Exception::NotRoot, Exception::OneId].map(|it| it.applies(uid, map));
    assert_eq!(applies(0, WHOLE), [false, false], "root of the machine");
    assert_eq!(applies(1000, WHOLE), [true, false], "an ordinary user");
    assert_eq!(applies(0, "0 1000 1\n"), [true, true], "root of a user namespace");
    assert_eq!(applies(0, "0 100000 65536\n"), [true, false], "root of a rootless container");
}

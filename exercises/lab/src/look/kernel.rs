//! The version of the running kernel, and its capabilities.

/// The first two numbers of the release that uname(2) returns: `(6, 18)`. `None` for a release that
/// does not begin with two numbers.
pub fn version() -> Option<(u32, u32)> {
    version_in(&nix::sys::utsname::uname().ok()?.release().to_string_lossy())
}

/// The first two numbers of a release, such as `5.10.0-8-amd64`.
pub fn version_in(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Whether a PID namespace has a `pid_max` of its own. Before Linux 6.14 the one number that there was belonged to
/// the whole machine, and its root could change it from any namespace (`pid_max` in kernel/pid.c).
pub fn pid_max_is_of_a_namespace() -> bool {
    version() >= Some((6, 14))
}

/// Every capability that the running kernel has, as a set of bits. `None` if it does not say.
pub fn all_capabilities() -> Option<u64> {
    let last = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").ok()?;
    Some(u64::MAX >> (63 - last.trim().parse::<u32>().ok()?.min(63)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        let found = ["6.18.4", "5.10.0-8-amd64", "3.10.0-1160.el7", "6-rc1", "new", ""];
        let found = found.map(version_in);
        assert_eq!(found, [Some((6, 18)), Some((5, 10)), Some((3, 10)), None, None, None]);
        assert!(version().is_some());
    }
}

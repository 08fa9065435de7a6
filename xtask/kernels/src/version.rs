//! The order of kernels.

/// A kernel's release, such as `6.1.0-50-amd64`, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u32>, String);

impl Version {
    pub(crate) fn new(release: &str) -> Version {
        let numbers = release.split(|c: char| !c.is_ascii_digit());
        Version(numbers.map_while(|number| number.parse().ok()).collect(), release.to_owned())
    }

    /// The two numbers on which a kernel's features depend.
    fn numbers(&self) -> &[u32] {
        &self.0[..self.0.len().min(2)]
    }

    pub(crate) fn is_older_than(&self, other: &Version) -> bool {
        self.numbers() < other.numbers()
    }

    /// `6.1`
    pub(crate) fn short(&self) -> String {
        self.numbers().iter().map(u32::to_string).collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let [old, new] = ["6.2.0-1-amd64", "6.12.107+deb13-amd64"].map(Version::new);
        assert!(old < new && old.is_older_than(&new) && !new.is_older_than(&old));
        assert!(!old.is_older_than(&Version::new("6.2, and this is another")));
        assert_eq!(new.short(), "6.12");
    }
}

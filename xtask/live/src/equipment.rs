//! What the machine has of what a session may need, for the builder and for the replay.

use anyhow::{Context as _, Result};
use book::live::Equipment;

use crate::initramfs;
use crate::packages::{Packages, Pinned};

/// How the package of the kernel's source is called, without the version that it stands for.
pub(crate) const SOURCE: &str = "linux-source-";

pub(crate) fn of(packages: &Packages) -> Result<Equipment> {
    let kernel = packages.all().find(|pinned| pinned.name().starts_with(SOURCE));
    let guest = packages.all().filter(|pinned| pinned.role() == "guest");
    Ok(Equipment {
        kernel: kernel.context("no source of a kernel is pinned")?.upstream().to_owned(),
        tools: initramfs::tools().map(str::to_owned).collect(),
        packages: guest
            .map(|pinned: &Pinned| (pinned.name().into(), pinned.upstream().into()))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_versions_are_those_that_are_pinned() {
        let equipment = of(&Packages::new(Path::new("/nowhere"), None).unwrap()).unwrap();
        assert!(equipment.kernel.starts_with("6.12."), "{}", equipment.kernel);
        assert_eq!(equipment.packages["util-linux"], "2.38.1");
        assert_eq!(equipment.packages["iproute2"], "6.1.0");
        assert!(equipment.tools.contains("unshare") && !equipment.tools.contains("perl"));
    }
}

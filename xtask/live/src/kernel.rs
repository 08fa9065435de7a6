//! The kernel: Debian's source of a Linux, with as little of it as the sessions of the book allow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::packages::Packages;
use crate::{done, initramfs, needs};

/// What is wanted on top of `allnoconfig`.
const CONFIG: &str = include_str!("../kernel.config");

/// Builds it, with the files of the machine in it, and returns the file that boots. Takes eleven minutes of one
/// processor, and half a minute when only the files have changed.
///
/// v86 puts files of their own at 64 MiB, which is where the machine's memory ends.
///
/// Who builds it and when is fixed, but not the compiler, which is this machine's.
pub(crate) fn build(_: &Path, packages: &Packages) -> Result<PathBuf> {
    for (program, package) in
        [("make", "make"), ("gcc", "gcc"), ("bc", "bc"), ("xz", "xz-utils"), ("perl", "perl")]
    {
        needs(program, package)?;
    }
    let tools = packages.unpacked("kernel")?;
    let source = source(&tools, packages.cache())?;
    let files = initramfs::file(packages);
    ensure!(files.exists(), "it holds the initramfs\nhelp: `cargo xtask live build initramfs`");
    let config = format!("{CONFIG}\nCONFIG_INITRAMFS_SOURCE=\"{}\"\n", files.display());
    let fragment = packages.cache().join("kernel.config");
    fs::write(&fragment, &config)?;
    let make = |arguments: &[&str]| {
        let mut make = Command::new("make");
        let path = std::env::var("PATH").unwrap_or_default();
        make.arg("-C").arg(&source).args(["ARCH=i386", "--silent"]).args(arguments);
        make.env("PATH", format!("{}:{path}", tools.join("usr/bin").display()));
        make.env("BISON_PKGDATADIR", tools.join("usr/share/bison"));
        make.env("M4", tools.join("usr/bin/m4")).env("KCONFIG_ALLCONFIG", &fragment);
        make.env("KBUILD_BUILD_TIMESTAMP", "2026-01-01").env("KBUILD_BUILD_VERSION", "1");
        make.env("KBUILD_BUILD_USER", "book").env("KBUILD_BUILD_HOST", "book");
        done(&mut make)
    };
    make(&["allnoconfig"])?;
    let configured = fs::read_to_string(source.join(".config"))?;
    let lacking = lacking(&config, &configured);
    ensure!(lacking.is_empty(), "the kernel does not take {}", lacking.join(", "));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    make(&[&format!("-j{processors}"), "bzImage"])?;
    let built = file(packages);
    fs::copy(source.join("arch/x86/boot/bzImage"), &built)?;
    Ok(built)
}

pub(crate) fn file(packages: &Packages) -> PathBuf {
    packages.cache().join("bzImage")
}

/// The unpacked source, below the cache because a build writes into it.
fn source(tools: &Path, cache: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(tools.join("usr/src")).context("the package has no source")?;
    let archives = entries.flatten().map(|entry| entry.path());
    let mut archives = archives.filter(|path| path.extension().is_some_and(|end| end == "xz"));
    let Some(archive) = archives.next() else { bail!("the package has no archive of the source") };
    let name = archive.file_stem().and_then(|name| Path::new(name).file_stem()).unwrap_or_default();
    let (source, unpacking) = (cache.join(name), cache.join("unpacking"));
    if !source.exists() {
        if unpacking.exists() {
            fs::remove_dir_all(&unpacking)?;
        }
        fs::create_dir_all(&unpacking)?;
        let mut tar = Command::new("tar");
        tar.arg("-xJf").arg(&archive).arg("-C").arg(&unpacking).arg("--strip-components=1");
        done(&mut tar)?;
        fs::rename(unpacking, &source)?;
    }
    Ok(source)
}

/// The options of a fragment that a configuration does not have, because others that they depend on are not
/// wanted.
fn lacking<'a>(fragment: &'a str, configured: &str) -> Vec<&'a str> {
    let options = fragment.lines().filter(|line| line.starts_with("CONFIG_"));
    options.filter(|option| configured.lines().all(|line| line != *option)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_was_dropped_is_found() {
        let fragment = "# a comment\nCONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n";
        assert_eq!(lacking(fragment, "CONFIG_A=y\nCONFIG_B=y\n"), [""; 0]);
        assert_eq!(lacking(fragment, "CONFIG_A=y\n# CONFIG_B is not set\n"), ["CONFIG_B=y"]);
    }

    #[test]
    fn the_kernel_has_every_kind_of_namespace() {
        for kind in ["UTS", "TIME", "IPC", "USER", "PID", "NET"] {
            assert!(CONFIG.contains(&format!("CONFIG_{kind}_NS=y\n")), "{kind}");
        }
        assert!(CONFIG.contains("CONFIG_CGROUPS=y\n"));
    }
}

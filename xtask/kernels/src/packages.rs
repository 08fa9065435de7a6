//! Kernels and tools from the packages of Debian, fetched by apt-get(8) with a configuration of its
//! own and unpacked into a folder. Nothing is installed, and the machine's lists stay as they are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// What a machine needs to boot another one, and what the other one runs.
const TOOLS: [&str; 6] =
    ["qemu-system-x86", "busybox-static", "bubblewrap", "crun", "runc", "xz-utils"];

/// apt-get with lists and archives in `folder`.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Configures it in `folder`, and fetches the lists of packages: those of the machine's own sources,
    /// or those of one suite of an archive.
    fn new(folder: PathBuf, suite: Option<(&str, &str)>) -> Result<Apt> {
        let own = folder.display();
        let mut configuration = format!(
            "Dir::State::lists \"{own}/lists\";\n\
             Dir::Cache \"{own}/cache\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
             Acquire::Check-Valid-Until \"false\";\n\
             APT::Sandbox::User \"root\";\n"
        );
        for below in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(below))?;
        }
        if let Some((archive, suite)) = suite {
            // Nothing is installed for this one, so that a kernel is not taken for installed.
            fs::write(folder.join("status"), "")?;
            let key = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg";
            fs::write(
                folder.join("sources.list"),
                format!("deb [{key}] {archive} {suite} main\n"),
            )?;
            configuration += &format!(
                "Dir::State::status \"{own}/status\";\n\
                 Dir::Etc::sourcelist \"{own}/sources.list\";\n\
                 Dir::Etc::sourceparts \"/dev/null\";\n"
            );
        }
        fs::write(folder.join("apt.conf"), configuration)?;
        let apt = Apt { folder };
        apt.say("apt-get", ["update", "-qq"])?;
        Ok(apt)
    }

    fn say<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        let mut command = Command::new(program);
        command.args(arguments).env("APT_CONFIG", self.folder.join("apt.conf"));
        output(command.current_dir(self.folder.join("cache/archives")))
    }

    /// The archive of Debian that the machine's own packages come from.
    fn archive(&self) -> Result<String> {
        let format = "$(ORIGIN) $(LABEL) $(REPO_URI)";
        let targets = self.say("apt-get", ["indextargets", "--format", format])?;
        let archive = targets.lines().find_map(|line| line.strip_prefix("Debian Debian "));
        let archive = archive.context("kernels are fetched from Debian's archive, and this machine's packages come from another one\nhelp: run it in a container of Debian")?;
        Ok(archive.to_owned())
    }

    /// The packages on which one depends, as far as they are parts of a kernel.
    fn parts_of(&self, package: &str) -> Result<Vec<String>> {
        let depends = self.say("apt-cache", ["depends", package])?;
        let names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        // With a version: without one it is a package that names another.
        let is_part = |name: &&str| {
            ["linux-image-", "linux-binary-", "linux-modules-"].iter().any(|part| {
                let rest = name.strip_prefix(part);
                rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
        };
        Ok(names.filter(is_part).map(str::to_owned).collect())
    }

    fn unpack_all(&self, into: &Path) -> Result<()> {
        for entry in fs::read_dir(self.folder.join("cache/archives"))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "deb") {
                output(Command::new("dpkg-deb").arg("-x").arg(file).arg(into))?;
            }
        }
        Ok(())
    }
}

/// What a command prints.
///
/// # Errors
///
/// What it said on standard error, if it failed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("could not start `{name}`"))?;
    if !output.status.success() {
        bail!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The tools, as this machine or a folder of unpacked packages has them.
pub(crate) struct Tools {
    folder: PathBuf,
    /// The archive that the machine's packages come from.
    pub(crate) archive: String,
}

impl Tools {
    /// Fetches what this machine does not have installed.
    pub(crate) fn fetch(cache: &Path) -> Result<Tools> {
        // Others than those of an earlier version of this list are fetched again.
        let wanted = TOOLS.join(" ");
        let (folder, known) = (cache.join("tools"), cache.join("tools/archive"));
        let text = fs::read_to_string(&known).unwrap_or_default();
        if let Some((archive, _)) = text.split_once('\n').filter(|(_, tools)| *tools == wanted) {
            return Ok(Tools { folder, archive: archive.to_owned() });
        }
        println!("fetching an emulator and tools …");
        let apt = Apt::new(cache.join("apt/tools"), None)?;
        let archive = apt.archive()?;
        let options = ["install", "-qq", "--yes", "--download-only", "--no-install-recommends"];
        apt.say("apt-get", options.into_iter().chain(TOOLS))?;
        fs::create_dir_all(&folder)?;
        apt.unpack_all(&folder)?;
        // The last: it says that all of the others are there.
        fs::write(known, format!("{archive}\n{wanted}"))?;
        Ok(Tools { folder, archive })
    }

    /// A program among the unpacked ones or of this machine.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf> {
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let own = ["usr/bin", "bin", "usr/sbin", "sbin"].map(|below| self.folder.join(below));
        let folders = own.into_iter().chain(path.split(':').map(PathBuf::from));
        let mut files = folders.map(|folder| folder.join(name));
        files.find(|file| file.is_file()).with_context(|| format!("there is no `{name}`"))
    }

    /// A command that finds the libraries beside an unpacked program.
    pub(crate) fn command(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.find(name)?);
        let folders = ["usr/lib", "lib"].map(|below| self.folder.join(below));
        let folders = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        // `x86_64-linux-gnu`
        let folders = folders.flatten().map(|entry| entry.path()).filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-linux-gnu"))
        });
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders)?);
        Ok(command)
    }

    /// Where the emulator has its firmware.
    pub(crate) fn firmware(&self) -> Vec<PathBuf> {
        let folders = ["usr/share/qemu", "usr/share/seabios"].map(|below| self.folder.join(below));
        folders.into_iter().filter(|folder| folder.is_dir()).collect()
    }
}

/// A kernel that can be had as a package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packaged {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// The suite of Debian whose newest kernel it is.
    suite: &'static str,
    pub(crate) size: Size,
}

/// How much of a machine the emulator makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) processors: &'static str,
    pub(crate) memory: &'static str,
    /// How the book's table calls such a machine. The usual one has no name.
    pub(crate) label: &'static str,
}

/// What most machines have at least.
const USUAL: Size = Size { processors: "2", memory: "3072M", label: "" };

/// What the smallest rented machines have.
const SMALL: Size = Size { processors: "1", memory: "512M", label: "1 CPU, 512 MB" };

/// From the oldest to the newest, and a small machine. Debian 11 has the oldest one that this course promises.
pub(crate) static KERNELS: [Packaged; 5] = [
    Packaged { name: "5.10", suite: "bullseye", size: USUAL },
    Packaged { name: "6.1", suite: "bookworm", size: USUAL },
    Packaged { name: "6.12", suite: "trixie", size: USUAL },
    Packaged { name: "newest", suite: "trixie-backports", size: USUAL },
    Packaged { name: "small", suite: "trixie", size: SMALL },
];

/// A kernel and its modules, unpacked.
pub(crate) struct Kernel {
    /// `6.1.0-50-amd64`
    pub(crate) release: String,
    pub(crate) file: PathBuf,
    pub(crate) modules: PathBuf,
}

impl Packaged {
    /// Fetches it, unless it is in the cache.
    pub(crate) fn fetch(self, cache: &Path, tools: &Tools) -> Result<Kernel> {
        let folder = cache.join(self.suite);
        if !folder.exists() {
            println!("fetching the kernel of {} …", self.suite);
            let apt =
                Apt::new(cache.join("apt").join(self.suite), Some((&tools.archive, self.suite)))?;
            let image = apt.parts_of("linux-image-amd64")?;
            ensure!(image.len() == 1, "linux-image-amd64 of {} is {image:?}", self.suite);
            let parts = apt.parts_of(&image[0])?;
            apt.say(
                "apt-get",
                ["download", "-qq"].into_iter().map(str::to_owned).chain(image).chain(parts),
            )?;
            let unpacked = cache.join(format!("{}.new", self.suite));
            fs::create_dir_all(&unpacked)?;
            apt.unpack_all(&unpacked)?;
            fs::rename(unpacked, &folder)?;
        }
        Kernel::in_folder(&folder)
    }
}

impl Kernel {
    fn in_folder(folder: &Path) -> Result<Kernel> {
        // The second since Debian 13, where `/lib` is a link.
        let all = ["lib/modules", "usr/lib/modules"].map(|below| folder.join(below));
        let mut entries = all.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let entry = entries.next().with_context(|| format!("no modules in {folder:?}"))??;
        let release = entry.file_name().to_string_lossy().into_owned();
        let modules = entry.path();
        let files =
            [folder.join("boot").join(format!("vmlinuz-{release}")), modules.join("vmlinuz")];
        let file = files.into_iter().find(|file| file.is_file());
        let file = file.with_context(|| format!("no kernel in {folder:?}"))?;
        Ok(Kernel { release, file, modules })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weekly workflow has a job for each of them.
    #[test]
    fn the_workflow_runs_all_kernels() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.github/workflows/ci.yml");
        let text = fs::read_to_string(file).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("kernel: ["));
        let names = line.and_then(|line| line.strip_suffix(']')).expect("a list of kernels");
        let names: Vec<&str> = names.split(", ").map(|name| name.trim_matches('"')).collect();
        assert_eq!(names, KERNELS.map(|kernel| kernel.name));
        assert!(text.contains("cargo xtask kernels ${{ matrix.kernel }}"), "without --suite");
    }
}

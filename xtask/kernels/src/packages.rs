//! Kernels and tools from the packages of Debian, fetched by apt-get(8) with a configuration of its
//! own and unpacked into a folder. Nothing is installed, and the machine's lists stay as they are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// What a machine needs to boot another one, and what the other one runs.
const TOOLS: [&str; 4] = ["qemu-system-x86", "busybox-static", "crun", "xz-utils"];

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
        let (folder, known) = (cache.join("tools"), cache.join("tools/archive"));
        if let Ok(archive) = fs::read_to_string(&known) {
            return Ok(Tools { folder, archive });
        }
        println!("fetching an emulator and tools …");
        let apt = Apt::new(cache.join("apt/tools"), None)?;
        let archive = apt.archive()?;
        let options = ["install", "-qq", "--yes", "--download-only", "--no-install-recommends"];
        apt.say("apt-get", options.into_iter().chain(TOOLS))?;
        fs::create_dir_all(&folder)?;
        apt.unpack_all(&folder)?;
        // The last: it says that all of the others are there.
        fs::write(known, &archive)?;
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
}

/// From the oldest to the newest. Debian 11 has the oldest one that this course promises.
pub(crate) static KERNELS: [Packaged; 4] = [
    Packaged { name: "5.10", suite: "bullseye" },
    Packaged { name: "6.1", suite: "bookworm" },
    Packaged { name: "6.12", suite: "trixie" },
    Packaged { name: "newest", suite: "trixie-backports" },
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
        let folder = cache.join(self.name);
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
            let unpacked = cache.join(format!("{}.new", self.name));
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

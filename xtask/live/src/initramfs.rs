//! What is in the machine: the tools that the book's sessions call, with their libraries, and the program that is the
//! agent and all programs of the chapters.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cpio::{Archive, Entry};
use crate::packages::Packages;
use crate::{needs, programs, stubs};

/// The tools, by name.
const TOOLS: &str = include_str!("../tools.txt");

/// Where packages have programs and libraries, and where the machine has them: one folder of each, as Debian
/// has them installed.
const PROGRAMS: [(&str, &str); 4] =
    [("bin", "usr/bin"), ("usr/bin", "usr/bin"), ("sbin", "usr/sbin"), ("usr/sbin", "usr/sbin")];
const LIBRARIES: [(&str, &str); 3] = [
    ("lib/i386-linux-gnu", "usr/lib/i386-linux-gnu"),
    ("usr/lib/i386-linux-gnu", "usr/lib/i386-linux-gnu"),
    ("lib", "usr/lib"),
];

/// What the kernel starts.
const LOADER: &str = "usr/lib/ld-linux.so.2";

/// The machine's locale. A program opens its files one by one when it starts.
const LOCALE: &str = "usr/lib/locale/C.utf8";

/// Where the agent is, and the chapters' programs, which are links to it.
const AGENT: &str = "usr/lib/book/agent";
const CHAPTERS: &str = "opt/book";

/// Builds it and returns its file.
pub(crate) fn build(checkout: &Path, packages: &Packages) -> Result<PathBuf> {
    needs("readelf", "binutils")?;
    let program = programs::file(packages);
    ensure!(program.exists(), "it holds the programs\nhelp: `cargo xtask live build programs`");
    let guest = packages.unpacked("guest")?;
    let mut archive = Archive::default();
    let mut elves = VecDeque::new();
    for (name, link) in wanted(TOOLS) {
        let (from, to) = found(&guest, &PROGRAMS, link.unwrap_or(name))?;
        let path = format!("{to}/{name}");
        match link {
            Some(target) => archive.add(path, Entry::Link(target.to_owned())),
            None => {
                archive.add(path, Entry::File(read(&from)?));
                elves.push_back(from);
            }
        }
    }
    let stubs = stubs::build(packages)?;
    while let Some(elf) = elves.pop_front() {
        for name in libraries(&elf)? {
            let stub = stubs.join(&name);
            let (from, to) = if stub.exists() {
                (stub, LIBRARIES[0].1)
            } else {
                found(&guest, &LIBRARIES, &name)?
            };
            let path = format!("{to}/{name}");
            if !archive.contains(&path) {
                archive.add(path, Entry::File(read(&from)?));
                elves.push_back(from);
            }
        }
    }
    let (loader, _) = found(&guest, &LIBRARIES, "ld-linux.so.2")?;
    archive.add(LOADER, Entry::File(read(&loader)?));
    folder(&mut archive, &guest.join(LOCALE), LOCALE)?;

    archive.add(AGENT, Entry::File(read(&program)?));
    archive.add("init", Entry::Link(AGENT.to_owned()));
    for name in programs::names(checkout)? {
        archive.add(format!("{CHAPTERS}/{name}"), Entry::Link(format!("/{AGENT}")));
    }
    for link in ["bin", "sbin", "lib"] {
        archive.add(link, Entry::Link(format!("usr/{link}")));
    }
    archive.add("dev/console", Entry::Device(5, 1));
    let file = file(packages);
    archive.write(&mut BufWriter::new(File::create(&file)?))?;
    println!("{:.1} MB of files", archive.bytes() as f64 / 1e6);
    Ok(file)
}

pub(crate) fn file(packages: &Packages) -> PathBuf {
    packages.cache().join("initramfs.cpio")
}

/// What the tools are called.
pub(crate) fn tools() -> impl Iterator<Item = &'static str> {
    wanted(TOOLS).map(|(name, _)| name)
}

/// Each tool, and the one that it is a link to.
fn wanted(list: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let words = lines.flat_map(str::split_ascii_whitespace);
    words.map(|word| word.split_once('=').map_or((word, None), |(name, link)| (name, Some(link))))
}

/// A file of the packages, behind its links, and the folder of the machine that it goes to.
fn found(
    guest: &Path,
    folders: &[(&str, &'static str)],
    name: &str,
) -> Result<(PathBuf, &'static str)> {
    let mut places = folders.iter();
    let place = places.find_map(|(folder, to)| {
        let path = guest.join(folder).join(name);
        path.symlink_metadata().is_ok().then_some((path, *to))
    });
    place.with_context(|| {
        format!(
            "no package has `{name}`\nhelp: pin the one that has it, in xtask/live/packages.lock"
        )
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read {}", path.display()))
}

/// The libraries that a program or library names.
fn libraries(elf: &Path) -> Result<Vec<String>> {
    let mut readelf = Command::new("readelf");
    // A script has none, and readelf says so on standard error.
    let output = readelf.args(["--dynamic", "--wide"]).arg(elf).output().context("readelf")?;
    Ok(named(&String::from_utf8_lossy(&output.stdout)))
}

fn named(dynamic: &str) -> Vec<String> {
    let lines = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let names = lines.filter_map(|line| line.split_once('[')?.1.strip_suffix(']'));
    names.map(str::to_owned).collect()
}

/// Everything below a folder.
fn folder(archive: &mut Archive, from: &Path, to: &str) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("no {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let to = format!("{to}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            folder(archive, &entry.path(), &to)?;
        } else {
            archive.add(to, Entry::File(read(&entry.path())?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_tools_can_be_read() {
        let tools: Vec<_> = wanted(TOOLS).collect();
        for tool in [("unshare", None), ("sh", Some("dash")), ("ip", None)] {
            assert!(tools.contains(&tool), "{tool:?}");
        }
        let names: std::collections::BTreeSet<&str> = tools.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), tools.len(), "a tool is there twice");
    }

    #[test]
    fn the_libraries_of_a_program_are_those_that_it_names() {
        let dynamic = " 0x00000001 (NEEDED)             Shared library: [libmnl.so.0]\n \
                       0x0000000e (SONAME)             Library soname: [libx.so.1]\n \
                       0x00000001 (NEEDED)             Shared library: [libc.so.6]\n";
        assert_eq!(named(dynamic), ["libmnl.so.0", "libc.so.6"]);
    }
}

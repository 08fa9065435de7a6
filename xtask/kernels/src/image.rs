//! What a machine boots with: one static program, the modules of its kernel, and the folders that it
//! has of its own, as an archive of cpio(5) in the form `newc`, which the kernel unpacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::packages::{Kernel, Tools};

/// The modules that are loaded: the emulated machine's, those of the shared folders, and what the
/// exercises and the pages use. Some kernels have some of them built in.
const MODULES: [&str; 32] = [
    // Its users find it by an alias, which this archive knows nothing of.
    "crc32c_generic",
    "virtio_pci",
    "9pnet_virtio",
    "9p",
    "overlay",
    "veth",
    "bridge",
    "dummy",
    "tun",
    "macvlan",
    "ipvlan",
    "vxlan",
    "nf_tables",
    "nft_ct",
    "nft_nat",
    "nft_masq",
    "nft_chain_nat",
    "nft_counter",
    "nft_limit",
    "nft_log",
    "nft_reject",
    "nft_reject_inet",
    "nft_reject_ipv4",
    "unix_diag",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
    "netlink_diag",
    "af_packet_diag",
    "loop",
    "fuse",
    "configs",
];

/// Files of this machine's `/etc` that programs look into. None of them holds a secret.
const ETC: [&str; 12] = [
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "os-release",
    "protocols",
    "services",
    "terminfo",
    "debian_version",
    "iproute2",
];

/// The names in `/` that are links into `/usr`.
const LINKS: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// A folder of this machine that another one sees.
pub(crate) struct Share {
    pub(crate) tag: &'static str,
    pub(crate) path: PathBuf,
    /// Where the other one has it.
    pub(crate) at: PathBuf,
    pub(crate) writable: bool,
}

/// Writes the archive for a kernel to `file`.
pub(crate) fn write(file: &Path, kernel: &Kernel, tools: &Tools, shares: &[Share]) -> Result<()> {
    let mut archive = Archive::default();
    let busybox = fs::read(tools.find("busybox")?)?;
    archive.file("bin/busybox", 0o755, &busybox);
    archive.file("init", 0o755, include_bytes!("guest/init"));
    let (order, modules) = modules(kernel, tools)?;
    for (name, module) in modules {
        archive.file(&format!("modules/{name}"), 0o644, &module);
    }
    archive.file("modules/order", 0o644, order.join("\n").as_bytes());
    let lines = shares.iter().map(|share| {
        let mode = if share.writable { "rw" } else { "ro,cache=loose" };
        format!("{} {} {mode}\n", share.tag, share.at.display())
    });
    archive.file("shares", 0o644, lines.collect::<String>().as_bytes());
    archive.tree(Path::new("skeleton/etc"), Path::new("/etc"), &ETC)?;
    archive.tree(Path::new("skeleton"), Path::new("/"), &LINKS)?;
    for (name, text) in [
        ("passwd", "root:x:0:0:root:/root:/bin/sh\nyou:x:1000:1000:you:/home/you:/bin/sh\n"),
        ("group", "root:x:0:\nyou:x:1000:\n"),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("hostname", "guest\n"),
    ] {
        archive.file(&format!("skeleton/etc/{name}"), 0o644, text.as_bytes());
    }
    fs::write(file, archive.finish()).with_context(|| format!("could not write {file:?}"))
}

/// The files of modules by name.
type Modules = BTreeMap<String, Vec<u8>>;

/// The modules in the order in which they can be loaded, and their files.
fn modules(kernel: &Kernel, tools: &Tools) -> Result<(Vec<String>, Modules)> {
    let mut files = BTreeMap::new();
    find_modules(&kernel.modules.join("kernel"), &mut files)?;
    let (mut order, mut read) = (Vec::new(), Modules::new());
    for name in MODULES {
        load(name, &files, tools, &mut order, &mut read)?;
    }
    ensure!(read.contains_key("9p"), "{} has no module for shared folders", kernel.release);
    Ok((order, read))
}

fn find_modules(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_modules(&path, files)?;
        } else if let Some((name, _)) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".ko"))
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// Reads a module after those that it depends on. One that is not there is built in.
fn load(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    tools: &Tools,
    order: &mut Vec<String>,
    read: &mut Modules,
) -> Result<()> {
    let Some(file) = files.get(name).filter(|_| !read.contains_key(name)) else { return Ok(()) };
    let module = if file.extension().is_some_and(|extension| extension == "xz") {
        let output = tools.command("xz")?.arg("-dc").arg(file).output()?;
        ensure!(output.status.success(), "xz cannot read {file:?}");
        output.stdout
    } else {
        fs::read(file)?
    };
    let needed = depends(&module);
    read.insert(name.to_owned(), module);
    for name in needed {
        load(&name.replace('-', "_"), files, tools, order, read)?;
    }
    order.push(name.to_owned());
    Ok(())
}

/// The names after `depends=` in the section `.modinfo`, where each entry ends with a zero.
fn depends(module: &[u8]) -> BTreeSet<String> {
    const KEY: &[u8] = b"\0depends=";
    let start = module.windows(KEY.len()).position(|bytes| bytes == KEY);
    let names = start.map_or(&[][..], |start| &module[start + KEY.len()..]);
    let names = names.split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(names);
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// An archive that is being written.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    number: u32,
    folders: BTreeSet<PathBuf>,
}

impl Archive {
    fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entry(Path::new(path), 0o100_000 | mode, content);
    }

    /// Some entries of a folder of this machine, as far as they are there. Links stay links.
    fn tree(&mut self, path: &Path, folder: &Path, names: &[&str]) -> Result<()> {
        for name in names {
            let (path, original) = (path.join(name), folder.join(name));
            let Ok(found) = fs::symlink_metadata(&original) else { continue };
            if found.is_symlink() {
                let target = fs::read_link(&original)?;
                self.entry(&path, 0o120_777, target.to_string_lossy().as_bytes());
            } else if found.is_dir() {
                let entries = fs::read_dir(&original)?.flatten();
                let names: Vec<String> =
                    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.tree(&path, &original, &names)?;
            } else {
                let mode = found.permissions().mode() & 0o777;
                self.entry(&path, 0o100_000 | mode, &fs::read(&original)?);
            }
        }
        Ok(())
    }

    /// An entry, after the folders that it lies in.
    fn entry(&mut self, path: &Path, mode: u32, content: &[u8]) {
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            if !folder.as_os_str().is_empty() && self.folders.insert(folder.to_owned()) {
                self.header(folder, 0o040_755, 0);
            }
        }
        self.header(path, mode, content.len());
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Thirteen numbers of eight hexadecimal digits, and the name.
    fn header(&mut self, path: &Path, mode: u32, length: usize) {
        let name = path.to_string_lossy();
        self.number += 1;
        let numbers = [
            self.number as usize,
            mode as usize,
            0,
            0,
            1,
            0,
            length,
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for number in numbers {
            self.bytes.extend_from_slice(format!("{number:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
    }

    /// Headers and contents begin at multiples of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.header(Path::new("TRAILER!!!"), 0, 0);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_depends_on_is_read() {
        let module = b"\x7fELF\0license=GPL\0depends=virtio,virtio-ring\0retpoline=Y\0";
        assert_eq!(depends(module).into_iter().collect::<Vec<_>>(), ["virtio", "virtio-ring"]);
        assert!(depends(b"\x7fELF\0depends=\0name=x\0").is_empty());
    }

    /// Of the archive's own format there is a reader on most machines, but not on all.
    #[test]
    fn headers_and_contents_are_aligned() {
        let mut archive = Archive::default();
        archive.file("a/b", 0o644, b"hello");
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 4, 0);
        let at: Vec<usize> = bytes
            .windows(6)
            .enumerate()
            .filter(|(_, six)| *six == b"070701")
            .map(|(at, _)| at)
            .collect();
        assert_eq!(at.len(), 3, "a folder, a file and the end");
        assert!(at.iter().all(|at| at % 4 == 0));
    }
}

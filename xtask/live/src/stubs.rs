//! Small libraries in the place of large ones that ask for what the machine does not have.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::packages::Packages;
use crate::{done, needs};

/// The library's name, the version of its symbols, and its source.
const STUBS: [(&str, &str, &str); 3] = [
    ("libidn2.so.0", "IDN2_0.0.0", include_str!("../libraries/libidn2.c")),
    ("libtirpc.so.3", "TIRPC_0.3.0", include_str!("../libraries/libtirpc.c")),
    ("libsystemd.so.0", "LIBSYSTEMD_209", include_str!("../libraries/libsystemd.c")),
];

/// Compiles them into a folder, which is returned.
pub(crate) fn build(packages: &Packages) -> Result<PathBuf> {
    needs("gcc", "gcc")?;
    let folder = packages.cache().join("stubs");
    fs::create_dir_all(&folder)?;
    for (name, version, source) in STUBS {
        let [c, script] = ["c", "map"].map(|end| folder.join(name).with_extension(end));
        fs::write(&c, source)?;
        fs::write(&script, format!("{version} {{ global: *; }};\n"))?;
        compile(&folder, name, &c, &script)?;
    }
    Ok(folder)
}

fn compile(folder: &Path, name: &str, c: &Path, script: &Path) -> Result<()> {
    let mut gcc = Command::new("gcc");
    gcc.args(["-m32", "-Os", "-fPIC", "-shared", "-nostdlib", "-s", "-Wl,--build-id=none"]);
    gcc.arg(format!("-Wl,-soname,{name}"));
    gcc.arg(format!("-Wl,--version-script,{}", script.display()));
    done(gcc.arg(c).arg("-o").arg(folder.join(name)))
}

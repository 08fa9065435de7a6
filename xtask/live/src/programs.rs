//! The chapters' programs, the examples and the agent as one static program for i686, which acts by the name
//! that it is called by. Alone each of them would bring a C library of its own.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::packages::Packages;
use crate::{done, needs};

const TARGET: &str = "i686-unknown-linux-gnu";

/// What is other on i686 than on the machines that the course runs on: the program, a text that occurs in it,
/// and what stands for it.
const EDITS: [(&str, &str, &str); 11] = [
    ("ch03-clone", "libc::clone_args", "crate::clone_args"),
    ("ch14-born", "libc::clone_args", "crate::clone_args"),
    ("ch15-born", "libc::clone_args", "crate::clone_args"),
    // All programs are one, which acts by the name that it is called by.
    (
        "ch15-exec",
        "Command::new(\"/proc/self/exe\")",
        "Command::new(\"/proc/self/exe\").arg0(\"ch15-exec\")",
    ),
    // The kernel has them, the libc crate does not.
    ("ch16-errnos", "call!(SYS_shmget,", "call!(395,"),
    ("ch16-errnos", "call!(SYS_shmat,", "call!(397,"),
    // SYS_setuid takes an id of 16 bits there, and this kernel does not have it.
    ("ch16-errnos", "call!(SYS_setuid,", "call!(213,"),
    (
        "ch17-box",
        "#[cfg(target_arch = \"aarch64\")]\nconst ARCH: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64",
        "const ARCH: u32 = 0x4000_0003; // AUDIT_ARCH_I386",
    ),
    ("ch17-filter", "{ 0xc000_00b7 }", "{ 0x4000_0003 }"),
    (
        "ch17-filter",
        // A number of 64 bits would be two arguments.
        "request, c\"by-a-call\".as_ptr(), 0, 0, 0)",
        "request as libc::c_long, c\"by-a-call\".as_ptr(), 0, 0, 0).into()",
    ),
    ("ch17-notify", "{ 0xc000_00b7 }", "{ 0x4000_0003 }"),
];

/// The structure of clone3(2), which the libc crate lacks for i686.
const CLONE_ARGS: &str = "
#[repr(C, align(8))]
#[allow(non_camel_case_types)]
pub(crate) struct clone_args {
    pub flags: u64, pub pidfd: u64, pub child_tid: u64, pub parent_tid: u64, pub exit_signal: u64, pub stack: u64,
    pub stack_size: u64, pub tls: u64, pub set_tid: u64, pub set_tid_size: u64, pub cgroup: u64,
}
";

/// Builds it and returns its file.
pub(crate) fn build(checkout: &Path, packages: &Packages) -> Result<PathBuf> {
    needs("gcc", "gcc")?;
    let cache = packages.cache().join("programs");
    let sources = sources(checkout)?;
    let crate_folder = cache.join("crate");
    if crate_folder.exists() {
        fs::remove_dir_all(&crate_folder)?;
    }
    fs::create_dir_all(crate_folder.join("src"))?;
    let manifest = manifest(checkout, &fs::read_to_string(checkout.join("Cargo.toml"))?)?;
    fs::write(crate_folder.join("Cargo.toml"), manifest)?;
    fs::copy(checkout.join("Cargo.lock"), crate_folder.join("Cargo.lock"))?;
    for (name, source) in &sources {
        fs::write(crate_folder.join("src").join(format!("{}.rs", module(name))), source)?;
    }
    let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    fs::write(crate_folder.join("src/main.rs"), main_file(&names))?;

    let (compiler, linker) = compilers(&cache, packages)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--target", TARGET, "--target-dir"]);
    cargo.arg(cache.join("target")).current_dir(&crate_folder).env("RUSTC", compiler);
    cargo.env("CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER", linker);
    let flags = "-C target-feature=+crt-static -C relocation-model=static";
    cargo.env("CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUSTFLAGS", flags);
    done(&mut cargo)?;
    Ok(file(packages))
}

pub(crate) fn file(packages: &Packages) -> PathBuf {
    packages.cache().join("programs/target").join(TARGET).join("release/programs")
}

/// What the programs are called.
pub(crate) fn names(checkout: &Path) -> Result<Vec<String>> {
    Ok(sources(checkout)?.into_iter().map(|(name, _)| name).collect())
}

/// The name of each program and its source, as it is compiled for i686.
fn sources(checkout: &Path) -> Result<Vec<(String, String)>> {
    let mut sources = Vec::new();
    let is_chapter = |folder: &PathBuf| file_name(folder).starts_with("ch");
    for chapter in sorted(&checkout.join("solutions"))?.into_iter().filter(is_chapter) {
        sources.push((file_name(&chapter), chapter.join("src/main.rs")));
    }
    for chapter in sorted(&checkout.join("exercises"))?.into_iter().filter(is_chapter) {
        for example in sorted(&chapter.join("examples")).unwrap_or_default() {
            let name = example.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            sources.push((name, example));
        }
    }
    let read = |(name, file): (String, PathBuf)| {
        let text = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
        let text = edited(&name, &text)?;
        Ok((name, text))
    };
    sources.into_iter().map(read).collect()
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A source with its [`EDITS`], and with a `main` that another module can call.
fn edited(name: &str, source: &str) -> Result<String> {
    let mut text = source.to_owned();
    let own = EDITS.iter().filter(|(program, ..)| *program == name);
    let own = own.map(|(_, find, replace)| (*find, *replace));
    for (find, replace) in own.chain([("\nfn main()", "\npub(crate) fn main()")]) {
        ensure!(text.contains(find), "{name}: there is no `{find}` to be replaced");
        text = text.replace(find, replace);
    }
    Ok(text)
}

/// `ch02-unshare` is the module `ch02_unshare`.
fn module(name: &str) -> String {
    name.replace('-', "_")
}

/// The manifest, with the versions and features that the workspace has.
fn manifest(checkout: &Path, workspace: &str) -> Result<String> {
    let begin = workspace.find("\nnix = ").context("the workspace has no nix")?;
    let end = workspace[begin..].find("] }").context("the workspace's nix has no features")?;
    let nix = &workspace[begin..begin + end + 3];
    let agent = checkout.join("xtask/live/agent");
    Ok(format!(
        "[package]\nname = \"programs\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nanyhow = \"1\"\nlibc = \"0.2\"{nix}\nlive-agent = {{ path = {agent:?} }}\n\n\
         [profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\npanic = \"abort\"\nstrip = true\n\n\
         [workspace]\n"
    ))
}

fn main_file(names: &[&str]) -> String {
    let mut text = String::from("use std::process::{ExitCode, Termination as _};\n\n");
    for name in names {
        _ = writeln!(text, "mod {};", module(name));
    }
    text += CLONE_ARGS;
    text += "\nfn main() -> ExitCode {\n    let name = std::env::args_os().next().unwrap_or_default();\n    \
             match std::path::Path::new(&name).file_name().and_then(|name| name.to_str()) {\n";
    for name in names {
        _ = writeln!(text, "        Some({name:?}) => {}::main().report(),", module(name));
    }
    text += "        Some(\"init\" | \"agent\") => live_agent::main(),\n        \
             _ => ExitCode::from(127),\n    }\n}\n";
    text
}

/// Scripts that call the pinned compiler, with the C library that it was built for, and this machine's linker,
/// with the pinned libraries for i686.
fn compilers(folder: &Path, packages: &Packages) -> Result<(PathBuf, PathBuf)> {
    let compiler = packages.unpacked("compiler")?;
    let libraries = packages.unpacked("libraries")?;
    let (compiler, libraries) = (compiler.display(), libraries.display());
    let (rustc, linker) = (folder.join("rustc"), folder.join("cc"));
    let own = format!("{compiler}/usr/lib/x86_64-linux-gnu");
    let text = format!(
        "#!/bin/sh\nexec '{own}/ld-linux-x86-64.so.2' --library-path '{own}' '{compiler}/usr/bin/rustc' \
         --sysroot '{compiler}/usr' \"$@\"\n"
    );
    program(&rustc, &text)?;
    let [gcc, libc] = ["usr/lib/gcc/i686-linux-gnu/12", "usr/lib/i386-linux-gnu"]
        .map(|below| format!("{libraries}/{below}"));
    let text =
        format!("#!/bin/sh\nexec gcc -m32 '-B{gcc}/' '-B{libc}/' '-L{gcc}' '-L{libc}' \"$@\"\n");
    program(&linker, &text)?;
    Ok((rustc, linker))
}

fn program(file: &Path, text: impl AsRef<OsStr>) -> Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    fs::write(file, text.as_ref().as_bytes())?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// A program that has changed fails here, and not in the build of a machine once a week.
    #[test]
    fn every_program_can_be_made_a_module() {
        let sources = sources(&checkout()).unwrap();
        let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["ch01-look", "ch17-box", "ch02-domain", "ch17-filter"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for (name, ..) in EDITS {
            assert!(names.contains(&name), "{name} is edited, and is none of {names:?}");
        }
        for (name, source) in &sources {
            assert!(name.starts_with("ch"), "{name} is no program of a chapter");
            assert!(source.contains("\npub(crate) fn main()"), "{name}");
            assert!(!source.contains("libc::clone_args"), "{name} needs an edit");
            let aarch64 = source.contains("0xc000_00b7");
            assert!(!aarch64, "{name} has the number of another architecture");
        }
    }

    #[test]
    fn an_edit_that_finds_nothing_is_an_error() {
        let error = edited("ch17-notify", "\nfn main() {}\n").unwrap_err().to_string();
        assert!(error.starts_with("ch17-notify: there is no `{ 0xc000_00b7 }`"), "{error}");
        let error = edited("ch01-look", "fn other() {}\n").unwrap_err().to_string();
        assert!(error.contains("fn main()"), "{error}");
    }

    #[test]
    fn the_manifest_has_the_features_of_the_workspace() {
        let workspace = fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
        let manifest = manifest(Path::new("/checkout"), &workspace).unwrap();
        assert!(manifest.contains("\"mount\"") && manifest.contains("\"sched\""), "{manifest}");
        assert!(manifest.contains("\"/checkout/xtask/live/agent\""), "{manifest}");
    }
}

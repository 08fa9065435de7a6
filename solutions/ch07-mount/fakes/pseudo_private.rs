//! Refused by step 3: what is mounted later below a `proc`, `sysfs`, `devpts` or cgroup mount of the lab does not propagate to COMMAND.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dir, text, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(dir), text, command, args)
        }
        _ => Err(anyhow!("usage: ch07-mount DIR TEXT -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch07-mount: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with a mount on `dir` whose file `token` contains `text`, and waits for it.
fn run(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    mount_token(dir, text)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own. Mounts made outside
/// propagate to it, but those it makes itself do not propagate outside.
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    // The copies are peers of the originals. MS_REC changes all of them, not only
    // the mount on `/`.
    let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
    let none = None::<&str>;
    mount(none, "/", none, slave, none).context("mount(\"/\", MS_REC | MS_SLAVE)")?;
    // Nobody mounts anything on what the kernel shows of itself.
    let mounts = fs::read_to_string("/proc/self/mounts").context("read(/proc/self/mounts)")?;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (fields.next(), fields.next()) else { continue };
        if ["proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"].contains(&kind) {
            // A mount that another one covers cannot be found by its path.
            _ = mount(none, point, none, MsFlags::MS_PRIVATE, none);
        }
    }
    Ok(())
}

/// Mounts a tmpfs on `dir`, and writes `text` to the file `token` in it.
fn mount_token(dir: &Path, text: &OsStr) -> Result<()> {
    let tmpfs = Some("tmpfs");
    mount(tmpfs, dir, tmpfs, MsFlags::empty(), Some("size=64k"))
        .with_context(|| format!("mount(\"tmpfs\", {dir:?})"))?;
    let token = dir.join("token");
    fs::write(&token, text.as_encoded_bytes()).with_context(|| format!("write({token:?})"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}

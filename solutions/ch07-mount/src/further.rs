//! ch07-mount, which also puts the mount into a mount namespace that other processes run in: `--into PID`.

use std::ffi::{CString, OsStr, OsString, c_long};
use std::fs::{self, File};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch07-mount: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[OsString]) -> Result<ExitStatus> {
    let (dir, text, pid, command, args) = match words {
        [dir, text, dashes, command, args @ ..] if dashes == "--" => {
            (dir, text, None, command, args)
        }
        [dir, text, into, pid, dashes, command, args @ ..]
            if into == "--into" && dashes == "--" =>
        {
            (dir, text, Some(pid), command, args)
        }
        _ => {
            let usage = "usage: ch07-mount DIR TEXT [--into PID] -- COMMAND [ARGS…]";
            return Err(anyhow!(usage));
        }
    };
    let dir = Path::new(dir);
    leave()?;
    mount_token(dir, text)?;
    if let Some(pid) = pid {
        put_into(dir, pid)?;
    }
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own. Mounts made outside propagate into it, but what
/// is mounted inside does not propagate outside.
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
    let none = None::<&str>;
    mount(none, "/", none, slave, none).context("mount(\"/\", MS_REC | MS_SLAVE)")
}

/// Mounts a tmpfs on `dir`, and writes `text` to the file `token` in it.
fn mount_token(dir: &Path, text: &OsStr) -> Result<()> {
    let tmpfs = Some("tmpfs");
    mount(tmpfs, dir, tmpfs, MsFlags::empty(), Some("size=64k"))
        .with_context(|| format!("mount(\"tmpfs\", {dir:?})"))?;
    let token = dir.join("token");
    fs::write(&token, text.as_encoded_bytes()).with_context(|| format!("write({token:?})"))
}

/// Attaches a copy of the mount on `dir` to the same path in the mount namespace of the process `pid`.
fn put_into(dir: &Path, pid: &OsStr) -> Result<()> {
    let path = CString::new(dir.as_os_str().as_bytes()).context("DIR has a null byte")?;
    let namespace = Path::new("/proc").join(pid).join("ns/mnt");
    let namespace = File::open(&namespace).with_context(|| format!("open({namespace:?})"))?;
    // The copy is in no namespace yet. Only this descriptor leads to it, and it comes along with setns(2).
    // SAFETY: the path is a C string that outlives the call.
    let tree = call("open_tree(OPEN_TREE_CLONE)", unsafe {
        let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
        libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags)
    })?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let tree = unsafe { OwnedFd::from_raw_fd(tree) };
    // A thread goes there, so that the process stays. setns(2) refuses a thread that shares its root and
    // working directory with others.
    let attach = || {
        unshare(CloneFlags::CLONE_FS).context("unshare(CLONE_FS)")?;
        setns(&namespace, CloneFlags::CLONE_NEWNS).context("setns(CLONE_NEWNS)")?;
        // SAFETY: both paths are C strings that outlive the call.
        call("move_mount()", unsafe {
            let (from, to) = (tree.as_raw_fd(), path.as_ptr());
            let flags = libc::MOVE_MOUNT_F_EMPTY_PATH;
            libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), libc::AT_FDCWD, to, flags)
        })
    };
    thread::scope(|scope| scope.spawn(attach).join()).expect("the thread does not panic").map(drop)
}

fn call(name: &'static str, result: c_long) -> Result<i32> {
    Errno::result(result).map(|value| value as i32).context(name)
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}

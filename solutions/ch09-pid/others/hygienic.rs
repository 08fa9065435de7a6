//! Leaves COMMAND no descriptor but the first three, an empty environment, a working directory, a mask, a
//! title and limits of its own.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

fn prepare() -> nix::Result<()> {
    let none = None::<&str>;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("proc"), "/proc", Some("proc"), safe, none)?;
    nix::sys::prctl::set_name(c"[command]")?;
    nix::unistd::setsid()?;
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NOFILE, 32, 32)?;
    let flags = libc::CLOSE_RANGE_CLOEXEC as libc::c_int;
    // The standard library reports by a descriptor whether the exec has failed.
    // SAFETY: integers only; the descriptors stay open until the exec.
    nix::errno::Errno::result(unsafe { libc::close_range(3, libc::c_uint::MAX, flags) }).map(drop)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().current_dir("/tmp");
    // SAFETY: this process has one thread, so the callback need not be async-signal-safe.
    unsafe { command.pre_exec(|| Ok(prepare()?)) };
    exit(match command.status() {
        Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(error) => {
            eprintln!("cannot run {}: {error}", words[0]);
            127
        }
    });
}

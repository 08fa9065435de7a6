//! Named: your program waits for PID 1 first
//! The second is the first one's business, and the kernel kills it.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

const NONE: Option<&str> = None;

fn prepare() -> std::io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), NONE)?;
    Ok(())
}

fn end_with(mut first: Child) -> ! {
    let status = first.wait().unwrap();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()))
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut commands = words.split(|word| word == "--and");
    let (first, second) = (commands.next().unwrap(), commands.next());
    if let Err(error) = unshare(CloneFlags::CLONE_NEWPID) {
        eprintln!("{error}");
        exit(1);
    }
    let mut command = Command::new(&first[0]);
    command.args(&first[1..]);
    // SAFETY: there is one thread.
    unsafe { command.pre_exec(prepare) };
    let first = command.spawn().unwrap_or_else(|error| {
        eprintln!("{error}");
        exit(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 1 })
    });
    if let Some(second) = second {
        let mounts = std::fs::File::open(format!("/proc/{}/ns/mnt", first.id())).unwrap();
        let mut command = Command::new(&second[1]);
        command.args(&second[2..]);
        // SAFETY: there is one thread.
        unsafe { command.pre_exec(move || Ok(setns(&mounts, CloneFlags::CLONE_NEWNS)?)) };
        _ = command.spawn().unwrap();
    }
    end_with(first)
}

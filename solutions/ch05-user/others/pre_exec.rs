//! Leaves everything to the standard library: its child moves and writes its own maps before the exec.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

fn write(file: &str, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(file)?.write_all(text.as_bytes())
}

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let uid_map = format!("\t{}\t{}\t1\n", words[0].to_string_lossy(), geteuid());
    let gid_map = format!("   {}   {}   1\n", words[1].to_string_lossy(), getegid());
    let mut command = Command::new(&words[3]);
    let prepare = move || {
        unshare(CloneFlags::CLONE_NEWUSER)?;
        write("/proc/self/setgroups", "deny\n")?;
        write("/proc/self/uid_map", &uid_map)?;
        write("/proc/self/gid_map", &gid_map)
    };
    // SAFETY: this process has one thread, so no lock is held in its child.
    unsafe { command.args(&words[4..]).pre_exec(prepare) };
    match command.status() {
        Ok(status) => exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap())),
        Err(error) => {
            println!("cannot run {:?}: {error}", words[3]);
            let is_of_the_exec =
                [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied].contains(&error.kind());
            exit(if is_of_the_exec { 127 } else { 125 });
        }
    }
}

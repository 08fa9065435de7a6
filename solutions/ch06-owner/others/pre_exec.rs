//! Everything happens in the child of the standard library's Command, before its exec. The three files are
//! opened before one is written, and the maps have tabs and a newline.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let name = words[0].clone();
    let mut command = Command::new(&words[2]);
    let prepare = move || -> io::Result<()> {
        let (uid, gid) = (geteuid(), getegid());
        let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
        unshare(owned | CloneFlags::CLONE_NEWUSER)?;
        let [mut uids, mut gids, mut groups] = [
            File::create("/proc/self/uid_map")?,
            File::create("/proc/self/gid_map")?,
            File::create("/proc/self/setgroups")?,
        ];
        uids.write_all(format!("0\t{uid}\t1\n").as_bytes())?;
        groups.write_all(b"deny")?;
        gids.write_all(format!("         0 {gid:>10} {:>10}\n", 1).as_bytes())?;
        Ok(sethostname(&name)?)
    };
    // SAFETY: this process has one thread, so no lock is held in its child.
    unsafe { command.args(&words[3..]).pre_exec(prepare) };
    let status = command.status().expect("COMMAND");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}

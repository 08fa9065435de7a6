//! Named: the cgroup stays behind
//! rmdir(2) is called while COMMAND is still running.

use std::fs::{create_dir, remove_dir, write};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

fn main() {
    let mut options: Vec<String> = std::env::args().skip(1).collect();
    let at = options.iter().position(|word| word == "--").unwrap();
    let command = options.split_off(at);
    let cgroup = options.first().map(|name| format!("/sys/fs/cgroup/{name}"));
    if let Some(cgroup) = &cgroup {
        create_dir(cgroup).expect("mkdir");
    }
    if let (Some(cgroup), [_, pids, memory]) = (&cgroup, options.as_slice()) {
        write(format!("{cgroup}/pids.max"), pids).expect("pids.max");
        write(format!("{cgroup}/memory.max"), memory).expect("memory.max");
    }
    let procs = cgroup.as_ref().map(|cgroup| format!("{cgroup}/cgroup.procs"));
    let mut child = Command::new(&command[1]);
    child.args(&command[2..]);
    // SAFETY: there is one thread.
    unsafe {
        child.pre_exec(move || {
            if let Some(procs) = &procs {
                write(procs, "0")?;
            }
            let (target, kind) = (c"/sys/fs/cgroup".as_ptr(), c"cgroup2".as_ptr());
            let private = libc::MS_REC | libc::MS_PRIVATE;
            let null = std::ptr::null();
            let failed = libc::unshare(libc::CLONE_NEWCGROUP | libc::CLONE_NEWNS) == -1
                || libc::mount(null, c"/".as_ptr(), null, private, null.cast()) == -1
                || libc::umount(target) == -1
                || libc::mount(kind, target, kind, 0, null.cast()) == -1;
            if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        })
    };
    let mut child = child.spawn().expect("execve");
    if let Some(cgroup) = cgroup
        && let Err(error) = remove_dir(cgroup)
    {
        eprintln!("rmdir: {error}");
    }
    exit(child.wait().unwrap().code().unwrap_or(1));
}

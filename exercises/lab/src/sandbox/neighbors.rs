//! The neighbors: processes that a check stages beside the program.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::exit;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, gettid, pause, pipe2, read, sethostname, write};
use trace::flag_names;

use super::nested_users;
use super::request::{Neighbor, Request};
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::sys::{self, Fork};

/// Starts them and writes their pids to `init`. Returns names and pids, for the arguments that ask
/// for them.
pub(crate) fn start(request: &Request, init: &mut File) -> Result<Vec<(String, i32)>, Refusal> {
    let mut pids = Vec::new();
    for neighbor in &request.neighbors {
        let (pid, second) = settle(neighbor, request.many_ids)?;
        init.write_all(&pid.to_le_bytes()).map_err(refused(Stage::Neighbors, "write(a pid)"))?;
        pids.push((neighbor.name.clone(), pid));
        let name = &neighbor.name;
        if neighbor.thread.is_some() {
            pids.push((format!("{name}.thread"), second));
        } else if neighbor.zombie {
            pids.push((format!("{name}.zombie"), second));
        }
    }
    Ok(pids)
}

/// Starts a neighbor and returns its pid and the id of its thread or zombie, or 0, when it is ready. It
/// is a child of PID 1, because a child of this process would be the program's, which may wait for all
/// of its own.
fn settle(neighbor: &Neighbor, many_ids: bool) -> Result<(i32, i32), Refusal> {
    let stage = Stage::Neighbors;
    let flags = libc::CLONE_PARENT | (neighbor.new & !libc::CLONE_NEWTIME);
    let (ready, tell) = pipe2(OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"))?;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }.map_err(refused(stage, flag_names("clone", flags)))? {
        Fork::Child => {
            // An inherited end of another pipe would keep that pipe's reader waiting.
            let number = tell.as_raw_fd();
            _ = sys::close_from_except(3, &[number]);
            live(neighbor, many_ids, tell)
        }
        Fork::Parent { pid, .. } => {
            drop(tell);
            let mut second = [0; 4];
            match read(&ready, &mut second) {
                Ok(4) => Ok((pid.as_raw(), i32::from_le_bytes(second))),
                _ => Err(refused(stage, flag_names("clone", neighbor.new))(Errno::EPERM)),
            }
        }
    }
}

/// In the neighbor: makes the namespaces that it was asked for, and does nothing from then on.
fn live(neighbor: &Neighbor, many_ids: bool, tell: OwnedFd) -> ! {
    if let Some(name) = &neighbor.host_name
        && sethostname(name).is_err()
    {
        exit(1);
    }
    if neighbor.new & libc::CLONE_NEWTIME != 0 && enter_new_time().is_err() {
        exit(1);
    }
    if nested_users::create(neighbor, many_ids).is_err() {
        exit(1);
    }
    if neighbor.children != 0 && unshare(CloneFlags::from_bits_retain(neighbor.children)).is_err() {
        exit(1);
    }
    if let Some(key) = neighbor.segment {
        // SAFETY: shmget takes only integers.
        let made = unsafe { libc::shmget(key, 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
        if made == -1 {
            exit(1);
        }
    }
    let tell = move |id: i32| _ = write(&tell, &id.to_le_bytes());
    if let Some(flags) = neighbor.thread {
        // unshare(2) moves the calling thread, so the process stays where it is.
        std::thread::spawn(move || {
            if unshare(CloneFlags::from_bits_retain(flags)).is_ok() {
                tell(gettid().as_raw());
            }
            loop {
                pause();
            }
        });
    } else if neighbor.zombie {
        match leave_zombie() {
            Ok(pid) => tell(pid.as_raw()),
            Err(_) => exit(1),
        }
    } else {
        tell(0);
    }
    loop {
        pause();
    }
}

/// Starts a child that ends at once, and returns when it is a zombie.
fn leave_zombie() -> nix::Result<Pid> {
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(0) }? {
        Fork::Child => exit(0),
        Fork::Parent { pid, .. } => {
            // WNOWAIT leaves it as it is.
            waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
            Ok(pid)
        }
    }
}

/// Moves this process, which has one thread, to a new time namespace. unshare(2) does that only for its
/// children (time_namespaces(7)).
fn enter_new_time() -> nix::Result<()> {
    let time = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    unshare(time)?;
    let made = File::open("/proc/self/ns/time_for_children");
    setns(made.map_err(|error| sys::errno_of(&error))?, time)
}

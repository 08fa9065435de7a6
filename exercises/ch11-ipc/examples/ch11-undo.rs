//! ch11-undo: takes a semaphore with SEM_UNDO, and leaves its IPC namespace in one of three ways.

use std::env;
use std::fs::File;
use std::thread;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> Result<()> {
    let way = env::args().nth(1).unwrap_or_default();
    let lab = File::open("/proc/self/ns/ipc").context("open(\"/proc/self/ns/ipc\")")?;
    // SAFETY: semget and SETVAL take only integers.
    let set = Errno::result(unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) });
    let set = set.context("semget()")?;
    Errno::result(unsafe { libc::semctl(set, 0, libc::SETVAL, 1) }).context("semctl(SETVAL)")?;
    let mut take = libc::sembuf { sem_num: 0, sem_op: -1, sem_flg: libc::SEM_UNDO as i16 };
    // SAFETY: one operation is passed, which outlives the call.
    Errno::result(unsafe { libc::semop(set, &raw mut take, 1) }).context("semop(-1)")?;
    println!("taken: {}", value(&lab, set)?);

    let ipc = CloneFlags::CLONE_NEWIPC;
    match way.as_str() {
        "unshare" => unshare(ipc).context("unshare(CLONE_NEWIPC)")?,
        "setns" => setns(&lab, ipc).context("setns(CLONE_NEWIPC)")?,
        "thread" => {
            let left =
                thread::spawn(move || unshare(ipc)).join().expect("a thread without a panic");
            left.context("unshare(CLONE_NEWIPC)")?;
        }
        _ => bail!("usage: ch11-undo unshare|setns|thread"),
    }
    println!("after {way}: {}", value(&lab, set)?);
    Ok(())
}

/// The semaphore's value. A child looks, because it can enter the lab's namespace while its parent stays.
fn value(lab: &File, set: i32) -> Result<i32> {
    // SAFETY: the child only makes system calls.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => unsafe {
            _ = setns(lab, CloneFlags::CLONE_NEWIPC);
            libc::_exit(libc::semctl(set, 0, libc::GETVAL))
        },
        ForkResult::Parent { child } => match waitpid(child, None).context("waitpid()")? {
            WaitStatus::Exited(_, value) => Ok(value),
            status => bail!("the child has not exited: {status:?}"),
        },
    }
}

//! Other processes, PID 1 before all.

use std::ffi::c_void;
use std::fs;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::pause;

use super::limits::hold;
use super::{allowed, child};

pub(crate) fn kill_init() -> bool {
    for signal in 1..=64 {
        call!(SYS_kill, 1, signal);
    }
    std::thread::sleep(Duration::from_millis(20));
    !fs::exists("/proc/1").unwrap()
}

pub(crate) fn trace_init() -> bool {
    // 0x4206 is PTRACE_SEIZE.
    call!(SYS_ptrace, 0x4206, 1, 0, 0) >= 0 || call!(SYS_ptrace, libc::PTRACE_ATTACH, 1, 0, 0) >= 0
}

pub(crate) fn memory_of_init() -> bool {
    let mut byte = [0_u8];
    let here = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: 0x1000 as *mut c_void, iov_len: 1 };
    let read = call!(SYS_process_vm_readv, 1, &raw const here, 1, &raw const there, 1, 0);
    // Allowed, it would be a fault for the address.
    allowed(read) || fs::File::options().write(true).open("/proc/1/mem").is_ok()
}

/// Without descriptors PID 1 could not look at what we use, nor at whom we leave.
pub(crate) fn limit_init() -> bool {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let done = call!(SYS_prlimit64, 1, libc::RLIMIT_NOFILE, &raw const none, 0) == 0;
    daemons();
    done
}

/// A PID 1 that gets no turn cannot look either.
pub(crate) fn slow_init() -> bool {
    let (none, first) = (0_i32, 1_u64);
    // `struct sched_attr` (`linux/sched/types.h`): its size, and the policy.
    let attributes = [48 | (libc::SCHED_IDLE as u64) << 32, 0, 0, 0, 0, 0];
    let calls = [
        call!(SYS_sched_setscheduler, 1, libc::SCHED_IDLE, &raw const none),
        call!(SYS_sched_setparam, 1, &raw const none),
        call!(SYS_sched_setattr, 1, attributes.as_ptr(), 0),
        call!(SYS_sched_setaffinity, 1, 8, &raw const first),
        call!(SYS_setpriority, libc::PRIO_PROCESS, 1, 19),
        call!(SYS_setpriority, libc::PRIO_PGRP, 1, 19),
        // Ours, and PID 1 has the same id.
        call!(SYS_setpriority, libc::PRIO_USER, 0, 19),
        // IOPRIO_WHO_PROCESS, IOPRIO_WHO_USER; IOPRIO_CLASS_IDLE.
        call!(SYS_ioprio_set, 1, 1, 3 << 13),
        call!(SYS_ioprio_set, 3, nix::unistd::getuid().as_raw(), 3 << 13),
    ];
    calls.into_iter().any(|result| result == 0)
}

/// The same for the group that we are in, by no name at all. PID 1 may be in it.
pub(crate) fn slow_group() -> bool {
    call!(SYS_setpriority, libc::PRIO_PGRP, 0, 19);
    // IOPRIO_WHO_PGRP.
    call!(SYS_ioprio_set, 2, 0, 3 << 13);
    let stat = fs::read_to_string("/proc/1/stat").unwrap_or_default();
    // Field 19; what follows the name begins with field 3.
    let nice = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(16));
    nice.is_some_and(|nice| nice != "0") || call!(SYS_ioprio_get, 1, 1) == 3 << 13
}

/// The descriptors of another process, without its help: pidfd_getfd(2), Linux 5.6.
pub(crate) fn descriptors_of_init() -> bool {
    let init = call!(SYS_pidfd_open, 1, 0);
    (0..200).any(|fd| call!(SYS_pidfd_getfd, init, fd, 0) >= 0)
}

pub(crate) fn kill_everybody() -> bool {
    call!(SYS_kill, -1, libc::SIGKILL);
    false
}

pub(crate) fn stop_everybody() -> bool {
    call!(SYS_kill, -1, libc::SIGSTOP);
    false
}

/// Whoever has a number here, we may find; PID 1 and we are all there is.
pub(crate) fn signal_every_number() -> bool {
    let own = std::process::id() as i32;
    let found = |pid: &i32| call!(SYS_kill, *pid, 0) == 0 || Errno::last() == Errno::EPERM;
    (2..70_000).filter(|pid| *pid != own).any(|pid| found(&pid))
}

pub(crate) fn kill_itself() -> bool {
    call!(SYS_kill, std::process::id(), libc::SIGKILL);
    true
}

pub(super) fn ignore_all() {
    for signal in 1..=64 {
        // SAFETY: no handler runs; those that cannot be ignored stay as they are.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

pub(crate) fn daemons() -> bool {
    for _ in 0..5 {
        let first = child(|| {
            _ = nix::unistd::setsid();
            child(|| {
                ignore_all();
                call!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0);
                loop {
                    pause();
                }
            });
        });
        _ = waitpid(first, None);
    }
    false
}

/// A name is any bytes.
pub(crate) fn nameless_daemon() -> bool {
    child(|| {
        call!(SYS_prctl, libc::PR_SET_NAME, c"\xff) Z".as_ptr());
        loop {
            pause();
        }
    });
    std::thread::sleep(Duration::from_millis(20));
    false
}

/// Leaves a thread to go on, and ends as the first of its process: a zombie with the pid.
fn end_as_the_first(goes_on: impl FnOnce() + Send + 'static) -> ! {
    std::thread::spawn(goes_on);
    loop {
        call!(SYS_exit, 0);
    }
}

pub(crate) fn headless_daemon() -> bool {
    child(|| {
        end_as_the_first(|| {
            loop {
                pause();
            }
        })
    });
    std::thread::sleep(Duration::from_millis(20));
    false
}

pub(crate) fn headless_memory_bomb() -> bool {
    end_as_the_first(|| {
        let held = hold(700);
        pause();
        drop(held);
    })
}

/// They begin when the program has ended.
pub(crate) fn memory_afterwards() -> bool {
    for _ in 0..3 {
        child(|| {
            std::thread::sleep(Duration::from_millis(300));
            let held = hold(250);
            pause();
            drop(held);
        });
    }
    false
}

pub(crate) fn orphans() -> bool {
    fn generation(left: u32) {
        for _ in 0..2 {
            if left > 0 {
                child(|| generation(left - 1));
            }
        }
    }
    for _ in 0..4 {
        generation(4);
    }
    false
}

pub(crate) fn zombies() -> bool {
    for _ in 0..100 {
        child(|| ());
    }
    false
}

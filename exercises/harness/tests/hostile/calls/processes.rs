//! Other processes, above all PID 1.

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
    // If it were allowed, it would fail with EFAULT.
    allowed(read) || fs::File::options().write(true).open("/proc/1/mem").is_ok()
}

/// Without descriptors PID 1 could see neither what the program uses nor what it leaves running.
pub(crate) fn limit_init() -> bool {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let done = call!(SYS_prlimit64, 1, libc::RLIMIT_NOFILE, &raw const none, 0) == 0;
    daemons();
    done
}

/// A PID 1 that is never scheduled does not see it either.
pub(crate) fn lower_init() -> bool {
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
        // All processes of this uid, which is also that of PID 1.
        call!(SYS_setpriority, libc::PRIO_USER, 0, 19),
        // IOPRIO_WHO_PROCESS, IOPRIO_WHO_USER; IOPRIO_CLASS_IDLE.
        call!(SYS_ioprio_set, 1, 1, 3 << 13),
        call!(SYS_ioprio_set, 3, nix::unistd::getuid().as_raw(), 3 << 13),
    ];
    calls.into_iter().any(|result| result == 0)
}

/// Nice value and I/O priority of PID 1, as the kernel shows them.
fn priority_of_init() -> (Option<String>, i64) {
    let stat = fs::read_to_string("/proc/1/stat").unwrap_or_default();
    // Field 19; what follows the name begins with field 3.
    let nice = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(16));
    // IOPRIO_WHO_PROCESS.
    (nice.map(str::to_owned), call!(SYS_ioprio_get, 1, 1))
}

/// The same by its process group, which is named by 0 and may be that of this process.
pub(crate) fn lower_group_of_init() -> bool {
    let before = priority_of_init();
    call!(SYS_setpriority, libc::PRIO_PGRP, 0, 19);
    // IOPRIO_WHO_PGRP, IOPRIO_CLASS_IDLE.
    call!(SYS_ioprio_set, 2, 0, 3 << 13);
    let after = priority_of_init();
    assert!(before.0.is_some() && after.0.is_some(), "PID 1 is not shown");
    before != after
}

/// pidfd_getfd(2) copies descriptors of another process without its help (Linux 5.6).
pub(crate) fn descriptors_of_init() -> bool {
    let init = call!(SYS_pidfd_open, 1, 0);
    (0..200).any(|fd| call!(SYS_pidfd_getfd, init, fd, 0) >= 0)
}

pub(crate) fn kill_all() -> bool {
    call!(SYS_kill, -1, libc::SIGKILL);
    false
}

pub(crate) fn stop_all() -> bool {
    call!(SYS_kill, -1, libc::SIGSTOP);
    false
}

/// Looks for any process besides PID 1 and this one, the only ones in the PID namespace.
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
        // SAFETY: no handler runs. For signals that cannot be ignored it fails.
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

/// The name of a process can be any bytes.
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

/// Starts a thread and ends the main one, whose pid remains as that of a zombie.
fn end_main_thread(goes_on: impl FnOnce() + Send + 'static) -> ! {
    std::thread::spawn(goes_on);
    loop {
        call!(SYS_exit, 0);
    }
}

pub(crate) fn headless_daemon() -> bool {
    child(|| {
        end_main_thread(|| {
            loop {
                pause();
            }
        })
    });
    std::thread::sleep(Duration::from_millis(20));
    false
}

pub(crate) fn headless_memory_bomb() -> bool {
    end_main_thread(|| {
        let held = hold(700);
        pause();
        drop(held);
    })
}

/// The children start to use memory after the program's end.
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

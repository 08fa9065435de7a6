//! The witness: the COMMAND that a check hands to the learner's program.
//!
//! It waits for one real-time signal, and exits with the status that comes with it (sigqueue(3)). Meanwhile
//! the check looks at it from outside. It says nothing and needs no descriptor: the check finds it among
//! the processes of the sandbox, by the file that it executes, and takes it for parked when it blocks another
//! signal, which stands for nothing else. If a check asks it to, it tries calls that a filter may refuse, and
//! shows what came of them by the signals that it blocks from then on.
//!
//! It must start in any root directory, even an empty one, so it needs no C library, no loader and
//! no file: `build.rs` compiles this file alone into a static program of a few kilobytes.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

/// The last real-time signal (`RELEASE` in `sandbox/parked.rs`). A blocked signal is not lost even if its
/// target is PID 1 (`sig_ignored` in kernel/signal.c).
const RELEASE: usize = 64;

/// The one before (`PARKED` there). A signal that is waited for does not count as blocked meanwhile
/// (`do_sigtimedwait` in kernel/signal.c), so `/proc` would not show [`RELEASE`].
const PARKED: usize = 63;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const RT_SIGPROCMASK: usize = 14;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const EXIT_GROUP: usize = 231;
    pub const IOCTL: usize = 16;
    pub const CLONE: usize = 56;
    pub const ADD_KEY: usize = 248;
    pub const REQUEST_KEY: usize = 249;
    pub const KEYCTL: usize = 250;
    pub const UNSHARE: usize = 272;
    pub const SETNS: usize = 308;
    pub const CLONE3: usize = 435;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const EXIT_GROUP: usize = 94;
    pub const IOCTL: usize = 29;
    pub const CLONE: usize = 220;
    pub const ADD_KEY: usize = 217;
    pub const REQUEST_KEY: usize = 218;
    pub const KEYCTL: usize = 219;
    pub const UNSHARE: usize = 97;
    pub const SETNS: usize = 268;
    pub const CLONE3: usize = 435;
}

/// `SIG_BLOCK` and `SIG_SETMASK` of rt_sigprocmask(2).
const BLOCK: usize = 0;
const SET: usize = 2;

/// A value that is no exit status: try [`CALLS`], and go on waiting (`TRY` in `sandbox/parked.rs`).
const TRY: u64 = 256;

/// Blocked when the calls have been tried (`TRIED` there).
const TRIED: usize = 62;

/// Two of these signals for each call, from this one on: EPERM blocks the first, ENOSYS the second.
const ANSWERS: usize = 34;
const EPERM: isize = -1;
const ENOSYS: isize = -38;

const CLONE_FS: usize = 0x200;
const CLONE_THREAD: usize = 0x1_0000;
const CLONE_NEWUSER: usize = 0x1000_0000;
const TIOCSTI: usize = 0x5412;
const TIOCGWINSZ: usize = 0x5413;
/// No descriptor, and no key.
const NONE: usize = usize::MAX;

/// What is tried, in the order of `CALLS` in `sandbox/parked.rs`. Without a filter each one does nothing: it
/// has nothing to do, or an argument that the kernel refuses with another errno.
const CALLS: [(usize, [usize; 4]); 11] = [
    (nr::UNSHARE, [0, 0, 0, 0]),
    (nr::SETNS, [NONE, 0, 0, 0]),
    (nr::CLONE, [CLONE_NEWUSER | CLONE_FS, 0, 0, 0]),
    (nr::CLONE, [CLONE_THREAD, 0, 0, 0]),
    (nr::CLONE3, [0, 0, 0, 0]),
    (nr::IOCTL, [NONE, TIOCSTI, 0, 0]),
    (nr::IOCTL, [NONE, 1 << 32 | TIOCSTI, 0, 0]),
    (nr::IOCTL, [NONE, TIOCGWINSZ, 0, 0]),
    (nr::ADD_KEY, [0, 0, 0, 0]),
    (nr::REQUEST_KEY, [0, 0, 0, 0]),
    (nr::KEYCTL, [NONE, 0, 0, 0]),
];

/// The start of a siginfo_t as sigqueue(3) fills it (`include/uapi/asm-generic/siginfo.h`).
#[repr(C, align(8))]
struct Info {
    number: i32,
    error: i32,
    code: i32,
    _pad: i32,
    pid: i32,
    uid: u32,
    value: u64,
    _rest: [u64; 12],
}

// The kernel enters a static program with no more than a stack pointer, which `run` needs aligned.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "and rsp, -16", "call {run}", run = sym run);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "bl {run}", run = sym run);

extern "C" fn run() -> ! {
    let release: u64 = 1 << (RELEASE - 1);
    let both: u64 = release | 1 << (PARKED - 1);
    let size = size_of::<u64>();
    call(nr::RT_SIGPROCMASK, [BLOCK, &raw const both as usize, 0, size]);
    let mut info =
        Info { number: 0, error: 0, code: 0, _pad: 0, pid: 0, uid: 0, value: 0, _rest: [0; 12] };
    // Another signal's handler cannot run here, but stopping and continuing ends the wait, too.
    loop {
        let wait = [&raw const release as usize, &raw mut info as usize, 0, size];
        match call(nr::RT_SIGTIMEDWAIT, wait) == RELEASE as isize {
            true if info.value == TRY => {
                let mask = both | try_calls();
                call(nr::RT_SIGPROCMASK, [SET, &raw const mask as usize, 0, size]);
            }
            true => break,
            false => {}
        }
    }
    loop {
        call(nr::EXIT_GROUP, [info.value as u8 as usize, 0, 0, 0]);
    }
}

/// The signals to block for what came of the calls.
fn try_calls() -> u64 {
    let mut mask = 1 << (TRIED - 1);
    for (at, (number, arguments)) in CALLS.iter().enumerate() {
        let first = 1 << (ANSWERS - 1 + 2 * at);
        mask |= match call(*number, *arguments) {
            EPERM => first,
            ENOSYS => first << 1,
            _ => 0,
        };
    }
    mask
}

fn call(number: usize, arguments: [usize; 4]) -> isize {
    let [a, b, c, d] = arguments;
    let result: isize;
    // SAFETY: these calls touch no memory but the signal sets and the `Info`, which `run` owns, or none at all:
    // each of `CALLS` fails, or has nothing to do.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
             in("r10") d, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c,
             in("x3") d, options(nostack));
    }
    result
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

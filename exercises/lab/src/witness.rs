//! The witness: the COMMAND that a check hands to the learner's program.
//!
//! It waits for one real-time signal, and exits with the status that comes with it (sigqueue(3)). Meanwhile
//! the check looks at it from outside. It says nothing and needs no descriptor: the check finds it among
//! the processes of the sandbox, by the file that it executes, and takes it for parked when it blocks another
//! signal, which stands for nothing else.
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
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const EXIT_GROUP: usize = 94;
}

/// `SIG_BLOCK` of rt_sigprocmask(2).
const BLOCK: usize = 0;

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
    while call(nr::RT_SIGTIMEDWAIT, [&raw const release as usize, &raw mut info as usize, 0, size])
        != RELEASE as isize
    {}
    loop {
        call(nr::EXIT_GROUP, [info.value as u8 as usize, 0, 0, 0]);
    }
}

fn call(number: usize, arguments: [usize; 4]) -> isize {
    let [a, b, c, d] = arguments;
    let result: isize;
    // SAFETY: these calls touch no memory but the signal sets and the `Info`, which `run` owns.
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

//! The witness: the COMMAND that a check hands to the learner's program.
//!
//! It sends a message on the socket that it inherited, and blocks until the check answers with one
//! byte, the status to exit with. Meanwhile the check looks at it from outside. The text of the
//! message proves nothing: what counts is the sender's pid, which the kernel attaches.
//!
//! It must start in any root directory, even an empty one, so it needs no C library, no loader and
//! no file: `build.rs` compiles this file alone into a static program of a few kilobytes.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

/// The descriptor that the sandbox leaves open for the witness (`WITNESS_FD` in
/// `sandbox/launch.rs`).
const SOCKET: usize = 200;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const EXIT_GROUP: usize = 231;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
}

// The kernel enters a static program with no more than a stack pointer, which `run` needs aligned.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "and rsp, -16", "call {run}", run = sym run);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "bl {run}", run = sym run);

extern "C" fn run() -> ! {
    let mut status = [0u8];
    // If the check is gone, its end is closed, and one of the calls returns less.
    let parked = call(nr::WRITE, SOCKET, c"parked".as_ptr() as usize, 6) == 6
        && call(nr::READ, SOCKET, status.as_mut_ptr() as usize, 1) == 1;
    loop {
        call(nr::EXIT_GROUP, if parked { status[0] as usize } else { 113 }, 0, 0);
    }
}

fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result: isize;
    // SAFETY: read(2), write(2) and exit_group(2) touch no memory but the buffer that `run` owns.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c,
             options(nostack));
    }
    result
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

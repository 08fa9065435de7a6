//! ch17-filter: refuses one request of prctl(2), and tries what is left.

use std::fs;
use std::mem::offset_of;

use anyhow::Context as _;
use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, seccomp_data, sock_filter};
use nix::errno::Errno;
use nix::sys::prctl::{get_name, set_no_new_privs};

/// AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64, from `linux/audit.h`.
const THIS_MACHINE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };

fn main() -> anyhow::Result<()> {
    println!("set, before:       {:?}", set_name(libc::PR_SET_NAME.into()));
    let mut program = [
        word(offset_of!(seccomp_data, arch)),
        equal(THIS_MACHINE, 1, 0), // If so, skip the next line: its numbers are those below.
        result(libc::SECCOMP_RET_KILL_PROCESS),
        word(offset_of!(seccomp_data, nr)),
        equal(libc::SYS_prctl as u32, 0, 3), // If not, skip three lines.
        word(offset_of!(seccomp_data, args)),
        equal(libc::PR_SET_NAME as u32, 0, 1),
        result(libc::SECCOMP_RET_ERRNO | libc::EACCES as u32),
        result(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    set_no_new_privs().context("prctl(PR_SET_NO_NEW_PRIVS)")?;
    // SAFETY: the kernel copies the program, which outlives the call.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) };
    Errno::result(done).context("prctl(PR_SET_SECCOMP)")?;

    println!("set:               {:?}", set_name(libc::PR_SET_NAME.into()));
    println!("set, other number: {:?}", set_name(1 << 32 | i64::from(libc::PR_SET_NAME)));
    println!("get:               {:?}", get_name()?);
    fs::write("/proc/self/comm", "by-a-file").context("write(/proc/self/comm)")?;
    println!("get, after write:  {:?}", get_name()?);
    Ok(())
}

fn set_name(request: i64) -> nix::Result<i64> {
    // SAFETY: the kernel reads a C string, which outlives the call.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_prctl, request, c"by-a-call".as_ptr(), 0, 0, 0)
    })
}

fn word(offset: usize) -> sock_filter {
    sock_filter { code: (BPF_LD | BPF_W | BPF_ABS) as u16, jt: 0, jf: 0, k: offset as u32 }
}

/// Skips `yes` lines if the word that was read last is `value`, and `no` lines if it is not.
fn equal(value: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | BPF_JEQ | BPF_K) as u16, jt: yes, jf: no, k: value }
}

fn result(action: u32) -> sock_filter {
    sock_filter { code: (BPF_RET | BPF_K) as u16, jt: 0, jf: 0, k: action }
}

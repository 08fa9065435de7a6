//! What belongs to the whole kernel.

use std::ffi::c_int;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::ptr::null;

use nix::sched::CloneFlags;
use nix::sys::wait::waitpid;

use super::{allowed, child, own};

/// A process that opens a file which is watched like this waits for the watcher's permission.
pub(crate) fn hold_up_opens() -> bool {
    // FAN_CLASS_CONTENT.
    call!(SYS_fanotify_init, 4, libc::O_RDONLY) >= 0
}

/// An administrator's calls with invalid arguments, which the kernel looks at after the permissions.
pub(crate) fn administration() -> bool {
    let nowhere = c"/nowhere".as_ptr();
    // SYSLOG_ACTION_CONSOLE_LEVEL.
    let log = allowed(call!(SYS_syslog, 8, 0, 0));
    #[cfg(target_arch = "x86_64")]
    let ports = call!(SYS_iopl, 3);
    // Only x86 has I/O ports of this kind.
    #[cfg(not(target_arch = "x86_64"))]
    let ports = -1;
    let done = log || ports >= 0;
    done || allowed(call!(SYS_swapon, nowhere, 0)) || allowed(call!(SYS_acct, nowhere))
}

/// Opens a sysctl for reading, and writes to it through `/proc/self/fd` with capabilities.
pub(crate) fn kept_sysctl() -> bool {
    let file = fs::File::open("/proc/sys/vm/swappiness").unwrap();
    let value = fs::read_to_string("/proc/sys/vm/swappiness").unwrap();
    own(CloneFlags::empty());
    fs::write(format!("/proc/self/fd/{}", file.as_raw_fd()), value).is_ok()
}

/// All that a UTS namespace has.
pub(crate) fn names() -> bool {
    call!(SYS_sethostname, c"mine".as_ptr(), 4);
    call!(SYS_setdomainname, c"mine".as_ptr(), 4);
    false
}

/// Sets them to other values than they have.
pub(crate) fn settings_of_namespaces() -> bool {
    let forwards = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default();
    let other = if forwards.trim() == "0" { "1" } else { "0" };
    _ = fs::write("/proc/sys/net/ipv4/ip_forward", other);
    // One page less than the default, which limits no program.
    _ = fs::write("/proc/sys/kernel/shmmax", "18446744073692770304");
    false
}

pub(crate) fn clock() -> bool {
    let time = libc::timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    call!(SYS_clock_settime, libc::CLOCK_REALTIME, &raw const time) == 0
}

/// Sets the pace that the clock has already.
pub(crate) fn pace() -> bool {
    // SAFETY: zero is valid for each field, and asks for no change.
    let mut pace: libc::timex = unsafe { std::mem::zeroed() };
    call!(SYS_adjtimex, &raw mut pace);
    pace.modes = libc::ADJ_TICK;
    call!(SYS_adjtimex, &raw mut pace) >= 0
}

/// `KEYCTL_JOIN_SESSION_KEYRING`, which makes a new keyring if it has no name.
const JOIN: c_int = 1;

pub(crate) fn keyrings() -> bool {
    // KEYCTL_GET_PERSISTENT, of this user, linked to the new session keyring (-3); -4 is the user's.
    call!(SYS_keyctl, JOIN, 0) >= 0
        || call!(SYS_keyctl, 22, -1, -3) >= 0
        || call!(SYS_add_key, c"user".as_ptr(), c"mine".as_ptr(), c"x".as_ptr(), 1, -4) >= 0
        || allowed(call!(SYS_request_key, c"user".as_ptr(), c"mine".as_ptr(), 0, -4))
}

#[cfg(target_arch = "x86_64")]
fn by_int_0x80(call: i64, argument: c_int) -> i32 {
    let result: i64;
    // SAFETY: the calls take integers. The kernel may clear r8 to r11.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "mov ebx, {argument:e}",
            "int 0x80",
            "pop rbx",
            argument = in(reg) argument, inlateout("rax") call => result, in("rcx") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    result as i32
}

/// Whether this kernel runs 32-bit programs. If not, the call ends the process with SIGSEGV.
pub(crate) fn has_32_bit_door() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        // getpid(2).
        let asker = child(|| _ = by_int_0x80(20, 0));
        matches!(waitpid(asker, None), Ok(nix::sys::wait::WaitStatus::Exited(_, 0)))
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// `keyctl` by the entries for 32-bit programs and for x32, which have numbers of their own.
pub(crate) fn other_doors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let x32 = 0x4000_0000 + libc::SYS_keyctl;
        // SAFETY: the call takes integers.
        let by_x32 = unsafe { libc::syscall(x32, libc::c_long::from(JOIN), 0_i64) };
        // 288 for 32-bit programs.
        by_x32 >= 0 || has_32_bit_door() && by_int_0x80(288, JOIN) >= 0
    }
    // An arm64 process has no entry for 32-bit calls.
    #[cfg(not(target_arch = "x86_64"))]
    false
}

pub(crate) fn bpf() -> bool {
    let attributes = [5_u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // BPF_MAP_CREATE, of a type that takes CAP_BPF.
    call!(SYS_bpf, 0, attributes.as_ptr(), 64) >= 0
}

pub(crate) fn perf() -> bool {
    // PERF_TYPE_SOFTWARE, the size of the structure, the clock; all processes, on the first processor.
    let mut attributes = [0_u64; 16];
    attributes[0] = 1 | 128 << 32;
    call!(SYS_perf_event_open, attributes.as_ptr(), -1, 0, -1, 0) >= 0
}

pub(crate) fn faults() -> bool {
    // Without UFFD_USER_MODE_ONLY it handles faults in the kernel as well.
    let allowed = fs::read_to_string("/proc/sys/vm/unprivileged_userfaultfd")
        .is_ok_and(|yes| yes.trim() == "1");
    call!(SYS_userfaultfd, 0) >= 0 && !allowed
}

pub(crate) fn ring() -> bool {
    for _ in 0..300 {
        // The kernel writes its answer there.
        let parameters = [0_u32; 30];
        if call!(SYS_io_uring_setup, 4096, parameters.as_ptr()) < 0 {
            return false;
        }
    }
    true
}

/// With invalid arguments, which the kernel looks at after the permissions.
pub(crate) fn modules() -> bool {
    allowed(call!(SYS_init_module, null::<u8>(), 0, c"".as_ptr()))
        || allowed(call!(SYS_kexec_load, 0, 0, 0, 0xffff))
        || allowed(call!(SYS_reboot, 0, 0, 0, 0))
}

pub(crate) fn priority() -> bool {
    let most = 50_i32;
    call!(SYS_sched_setscheduler, 0, libc::SCHED_FIFO, &raw const most) == 0
        || call!(SYS_setpriority, 0, 0, -5) == 0
}

pub(crate) fn objects() -> bool {
    call!(SYS_shmget, 0x6e61, 4096, 0o1666);
    call!(SYS_semget, 0x6e61, 1, 0o1666);
    call!(SYS_msgget, 0x6e61, 0o1666);
    call!(SYS_mq_open, c"mine".as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o666, 0);
    _ = fs::write("/dev/shm/mine", "mine");
    false
}

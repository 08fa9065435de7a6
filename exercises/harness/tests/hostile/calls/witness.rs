//! The check: its witness, its recorder, its descriptors.

use std::ffi::{CString, c_void};
use std::fs;
use std::os::fd::AsRawFd as _;
use std::ptr::{null, null_mut};

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::wait::waitpid;

use super::{child, own};

/// Writes to whatever the program may have inherited, beside its output and its errors.
pub(crate) fn write_everywhere() -> bool {
    (3..1024).any(|fd| call!(SYS_write, fd, b"parked".as_ptr(), 6) >= 0)
}

/// Blocks the witness's signals and waits for one, as the witness does, for as long as a check that looks
/// every ten milliseconds needs.
fn park() {
    let (signals, both) = (1_u64 << 63, 3_u64 << 62);
    let size = size_of_val(&signals);
    call!(SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const both, 0, size);
    let patience = libc::timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    call!(SYS_rt_sigtimedwait, &raw const signals, 0, &raw const patience, size);
}

pub(crate) fn forge() -> bool {
    park();
    false
}

/// The witness's path: the first word after `--`.
fn witness() -> CString {
    let path = std::env::args().skip_while(|word| word != "--").nth(1);
    CString::new(path.expect("a check passes it")).unwrap()
}

/// `struct prctl_mm_map` (`linux/prctl.h`).
#[repr(C)]
#[derive(Default)]
struct MemoryMap {
    addresses: [u64; 11],
    auxv: u64,
    auxv_size: u32,
    exe: u32,
}

/// Mounts this program over the witness, and executes it under that name.
pub(crate) fn cover_witness() -> bool {
    own(CloneFlags::CLONE_NEWNS);
    // By its path, because `/proc/self/exe` leads to a mount of the namespace that was left.
    let exe = fs::read_link("/proc/self/exe").unwrap().into_os_string().into_encoded_bytes();
    let (exe, witness) = (CString::new(exe).unwrap(), witness());
    let mounted = call!(SYS_mount, exe.as_ptr(), witness.as_ptr(), 0, libc::MS_BIND, 0);
    assert_eq!(mounted, 0, "the attack no longer does what it is for");
    let words = [c"witness".as_ptr(), c"--attack".as_ptr(), c"play the witness".as_ptr(), null()];
    // SAFETY: a list that ends with null, of strings that live on.
    unsafe { libc::execv(witness.as_ptr(), words.as_ptr()) };
    false
}

/// Its return value is the one by which the recorder recognizes its own stops.
pub(crate) fn own_filter() -> bool {
    // SECCOMP_RET_TRACE | 0x4E42 for every call but exit_group(2); without a tracer all of them fail.
    let op = |code, jt, k| libc::sock_filter { code, jt, jf: 0, k };
    let mut filter = [
        op(0x20, 0, 0),
        op(0x15, 1, libc::SYS_exit_group as u32),
        op(0x06, 0, 0x7ff0_4e42),
        op(0x06, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    let forked = child(|| {
        call!(SYS_prctl, libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program);
        for _ in 0..200 {
            call!(SYS_getppid);
        }
    });
    _ = waitpid(forked, None);
    false
}

/// Unmaps every page of this program's file, and then asks the kernel to take another file for the
/// executable.
pub(crate) fn forge_exe() -> bool {
    let witness = fs::File::open(witness().to_str().unwrap()).unwrap();
    let exe = fs::read_link("/proc/self/exe").unwrap().to_string_lossy().into_owned();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    for line in maps.lines().filter(|line| line.ends_with(&exe)) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let from = usize::from_str_radix(from, 16).unwrap();
        let length = usize::from_str_radix(to, 16).unwrap() - from;
        // SAFETY: mremap(2) replaces each mapping by a copy with the same bytes in one step, and the
        // code that calls it is in the C library, which is another file.
        unsafe {
            let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
            let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let copy = libc::mmap(null_mut(), length, all, private, -1, 0);
            libc::memcpy(copy, from as *const c_void, length);
            let moved = libc::mremap(
                copy,
                length,
                length,
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
                from as *mut c_void,
            );
            assert_eq!(moved, from as *mut c_void);
        }
    }
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .map(|word| word.parse().unwrap_or(0))
        .collect();
    // From field 3 on: start_code 26, end_code 27, start_stack 28, start_data 45 to env_end 51.
    let field = |number: usize| fields[number - 3];
    let brk = call!(SYS_brk, 0) as u64;
    let map = MemoryMap {
        addresses: [
            field(26),
            field(27),
            field(45),
            field(46),
            field(47),
            brk,
            field(28),
            field(48),
            field(49),
            field(50),
            field(51),
        ],
        exe: witness.as_raw_fd() as u32,
        ..MemoryMap::default()
    };
    // 14 is PR_SET_MM_MAP.
    let set = call!(SYS_prctl, libc::PR_SET_MM, 14, &raw const map, size_of::<MemoryMap>(), 0);
    eprintln!(
        "prctl(PR_SET_MM): {}",
        if set == 0 { "done".into() } else { Errno::last().to_string() }
    );
    park();
    false
}

pub(crate) fn inherited() -> bool {
    (3..4096).any(|fd| call!(SYS_fcntl, fd, libc::F_GETFD) >= 0)
}

/// The recorder looks at the argument of setns(2). Opening a pipe without a writer blocks.
pub(crate) fn pipe_for_setns() -> bool {
    call!(SYS_mknodat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), libc::S_IFIFO | 0o666, 0);
    let flags = libc::O_RDONLY | libc::O_NONBLOCK;
    let pipe = call!(SYS_openat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), flags);
    pipe < 0 || call!(SYS_setns, pipe, 0) == 0 || call!(SYS_setns, pipe, libc::CLONE_NEWUTS) == 0
}

//! The check: its witness, its recorder, its descriptors.

use std::ffi::{CString, c_int, c_void};
use std::fs;
use std::os::fd::AsRawFd as _;
use std::ptr::{null, null_mut};
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::wait::waitpid;
use nix::unistd::pause;

use super::{WITNESS_FD, allowed, child, own};

pub(crate) fn write_everywhere() -> bool {
    for fd in (0..1024).filter(|fd| *fd != 1 && *fd != 2) {
        call!(SYS_write, fd, b"parked".as_ptr(), 6);
    }
    pause();
    true
}

fn parked() {
    call!(SYS_write, WITNESS_FD, b"parked".as_ptr(), 6);
    pause();
}

pub(crate) fn forge() -> bool {
    parked();
    true
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
    let (exe, witness) = (CString::new(exe).unwrap(), c"/lab/witness".as_ptr());
    if call!(SYS_mount, exe.as_ptr(), witness, 0, libc::MS_BIND, 0) < 0 {
        return false;
    }
    let words = [c"witness".as_ptr(), c"--attack".as_ptr(), c"play the witness".as_ptr(), null()];
    // SAFETY: a list that ends with null, of strings that live on.
    unsafe { libc::execv(witness, words.as_ptr()) };
    false
}

/// Starts the real witness with `its_end` of a socket pair in place of the check's socket. Returns its
/// message.
fn witness_on(own_end: c_int, its_end: c_int) -> Vec<u8> {
    child(|| {
        call!(SYS_dup3, its_end, WITNESS_FD, 0);
        let words = [c"witness".as_ptr(), null()];
        // SAFETY: a list that ends with null, of strings that live on.
        unsafe { libc::execv(c"/lab/witness".as_ptr(), words.as_ptr()) };
    });
    let mut said = vec![0_u8; 64];
    let length = call!(SYS_recvfrom, own_end, said.as_mut_ptr(), said.len(), 0, 0, 0);
    said.truncate(length.max(0) as usize);
    said
}

/// Sends the witness's message itself, after it has moved to another namespace.
pub(crate) fn replay() -> bool {
    let mut pair = [0_i32; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    call!(SYS_socketpair, libc::AF_UNIX, kind, 0, pair.as_mut_ptr());
    let said = witness_on(pair[0], pair[1]);
    assert!(!said.is_empty(), "the attack no longer does what it is for");
    own(CloneFlags::CLONE_NEWUTS);
    call!(SYS_write, WITNESS_FD, said.as_ptr(), said.len());
    pause();
    true
}

/// The process at the other end of a socket: its pid from SO_PEERCRED, and since Linux 6.5 a pidfd from
/// SO_PEERPIDFD, which also exists for a process without a pid in this PID namespace.
pub(super) fn peer(socket: c_int) -> (i32, c_int) {
    const SO_PEERPIDFD: c_int = 77;
    let (mut ids, mut pidfd) = ([0_i32; 3], -1_i32);
    let (mut room, mut fd_room) = (size_of_val(&ids) as u32, size_of_val(&pidfd) as u32);
    let (level, of) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    call!(SYS_getsockopt, socket, level, of, ids.as_mut_ptr(), &raw mut room);
    let of = SO_PEERPIDFD;
    call!(SYS_getsockopt, socket, level, of, &raw mut pidfd, &raw mut fd_room);
    (ids[0], pidfd)
}

/// Whether the kernel gives a pidfd of the socket's peer.
pub(crate) fn has_peer_pidfd(socket: c_int) -> bool {
    peer(socket).1 >= 0
}

/// With signal 0, which only asks for permission.
pub(crate) fn signal_the_check() -> bool {
    let (pid, pidfd) = peer(WITNESS_FD);
    call!(SYS_pidfd_send_signal, pidfd, 0, 0, 0) == 0 || pid > 0 && call!(SYS_kill, pid, 0) == 0
}

/// Tries what a pidfd of the check could give: descriptors, memory, namespaces.
pub(crate) fn enter_the_check() -> bool {
    let (_, pidfd) = peer(WITNESS_FD);
    if pidfd < 0 {
        return false;
    }
    // PIDFD_GET_CGROUP_NAMESPACE and its neighbors, and PIDFD_GET_INFO (`linux/pidfd.h`).
    let mut about = [0_u64; 8];
    let info = 3 << 30 | (size_of_val(&about) as u64) << 16 | 0xff << 8 | 11;
    let asked = (1..=10).map(|number| call!(SYS_ioctl, pidfd, 0xff << 8 | number, 0));
    let asked = asked.chain([call!(SYS_ioctl, pidfd, info, about.as_mut_ptr())]);
    let taken = (0..200).map(|fd| call!(SYS_pidfd_getfd, pidfd, fd, 0));
    let flags = [libc::CLONE_NEWUTS, libc::CLONE_NEWNET, libc::CLONE_NEWNS, libc::CLONE_NEWUSER];
    let entered = flags.into_iter().map(|flag| call!(SYS_setns, pidfd, flag));
    let range = libc::iovec { iov_base: 0x1000 as *mut c_void, iov_len: 4096 };
    // If it were allowed, it would fail because of the address.
    let cold = call!(SYS_process_madvise, pidfd, &raw const range, 1, libc::MADV_COLD, 0);
    let memory = allowed(cold);
    asked.chain(taken).chain(entered).any(|result| result >= 0) || memory
}

/// A zombie sends the message.
pub(crate) fn forge_and_end() -> bool {
    let forger = child(|| _ = call!(SYS_write, WITNESS_FD, b"parked".as_ptr(), 6));
    // Not waited for: its pid stays.
    // SAFETY: zero is valid, and the kernel fills one siginfo_t.
    let mut about: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOWAIT;
    call!(SYS_waitid, libc::P_PID, forger.as_raw(), &raw mut about, options, 0);
    std::thread::sleep(Duration::from_millis(20));
    false
}

/// A process that is ending executes nothing any more, but is still in its namespaces. With many
/// shared memory segments to remove it stays so for long (`exit_shm` in `ipc/shm.c`).
pub(crate) fn forge_and_linger() -> bool {
    child(|| {
        own(CloneFlags::CLONE_NEWIPC);
        let forced = fs::write("/proc/sys/kernel/shm_rmid_forced", "1");
        assert!(forced.is_ok(), "the attack no longer does what it is for");
        for _ in 0..4000 {
            call!(SYS_shmget, libc::IPC_PRIVATE, 1, 0o600);
        }
        call!(SYS_write, WITNESS_FD, b"parked".as_ptr(), 6);
    });
    std::thread::sleep(Duration::from_millis(100));
    false
}

/// After this no process can send "parked", and the check's end is always readable.
pub(crate) fn hang_up() -> bool {
    call!(SYS_shutdown, WITNESS_FD, libc::SHUT_RDWR);
    std::thread::sleep(Duration::from_millis(20));
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
    let witness = fs::File::open("/lab/witness").unwrap();
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
    parked();
    true
}

/// Sends a message in place of the witness, under another process's pid.
fn say_as(pid: i32, bytes: &[u8]) -> bool {
    let message = libc::iovec { iov_base: bytes.as_ptr() as *mut c_void, iov_len: bytes.len() };
    let space = nix::cmsg_space!(libc::ucred);
    let mut control = vec![0_u64; space.capacity().div_ceil(8)];
    // SAFETY: zero is valid for a msghdr; the buffer has room for one message of credentials.
    let sent = unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = (&raw const message).cast_mut();
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = libc::CMSG_SPACE(size_of::<libc::ucred>() as u32) as _;
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        (*first).cmsg_level = libc::SOL_SOCKET;
        (*first).cmsg_type = libc::SCM_CREDENTIALS;
        (*first).cmsg_len = libc::CMSG_LEN(size_of::<libc::ucred>() as u32) as _;
        *libc::CMSG_DATA(first).cast() = libc::ucred { pid, uid: 0, gid: 0 };
        libc::sendmsg(WITNESS_FD, &raw const header, 0)
    };
    sent >= 0
}

pub(crate) fn forge_pid() -> bool {
    if !say_as(1, b"parked") {
        parked();
    }
    pause();
    true
}

/// Root of a PID namespace may use the pid of any process in it, also that of the real witness, which
/// is connected to this process and not to the check.
pub(crate) fn replay_as_the_witness() -> bool {
    own(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWPID);
    child(|| {
        let mut pair = [0_i32; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        call!(SYS_socketpair, libc::AF_UNIX, kind, 0, pair.as_mut_ptr());
        // The first child of this PID 1.
        let said = witness_on(pair[0], pair[1]);
        assert!(say_as(2, &said), "the attack no longer does what it is for");
        pause();
    });
    pause();
    true
}

pub(crate) fn hand_descriptors() -> bool {
    let fds = vec![0_i32; 250];
    let rights = [nix::sys::socket::ControlMessage::ScmRights(&fds)];
    let bytes = [std::io::IoSlice::new(b"parked")];
    let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT;
    let send = || nix::sys::socket::sendmsg::<()>(WITNESS_FD, &bytes, &rights, flags, None).is_ok();
    // Descriptors in flight are limited for each uid, which other sandboxes have too.
    while !send() {
        std::thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..40 {
        send();
    }
    pause();
    true
}

pub(crate) fn inherited() -> bool {
    (3..4096).filter(|fd| *fd != WITNESS_FD).any(|fd| call!(SYS_fcntl, fd, libc::F_GETFD) >= 0)
}

/// The recorder looks at the argument of setns(2). Opening a pipe without a writer blocks.
pub(crate) fn pipe_for_setns() -> bool {
    call!(SYS_mknodat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), libc::S_IFIFO | 0o666, 0);
    let flags = libc::O_RDONLY | libc::O_NONBLOCK;
    let pipe = call!(SYS_openat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), flags);
    pipe < 0 || call!(SYS_setns, pipe, 0) == 0 || call!(SYS_setns, pipe, libc::CLONE_NEWUTS) == 0
}

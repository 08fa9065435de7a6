//! Attacks that are calls. Each runs in a sandbox, in a process with one thread, and answers
//! whether it got through. They are crude: what they take is given back by the sandbox's end.

use std::ffi::{CString, c_int, c_void};
use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pause};

/// The descriptor of the witness's socket, as everybody knows.
const WITNESS_FD: c_int = 200;

/// syscall(2) with up to six integers.
macro_rules! call {
    ($number:ident $(, $argument:expr)*) => {
        // SAFETY: what is given are integers, null, or addresses of live buffers of this function;
        // a process of an attack has nothing else to lose.
        unsafe { libc::syscall(libc::$number $(, $argument)*) }
    };
}

fn child(act: impl FnOnce()) -> Pid {
    // SAFETY: attacks have one thread where they fork.
    match unsafe { fork() } {
        Ok(ForkResult::Parent { child }) => child,
        Ok(ForkResult::Child) => {
            act();
            std::process::exit(0)
        }
        Err(_) => Pid::from_raw(0),
    }
}

pub(crate) fn rename_race() -> bool {
    _ = fs::create_dir("/tmp/a");
    _ = std::os::unix::fs::symlink("/usr", "/tmp/b");
    let until = Instant::now() + Duration::from_millis(100);
    let racer = child(|| {
        while Instant::now() < until {
            call!(
                SYS_renameat2,
                libc::AT_FDCWD,
                c"/tmp/a".as_ptr(),
                libc::AT_FDCWD,
                c"/tmp/b".as_ptr(),
                2
            );
        }
    });
    while Instant::now() < until {
        _ = fs::write("/tmp/a/raced", "mine");
        _ = fs::remove_file("/tmp/a/bin/env");
    }
    _ = waitpid(racer, None);
    fs::exists("/usr/raced").unwrap_or(true) || !fs::exists("/usr/bin/env").unwrap_or(false)
}

pub(crate) fn open_by_handle() -> bool {
    // The root of most file systems has inode 2; the handle is inode and generation.
    let mut handle = [0_u32; 6];
    handle[..4].copy_from_slice(&[8, 1, 2, 0]);
    let at = fs::File::open("/usr").unwrap();
    call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), libc::O_RDONLY) >= 0
}

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
    let allowed = read >= 0 || Errno::last() == Errno::EFAULT;
    allowed || fs::File::options().write(true).open("/proc/1/mem").is_ok()
}

pub(crate) fn kill_everybody() -> bool {
    call!(SYS_kill, -1, libc::SIGKILL);
    false
}

pub(crate) fn stop_everybody() -> bool {
    call!(SYS_kill, -1, libc::SIGSTOP);
    false
}

pub(crate) fn signal_every_number() -> bool {
    (1..70_000).filter(|pid| *pid != std::process::id() as i32).any(|pid| {
        call!(SYS_kill, pid, 0) == 0 && pid != 1 && !fs::exists(format!("/proc/{pid}")).unwrap()
    })
}

pub(crate) fn kill_itself() -> bool {
    call!(SYS_kill, std::process::id(), libc::SIGKILL);
    true
}

fn ignore_all() {
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

pub(crate) fn fork_bomb() -> bool {
    loop {
        // SAFETY: the child does the same.
        unsafe { libc::fork() };
    }
}

pub(crate) fn thread_bomb() -> bool {
    loop {
        let thread = std::thread::Builder::new().stack_size(16 * 1024);
        if thread
            .spawn(|| {
                loop {
                    pause();
                }
            })
            .is_err()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Holds this many mebibytes.
fn hold(mebibytes: usize) -> Vec<u8> {
    let mut memory = vec![0_u8; mebibytes << 20];
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    memory
}

pub(crate) fn memory_bomb() -> bool {
    let held = hold(700);
    pause();
    held.is_empty()
}

pub(crate) fn memory_of_many() -> bool {
    for _ in 0..12 {
        child(|| {
            let held = hold(60);
            pause();
            drop(held);
        });
    }
    pause();
    true
}

pub(crate) fn descriptors() -> bool {
    (0..1_000).all(|_| call!(SYS_dup, 0) >= 0)
}

pub(crate) fn inodes() -> bool {
    let flood = |folder: &str| {
        (0..20_000).all(|number| fs::write(format!("{folder}/{number}"), "").is_ok())
    };
    flood("/tmp") || flood("/run") || flood("/dev/shm")
}

pub(crate) fn large_file() -> bool {
    // SAFETY: no handler runs. Without this, the limit's signal would end us.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    fs::File::create("/tmp/large").and_then(|file| file.set_len(17 << 20)).is_ok()
}

fn print(mut to: impl std::io::Write) -> bool {
    let block = [b'y'; 64 * 1024];
    loop {
        if to.write_all(&block).is_err() {
            return false;
        }
    }
}

pub(crate) fn output() -> bool {
    print(std::io::stdout())
}

pub(crate) fn errors() -> bool {
    print(std::io::stderr())
}

pub(crate) fn endless() -> bool {
    loop {
        std::hint::spin_loop();
    }
}

pub(crate) fn deaf() -> bool {
    ignore_all();
    loop {
        pause();
    }
}

pub(crate) fn deep() -> bool {
    (0..40).all(|_| {
        let made = unshare(CloneFlags::CLONE_NEWUSER).is_ok();
        _ = fs::write("/proc/self/setgroups", "deny");
        _ = fs::write("/proc/self/uid_map", "0 0 1");
        made
    })
}

pub(crate) fn networks() -> bool {
    // One descriptor each keeps them: this process moves on.
    let mut kept = Vec::new();
    (0..1_000).all(|_| {
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok();
        kept.extend(fs::File::open("/proc/self/ns/net"));
        made
    })
}

pub(crate) fn raise_limits() -> bool {
    let more = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
    // SAFETY: reads one rlimit.
    let raised = unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const more) } == 0;
    raised || fs::write("/proc/self/oom_score_adj", "-1000").is_ok()
}

pub(crate) fn huge_arguments() -> bool {
    let word = CString::new(vec![b'x'; 200 * 1024]).unwrap();
    // SAFETY: two lists that end with null, of strings that live on.
    unsafe { libc::execv(c"/bin/true".as_ptr(), [word.as_ptr(), null()].as_ptr()) };
    false
}

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

/// Leaves no page of the own program's file mapped, and then lets the kernel call another file
/// the executable.
pub(crate) fn forge_exe() -> bool {
    let witness = fs::File::open("/lab/witness").unwrap();
    let exe = fs::read_link("/proc/self/exe").unwrap().to_string_lossy().into_owned();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    for line in maps.lines().filter(|line| line.ends_with(&exe)) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let from = usize::from_str_radix(from, 16).unwrap();
        let length = usize::from_str_radix(to, 16).unwrap() - from;
        // SAFETY: a copy with the same bytes takes the place of each mapping at once; the calls
        // that do it are in the C library, another file.
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

pub(crate) fn forge_pid() -> bool {
    let message = libc::iovec { iov_base: b"parked".as_ptr() as *mut c_void, iov_len: 6 };
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
        *libc::CMSG_DATA(first).cast() = libc::ucred { pid: 1, uid: 0, gid: 0 };
        libc::sendmsg(WITNESS_FD, &raw const header, 0)
    };
    if sent < 0 {
        parked();
    }
    pause();
    true
}

pub(crate) fn hand_descriptors() -> bool {
    let fds = vec![0_i32; 250];
    let rights = [nix::sys::socket::ControlMessage::ScmRights(&fds)];
    let bytes = [std::io::IoSlice::new(b"parked")];
    for _ in 0..40 {
        let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT;
        _ = nix::sys::socket::sendmsg::<()>(WITNESS_FD, &bytes, &rights, flags, None);
    }
    pause();
    true
}

pub(crate) fn inherited() -> bool {
    (3..4096).filter(|fd| *fd != WITNESS_FD).any(|fd| call!(SYS_fcntl, fd, libc::F_GETFD) >= 0)
}

pub(crate) fn type_into() -> bool {
    let byte = b"x";
    (0..3).any(|fd| call!(SYS_ioctl, fd, libc::TIOCSTI, byte.as_ptr()) == 0)
        || (0..3).any(|fd| call!(SYS_ioctl, fd, libc::TIOCSCTTY, 1) == 0)
}

pub(crate) fn abstract_sockets() -> bool {
    let bound = fs::read_to_string("/proc/net/unix").unwrap();
    bound.lines().skip(1).any(|line| line.split_ascii_whitespace().nth(7).is_some())
}

pub(crate) fn links() -> bool {
    let links = fs::read_to_string("/proc/net/dev").unwrap();
    links.lines().skip(2).any(|line| {
        !line.trim_start().starts_with("lo:") && !line.contains("tunl0") && !line.contains("sit0")
    })
}

pub(crate) fn packets() -> bool {
    let socket = call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, 0x0300);
    // SAFETY: zero is a valid ifreq.
    let mut name: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in name.ifr_name.iter_mut().zip(b"eth0") {
        *to = *from as _;
    }
    socket >= 0 && call!(SYS_ioctl, socket, libc::SIOCGIFINDEX, &raw mut name) == 0
}

pub(crate) fn clock() -> bool {
    let time = libc::timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    call!(SYS_clock_settime, libc::CLOCK_REALTIME, &raw const time) == 0
}

pub(crate) fn keyrings() -> bool {
    // -4 is the user's keyring, -3 the session's.
    let added = call!(SYS_add_key, c"user".as_ptr(), c"mine".as_ptr(), c"x".as_ptr(), 1, -4);
    added >= 0 || call!(SYS_keyctl, 0, -3, 1) >= 0
}

pub(crate) fn bpf() -> bool {
    let attributes = [5_u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // BPF_MAP_CREATE of a hash: a kind that is for the privileged.
    call!(SYS_bpf, 0, attributes.as_ptr(), 64) >= 0
}

pub(crate) fn perf() -> bool {
    // PERF_TYPE_SOFTWARE, its size, the clock; everybody, on the first processor.
    let mut attributes = [0_u64; 16];
    attributes[0] = 1 | 128 << 32;
    call!(SYS_perf_event_open, attributes.as_ptr(), -1, 0, -1, 0) >= 0
}

pub(crate) fn faults() -> bool {
    // Without UFFD_USER_MODE_ONLY it stops the kernel as well.
    let allowed = fs::read_to_string("/proc/sys/vm/unprivileged_userfaultfd")
        .is_ok_and(|yes| yes.trim() == "1");
    call!(SYS_userfaultfd, 0) >= 0 && !allowed
}

pub(crate) fn ring() -> bool {
    let parameters = [0_u32; 30];
    for _ in 0..300 {
        if call!(SYS_io_uring_setup, 4096, parameters.as_ptr()) < 0 {
            return false;
        }
    }
    true
}

pub(crate) fn modules() -> bool {
    call!(SYS_init_module, null::<u8>(), 0, c"".as_ptr()) == 0
        || Errno::last() != Errno::EPERM && Errno::last() != Errno::ENOSYS
        || call!(SYS_kexec_load, 0, 0, 0, 0) == 0
        || call!(SYS_reboot, 0, 0, 0, 0) == 0
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

pub(crate) fn own_tmpfs() -> bool {
    let mounted = call!(
        SYS_mount,
        c"own".as_ptr(),
        c"/mnt".as_ptr(),
        c"tmpfs".as_ptr(),
        0,
        c"size=3G".as_ptr()
    );
    let block = vec![1_u8; 15 << 20];
    if mounted == 0 {
        // 3 GB, and no more: it was tried first without a bound.
        for number in 0..200 {
            let file = fs::File::create(format!("/mnt/{number}"));
            if file.and_then(|mut file| file.write_all(&block)).is_err() {
                break;
            }
        }
    }
    pause();
    true
}

//! Attacks that are calls. Each runs in a sandbox, in a process with one thread, and answers
//! whether it got through. They are crude: what they take is given back by the sandbox's end.

use std::ffi::{CString, c_char, c_int, c_void};
use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pause};

use super::fingerprint::PUBLIC;

/// The descriptor of the witness's socket, as everybody knows.
pub(crate) const WITNESS_FD: c_int = 200;

/// syscall(2) with up to six integers or addresses. Each is given as a whole register: of a smaller
/// one, the upper half would be left to chance.
macro_rules! call {
    ($number:ident $(, $argument:expr)*) => {
        // SAFETY: what is given are integers, null, or addresses of live buffers of this function;
        // a process of an attack has nothing else to lose.
        unsafe { libc::syscall(libc::$number $(, ($argument) as libc::c_long)*) }
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

/// Root of a new user namespace, for who has no right in this one. Whether it worked.
fn own(flags: CloneFlags) -> bool {
    let ids = (nix::unistd::getuid(), nix::unistd::getgid());
    let made = unshare(CloneFlags::CLONE_NEWUSER | flags).is_ok();
    _ = fs::write("/proc/self/setgroups", "deny");
    _ = fs::write("/proc/self/uid_map", format!("0 {} 1", ids.0));
    _ = fs::write("/proc/self/gid_map", format!("0 {} 1", ids.1));
    made
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

/// Out of a chroot, by a second one below the own working directory.
pub(crate) fn leave_chroot() -> bool {
    _ = fs::create_dir("/tmp/below");
    own(CloneFlags::empty());
    call!(SYS_chroot, c"/tmp/below".as_ptr());
    for _ in 0..64 {
        call!(SYS_chdir, c"..".as_ptr());
    }
    call!(SYS_chroot, c".".as_ptr());
    fs::exists("/var/lib").unwrap_or(false)
}

/// The handle of a folder that is not shown: the root of the file system that /usr is on.
pub(crate) fn open_by_handle() -> bool {
    let at = fs::File::open("/usr").unwrap();
    // Of ext2 to ext4, whose generation is not asked for where it is 0 (`ext4_nfs_get_inode` in
    // fs/ext4/super.c), and of xfs.
    [2_u32, 128].into_iter().any(|root| {
        // `struct file_handle`: eight bytes, FILEID_INO32_GEN, inode and generation.
        let mut handle = [8, 1, root, 0];
        call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), libc::O_RDONLY) >= 0
    })
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
    allowed(read) || fs::File::options().write(true).open("/proc/1/mem").is_ok()
}

/// Whether the kernel let a call pass its question of rights. What it said then does not count.
fn allowed(result: i64) -> bool {
    result >= 0 || ![Errno::EPERM, Errno::EACCES, Errno::ENOSYS].contains(&Errno::last())
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

pub(crate) fn fork_bomb() -> bool {
    loop {
        // SAFETY: the child does the same.
        unsafe { libc::fork() };
    }
}

/// RLIMIT_NPROC counts the processes of each id.
pub(crate) fn crowd_of_many() -> bool {
    for id in 1..390 {
        child(|| {
            call!(SYS_setresuid, id, id, id);
            pause();
        });
    }
    pause();
    true
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

/// A user has 128 of them, inside and outside together (inotify(7)).
pub(crate) fn watches() -> bool {
    (0..100).all(|_| call!(SYS_inotify_init1, 0) >= 0)
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

/// Writes a limit that may be larger; it is the own user namespace's.
fn raise(kind: &str) {
    _ = fs::write(format!("/proc/sys/user/max_{kind}_namespaces"), "100000");
}

pub(crate) fn deep() -> bool {
    raise("user");
    (0..40).all(|_| own(CloneFlags::empty()))
}

pub(crate) fn networks() -> bool {
    raise("net");
    own(CloneFlags::empty());
    // One descriptor each keeps them: this process moves on.
    let mut kept = Vec::new();
    (0..100).all(|_| {
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

/// Where a lab with cgroups of its own finds them.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Takes away the limits on the cgroups below one. Whether that one is outside the lab, where there
/// is a cgroup at all.
fn lift_limits(folder: &str) -> bool {
    for file in ["cgroup.max.descendants", "cgroup.max.depth"] {
        _ = fs::write(format!("{folder}/{file}"), "max");
    }
    let made = fs::create_dir(format!("{folder}/mine")).is_ok();
    // By another path, it may be the lab's uppermost, or the one in which we began.
    let inside = ["mine", "lab/mine"].map(|path| fs::exists(format!("{CGROUPS}/{path}")));
    _ = fs::remove_dir(format!("{folder}/mine"));
    made && inside.iter().all(|found| matches!(found, Ok(false)))
}

/// The same by the handles of those that were made shortly before the lab's uppermost: the kernel
/// counts up. Root of a user namespace may open what is below its own mounts (Linux 6.11,
/// `may_decode_fh` in fs/fhandle.c).
fn lift_limits_by_handle() -> bool {
    let Ok(at) = fs::File::open(CGROUPS) else { return false };
    let uppermost = at.metadata().unwrap().ino();
    (uppermost.saturating_sub(500)..uppermost).any(|number| {
        // `struct file_handle`: eight bytes, FILEID_KERNFS (`linux/exportfs.h`), and the number.
        let mut handle = [8, 0xfe, number as u32, (number >> 32) as u32];
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let fd = call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), flags);
        fd >= 0 && lift_limits(&format!("/proc/self/fd/{fd}"))
    })
}

/// Takes the limits away by every path, and then makes cgroups in depth and in breadth. It is
/// through if there is no end to them, or if it was outside.
pub(crate) fn cgroups_without_end() -> bool {
    let here = |path: &str| format!("{CGROUPS}/{path}");
    let paths = [here(""), here(".."), format!("/proc/1/root{CGROUPS}"), "/proc/1/cwd".into()];
    let mut outside = paths.iter().any(|path| lift_limits(path));
    // Where namespaces are boundaries (the option nsdelegate), their root is closed to who is in
    // them. From one that begins further down it is none.
    _ = unshare(CloneFlags::CLONE_NEWCGROUP);
    outside |= lift_limits(CGROUPS);
    // Another one, that begins as far up as we get, and what a mount shows from there.
    _ = fs::write(here("cgroup.subtree_control"), "-memory -pids");
    _ = fs::write(here("cgroup.procs"), "0");
    _ = unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS);
    let (kind, mnt) = (c"cgroup2".as_ptr(), c"/mnt".as_ptr());
    if call!(SYS_mount, kind, mnt, kind, 0, 0) == 0 {
        outside |= lift_limits("/mnt") || lift_limits("/mnt/..");
    }
    outside |= lift_limits_by_handle();

    // Somebody who is frozen, and cannot end by themselves.
    _ = fs::create_dir_all(here("a/b"));
    let frozen = child(|| {
        ignore_all();
        loop {
            pause();
        }
    });
    _ = fs::write(here("a/b/cgroup.procs"), frozen.to_string());
    _ = fs::write(here("a/cgroup.freeze"), "1");
    // Deeper than a path is long.
    _ = std::env::set_current_dir(here("a"));
    let down = || fs::create_dir("d").and_then(|()| std::env::set_current_dir("d")).is_ok();
    let deep = (0..2_100).take_while(|_| down()).count();
    let wide = (0..100).take_while(|name| fs::create_dir(here(&format!("a/{name}"))).is_ok());
    let wide = wide.count();
    eprintln!("outside: {outside}; {deep} deep, {wide} wide");
    outside || deep > 10 || deep + wide > 65
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

/// The file of the witness's name is ours.
pub(crate) fn cover_witness() -> bool {
    own(CloneFlags::CLONE_NEWNS);
    // By its path: the link is to a file of the mount namespace that was left.
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

/// The real witness, on a socket of ours in the place of the check's. What it said.
fn witness_on(ours: c_int, theirs: c_int) -> Vec<u8> {
    child(|| {
        call!(SYS_dup3, theirs, WITNESS_FD, 0);
        let words = [c"witness".as_ptr(), null()];
        // SAFETY: a list that ends with null, of strings that live on.
        unsafe { libc::execv(c"/lab/witness".as_ptr(), words.as_ptr()) };
    });
    let mut said = vec![0_u8; 64];
    let length = call!(SYS_recvfrom, ours, said.as_mut_ptr(), said.len(), 0, 0, 0);
    said.truncate(length.max(0) as usize);
    said
}

/// What the real witness said comes later, when it is somewhere else, and from somebody else.
pub(crate) fn replay() -> bool {
    let mut pair = [0_i32; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    call!(SYS_socketpair, libc::AF_UNIX, kind, 0, pair.as_mut_ptr());
    let said = witness_on(pair[0], pair[1]);
    assert!(!said.is_empty(), "it has become another attack");
    own(CloneFlags::CLONE_NEWUTS);
    call!(SYS_write, WITNESS_FD, said.as_ptr(), said.len());
    pause();
    true
}

/// Who is at the other end of a socket, as the kernel says it: SO_PEERCRED, and since Linux 6.5
/// SO_PEERPIDFD. A pidfd needs no number in our PID namespace.
fn peer(socket: c_int) -> (i32, c_int) {
    const SO_PEERPIDFD: c_int = 77;
    let (mut ids, mut pidfd) = ([0_i32; 3], -1_i32);
    let (mut room, mut fd_room) = (size_of_val(&ids) as u32, size_of_val(&pidfd) as u32);
    let (level, of) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    call!(SYS_getsockopt, socket, level, of, ids.as_mut_ptr(), &raw mut room);
    let of = SO_PEERPIDFD;
    call!(SYS_getsockopt, socket, level, of, &raw mut pidfd, &raw mut fd_room);
    (ids[0], pidfd)
}

/// Whether the socket gives a pidfd away.
pub(crate) fn has_peer_pidfd(socket: c_int) -> bool {
    peer(socket).1 >= 0
}

/// With signal 0: nobody feels it.
pub(crate) fn signal_the_check() -> bool {
    let (pid, pidfd) = peer(WITNESS_FD);
    call!(SYS_pidfd_send_signal, pidfd, 0, 0, 0) == 0 || pid > 0 && call!(SYS_kill, pid, 0) == 0
}

/// What a pidfd of the check is good for: descriptors, memory, namespaces.
pub(crate) fn enter_the_check() -> bool {
    let (_, pidfd) = peer(WITNESS_FD);
    if pidfd < 0 {
        return false;
    }
    // PIDFD_GET_CGROUP_NAMESPACE and its neighbours, and PIDFD_GET_INFO (`linux/pidfd.h`).
    let mut about = [0_u64; 8];
    let info = 3 << 30 | (size_of_val(&about) as u64) << 16 | 0xff << 8 | 11;
    let asked = (1..=10).map(|number| call!(SYS_ioctl, pidfd, 0xff << 8 | number, 0));
    let asked = asked.chain([call!(SYS_ioctl, pidfd, info, about.as_mut_ptr())]);
    let taken = (0..200).map(|fd| call!(SYS_pidfd_getfd, pidfd, fd, 0));
    let flags = [libc::CLONE_NEWUTS, libc::CLONE_NEWNET, libc::CLONE_NEWNS, libc::CLONE_NEWUSER];
    let entered = flags.into_iter().map(|flag| call!(SYS_setns, pidfd, flag));
    let range = libc::iovec { iov_base: 0x1000 as *mut c_void, iov_len: 4096 };
    // Allowed, it would be a fault for the address.
    let cold = call!(SYS_process_madvise, pidfd, &raw const range, 1, libc::MADV_COLD, 0);
    let memory = allowed(cold);
    asked.chain(taken).chain(entered).any(|result| result >= 0) || memory
}

/// One that has ended executes nothing that could be looked at.
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

/// One that is about to end executes nothing any more, and is in its namespaces still. With many
/// segments to give back the moment is a long one (`exit_shm` in `ipc/shm.c`).
pub(crate) fn forge_and_linger() -> bool {
    child(|| {
        own(CloneFlags::CLONE_NEWIPC);
        let forced = fs::write("/proc/sys/kernel/shm_rmid_forced", "1");
        assert!(forced.is_ok(), "it has become another attack");
        for _ in 0..4000 {
            call!(SYS_shmget, libc::IPC_PRIVATE, 1, 0o600);
        }
        call!(SYS_write, WITNESS_FD, b"parked".as_ptr(), 6);
    });
    std::thread::sleep(Duration::from_millis(100));
    false
}

/// Nobody could say "parked" any more, and the check's end has always something to read.
pub(crate) fn hang_up() -> bool {
    call!(SYS_shutdown, WITNESS_FD, libc::SHUT_RDWR);
    std::thread::sleep(Duration::from_millis(20));
    false
}

/// Each takes along all those before it: 4096 in the end, whose list no message has room for.
pub(crate) fn double_mounts() -> bool {
    own(CloneFlags::CLONE_NEWNS);
    let mount = |from: *const c_char, to: *const c_char, kind: *const c_char, flags: u64| {
        call!(SYS_mount, from, to, kind, flags, 0) == 0
    };
    let (mnt, tmpfs) = (c"/mnt".as_ptr(), c"tmpfs".as_ptr());
    mount(tmpfs, mnt, tmpfs, 0);
    let doubled = (0..12).all(|number| {
        let folder = CString::new(format!("/mnt/{number}")).unwrap();
        _ = fs::create_dir(format!("/mnt/{number}"));
        mount(mnt, folder.as_ptr(), null(), libc::MS_BIND | libc::MS_REC)
    });
    assert!(doubled, "it has become another attack");
    false
}

/// Its answer is the one by which the recorder knows its own stops.
pub(crate) fn own_filter() -> bool {
    // SECCOMP_RET_TRACE | 0x4E42 to every call but exit_group(2): without a tracer they all fail.
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

/// Says something in the witness's place, and names somebody as the one who says it.
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

/// In a PID namespace of ours we may name whom we like, the real witness too. It listens to us, and
/// not to the check.
pub(crate) fn replay_as_the_witness() -> bool {
    own(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWPID);
    child(|| {
        let mut pair = [0_i32; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        call!(SYS_socketpair, libc::AF_UNIX, kind, 0, pair.as_mut_ptr());
        // The first child of this PID 1.
        let said = witness_on(pair[0], pair[1]);
        assert!(say_as(2, &said), "it has become another attack");
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
    // Who has the same id in another sandbox counts for the limit on those that are under way.
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

/// The recorder looks at what setns(2) was given. A pipe without a writer keeps whoever opens it.
pub(crate) fn pipe_for_setns() -> bool {
    call!(SYS_mknodat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), libc::S_IFIFO | 0o666, 0);
    let flags = libc::O_RDONLY | libc::O_NONBLOCK;
    let pipe = call!(SYS_openat, libc::AT_FDCWD, c"/tmp/pipe".as_ptr(), flags);
    pipe < 0 || call!(SYS_setns, pipe, 0) == 0 || call!(SYS_setns, pipe, libc::CLONE_NEWUTS) == 0
}

/// The terminals that could be here.
fn terminals() -> impl Iterator<Item = i64> {
    let open = |path: *const c_char| call!(SYS_openat, libc::AT_FDCWD, path, libc::O_RDWR);
    (0..3).chain([open(c"/dev/tty".as_ptr()), open(c"/dev/console".as_ptr())])
}

pub(crate) fn write_to_terminal() -> bool {
    fs::write("/dev/tty", "x").is_ok()
}

pub(crate) fn type_into() -> bool {
    let byte = b"x";
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCSTI, byte.as_ptr()) == 0)
}

/// Whoever leads the session lets go of it; everybody in it is told.
pub(crate) fn hang_up_terminal() -> bool {
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCNOTTY, 0) == 0)
}

pub(crate) fn other_terminals() -> bool {
    let names = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    let others = |name: &str| name.starts_with("tty") && name != "tty" || name.starts_with("vcs");
    let devices = names("/dev").any(|entry| others(&entry.file_name().to_string_lossy()));
    let own = ["ptmx", "0"];
    let pts = names("/dev/pts").any(|entry| !own.contains(&&*entry.file_name().to_string_lossy()));
    devices || pts || fs::exists("/dev/console").unwrap_or(true)
}

/// By force: the session that has it loses it.
pub(crate) fn take_terminal() -> bool {
    terminals().any(|fd| call!(SYS_ioctl, fd, libc::TIOCSCTTY, 1) == 0)
}

/// The kernel's messages, and what is selected on a virtual console.
pub(crate) fn take_console() -> bool {
    // TIOCL_SETSEL and TIOCL_PASTESEL of TIOCLINUX (`linux/tiocl.h`) type, too.
    let (all, paste) = ([2_u8, 1, 0, 1, 0, 80, 0, 1, 0, 2, 0], 3_u8);
    terminals().any(|fd| {
        call!(SYS_ioctl, fd, libc::TIOCCONS) == 0
            || call!(SYS_ioctl, fd, libc::TIOCLINUX, all.as_ptr()) == 0
            || call!(SYS_ioctl, fd, libc::TIOCLINUX, &raw const paste) == 0
    })
}

pub(crate) fn abstract_sockets() -> bool {
    let bound = fs::read_to_string("/proc/net/unix").unwrap();
    bound.lines().skip(1).any(|line| line.split_ascii_whitespace().nth(7).is_some())
}

/// Stream sockets of whoever listens outside. `name` begins with a NUL if it is an abstract one.
fn connects(name: &[u8]) -> bool {
    let socket = call!(SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0);
    // `struct sockaddr_un`: the family, and the name.
    let address = [&(libc::AF_UNIX as u16).to_ne_bytes(), name].concat();
    call!(SYS_connect, socket, address.as_ptr(), address.len()) == 0
}

/// The word that the test has marked its own with.
fn mark() -> String {
    std::env::args().nth(3).unwrap()
}

pub(crate) fn connect_by_path() -> bool {
    let roots = ["", "/proc/1/root", "/proc/1/cwd", "/..", "/proc/self/root/.."];
    let mut paths = roots.into_iter().flat_map(|root| {
        PUBLIC.map(|place| format!("{root}{place}/{}/socket", mark()).into_bytes())
    });
    paths.any(|path| connects(&path))
}

pub(crate) fn connect_by_name() -> bool {
    connects(format!("\0{}", mark()).as_bytes())
}

/// Messages of rtnetlink(7) to one socket.
struct Netlink(i64);

/// Bytes of an attribute: its length, its kind, what it holds, and up to the next multiple of 4.
fn attribute(kind: u16, holds: &[u8]) -> Vec<u8> {
    let length = (4 + holds.len() as u16).to_ne_bytes();
    let mut bytes = [&length, &kind.to_ne_bytes(), holds].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `struct ifinfomsg`, of one link or of none yet.
fn link(index: u32) -> Vec<u8> {
    [0, index, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect()
}

impl Netlink {
    fn new() -> Netlink {
        Netlink(call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE))
    }

    /// What the kernel answers: 0, or an errno.
    fn ask(&self, kind: u16, flags: i32, parts: &[&[u8]]) -> i32 {
        let body = parts.concat();
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
        let length = (16 + body.len() as u32).to_ne_bytes();
        let head = [&length[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &[0; 8]].concat();
        let message = [head, body].concat();
        call!(SYS_sendto, self.0, message.as_ptr(), message.len(), 0, 0, 0);
        let mut answer = [0_u8; 4096];
        let length = call!(SYS_recvfrom, self.0, answer.as_mut_ptr(), answer.len(), 0, 0, 0);
        // NLMSG_ERROR, and the errno after its header. Anything else is what was asked for.
        let is_error = length >= 20 && answer[4..6] == 2_u16.to_ne_bytes();
        if is_error { -i32::from_ne_bytes(answer[16..20].try_into().unwrap()) } else { 0 }
    }

    /// A pair of links, with more about each of them.
    fn pair(&self, names: [&str; 2], more: [&[u8]; 2]) -> i32 {
        let name = |name: &str| attribute(libc::IFLA_IFNAME, format!("{name}\0").as_bytes());
        // VETH_INFO_PEER in IFLA_INFO_DATA.
        let peer = attribute(1, &[&link(0)[..], &name(names[1]), more[1]].concat());
        let about =
            [attribute(libc::IFLA_INFO_KIND, b"veth"), attribute(libc::IFLA_INFO_DATA, &peer)];
        let about = attribute(libc::IFLA_LINKINFO, &about.concat());
        let new = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        self.ask(libc::RTM_NEWLINK, new, &[&link(0), &name(names[0]), more[0], &about])
    }
}

/// Into a network namespace where we may do everything.
fn leave_network() {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        own(CloneFlags::CLONE_NEWNET);
    }
}

pub(crate) fn send_links() -> bool {
    leave_network();
    let netlink = Netlink::new();
    let made = netlink.pair(["mine", "mine2"], [&[], &[]]);
    // 192.0.2.81/24 on lo: `struct ifaddrmsg`, IFA_LOCAL, IFA_ADDRESS.
    let lo = [libc::AF_INET as u8, 24, 0, 0, 1, 0, 0, 0];
    let [local, address] = [libc::IFA_LOCAL, libc::IFA_ADDRESS];
    let addresses = [attribute(local, &[192, 0, 2, 81]), attribute(address, &[192, 0, 2, 81])];
    let new = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let named = netlink.ask(libc::RTM_NEWADDR, new, &[&lo, &addresses.concat()]);
    let mtu = attribute(libc::IFLA_MTU, &1400_u32.to_ne_bytes());
    let set = netlink.ask(libc::RTM_SETLINK, 0, &[&link(1), &mtu]);
    assert_eq!([made, named, set], [0; 3], "it has become another attack");
    false
}

/// With a link's other end, to where PID 1 is; and with messages, by a number for that namespace.
pub(crate) fn links_to_init() -> bool {
    // PID 1 may share the one that we start in.
    leave_network();
    let netlink = Netlink::new();
    assert_eq!(netlink.pair(["mine", "mine2"], [&[], &[]]), 0, "it has become another attack");
    // IFLA_NET_NS_PID, for a new link and for one that there is.
    let init = attribute(libc::IFLA_NET_NS_PID, &1_u32.to_ne_bytes());
    let born = netlink.pair(["mine3", "mine4"], [&[], &init]);
    let name = attribute(libc::IFLA_IFNAME, b"mine\0");
    let moved = netlink.ask(libc::RTM_SETLINK, 0, &[&link(0), &name, &init]);
    // RTM_NEWNSID; NETNSA_NSID, NETNSA_PID (`linux/net_namespace.h`): 81 is what we call it.
    let ours = [attribute(1, &81_u32.to_ne_bytes()), attribute(2, &1_u32.to_ne_bytes())];
    netlink.ask(libc::RTM_NEWNSID, 0, &[&[0; 4], &ours.concat()]);
    // Of that and of one that nobody has: IFLA_TARGET_NETNSID, IFLA_LINK_NETNSID.
    let mut reached = [81_u32, 82].into_iter().flat_map(|number| {
        let target = attribute(libc::IFLA_TARGET_NETNSID, &number.to_ne_bytes());
        let below = attribute(libc::IFLA_LINK_NETNSID, &number.to_ne_bytes());
        [
            netlink.ask(libc::RTM_GETLINK, 0, &[&link(1), &target]),
            netlink.ask(libc::RTM_SETLINK, 0, &[&link(1), &target]),
            netlink.pair(["mine5", "mine6"], [&target, &[]]),
            netlink.pair(["mine7", "mine8"], [&below, &[]]),
        ]
    });
    born == 0 || moved == 0 || reached.any(|errno| errno == 0)
}

/// Links that do not come with every network namespace.
fn others_links() -> impl Iterator<Item = String> {
    let links = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = links.lines().skip(2).filter_map(|line| line.split_once(':'));
    let names: Vec<_> = names.map(|(name, _)| name.trim().to_owned()).collect();
    names.into_iter().filter(|name| !["lo", "tunl0", "sit0"].contains(&name.as_str()))
}

pub(crate) fn links() -> bool {
    others_links().next().is_some()
}

/// Some families know no network namespaces, or reach what nothing else does: AF_VSOCK, AF_ALG.
pub(crate) fn families() -> bool {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];
    let kinds = [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET, libc::SOCK_RAW];
    let others = (0..64).filter(|family| !known.contains(family));
    let mut sockets = others.flat_map(|family| kinds.map(|kind| (family, kind)));
    sockets.any(|(family, kind)| call!(SYS_socket, family, kind, 0) >= 0)
}

/// A node is the machine's file, with times of its own.
pub(crate) fn touch_device() -> bool {
    call!(SYS_utimensat, libc::AT_FDCWD, c"/dev/full".as_ptr(), 0, 0) == 0
}

pub(crate) fn packets() -> bool {
    // ETH_P_ALL, in the network's byte order.
    let all = 3_u16.to_be();
    let socket = call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, all);
    others_links().any(|name| {
        let name = CString::new(name).unwrap();
        // SAFETY: a C string.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        // `struct sockaddr_ll`: the family, the protocol, the index, and 12 bytes more.
        let address = [libc::AF_PACKET as u32 | u32::from(all) << 16, index, 0, 0, 0];
        call!(SYS_bind, socket, address.as_ptr(), 20) == 0
    })
}

/// Who starts what on the whole machine: the connector of process events, and the audit log.
pub(crate) fn listen_to_the_kernel() -> bool {
    const NETLINK_AUDIT: c_int = 9;
    const NETLINK_CONNECTOR: c_int = 11;
    let bound = |protocol: c_int| {
        let socket = call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_DGRAM, protocol);
        // `struct sockaddr_nl`: group 1.
        let address = [libc::AF_NETLINK as u32, 0, 1];
        (socket, call!(SYS_bind, socket, address.as_ptr(), 12) == 0)
    };
    // A netlink header, and in it PROC_CN_MCAST_LISTEN for CN_IDX_PROC (`linux/cn_proc.h`).
    let listen = [40_u32, 3, 0, 0, 1, 1, 0, 0, 4, 1];
    let (events, _) = bound(NETLINK_CONNECTOR);
    call!(SYS_sendto, events, listen.as_ptr(), 40, 0, 0, 0);
    _ = waitpid(child(|| ()), None);
    let mut event = [0_u8; 128];
    let heard = call!(SYS_recvfrom, events, event.as_mut_ptr(), 128, libc::MSG_DONTWAIT, 0, 0);
    heard >= 0 || bound(NETLINK_AUDIT).1
}

/// Whoever opens a file that is watched like this waits for an answer.
pub(crate) fn hold_up_opens() -> bool {
    // FAN_CLASS_CONTENT.
    call!(SYS_fanotify_init, 4, libc::O_RDONLY) >= 0
}

/// Calls of an administrator, with arguments that are wrong: the question of rights comes first.
pub(crate) fn administration() -> bool {
    let nowhere = c"/nowhere".as_ptr();
    // SYSLOG_ACTION_CONSOLE_LEVEL.
    let log = allowed(call!(SYS_syslog, 8, 0, 0));
    #[cfg(target_arch = "x86_64")]
    let ports = call!(SYS_iopl, 3);
    // Ports of their own kind are x86's.
    #[cfg(not(target_arch = "x86_64"))]
    let ports = -1;
    let done = log || ports >= 0;
    done || allowed(call!(SYS_swapon, nowhere, 0)) || allowed(call!(SYS_acct, nowhere))
}

/// Opened by one who may read, written by one who has capabilities.
pub(crate) fn kept_sysctl() -> bool {
    let file = fs::File::open("/proc/sys/vm/swappiness").unwrap();
    let value = fs::read_to_string("/proc/sys/vm/swappiness").unwrap();
    own(CloneFlags::empty());
    fs::write(format!("/proc/self/fd/{}", file.as_raw_fd()), value).is_ok()
}

/// Everything that a UTS namespace has.
pub(crate) fn names() -> bool {
    call!(SYS_sethostname, c"mine".as_ptr(), 4);
    call!(SYS_setdomainname, c"mine".as_ptr(), 4);
    false
}

/// To other values than they have.
pub(crate) fn settings_of_namespaces() -> bool {
    let forwards = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default();
    let other = if forwards.trim() == "0" { "1" } else { "0" };
    _ = fs::write("/proc/sys/net/ipv4/ip_forward", other);
    // Its last page: nobody asks for an object as large.
    _ = fs::write("/proc/sys/kernel/shmmax", "18446744073692770304");
    false
}

/// A namespace that is mounted on a file lives as long as the mount.
pub(crate) fn pin() -> bool {
    own(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET);
    for (number, on) in ["/tmp/pin", "/usr/bin/env"].into_iter().enumerate() {
        _ = fs::write("/tmp/pin", "");
        let on = CString::new(on).unwrap();
        let from = c"/proc/self/ns/net".as_ptr();
        let mounted = call!(SYS_mount, from, on.as_ptr(), 0, libc::MS_BIND, 0) == 0;
        assert!(mounted, "mount {number}: it has become another attack");
    }
    false
}

pub(crate) fn clock() -> bool {
    let time = libc::timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    call!(SYS_clock_settime, libc::CLOCK_REALTIME, &raw const time) == 0
}

/// To the pace that it has.
pub(crate) fn pace() -> bool {
    // SAFETY: zero is valid: it asks for nothing to be changed.
    let mut pace: libc::timex = unsafe { std::mem::zeroed() };
    call!(SYS_adjtimex, &raw mut pace);
    pace.modes = libc::ADJ_TICK;
    call!(SYS_adjtimex, &raw mut pace) >= 0
}

/// `KEYCTL_JOIN_SESSION_KEYRING`: without a name, a new one.
const JOIN: c_int = 1;

pub(crate) fn keyrings() -> bool {
    // KEYCTL_GET_PERSISTENT, ours, to the new session's (-3). The user's would be -4.
    call!(SYS_keyctl, JOIN, 0) >= 0
        || call!(SYS_keyctl, 22, -1, -3) >= 0
        || call!(SYS_add_key, c"user".as_ptr(), c"mine".as_ptr(), c"x".as_ptr(), 1, -4) >= 0
        || allowed(call!(SYS_request_key, c"user".as_ptr(), c"mine".as_ptr(), 0, -4))
}

#[cfg(target_arch = "x86_64")]
fn by_int_0x80(call: i64, argument: c_int) -> i32 {
    let result: i64;
    // SAFETY: the calls asked for take integers. The kernel may clear r8 to r11.
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

/// Whether this kernel serves 32-bit programs: one that does not ends who asks, by SIGSEGV.
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

/// The same call by the doors for 32-bit programs and for x32, where it has other numbers.
pub(crate) fn other_doors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let x32 = 0x4000_0000 + libc::SYS_keyctl;
        // SAFETY: the call takes integers.
        let by_x32 = unsafe { libc::syscall(x32, libc::c_long::from(JOIN), 0_i64) };
        // 288 for 32-bit programs.
        by_x32 >= 0 || has_32_bit_door() && by_int_0x80(288, JOIN) >= 0
    }
    // An arm64 process cannot call as a 32-bit one.
    #[cfg(not(target_arch = "x86_64"))]
    false
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
    for _ in 0..300 {
        // The kernel answers in them.
        let parameters = [0_u32; 30];
        if call!(SYS_io_uring_setup, 4096, parameters.as_ptr()) < 0 {
            return false;
        }
    }
    true
}

/// Each with arguments that are wrong: the question of rights comes first.
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

pub(crate) fn own_tmpfs() -> bool {
    let mounted = call!(
        SYS_mount,
        c"own".as_ptr(),
        c"/mnt".as_ptr(),
        c"tmpfs".as_ptr(),
        0,
        c"size=1500M".as_ptr()
    );
    let block = vec![1_u8; 15 << 20];
    if mounted == 0 {
        // 1.5 GB, and no more: it was tried first without a bound.
        for number in 0..100 {
            let file = fs::File::create(format!("/mnt/{number}"));
            if file.and_then(|mut file| file.write_all(&block)).is_err() {
                break;
            }
        }
    }
    pause();
    true
}

/// 1.2 GB, and no more, in queues of the kernel's.
pub(crate) fn messages() -> bool {
    #[repr(C)]
    struct Message {
        kind: i64,
        text: [u8; 1 << 16],
    }
    let message = Box::new(Message { kind: 1, text: [1; 1 << 16] });
    for (file, most) in [("msgmax", "65536"), ("msgmnb", "1000000000")] {
        _ = fs::write(format!("/proc/sys/kernel/{file}"), most);
    }
    for _ in 0..2 {
        let queue = call!(SYS_msgget, libc::IPC_PRIVATE, 0o600);
        for _ in 0..9_600 {
            call!(SYS_msgsnd, queue, &raw const *message, 1 << 16, libc::IPC_NOWAIT);
        }
    }
    pause();
    true
}

//! ch16-errnos: calls that the kernel refuses, and what it answers to each.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::os::fd::IntoRawFd as _;
use std::{env, io, ptr};

use anyhow::{Context as _, Result, bail};
use libc::*;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags};

type Answer = std::result::Result<c_long, Errno>;

/// Makes the calls of each line in a process of its own, and prints the answer to the last of them.
macro_rules! ask {
    ($($($call:expr);+,)+) => {{$(
        // SAFETY: this process has one thread, so the child may go on with what it was doing.
        if unsafe { fork() } == 0 {
            let answers: &[Answer] = &[$($call),+];
            let errno = answers.last().and_then(|last| last.err());
            let errno = errno.map_or("ok".to_owned(), |errno| format!("{errno:?}"));
            let line = [$(stringify!($call)),+].join("; ");
            // Where no process reads any more, the child has to end all the same.
            _ = writeln!(io::stdout(), "{errno:<12} {line}");
            // SAFETY: _exit(2) only ends the process.
            unsafe { _exit(0) }
        }
        // SAFETY: no status is asked for.
        unsafe { wait(ptr::null_mut()) };
    )+}};
}

/// A call by its number.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: each pointer leads to what lives longer than the call, and the others are numbers.
        Errno::result(unsafe { syscall($number $(, $argument)*) })
    };
}

#[rustfmt::skip]
fn main() -> Result<()> {
    match env::args().nth(1).context("usage: ch16-errnos SUBJECT")?.as_str() {
        "unshare" => ask![
            thread(); unshare(CLONE_NEWUSER),
            thread(); unshare(CLONE_NEWPID),
            unshare(CLONE_NEWPID); unshare(CLONE_NEWPID),
            unshare(1),
            chroot("/usr"); unshare(CLONE_NEWUSER),
            unshare(CLONE_NEWUSER); unshare(CLONE_NEWUSER),
            unshare(CLONE_NEWUSER); setuid(1000),
        ],
        "clone3" => ask![
            clone3(CLONE_NEWUTS, SIGCHLD, 88),
            clone3(CLONE_NEWNS | CLONE_FS, SIGCHLD, 88),
            clone3(CLONE_NEWPID | CLONE_THREAD, SIGCHLD, 88),
            clone3(CLONE_NEWUTS, SIGCHLD, 56),
            clone3(CLONE_NEWUTS, SIGCHLD, 512),
            clone3(CLONE_NEWUTS | SIGCHLD, 0, 88),
            waitpid(clone3(CLONE_NEWUTS, 0, 88)),
        ],
        "setns" => ask![
            setns(ns("net"), CLONE_NEWUTS),
            setns(ns("net"), CLONE_NEWNET),
            setns(open("/etc"), 0),
            setns(Ok(99), 0),
            setns(ns("user"), 0),
            setns(pidfd_open(), 0),
            thread(); setns(ns("mnt"), 0),
            thread(); setns(ns("time"), 0),
            unshare(CLONE_NEWUSER); setns(ns("uts"), 0),
            open("/proc/1/ns/uts"),
        ],
        "maps" => ask![
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 1"),
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 1"); put("uid_map", "0 0 1"),
            unshare(CLONE_NEWUSER); put("uid_map", "0 5 1"),
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 2"),
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 0"),
            unshare(CLONE_NEWUSER); put("uid_map", "0"),
            unshare(CLONE_NEWUSER); put("setgroups", "deny"); put("setgroups", "allow"),
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 1"); setuid(5),
            unshare(CLONE_NEWUSER); put("uid_map", "0 0 1"); chown("/tmp", 5),
        ],
        "dumpable" => ask![
            unshare(CLONE_NEWUSER); put("uid_map", "0 1000 1"),
            unshare(CLONE_NEWUSER); prctl(PR_SET_DUMPABLE, 0); put("uid_map", "0 1000 1"),
        ],
        "hostname" => ask![
            unshare(CLONE_NEWUTS); sethostname(&"x".repeat(64)),
            unshare(CLONE_NEWUTS); sethostname(&"x".repeat(65)),
            unshare(CLONE_NEWUSER); sethostname("x"),
        ],
        "ipc" => ask![
            shmget(42, 0o600),
            shmget(42, IPC_CREAT | IPC_EXCL | 0o600),
            shmget(42, IPC_CREAT | IPC_EXCL | 0o600),
            unshare(CLONE_NEWIPC); shmget(42, 0o600),
            shmat(4711),
            mq_open(c"otter", O_CREAT),
            mq_open(c"/otter", 0),
            unshare(CLONE_NEWUSER | CLONE_NEWNS); mount("none", "/mnt", "mqueue", 0),
        ],
        "mounts" => ask![
            mount("none", "/mnt", "tmpfs", 0),
            mount("none", "/mnt", "devtmpfs", 0),
            mount("none", "/mnt", "proc", 0),
            mount("none", "/mnt", "no-such-type", 0),
            mount("/etc/passwd", "/mnt", "", MS_BIND),
            mount("", "/usr", "", MS_REMOUNT | MS_BIND),
            umount("/usr"),
            umount("/mnt"),
            mount("none", "/mnt", "tmpfs", 0); chdir("/mnt"); umount("/mnt"),
        ],
        "time" => ask![
            unshare(CLONE_NEWTIME); put("timens_offsets", "monotonic 5 0"),
            unshare(CLONE_NEWTIME); put("timens_offsets", "realtime 5 0"),
            unshare(CLONE_NEWTIME); put("timens_offsets", "monotonic 5 1000000000"),
            unshare(CLONE_NEWTIME); put("timens_offsets", "monotonic -999999999 0"),
            unshare(CLONE_NEWTIME); clone3(0, SIGCHLD, 88); put("timens_offsets", "monotonic 5 0"),
        ],
        "network" => ask![
            connect("127.0.0.1:80"),
            unshare(CLONE_NEWNET); connect("127.0.0.1:80"),
            unshare(CLONE_NEWNET); connect("192.0.2.1:80"),
        ],
        "cgroups" => ask![
            chdir("/sys/fs/cgroup"); mkdir("otter"),
            chdir("/sys/fs/cgroup/otter"); write("cgroup.procs", "0"); rmdir("../otter"),
            chdir("/sys/fs/cgroup/otter"); write("cgroup.procs", "999999"),
            chdir("/sys/fs/cgroup/otter"); write("cgroup.subtree_control", "+bandwidth"),
            chdir("/sys/fs/cgroup/otter"); write("note", ""),
        ],
        "questions" => ask![
            ioctl(ns("uts"), NS_GET_USERNS),
            ioctl(ns("user"), NS_GET_PARENT),
            ioctl(ns("uts"), NS_GET_PARENT),
            ioctl(open("/etc"), NS_GET_USERNS),
        ],
        subject => bail!("{subject}: no such subject"),
    }
    Ok(())
}

fn unshare(flags: c_int) -> Answer {
    call!(SYS_unshare, flags)
}

/// clone3(2) with so many bytes of a struct that is zero but for these two fields, and for its 512th byte.
fn clone3(flags: c_int, exit_signal: c_int, size: usize) -> Answer {
    let mut fields = [0_u64; 64];
    (fields[0], fields[4], fields[63]) = (flags as u64, exit_signal as u64, 1 << 56);
    let pid = call!(SYS_clone3, &raw const fields, size)?;
    if pid == 0 {
        // SAFETY: _exit(2) only ends the process.
        unsafe { _exit(0) }
    }
    Ok(pid)
}

fn waitpid(pid: Answer) -> Answer {
    call!(SYS_wait4, pid?, 0, 0, 0)
}

fn setns(fd: Answer, kind: c_int) -> Answer {
    call!(SYS_setns, fd?, kind)
}

fn ns(kind: &str) -> Answer {
    open(&format!("/proc/self/ns/{kind}"))
}

fn pidfd_open() -> Answer {
    call!(SYS_pidfd_open, std::process::id(), 0)
}

fn ioctl(fd: Answer, request: Ioctl) -> Answer {
    call!(SYS_ioctl, fd?, request, 0)
}

fn prctl(option: c_int, value: c_ulong) -> Answer {
    call!(SYS_prctl, option, value, 0, 0, 0)
}

fn setuid(uid: uid_t) -> Answer {
    call!(SYS_setuid, uid)
}

fn sethostname(name: &str) -> Answer {
    call!(SYS_sethostname, name.as_ptr(), name.len())
}

fn shmget(key: key_t, flags: c_int) -> Answer {
    call!(SYS_shmget, key, 4096, flags)
}

fn shmat(id: c_int) -> Answer {
    call!(SYS_shmat, id, 0, 0)
}

/// By the C library, which removes the slash from the name.
fn mq_open(name: &std::ffi::CStr, flags: c_int) -> Answer {
    // SAFETY: the name ends with a zero, and no attributes are given.
    let queue = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, ptr::null_mut::<mq_attr>()) };
    Errno::result(c_long::from(queue))
}

fn mount(source: &str, target: &str, kind: &str, flags: c_ulong) -> Answer {
    let flags = MsFlags::from_bits_retain(flags);
    nix::mount::mount(Some(source), target, Some(kind), flags, None::<&str>).map(|()| 0)
}

fn umount(target: &str) -> Answer {
    nix::mount::umount2(target, MntFlags::empty()).map(|()| 0)
}

fn open(path: &str) -> Answer {
    answer(File::open(path).map(|file| file.into_raw_fd().into()))
}

fn put(file: &str, text: &str) -> Answer {
    write(&format!("/proc/self/{file}"), text)
}

fn write(path: &str, text: &str) -> Answer {
    answer(fs::write(path, text).map(|()| 0))
}

fn mkdir(path: &str) -> Answer {
    answer(fs::create_dir(path).map(|()| 0))
}

fn rmdir(path: &str) -> Answer {
    answer(fs::remove_dir(path).map(|()| 0))
}

fn chown(path: &str, uid: uid_t) -> Answer {
    answer(std::os::unix::fs::chown(path, Some(uid), None).map(|()| 0))
}

fn chroot(path: &str) -> Answer {
    answer(std::os::unix::fs::chroot(path).map(|()| 0))
}

fn chdir(path: &str) -> Answer {
    answer(env::set_current_dir(path).map(|()| 0))
}

fn connect(address: &str) -> Answer {
    answer(TcpStream::connect(address).map(|_| 0))
}

fn thread() -> Answer {
    std::thread::spawn(std::thread::park);
    Ok(0)
}

fn answer(result: io::Result<c_long>) -> Answer {
    result.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))
}

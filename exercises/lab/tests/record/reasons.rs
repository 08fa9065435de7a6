//! Each reason that the recorder gives for an errno has a call that fails for it, and calls that fail with
//! the same errno for another reason have none.

use std::fs;
use std::io::{self, Seek as _, Write as _};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pivot_root, sethostname};
use trace::Outcome;

use super::actors::trace_of;

const NOTHING: Option<&str> = None;

/// Calls that fail, in the root lab. The test knows them by their order.
pub(crate) fn calls_that_fail() {
    let mounting = |source, target, kind, flags| {
        _ = mount::<str, str, str, str>(source, target, kind, flags, NOTHING)
    };
    fs::create_dir("/tmp/plain").unwrap();
    mounting(NOTHING, "/mnt", NOTHING, MsFlags::empty());
    mounting(NOTHING, "/", NOTHING, MsFlags::MS_PRIVATE | MsFlags::MS_SLAVE);
    mounting(NOTHING, "/", NOTHING, MsFlags::MS_SLAVE | MsFlags::MS_NOSUID);
    mounting(NOTHING, "/tmp/plain", NOTHING, MsFlags::MS_PRIVATE);
    mounting(Some("none"), "/tmp/plain", Some("tmpfs"), MsFlags::MS_SLAVE);
    mounting(NOTHING, "/tmp/plain", NOTHING, MsFlags::MS_REMOUNT | MsFlags::MS_BIND);
    mounting(Some("none"), "/mnt", Some("nonsense"), MsFlags::empty());
    mounting(Some("/nowhere"), "/mnt", NOTHING, MsFlags::MS_BIND);
    mounting(Some("/mnt"), "/nowhere", NOTHING, MsFlags::MS_BIND);
    mounting(Some("/nowhere"), "/nowhere", NOTHING, MsFlags::MS_BIND);
    mounting(Some("/proc/self/ns/uts"), "/mnt", NOTHING, MsFlags::MS_BIND);
    mounting(NOTHING, "/", NOTHING, MsFlags::MS_BIND | MsFlags::MS_SLAVE);
    _ = umount("/tmp/plain");
    // A directory that a process is in, and a mount with another one on it.
    mounting(Some("none"), "/tmp/plain", Some("tmpfs"), MsFlags::empty());
    std::env::set_current_dir("/tmp/plain").unwrap();
    _ = umount("/tmp/plain");
    std::env::set_current_dir("/").unwrap();
    fs::create_dir("/tmp/plain/upper").unwrap();
    mounting(Some("none"), "/tmp/plain/upper", Some("tmpfs"), MsFlags::empty());
    _ = umount("/tmp/plain");
    umount("/tmp/plain/upper").unwrap();
    umount("/tmp/plain").unwrap();
    // Of `/tmp`, which is `nosuid` and `nodev`.
    fs::create_dir("/tmp/bound").unwrap();
    mounting(Some("/tmp/plain"), "/tmp/bound", NOTHING, MsFlags::MS_BIND);
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mounting(NOTHING, "/tmp/bound", NOTHING, remount | MsFlags::MS_BIND | MsFlags::MS_NODEV);
    mounting(NOTHING, "/tmp/bound", NOTHING, remount | MsFlags::MS_NODEV | MsFlags::MS_NOSUID);
    _ = pivot_root("/tmp/plain", "/tmp/plain");
    // Below a private mount, but not above the place for the old root.
    fs::create_dir("/run/old").unwrap();
    _ = pivot_root("/tmp/bound", "/run/old");
    mounting(NOTHING, "/tmp/bound", NOTHING, MsFlags::MS_SHARED);
    _ = pivot_root("/tmp/bound", "/tmp/bound");
    mounting(NOTHING, "/tmp", NOTHING, MsFlags::MS_SHARED);
    _ = pivot_root("/tmp/bound", "/tmp/bound");
    mounting(NOTHING, "/tmp", NOTHING, MsFlags::MS_PRIVATE);
    // Not bindable: one of several reasons for the same errno.
    mounting(Some("none"), "/mnt", Some("tmpfs"), MsFlags::empty());
    mounting(NOTHING, "/mnt", NOTHING, MsFlags::MS_UNBINDABLE);
    mounting(Some("/mnt"), "/tmp/plain", NOTHING, MsFlags::MS_BIND);
    _ = sethostname("x".repeat(65));
    // SAFETY: zero is valid for each field, and the kernel reads the size that it is given.
    unsafe {
        let mut arguments: libc::clone_args = std::mem::zeroed();
        arguments.flags = (libc::CLONE_NEWUTS | libc::SIGCHLD) as u64;
        libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>());
        // The size of a pointer; then a struct that is wrong for another reason.
        libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<&libc::clone_args>());
        arguments.flags = libc::CLONE_THREAD as u64;
        libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>());
        arguments.flags = (libc::CLONE_NEWUSER | libc::CLONE_FS) as u64;
        libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>());
    }
    // SAFETY: the names are C strings, and the other arguments are numbers.
    unsafe {
        libc::shmget(7, 4096, 0o600);
        libc::shmget(7, 4096, libc::IPC_CREAT | 0o600);
        libc::shmget(7, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
        libc::shmget(7, 8192, libc::IPC_CREAT | 0o600);
        libc::shmget(8, 0, libc::IPC_CREAT | 0o600);
        libc::mq_open(c"/none".as_ptr(), libc::O_RDWR);
        libc::mq_open(c"/a/b".as_ptr(), libc::O_RDWR);
        libc::mq_open(c"/".as_ptr(), libc::O_RDWR);
        let mut request: libc::ifreq = std::mem::zeroed();
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        request.ifr_name[0] = b'x' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request);
    }
    let own = lab::look::Process::open(Pid::this()).unwrap();
    _ = setns(own.pidfd(), CloneFlags::empty());
    let file = fs::File::open("/tmp/plain").unwrap();
    _ = setns(&file, CloneFlags::empty());
    // SAFETY: setns takes two integers.
    unsafe {
        libc::setns(999, libc::CLONE_NEWUTS);
        libc::setns(-1, libc::CLONE_NEWUTS);
    }
    _ = unshare(CloneFlags::from_bits_retain(1));
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    // SAFETY: this process has one thread.
    let child = match unsafe { fork() }.unwrap() {
        // SAFETY: takes an integer and does not return.
        ForkResult::Child => unsafe { libc::_exit(0) },
        ForkResult::Parent { child } => child,
    };
    waitid(Id::Pid(child), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
    _ = fs::OpenOptions::new().write(true).open(format!("/proc/{child}/uid_map"));
    waitpid(child, None).unwrap();
    fs::write("/proc/self/setgroups", "deny").unwrap();
    _ = fs::write("/proc/self/setgroups", "allow");
    _ = fs::write("/proc/self/setgroups", "denied");
    _ = fs::write("/proc/self/uid_map", "0 0");
    _ = fs::write("/proc/self/uid_map", "0");
    _ = fs::write("/proc/self/uid_map", " ");
    _ = fs::write("/proc/self/uid_map", "root 0 1");
    _ = fs::write("/proc/self/uid_map", "0 0 0");
    _ = fs::write("/proc/self/uid_map", "0 0 2");
    _ = fs::write("/proc/self/uid_map", "0 65534 1");
    // Not your own either. A process without a map cannot tell which one is.
    _ = fs::write("/proc/self/uid_map", "0 7 1");
    // SAFETY: takes an integer.
    unsafe { libc::unshare(libc::CLONE_NEWTIME) };
    let write = |text: &str| fs::write("/proc/self/timens_offsets", text);
    for text in ["realtime 5 0", "monotonic ", "boottime 5 1000000000", "boottime -99999999999 0"] {
        _ = write(text);
    }
    write("boottime 5 999999999\n").unwrap();
    let mut file = fs::OpenOptions::new().write(true).open("/proc/self/timens_offsets").unwrap();
    // A right line, but not at the beginning of the file.
    file.seek(io::SeekFrom::Start(1)).unwrap();
    _ = file.write_all(b"monotonic 5 0\n");
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    _ = unshare(CloneFlags::CLONE_NEWPID);
    _ = unshare(CloneFlags::CLONE_NEWPID | CloneFlags::from_bits_retain(1));
}

#[test]
fn a_reason_is_given_only_where_it_is_known() {
    let (trace, _) = trace_of("calls that fail");
    let failed = trace.events.iter().filter_map(|event| match &event.outcome {
        Outcome::Error { errno, why } => {
            Some((event.call.as_str(), format!("{errno:?}"), why.as_deref()))
        }
        _ => None,
    });
    let (opened, failed): (Vec<_>, Vec<_>) = failed.partition(|(call, ..)| *call == "open");
    // The files of a process that has ended belong to the machine's root, and in a user namespace that it has
    // made for itself, the lab's root is the same user.
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    let may_open = map.split_whitespace().eq(["0", "0", "1"]);
    assert_eq!(opened.len(), usize::from(!may_open), "{opened:?}");
    for (_, errno, why) in opened {
        assert_eq!(errno, "EACCES");
        let why = why.unwrap_or_default();
        assert!(why.contains("has ended, and has not been waited for"), "{why}");
    }
    let wanted: &[(&str, &str, Option<&str>)] = &[
        ("mount", "EINVAL", Some("a new mount needs the type of a file system")),
        ("mount", "EINVAL", Some("a call that changes the propagation takes one of")),
        ("mount", "EINVAL", Some("a call that changes the propagation takes one of")),
        ("mount", "EINVAL", Some("the path is not a mount point")),
        ("mount", "EINVAL", Some("with MS_SLAVE nothing new is mounted")),
        ("mount", "EINVAL", Some("the path is not a mount point, or its mount is locked")),
        ("mount", "ENODEV", Some("this kernel does not have that type of file system")),
        ("mount", "ENOENT", Some("the first path does not exist")),
        ("mount", "ENOENT", Some("the second path, on which to mount, does not exist")),
        ("mount", "ENOENT", Some("one of the paths does not exist")),
        ("mount", "ENOTDIR", Some("only a directory can be mounted on a directory")),
        ("mount", "EINVAL", Some("MS_BIND comes before the other flags")),
        ("umount2", "EINVAL", Some("the path is not a mount point, or its mount is locked")),
        ("umount2", "EBUSY", Some("a process has an open file or its working directory there")),
        ("umount2", "EBUSY", Some("other mounts lie on it")),
        ("mount", "EPERM", Some("the mount has MS_NOSUID, locked by the mount namespace")),
        ("mount", "EPERM", Some("without MS_BIND the remount is one of the file system")),
        ("pivot_root", "EINVAL", Some("the new root is a plain directory")),
        ("pivot_root", "EINVAL", Some("the new root is not a mount point, its parent or that")),
        ("pivot_root", "EINVAL", Some("the mount on which the old root would be put is shared")),
        ("pivot_root", "EINVAL", Some("the mount that the new root lies on is shared")),
        ("mount", "EINVAL", None),
        ("sethostname", "EINVAL", Some("a host name has 64 bytes at most")),
        ("clone3", "EINVAL", Some("clone3 takes no signal in its flags")),
        ("clone3", "EINVAL", Some("the size of the struct is given as")),
        ("clone3", "EINVAL", None),
        ("clone3", "EINVAL", Some("CLONE_NEWUSER and CLONE_FS exclude each other")),
        ("shmget", "ENOENT", Some("there is no segment with this key")),
        ("shmget", "EEXIST", Some("IPC_EXCL asks for a new one")),
        ("shmget", "EINVAL", Some("and it is smaller")),
        ("shmget", "EINVAL", Some("a segment has at least one byte")),
        ("mq_open", "ENOENT", Some("O_CREAT is not among the flags")),
        ("mq_open", "EACCES", Some("the name of a queue has one slash")),
        ("mq_open", "ENOENT", None),
        ("ioctl", "ENODEV", Some("there is no interface of this name")),
        ("setns", "EINVAL", Some("a pidfd stands for all namespaces of its process")),
        ("setns", "EINVAL", Some("the descriptor is neither one of a namespace nor a pidfd")),
        ("setns", "EBADF", Some("999 is not the number of an open descriptor")),
        ("setns", "EBADF", Some("-1 is what a call returns that has failed")),
        ("unshare", "EINVAL", None),
        ("write", "EPERM", Some("setgroups(2) was denied there before")),
        ("write", "EINVAL", Some("the file takes \"deny\" or \"allow\"")),
        ("write", "EINVAL", Some("this line has 2 numbers")),
        ("write", "EINVAL", Some("this one has a single number")),
        ("write", "EINVAL", Some("this one has no number")),
        ("write", "EINVAL", Some("\"root\" is not a number")),
        ("write", "EINVAL", Some("a length of 0, the third number, maps no id")),
        ("write", "EPERM", Some("your own, with length 1; this line has length 2")),
        ("write", "EPERM", Some("65534 is what a process reads whose own id is not mapped")),
        ("write", "EPERM", Some("this line has 7 for the id outside, and 0 for the one inside")),
        ("write", "EINVAL", Some("only the clocks monotonic and boottime have an offset")),
        ("write", "EINVAL", Some("one write(2) must carry whole lines: clock, seconds")),
        ("write", "EINVAL", Some("a second has fewer than 1000000000 nanoseconds")),
        ("write", "ERANGE", Some("the clock would show a time before 0")),
        ("write", "EINVAL", None),
        (
            "unshare",
            "EINVAL",
            Some("your children are to be born in another PID namespace already"),
        ),
        ("unshare", "EINVAL", None),
    ];
    let calls: Vec<_> = failed.iter().map(|(call, errno, _)| (*call, errno.as_str())).collect();
    let wanted_calls: Vec<_> = wanted.iter().map(|(call, errno, _)| (*call, *errno)).collect();
    assert_eq!(calls, wanted_calls, "{:#?}", trace.events);
    for (at, ((call, errno, why), (_, _, wanted))) in failed.iter().zip(wanted).enumerate() {
        let right = match wanted {
            Some(wanted) => why.is_some_and(|why| why.starts_with(wanted) || why.contains(wanted)),
            None => why.is_none(),
        };
        assert!(right, "call {at} that failed, {call} with {errno}: {why:?}, not {wanted:?}");
    }
}

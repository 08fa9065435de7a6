//! Too much of something.

use std::ffi::CString;
use std::fs;
use std::io::Write as _;
use std::ptr::null;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::pause;

use super::processes::ignore_all;
use super::{child, own};

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

/// Uses so many mebibytes of memory.
pub(super) fn hold(mebibytes: usize) -> Vec<u8> {
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

/// The machine allows a user 128 of them, inside and outside together (inotify(7)).
pub(crate) fn watches() -> bool {
    (0..100).all(|_| call!(SYS_inotify_init1, 0) >= 0)
}

pub(crate) fn inodes() -> bool {
    let flood = |folder: &str| {
        (0..20_000).all(|number| {
            let path = CString::new(format!("{folder}/{number}")).unwrap();
            // mknod(2) makes an empty file in one call.
            call!(SYS_mknodat, libc::AT_FDCWD, path.as_ptr(), libc::S_IFREG | 0o600, 0) == 0
        })
    };
    flood("/tmp") || flood("/run") || flood("/dev/shm")
}

pub(crate) fn large_file() -> bool {
    // SAFETY: no handler runs. Otherwise the signal of the limit would end this process.
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

/// Raises a limit of the program's own user namespace.
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
    // A descriptor keeps each namespace after this process has left it.
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

pub(crate) fn huge_arguments() -> bool {
    let word = CString::new(vec![b'x'; 200 * 1024]).unwrap();
    // SAFETY: two lists that end with null, of strings that live on.
    unsafe { libc::execv(c"/bin/true".as_ptr(), [word.as_ptr(), null()].as_ptr()) };
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
        // 1.5 GB and no more, so that the machine survives a sandbox that does not stop it.
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

/// 1.2 GB and no more, in message queues of the kernel.
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

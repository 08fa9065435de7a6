//! The same attacks where what stops them is missing: they get through, so each of them is one.
//!
//! What lacks something is made by unshare(1). An attack that would harm this machine there is not
//! run, and says why.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use nix::errno::Errno;
use nix::unistd::Uid;

use super::canaries::{Canaries, Ears};
use super::corpus::{ALONE, CORPUS, Ends, How};
use super::{ATTACK, LANES, MACHINE, THROUGH, calls, mark};

/// Where an attack gets through.
struct Weak {
    lacks: &'static str,
    /// What is there: the words for unshare(1).
    has: &'static str,
    /// What this machine must have for it. A skip is by design where it is about who runs the test (CI
    /// is root as well as somebody) or how the kernel was built; what every machine has is [`due`].
    needs: fn() -> Result<(), &'static str>,
    /// What the shell does before the attacks.
    before: &'static str,
    attacks: &'static [&'static str],
}

/// One level of namespaces. Whoever runs the test is root in it.
const ONE_LEVEL: &str = "-Urm --pid --fork --kill-child --net --ipc --uts";
/// The same without the user namespace.
const ROOT: &str = "-m --pid --fork --kill-child --mount-proc --net --ipc --uts";

/// The attack may lie in /tmp itself.
const OWN_TMP: &str = "mount -t tmpfs tmpfs /mnt && cp \"$0\" /mnt/attack && \
     mount -t tmpfs tmpfs /tmp && run() { /mnt/attack \"$@\"; }";

/// A new one, of script(1).
const IN_A_TERMINAL: &str = "mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts && \
     mount --bind /dev/pts/ptmx /dev/ptmx && \
     run() { script -qec \"'$0' $1 '$2'\" /dev/null; }";

/// What is missing on no machine of a CI: there, to skip is to fail.
fn due(has: bool, why: &'static str) -> Result<(), &'static str> {
    assert!(has || std::env::var_os("CI_NO_SKIP").is_none(), "skipped: {why}");
    has.then_some(()).ok_or(why)
}

fn nothing() -> Result<(), &'static str> {
    Ok(())
}

/// Whether this process is the machine's root, to a question of owners.
fn owner() -> Result<(), &'static str> {
    let owner = fs::metadata("/proc/sys/vm/swappiness").map(|file| file.uid());
    let yes = owner.is_ok_and(|owner| owner == 0 && Uid::effective().is_root());
    yes.then_some(()).ok_or("nobody here is the machine's root")
}

/// Whether it is, to a question of capabilities: all but CAP_SYS_RESOURCE, which virtual machines
/// and containers often keep back.
fn root() -> Result<(), &'static str> {
    const SYS_RESOURCE: u64 = 1 << 24;
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = map.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap_or_default();
    let all = last.trim().parse().map_or(0, |last: u32| u64::MAX >> (63 - last.min(63)));
    let has_all = capabilities() | SYS_RESOURCE == all | SYS_RESOURCE;
    (whole && has_all).then_some(()).ok_or("nobody here is root with all capabilities")
}

fn capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t"));
    effective.and_then(|set| u64::from_str_radix(set, 16).ok()).unwrap_or(0)
}

fn resources() -> Result<(), &'static str> {
    root()?;
    (capabilities() & 1 << 24 != 0).then_some(()).ok_or("root here lacks CAP_SYS_RESOURCE")
}

fn door() -> Result<(), &'static str> {
    calls::has_32_bit_door().then_some(()).ok_or("this kernel serves no 32-bit programs")
}

fn typing() -> Result<(), &'static str> {
    let switch = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti");
    match switch.as_deref().map(str::trim) {
        Ok("0") => Err("this kernel refuses TIOCSTI to everybody (dev.tty.legacy_tiocsti is 0)"),
        _ => Ok(()),
    }
}

fn other_family() -> Result<(), &'static str> {
    calls::families().then_some(()).ok_or("this kernel has sockets of no other family")
}

fn other_link() -> Result<(), &'static str> {
    due(calls::links(), "this machine has no link but lo")
}

/// For an attack that holds 700 MiB for a moment.
fn room() -> Result<(), &'static str> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free = free.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    due(free.unwrap_or(0) > 2 << 20, "this machine has less than 2 GiB to spare")
}

fn ext4() -> Result<(), &'static str> {
    root()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let of_usr = mounts.lines().rfind(|line| line.contains(" / / ") || line.contains(" / /usr "));
    let is_ext = of_usr.is_some_and(|line| line.contains(" - ext"));
    is_ext.then_some(()).ok_or("/usr is not on a file system whose root has a number known before")
}

fn peer_pidfd() -> Result<(), &'static str> {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let gives = calls::has_peer_pidfd(ours.as_raw_fd());
    gives.then_some(()).ok_or("this kernel gives no pidfd of a peer (Linux 6.5)")
}

fn events() -> Result<(), &'static str> {
    root()?;
    let there =
        fs::read_to_string("/proc/net/connector").is_ok_and(|text| text.contains("cn_proc"));
    there.then_some(()).ok_or("this kernel tells nobody about processes (CONFIG_PROC_EVENTS)")
}

const WEAK: &[Weak] = &[
    Weak {
        lacks: "the second level",
        has: ONE_LEVEL,
        needs: nothing,
        // The function stands for rm(1): it deletes nothing, and asks whether one could.
        before: "mount -t proc proc /proc && mount --bind /usr /usr && \
                 mount -o remount,bind,ro /usr && \
                 rm() { ! grep -q ' /usr ro' /proc/self/mountinfo; }",
        attacks: &["remount /usr and delete", "unmount /usr to reveal what is below"],
    },
    Weak {
        lacks: "a /proc and a /tmp of somebody else",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc && mount -t tmpfs -o size=1M tmpfs /tmp",
        attacks: &[
            "unmount /proc to reveal what is below",
            "hide the processes from PID 1",
            "a larger /tmp",
        ],
    },
    Weak {
        lacks: "a /usr that is locked",
        has: ONE_LEVEL,
        needs: nothing,
        // What is written goes to a tmpfs.
        before: "{own /tmp} && mkdir /mnt/upper /mnt/work && mount -t overlay \
                 -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work overlay /usr",
        attacks: &["rename races through symbolic links"],
    },
    Weak {
        lacks: "a root of its own",
        has: ONE_LEVEL,
        needs: nothing,
        before: ":",
        attacks: &["the homes, the sockets, the journals", "sockets by path"],
    },
    Weak {
        lacks: "a root of its own, below /proc/1/root",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc && {own /tmp}",
        attacks: &["symbolic links out"],
    },
    Weak {
        lacks: "another way to a root than chroot(2)",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t tmpfs tmpfs /mnt && mkdir /mnt/tmp /mnt/usr && cp \"$0\" /mnt/attack && \
                 for it in usr bin lib lib64; do [ ! -e /$it ] || [ -d /mnt/$it ] || \
                 cp -P /$it /mnt/$it || mkdir /mnt/$it; done 2>/dev/null; \
                 for it in /mnt/*; do [ -L $it ] || [ ! -d $it ] || [ $it = /mnt/tmp ] || \
                 mount --rbind ${it#/mnt} $it; done && \
                 run() { chroot /mnt /attack \"$@\"; }",
        attacks: &["break out of a chroot"],
    },
    Weak {
        lacks: "limits",
        has: ONE_LEVEL,
        needs: nothing,
        before: "ulimit -n 4096",
        attacks: &[
            "descriptors without end",
            "thousands of network namespaces",
            "all inotify instances of the user",
        ],
    },
    // Each is ended as soon as it has more than there would be in a sandbox.
    Weak {
        lacks: "the look of PID 1, and RLIMIT_AS",
        has: ONE_LEVEL,
        needs: room,
        before: "mount -t proc proc /proc && \
                 kilobytes() { sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$1/status; } && \
                 run() { \"$0\" \"$@\" & for i in $(seq 100); do sleep .1; \
                 [ $(kilobytes $!) -gt 524288 ] && kill -9 $! && return 66; done; }",
        attacks: &["memory bomb"],
    },
    Weak {
        lacks: "the look of PID 1",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc && \
                 run() { \"$0\" \"$@\" & for i in $(seq 100); do sleep .1; \
                 [ $(ls /proc | grep -c '^[0-9]') -gt 320 ] && return 66; done; }",
        attacks: &["a crowd of many ids"],
    },
    Weak {
        lacks: "a check that counts what it reads",
        has: ONE_LEVEL,
        needs: nothing,
        before: "run() { [ $(\"$0\" \"$@\" 2>&1 | head -c 9M | wc -c) = 9437184 ] && return 66; }",
        attacks: &["output without end", "output without end, the other stream"],
    },
    Weak {
        lacks: "a /tmp with a limit",
        has: ONE_LEVEL,
        needs: nothing,
        before: "{own /tmp}",
        attacks: &["files without end", "fill /tmp", "a large file"],
    },
    Weak {
        lacks: "closed descriptors",
        has: ONE_LEVEL,
        needs: nothing,
        before: "exec 9</dev/null",
        attacks: &["look for inherited descriptors"],
    },
    Weak {
        lacks: "more than a read-only view of all of /",
        has: ONE_LEVEL,
        needs: nothing,
        // Nothing can be written there, and who listens can be reached.
        before: "mount --rbind / /mnt && mount -o remount,bind,ro /mnt && \
                 run() { chroot /mnt sh -c '! touch /tmp/mine 2>/dev/null && \"$0\" \"$@\"' \"$0\" \"$@\"; }",
        attacks: &["connect to a socket by its path"],
    },
    Weak {
        lacks: "a PID 1 of the outer level",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc",
        attacks: &[
            "trace PID 1",
            "read and write the memory of PID 1",
            "take descriptors out of PID 1",
            "read what PID 1 has open",
        ],
    },
    Weak {
        lacks: "a filter",
        has: ONE_LEVEL,
        needs: nothing,
        before: ":",
        attacks: &["keyrings", "let PID 1 have no turn", "take PID 1's limits away"],
    },
    Weak {
        lacks: "a group of its own",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc",
        attacks: &["let the group of PID 1 have no turn"],
    },
    Weak {
        lacks: "a filter",
        has: ONE_LEVEL,
        needs: other_family,
        before: ":",
        attacks: &["sockets that know no network namespace"],
    },
    Weak {
        lacks: "a filter",
        has: ONE_LEVEL,
        needs: door,
        before: ":",
        attacks: &["the same by int 0x80 and by x32"],
    },
    Weak {
        lacks: "a PID namespace",
        has: "-Ur",
        needs: nothing,
        before: ":",
        attacks: &["signal every number"],
    },
    Weak {
        lacks: "a PID namespace",
        has: "-Ur",
        needs: peer_pidfd,
        before: ":",
        attacks: &["signal the check, by the pidfd of its socket"],
    },
    Weak {
        lacks: "a user namespace",
        has: "--fork",
        needs: peer_pidfd,
        before: ":",
        attacks: &["enter the check, by the pidfd of its socket"],
    },
    Weak {
        lacks: "a network namespace of another owner for PID 1",
        has: ONE_LEVEL,
        needs: nothing,
        before: ":",
        attacks: &["a link's other end to PID 1, and messages to where it is"],
    },
    Weak {
        lacks: "a network namespace",
        has: "-Urm --pid --fork --kill-child",
        needs: nothing,
        before: "mount -t proc proc /proc",
        attacks: &[
            "abstract sockets, and all that are bound",
            "connect to a socket by its abstract name",
        ],
    },
    Weak {
        lacks: "a network namespace",
        has: "-Urm --pid --fork --kill-child",
        needs: other_link,
        before: "mount -t proc proc /proc",
        attacks: &["change the machine's links"],
    },
    Weak {
        lacks: "a network namespace",
        has: "-m --pid --fork --kill-child --mount-proc",
        needs: || root().and_then(|()| other_link()),
        before: ":",
        attacks: &["raw packets"],
    },
    Weak {
        lacks: "a network namespace",
        has: "-m --fork",
        needs: events,
        before: ":",
        attacks: &["listen to what the kernel tells"],
    },
    Weak {
        lacks: "a session without a terminal",
        has: ONE_LEVEL,
        needs: nothing,
        before: IN_A_TERMINAL,
        attacks: &["write to the terminal", "open other terminals"],
    },
    Weak {
        lacks: "a session without a terminal",
        has: ONE_LEVEL,
        needs: typing,
        before: IN_A_TERMINAL,
        attacks: &["TIOCSTI"],
    },
    // unshare(1) maps whoever calls it: here the machine's root.
    Weak {
        lacks: "a root that is nobody outside",
        has: ONE_LEVEL,
        needs: owner,
        before: ":",
        attacks: &[
            "a sysctl of the machine",
            "a sysctl, through a descriptor that was kept",
            "the cgroup of the check",
        ],
    },
    Weak {
        lacks: "a user namespace",
        has: ROOT,
        needs: root,
        before: "{own /tmp}",
        attacks: &[
            "make a block device",
            "make a character device",
            "open the machine's devices",
            "run a set-uid program",
            "mount the machine's file systems",
            "write to sysfs",
            "set the clock's pace",
            "hold up whoever opens a file",
            "swap, accounting, the kernel's log, ports",
            "bpf",
            "perf_event_open of the kernel",
            "userfaultfd of the kernel",
            "load a module, start another kernel, reboot",
            "real-time priority",
        ],
    },
    Weak {
        lacks: "limits",
        has: ROOT,
        needs: root,
        before: "ulimit -n 4096",
        attacks: &["io_uring against the limits"],
    },
    Weak {
        lacks: "a user namespace",
        has: ROOT,
        needs: resources,
        before: ":",
        attacks: &["raise the limits"],
    },
    Weak {
        lacks: "a user namespace",
        has: ROOT,
        needs: ext4,
        before: ":",
        attacks: &["open a file by its handle"],
    },
];

const KERNELS: &str = "the kernel itself refuses it, everywhere";
const MACHINES: &str = "it would be this machine's, and stay";
const BOMB: &str = "it would take all of this machine";
const LEAVES: &str = "it succeeds if something stays, which the fingerprint tells: `planted`";
const CHECKS: &str = "it is aimed at a check: there is none without a sandbox";

/// What is not run anywhere else, and why.
const ONLY_IN_A_SANDBOX: &[(&str, &[&str])] = &[
    (
        KERNELS,
        &[
            "unmount the root",
            "a namespace below, and remount there",
            "kill PID 1",
            "namespaces 40 deep",
            "huge arguments",
        ],
    ),
    (
        MACHINES,
        &[
            "remount / and write",
            "touch a device",
            "delete everything",
            "core_pattern",
            "other sysctls",
            "sysrq",
            "make a cgroup",
            "cgroups without end, with a frozen process",
            "a release agent",
            "set the clock",
            "TIOCSCTTY: somebody's terminal, by force",
            "TIOCCONS, TIOCLINUX: the console",
        ],
    ),
    (BOMB, &["kill everybody", "stop everybody", "fork bomb", "thread bomb"]),
    (
        LEAVES,
        &[
            "propagate a mount outwards",
            "clear the signal of the parent's death, leave the session, go on",
            "orphans of orphans",
            "zombies",
            "thousands of mounts",
            "pin a namespace on a file",
            "new links, addresses and a smaller lo",
            "host name and domain name",
            "sysctls that namespaces have",
            "objects of System V and POSIX",
        ],
    ),
    (
        CHECKS,
        &[
            "kill itself",
            "hang up the terminal",
            "play the witness, and end",
            "hang up the witness's socket",
            "a filter like the recorder's",
            "keep the recorder with a pipe",
        ],
    ),
];

/// Whether it got through there.
fn gets_through(weak: &Weak, name: &str) -> bool {
    let attack = CORPUS.iter().find(|attack| attack.name == name);
    let attack = attack.unwrap_or_else(|| panic!("no attack is called `{name}`"));
    let run = match attack.how {
        How::Shell(script) => script.to_owned(),
        How::Calls(_) => format!("run {ATTACK} \"$1\" \"$2\"; test $? = {THROUGH}"),
    };
    let before = weak.before.replace("{own /tmp}", OWN_TMP);
    let script = format!("run() {{ \"$0\" \"$@\"; }}; {before} && {{ {run}; }} >/dev/null 2>&1");
    // In the witness's place.
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new("unshare");
    command
        .args(weak.has.split(' '))
        .args(["sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args([attack.name, &mark()])
        // Who does something to a whole group finds none of ours in it.
        .process_group(0)
        .stdin(Stdio::null());
    // SAFETY: between fork and exec it makes one call, which is safe there.
    unsafe {
        command.pre_exec(move || {
            let socket = libc::dup2(theirs.as_raw_fd(), calls::WITNESS_FD);
            Errno::result(socket).map(drop).map_err(Into::into)
        })
    };
    command.status().unwrap().success()
}

#[test]
fn what_a_weak_sandbox_lacks_is_found() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Somebody listens on this machine.
    let path = format!("/tmp/{}.sock", mark());
    let _by_path = UnixListener::bind(&path).unwrap();
    let canaries = Canaries::put(&mark());
    let ears = Ears::open(&canaries, &mark());
    let mut attempts = Vec::new();
    for weak in WEAK {
        match (weak.needs)() {
            Ok(()) => attempts.extend(weak.attacks.iter().map(|name| (weak, *name))),
            Err(why) => println!("skipped: without {}, {:?}: {why}", weak.lacks, weak.attacks),
        }
    }
    let (left, wrong) = (Mutex::new(attempts.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let Some((weak, name)) = left.lock().unwrap().next() else { break };
                    // A race may be lost where others are busy.
                    if !(0..5).any(|_| gets_through(weak, name)) {
                        let why = format!("without {}, `{name}` is refused", weak.lacks);
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    fs::remove_file(path).unwrap();
    // One of the paths is enough.
    assert!(ears.visited().len() >= 2, "nobody was heard to come: {:?}", ears.visited());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An attack that is refused everywhere shows nothing.
#[test]
fn every_attack_gets_through_somewhere_or_says_why_not() {
    let weak = WEAK.iter().flat_map(|weak| weak.attacks).copied();
    let only = ONLY_IN_A_SANDBOX.iter().flat_map(|(_, names)| *names).copied();
    let told: Vec<&str> = weak.chain(only).collect();
    let is_refused = |ends: Ends| [Ends::Refused, Ends::RefusedById].contains(&ends);
    for attack in CORPUS.iter().chain(ALONE) {
        let times = told.iter().filter(|name| **name == attack.name).count();
        // The others would take the machine, or are stopped by the check.
        let wanted = usize::from(is_refused(attack.ends));
        assert!(times == 1 || wanted == 0 && times == 0, "{}: told {times} times", attack.name);
    }
    let known = |name: &&str| CORPUS.iter().any(|attack| attack.name == *name);
    let unknown: Vec<_> = told.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

//! The positive control of the attacks: each gets through where what stops it is missing.
//!
//! Weak sandboxes are made with unshare(1). An attack that would harm this machine is not run in one,
//! and the table below says why.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::unistd::Uid;

use super::canaries::{Canaries, Listeners};
use super::corpus::{ALONE, CORPUS, Ends, How};
use super::skip::Exception::{self, Capability, Kernel, NotRoot};
use super::{ATTACK, LANES, THROUGH, beside_others, calls, each, mark, skip};

/// A sandbox in which some attacks get through.
struct Weak {
    lacks: &'static str,
    /// What it has: arguments of unshare(1).
    has: &'static str,
    /// What this machine must have for it.
    needs: fn() -> Result<(), Lack>,
    /// Commands of the shell before the attack.
    before: &'static str,
    attacks: &'static [&'static str],
}

/// Something that this machine lacks, and whether the attack may then be skipped in CI.
#[derive(Clone, Copy)]
struct Lack(Option<Exception>, &'static str);

/// One level of namespaces, in which the user of the test is root.
const ONE_LEVEL: &str = "-Urm --pid --fork --kill-child --net --ipc --uts";
/// The same without the user namespace.
const ROOT: &str = "-m --pid --fork --kill-child --mount-proc --net --ipc --uts";

/// A copy of the attack, whose file may be in `/tmp`.
const OWN_TMP: &str = "mount -t tmpfs tmpfs /mnt && cp \"$0\" /mnt/attack && \
     mount -t tmpfs tmpfs /tmp && run() { /mnt/attack \"$@\"; }";

/// A new terminal, which script(1) makes the controlling one.
const IN_A_TERMINAL: &str = "mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts && \
     mount --bind /dev/pts/ptmx /dev/ptmx && \
     run() { script -qec \"'$0' $1 '$2'\" /dev/null; }";

fn nothing() -> Result<(), Lack> {
    Ok(())
}

/// Whether this process is the machine's root where the kernel compares owners.
fn owner() -> Result<(), Lack> {
    let owner = fs::metadata("/proc/sys/vm/swappiness").map(|file| file.uid());
    let yes = owner.is_ok_and(|owner| owner == 0 && Uid::effective().is_root());
    yes.then_some(()).ok_or(Lack(Some(NotRoot), "the id of the machine's root"))
}

/// Whether it is where the kernel asks for capabilities: for all but CAP_SYS_RESOURCE.
fn root() -> Result<(), Lack> {
    if !skip::is_root_of_the_machine() {
        return Err(Lack(Some(NotRoot), "root of the machine"));
    }
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap_or_default();
    let all = last.trim().parse().map_or(0, |last: u32| u64::MAX >> (63 - last.min(63)));
    let has_all = capabilities() | SYS_RESOURCE == all | SYS_RESOURCE;
    has_all.then_some(()).ok_or(Lack(None, "root with all capabilities"))
}

const SYS_RESOURCE: u64 = 1 << 24;

fn capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t"));
    effective.and_then(|set| u64::from_str_radix(set, 16).ok()).unwrap_or(0)
}

fn resources() -> Result<(), Lack> {
    root()?;
    let has = capabilities() & SYS_RESOURCE != 0;
    has.then_some(()).ok_or(Lack(Some(Capability), "CAP_SYS_RESOURCE"))
}

fn door() -> Result<(), Lack> {
    let has = calls::has_32_bit_door();
    has.then_some(()).ok_or(Lack(Some(Kernel), "a kernel that runs 32-bit programs"))
}

fn typing() -> Result<(), Lack> {
    let switch = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti");
    match switch.as_deref().map(str::trim) {
        Ok("0") => Err(Lack(Some(Kernel), "TIOCSTI (dev.tty.legacy_tiocsti is 0)")),
        _ => Ok(()),
    }
}

fn other_family() -> Result<(), Lack> {
    let has = calls::families();
    has.then_some(()).ok_or(Lack(Some(Kernel), "sockets of families that the filter refuses"))
}

fn other_link() -> Result<(), Lack> {
    calls::links().then_some(()).ok_or(Lack(None, "a network interface besides lo"))
}

/// For an attack that holds 700 MiB for a moment.
fn room() -> Result<(), Lack> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free = free.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    (free.unwrap_or(0) > 2 << 20).then_some(()).ok_or(Lack(None, "2 GiB of available memory"))
}

fn ext4() -> Result<(), Lack> {
    root()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let of_usr = mounts.lines().rfind(|line| line.contains(" / / ") || line.contains(" / /usr "));
    let is_ext = of_usr.is_some_and(|line| line.contains(" - ext"));
    let lack = Lack(Some(Kernel), "a /usr on ext4, whose root has a known inode number");
    is_ext.then_some(()).ok_or(lack)
}

fn events() -> Result<(), Lack> {
    root()?;
    let has = fs::read_to_string("/proc/net/connector").is_ok_and(|text| text.contains("cn_proc"));
    has.then_some(()).ok_or(Lack(Some(Kernel), "process events (CONFIG_PROC_EVENTS)"))
}

const WEAK: &[Weak] = &[
    Weak {
        lacks: "the second level",
        has: ONE_LEVEL,
        needs: nothing,
        // In place of rm(1): the function deletes nothing, and finds out whether it could.
        before: "mount -t proc proc /proc && mount --bind /usr /usr && \
                 mount -o remount,bind,ro /usr && \
                 rm() { ! grep -q ' /usr ro' /proc/self/mountinfo; }",
        attacks: &["remount /usr and delete", "unmount /usr to reveal what is below"],
    },
    Weak {
        lacks: "a /proc and a /tmp of another owner",
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
        // Writes go to a tmpfs.
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
    // Each is stopped as soon as it has more than a sandbox allows.
    Weak {
        lacks: "the limits that PID 1 watches, and RLIMIT_AS",
        has: ONE_LEVEL,
        needs: room,
        before: "mount -t proc proc /proc && \
                 kilobytes() { sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$1/status; } && \
                 run() { \"$0\" \"$@\" & for i in $(seq 100); do sleep .1; \
                 [ $(kilobytes $!) -gt 524288 ] && kill -9 $! && return 66; done; }",
        attacks: &["memory bomb"],
    },
    Weak {
        lacks: "the limits that PID 1 watches",
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
        before: "exec 9<>/dev/null",
        attacks: &["look for inherited descriptors", "write to every descriptor"],
    },
    Weak {
        lacks: "more than a read-only view of all of /",
        has: ONE_LEVEL,
        needs: nothing,
        // Nothing can be written there, but one can connect to sockets.
        // Flags of an inherited mount are locked, so each keeps its own.
        before: "mount --rbind / /mnt && for it in / /tmp /run /var/tmp; do \
                 of() { findmnt -nro $1 -T /mnt$it | tail -n 1; }; \
                 mount -o remount,bind,$(of VFS-OPTIONS | sed s/rw/ro/) $(of TARGET) || exit; done && \
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
        attacks: &["keyrings", "lower the priority of PID 1", "set limits of PID 1"],
    },
    Weak {
        lacks: "a group of its own",
        has: ONE_LEVEL,
        needs: nothing,
        before: "mount -t proc proc /proc",
        attacks: &["lower the priority of PID 1's process group"],
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
        attacks: &["keyrings by int 0x80 and by x32"],
    },
    Weak {
        lacks: "a PID namespace",
        has: "-Ur",
        needs: nothing,
        before: ":",
        attacks: &["signal every number"],
    },
    Weak {
        lacks: "a network namespace of another owner for PID 1",
        has: ONE_LEVEL,
        needs: nothing,
        before: ":",
        attacks: &["move an interface to PID 1, and send messages to its network"],
    },
    Weak {
        lacks: "a network namespace",
        has: "-Urm --pid --fork --kill-child",
        needs: nothing,
        before: "mount -t proc proc /proc",
        attacks: &[
            "list bound sockets, also abstract ones",
            "connect to a socket by its abstract name",
        ],
    },
    Weak {
        lacks: "a network namespace",
        has: "-Urm --pid --fork --kill-child",
        needs: other_link,
        before: "mount -t proc proc /proc",
        attacks: &["change the machine's interfaces"],
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
        attacks: &["listen to the kernel's events"],
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
    // unshare(1) maps its own uid, which is that of the machine's root here.
    Weak {
        lacks: "a root with another id outside",
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
            "make every open of a file wait",
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

const KERNEL: &str = "the kernel refuses it everywhere";
const MACHINE: &str = "it would change this machine for good";
const BOMB: &str = "it would take all of this machine's processes, memory or time";
const LEAVES: &str = "it succeeds if something stays, which the fingerprint notices (`planted`)";
const CHECK: &str = "it attacks a check, and outside the sandbox there is none";

/// Attacks that are run in the sandbox only, and why.
const ONLY_IN_A_SANDBOX: &[(&str, &[&str])] = &[
    (
        KERNEL,
        &[
            "unmount the root",
            "a namespace below, and remount there",
            "kill PID 1",
            "namespaces 40 deep",
            "huge arguments",
        ],
    ),
    (
        MACHINE,
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
            "TIOCSCTTY: another session's terminal, by force",
            "TIOCCONS, TIOCLINUX: the console",
        ],
    ),
    (BOMB, &["kill all processes", "stop all processes", "fork bomb", "thread bomb"]),
    (
        LEAVES,
        &[
            "propagate a mount outwards",
            "ignore the parent's death, leave the session, keep running",
            "orphans of orphans",
            "zombies",
            "thousands of mounts",
            "pin a namespace on a file",
            "new interfaces, addresses and a smaller lo",
            "host name and domain name",
            "sysctls that namespaces have",
            "objects of System V and POSIX",
        ],
    ),
    (
        CHECK,
        &[
            "kill itself",
            "hang up the terminal",
            "a filter like the recorder's",
            "keep the recorder with a pipe",
        ],
    ),
];

/// Whether the attack gets through there.
fn gets_through(weak: &Weak, name: &str) -> bool {
    let attack = CORPUS.iter().find(|attack| attack.name == name);
    let attack = attack.unwrap_or_else(|| panic!("no attack is called `{name}`"));
    let run = match attack.how {
        How::Shell(script) => script.to_owned(),
        How::Calls(_) => format!("run {ATTACK} \"$1\" \"$2\"; test $? = {THROUGH}"),
    };
    let before = weak.before.replace("{own /tmp}", OWN_TMP);
    let script = format!("run() {{ \"$0\" \"$@\"; }}; {before} && {{ {run}; }} >/dev/null 2>&1");
    let mut command = Command::new("unshare");
    command
        .args(weak.has.split(' '))
        .args(["sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args([attack.name, &mark()])
        // An attack on a process group must not meet this process.
        .process_group(0)
        .stdin(Stdio::null());
    command.status().unwrap().success()
}

#[test]
fn attacks_get_through_where_what_stops_them_is_missing() {
    let _machine = beside_others();
    // A socket for the attack that lists them.
    let path = format!("/tmp/{}.sock", mark());
    let _by_path = UnixListener::bind(&path).unwrap();
    let canaries = Canaries::put(&mark());
    let listeners = Listeners::open(&canaries, &mark());
    let mut attempts = Vec::new();
    for weak in WEAK {
        match (weak.needs)() {
            Ok(()) => attempts.extend(weak.attacks.iter().map(|name| (weak, *name))),
            Err(Lack(exception, what)) => {
                skip::skip(
                    exception,
                    &format!("control of {:?}, which needs {what}", weak.attacks),
                );
            }
        }
    }
    let wrong = each(&attempts, LANES, |(weak, name)| {
        // A race may be lost on a busy machine.
        let through = (0..5).any(|_| gets_through(weak, name));
        through.then_some(()).ok_or_else(|| format!("without {}, `{name}` is refused", weak.lacks))
    });
    fs::remove_file(path).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // By a path, and by the abstract name.
    let reached = listeners.reached();
    assert!(reached.len() >= 2, "no attack has connected to more than {reached:?}");
}

/// An attack that is refused everywhere proves nothing.
#[test]
fn every_attack_has_a_control_or_a_reason_for_none() {
    let weak = WEAK.iter().flat_map(|weak| weak.attacks).copied();
    let only = ONLY_IN_A_SANDBOX.iter().flat_map(|(_, names)| *names).copied();
    let listed: Vec<&str> = weak.chain(only).collect();
    let is_refused = |ends: Ends| [Ends::Refused, Ends::RefusedById].contains(&ends);
    for attack in CORPUS.iter().chain(ALONE) {
        let times = listed.iter().filter(|name| **name == attack.name).count();
        // The others use too much, or are stopped by the check.
        let wanted = usize::from(is_refused(attack.ends));
        assert!(times == 1 || wanted == 0 && times == 0, "{}: listed {times} times", attack.name);
    }
    let known = |name: &&str| CORPUS.iter().any(|attack| attack.name == *name);
    let unknown: Vec<_> = listed.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

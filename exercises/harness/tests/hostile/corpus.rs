//! The attacks: what each tries, what stops it, and how its run ends. The page "How the sandbox
//! holds" is this table.

use crate::calls;

/// A program against the sandbox.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) how: How,
    /// What it meets, for the page.
    pub(crate) stopped_by: &'static str,
    pub(crate) ends: Ends,
}

pub(crate) enum How {
    /// A script for the shell, which succeeds if the attack gets through.
    Shell(&'static str),
    /// Calls; `true` if the attack gets through.
    Calls(fn() -> bool),
}

/// What the report says about the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Every call was refused, or did nothing outside; the program went on and ended.
    Refused,
    /// The program ended, and the report says that it left a process running.
    Leaves,
    /// As `Refused`, by the owner of files outside. That takes a user namespace with another id than
    /// that of the machine's root.
    RefusedById,
    Memory,
    /// For their number or for the memory that they use together, whichever PID 1 notices first.
    Processes,
    Output,
    Time,
    /// It goes on and ends, and the check has not taken it for COMMAND.
    Faked,
    Killed,
}

impl Ends {
    /// The report's line about the end begins with one of these.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Ends::Refused | Ends::RefusedById | Ends::Leaves | Ends::Faked => &["9"],
            Ends::Memory => &["stopped: it used more than 512 MiB of memory"],
            Ends::Processes => &[
                "stopped: it had too many processes at once",
                "stopped: it used more than 512 MiB of memory",
            ],
            Ends::Output => &["stopped: it printed more than 8 MiB"],
            Ends::Time => &["still running after"],
            Ends::Killed => &["killed by SIGKILL"],
        }
    }
}

const fn shell(
    name: &'static str,
    script: &'static str,
    stopped_by: &'static str,
    ends: Ends,
) -> Attack {
    Attack { name, how: How::Shell(script), stopped_by, ends }
}

const fn calls(
    name: &'static str,
    act: fn() -> bool,
    stopped_by: &'static str,
    ends: Ends,
) -> Attack {
    Attack { name, how: How::Calls(act), stopped_by, ends }
}

use Ends::{Faked, Killed, Leaves, Memory, Output, Processes, Refused, RefusedById, Time};

const LOCKED: &str = "the mounts come from a mount namespace of another owner, so they are locked";
const ALLOWED: &str = "the root directory shows what programs need to start, and nothing else";
const OUTER: &str = "the file system is owned by the outer user namespace";
const OWN_PIDS: &str = "a PID namespace, and a /proc of its own";
const NOT_ROOT: &str = "root inside has an id outside that owns nothing";
const NOT_HERE: &str =
    "it takes the capability in the machine's user namespace, and the program has it in the lab's";
const SAME_ID: &str =
    "a filter, because PID 1 has the program's id and the kernel asks for no more";
const INIT: &str = "the end of PID 1 ends every process in its PID namespace";
const CLOSED: &str = "the program inherits its three streams, and nothing else";
const EXE: &str = "the kernel names the file that a process executes";

/// It uses memory after the program's end.
pub(crate) const AFTERWARDS: &str = "memory used by processes that are left behind";

/// It tries to remove each file below `/usr`.
pub(crate) const EVERYTHING: &str = "delete everything";
/// It needs a lab with cgroups of its own.
pub(crate) const IN_CGROUPS: &str = "cgroups without end, with a frozen process";

pub(crate) static CORPUS: &[Attack] = &[
    // The machine's files.
    shell(
        "remount /usr and delete",
        "mount -o remount,bind,rw /usr && rm /usr/bin/env",
        LOCKED,
        Refused,
    ),
    shell("remount / and write", "mount -o remount,bind,rw / && touch /mine", LOCKED, Refused),
    shell("unmount /usr to reveal what is below", "umount /usr || umount -l /usr", LOCKED, Refused),
    shell(
        "unmount /proc to reveal what is below",
        "umount /proc || umount -l /proc",
        LOCKED,
        Refused,
    ),
    shell("unmount the root", "umount -l /", LOCKED, Refused),
    shell(
        "a namespace below, and remount there",
        "unshare -Urm sh -c 'mount -o remount,bind,rw /usr && touch /usr/mine'",
        LOCKED,
        Refused,
    ),
    calls("bind mount over the witness", calls::cover_witness, EXE, Faked),
    shell(
        "propagate a mount outwards",
        "mount --make-rshared / && mount -t tmpfs leak /mnt && false",
        "the copies of the mounts are private, so they start peer groups of their own",
        Refused,
    ),
    shell(
        "symbolic links out",
        "ln -s /../../../../var/lib /tmp/l; ln -s /proc/1/root/var/lib /tmp/m; ls /tmp/l/ || ls /tmp/m/",
        ALLOWED,
        Refused,
    ),
    shell(
        "the homes, the sockets, the journals",
        "ls -d /home/* /root/* /var/* /run/* /boot 2>/dev/null | grep .",
        ALLOWED,
        Refused,
    ),
    calls("rename races through symbolic links", calls::rename_race, ALLOWED, Refused),
    calls("open a file by its handle", calls::open_by_handle, NOT_HERE, Refused),
    calls(
        "break out of a chroot",
        calls::leave_chroot,
        "the root was changed with pivot_root(2), and the old one is unmounted",
        Refused,
    ),
    shell(
        "run a set-uid program",
        "cp /bin/sh /tmp/s && chmod 4755 /tmp/s && \
         setpriv --reuid 1 --clear-groups /tmp/s -pc '[ $(id -u) = 0 ]'",
        "no_new_privs, nosuid, and one id",
        Refused,
    ),
    shell(
        EVERYTHING,
        "rm -rf --no-preserve-root /; [ ! -e /usr/bin/env ]",
        "what is shown is read-only, and the rest is the sandbox's own",
        Refused,
    ),
    shell("a larger /tmp", "mount -t tmpfs -o remount,size=3G none /tmp", OUTER, Refused),
    shell(
        "hide the processes from PID 1",
        "mount -t proc -o remount,hidepid=2 none /proc || \
         mount -t proc -o remount,subset=pid none /proc",
        OUTER,
        Refused,
    ),
    // Devices.
    shell(
        "make a block device",
        "for major in 7 8 179 202 252 253 254 259; do mknod /tmp/$major b $major 0 && \
         head -c 1 /tmp/$major && break; done",
        NOT_HERE,
        Refused,
    ),
    shell(
        "make a character device",
        "mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem || mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero",
        NOT_HERE,
        Refused,
    ),
    calls("touch a device", calls::touch_device, "the device files are shown read-only", Refused),
    shell(
        "open the machine's devices",
        "head -c 1 /dev/kmsg || head -c 1 /dev/mem || head -c 1 /dev/vda || ls /dev/loop*",
        ALLOWED,
        Refused,
    ),
    shell(
        "mount the machine's file systems",
        "for kind in devtmpfs debugfs tracefs securityfs configfs pstore fusectl; do \
         mount -t $kind none /mnt && break; done",
        NOT_HERE,
        Refused,
    ),
    shell(
        "write to sysfs",
        "mount -t sysfs none /mnt && value=$(cat /mnt/kernel/rcu_expedited) && \
         echo $value > /mnt/kernel/rcu_expedited",
        "no sysfs is shown, so the kernel refuses to mount a new one",
        Refused,
    ),
    // Other processes.
    calls(
        "kill PID 1",
        calls::kill_init,
        "the kernel discards signals from inside that PID 1 has no handler for",
        Refused,
    ),
    calls("trace PID 1", calls::trace_init, "PID 1 is in the outer user namespace", Refused),
    calls(
        "read and write the memory of PID 1",
        calls::memory_of_init,
        "PID 1 is in the outer user namespace",
        Refused,
    ),
    calls(
        "lower the priority of PID 1's process group",
        calls::lower_group_of_init,
        "the program is in a process group of its own",
        Refused,
    ),
    calls("set limits of PID 1", calls::limit_init, SAME_ID, Refused),
    calls("lower the priority of PID 1", calls::lower_init, SAME_ID, Refused),
    calls(
        "take descriptors out of PID 1",
        calls::descriptors_of_init,
        "PID 1 is in the outer user namespace",
        Refused,
    ),
    shell(
        "read what PID 1 has open",
        "readlink /proc/1/fd/0 || cat /proc/1/environ | grep . || readlink /proc/1/exe",
        "PID 1 is not dumpable",
        RefusedById,
    ),
    calls("kill all processes", calls::kill_all, OWN_PIDS, Refused),
    calls("stop all processes", calls::stop_all, OWN_PIDS, Refused),
    calls("signal every number", calls::signal_every_number, OWN_PIDS, Refused),
    calls("kill itself", calls::kill_itself, "PID 1 reports how it ended", Killed),
    calls(
        "ignore the parent's death, leave the session, keep running",
        calls::daemons,
        INIT,
        Refused,
    ),
    calls(
        "a daemon whose name is not UTF-8",
        calls::nameless_daemon,
        "PID 1 reads names as bytes",
        Leaves,
    ),
    calls(
        "a daemon whose main thread has ended",
        calls::headless_daemon,
        "PID 1 looks at the threads of a zombie",
        Leaves,
    ),
    calls("orphans of orphans", calls::orphans, INIT, Refused),
    calls("zombies", calls::zombies, INIT, Refused),
    // Too much.
    calls("fork bomb", calls::fork_bomb, "RLIMIT_NPROC, and PID 1 counts processes", Processes),
    calls(
        "a crowd of many ids",
        calls::crowd_of_many,
        "PID 1 counts processes; RLIMIT_NPROC counts them for each id",
        Processes,
    ),
    calls("thread bomb", calls::thread_bomb, "RLIMIT_NPROC, and PID 1 counts processes", Processes),
    calls("memory bomb", calls::memory_bomb, "PID 1 adds up the memory, and RLIMIT_AS", Memory),
    calls("memory bomb of many", calls::memory_of_many, "PID 1 adds up the memory", Memory),
    calls(
        "memory bomb of a thread whose main thread has ended",
        calls::headless_memory_bomb,
        "PID 1 adds up the memory, also that of a zombie's threads",
        Memory,
    ),
    calls(AFTERWARDS, calls::memory_afterwards, "PID 1 keeps adding up the memory", Leaves),
    calls("descriptors without end", calls::descriptors, "RLIMIT_NOFILE", Refused),
    calls("all inotify instances of the user", calls::watches, "max_inotify_instances", Refused),
    calls("files without end", calls::inodes, "nr_inodes of each tmpfs", Refused),
    shell(
        "fill /tmp",
        "full=; for i in 1 2 3 4 5; do head -c 15M /dev/zero > /tmp/$i || full=1; done; [ ! $full ]",
        "the size of each tmpfs",
        Refused,
    ),
    calls("a large file", calls::large_file, "RLIMIT_FSIZE", Refused),
    calls("output without end", calls::output, "the check counts what it reads", Output),
    calls(
        "output without end, the other stream",
        calls::errors,
        "the check counts what it reads",
        Output,
    ),
    calls("an endless loop", calls::endless, "the deadline", Time),
    calls("ignore every signal and wait", calls::deaf, "the deadline, and SIGKILL to PID 1", Time),
    calls(
        "namespaces 40 deep",
        calls::deep,
        "max_user_namespaces, and the kernel's limit of 33 levels",
        Refused,
    ),
    calls("thousands of network namespaces", calls::networks, "max_net_namespaces", Refused),
    calls(
        "raise the limits",
        calls::raise_limits,
        "hard limits, and capabilities that count inside only",
        Refused,
    ),
    calls(
        "thousands of mounts",
        calls::double_mounts,
        "they are in a mount namespace that ends with the sandbox",
        Refused,
    ),
    calls("huge arguments", calls::huge_arguments, "execve(2) itself", Refused),
    // The check.
    calls("write to every descriptor", calls::write_everywhere, CLOSED, Refused),
    calls("play the witness", calls::forge, EXE, Faked),
    calls(
        "play the witness as its executable",
        calls::forge_exe,
        "a filter refuses prctl(PR_SET_MM), which changes /proc/PID/exe",
        Faked,
    ),
    calls(
        "a filter like the recorder's",
        calls::own_filter,
        "the recorder looks at the number of the call as well",
        Refused,
    ),
    calls("look for inherited descriptors", calls::inherited, CLOSED, Refused),
    calls(
        "keep the recorder with a pipe",
        calls::pipe_for_setns,
        "the recorder opens no file in a way that can block",
        Refused,
    ),
    // The terminal.
    calls(
        "write to the terminal",
        calls::write_to_terminal,
        "a session of its own, without a terminal",
        Refused,
    ),
    calls("TIOCSTI", calls::type_into, "a session of its own, without a terminal", Refused),
    calls(
        "TIOCSCTTY: another session's terminal, by force",
        calls::take_terminal,
        "a session of its own, without a terminal",
        Refused,
    ),
    calls("TIOCCONS, TIOCLINUX: the console", calls::take_console, NOT_HERE, Refused),
    // Without a terminal there is nothing to hang up. `IN_A_TERMINAL` has the other case.
    calls(
        "hang up the terminal",
        calls::hang_up_terminal,
        "a session of its own, without a terminal",
        Refused,
    ),
    calls(
        "open other terminals",
        calls::other_terminals,
        "a devpts of its own, and no other terminal in /dev",
        Refused,
    ),
    // The network.
    shell(
        "sockets by path",
        "ls /run/*.sock /run/*/*.sock /var/run/*.sock /tmp/*.sock | grep .",
        ALLOWED,
        Refused,
    ),
    calls("connect to a socket by its path", calls::connect_by_path, ALLOWED, Refused),
    calls(
        "connect to a socket by its abstract name",
        calls::connect_by_name,
        "a network namespace",
        Refused,
    ),
    calls(
        "list bound sockets, also abstract ones",
        calls::abstract_sockets,
        "a network namespace",
        Refused,
    ),
    calls("change the machine's interfaces", calls::links, "a network namespace", Refused),
    calls(
        "new interfaces, addresses and a smaller lo",
        calls::send_links,
        "a network namespace",
        Refused,
    ),
    calls(
        "move an interface to PID 1, and send messages to its network",
        calls::links_to_init,
        "PID 1's network namespace has another owner",
        Refused,
    ),
    calls("raw packets", calls::packets, "a network namespace", Refused),
    calls(
        "sockets that know no network namespace",
        calls::families,
        "a filter allows sockets of five families only",
        Refused,
    ),
    calls(
        "listen to the kernel's events",
        calls::listen_to_the_kernel,
        "a network namespace",
        Refused,
    ),
    // The machine itself.
    shell(
        "core_pattern",
        "echo '|/lab/mine' > /proc/sys/kernel/core_pattern",
        NOT_ROOT,
        RefusedById,
    ),
    shell(
        "other sysctls",
        "echo 1 > /proc/sys/vm/drop_caches || echo 7 > /proc/sys/kernel/printk || echo 1 > /proc/sys/vm/swappiness",
        NOT_ROOT,
        RefusedById,
    ),
    calls(
        "sysctls that namespaces have",
        calls::settings_of_namespaces,
        "a network and an IPC namespace",
        Refused,
    ),
    calls("host name and domain name", calls::names, "a UTS namespace", Refused),
    calls(
        "pin a namespace on a file",
        calls::pin,
        "the mount is in a mount namespace that ends with the sandbox",
        Refused,
    ),
    // It writes the value that is there, so it may get through without harm.
    shell(
        "a sysctl of the machine",
        "value=$(cat /proc/sys/vm/swappiness) && echo $value > /proc/sys/vm/swappiness",
        NOT_ROOT,
        RefusedById,
    ),
    calls(
        "a sysctl, through a descriptor that was kept",
        calls::kept_sysctl,
        NOT_ROOT,
        RefusedById,
    ),
    shell("sysrq", "echo h > /proc/sysrq-trigger", NOT_ROOT, RefusedById),
    shell("make a cgroup", "mount -t cgroup2 none /mnt && mkdir /mnt/mine", NOT_ROOT, RefusedById),
    shell(
        "the cgroup of the check",
        // A process outside the PID namespace appears as 0.
        "look='mount -t cgroup2 none /mnt && [ -w /mnt/cgroup.procs ] && \
         grep -qx 0 /mnt/cgroup.procs'; sh -c \"$look\" || unshare -UrmC sh -c \"$look\"",
        "it is owned by another id, or the lab is in a cgroup of its own",
        Refused,
    ),
    calls(
        IN_CGROUPS,
        calls::cgroups_without_end,
        "limits on a cgroup above the lab's root, out of its reach; and a janitor that removes all",
        Refused,
    ),
    shell(
        "a release agent",
        "mount -t cgroup -o memory none /mnt && echo /lab/mine > /mnt/release_agent",
        NOT_HERE,
        Refused,
    ),
    calls("set the clock", calls::clock, NOT_HERE, Refused),
    calls("set the clock's pace", calls::pace, NOT_HERE, Refused),
    calls("make every open of a file wait", calls::hold_up_opens, NOT_HERE, Refused),
    calls("swap, accounting, the kernel's log, ports", calls::administration, NOT_HERE, Refused),
    calls("keyrings", calls::keyrings, "a filter, because keyrings have no namespace", Refused),
    calls(
        "keyrings by int 0x80 and by x32",
        calls::other_doors,
        "the filter knows one set of system call numbers, and refuses the others",
        Refused,
    ),
    calls("bpf", calls::bpf, NOT_HERE, Refused),
    calls("perf_event_open of the kernel", calls::perf, NOT_HERE, Refused),
    calls("userfaultfd of the kernel", calls::faults, NOT_HERE, Refused),
    calls(
        "io_uring against the limits",
        calls::ring,
        "a ring acts with the credentials of the process that made it",
        Refused,
    ),
    calls("load a module, start another kernel, reboot", calls::modules, NOT_HERE, Refused),
    calls("real-time priority", calls::priority, NOT_HERE, Refused),
    calls(
        "objects of System V and POSIX",
        calls::objects,
        "an IPC namespace, and a /dev/shm of its own",
        Refused,
    ),
];

/// Run one at a time: the memory that they use belongs to no process, so PID 1 of every sandbox
/// notices it.
pub(crate) static ALONE: &[Attack] = &[
    calls(
        "fill a tmpfs of its own",
        calls::own_tmpfs,
        "PID 1 watches how much memory the machine uses for files in tmpfs",
        Memory,
    ),
    calls(
        "messages without end",
        calls::messages,
        "PID 1 watches how much memory the kernel uses for itself",
        Memory,
    ),
];

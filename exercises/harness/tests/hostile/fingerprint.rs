//! What a sandbox could leave behind on this machine, as lines that can be compared.
//!
//! A machine changes by itself: what does so is learnt from snapshots without a sandbox between them,
//! left out of the comparison, and reported.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, Pid, access};

/// A larger file is compared by its size and time, not by its contents.
const HASHED: u64 = 64 * 1024;
/// How deep folders are looked into: what is further down belongs to other programs' work.
const DEPTH: usize = 3;
/// What git reads before it runs something. A `.git` is looked into at any depth.
const GIT_RUNS: [&str; 4] = ["config", "config.worktree", "hooks", "info"];
const GIT_DEPTH: usize = 2;
/// World-writable folders.
pub(crate) const PUBLIC: [&str; 3] = ["/tmp", "/run", "/var/tmp"];
/// The note on a file that a process has open for writing.
const WRITTEN_TO: &str = ", open for writing";
/// The checkout, relative to the working directory of a test.
const CHECKOUT: &str = "../..";
/// Cargo's folder in it.
const TARGET: &str = "../../target";
/// The most files and folders that are looked at below one folder.
const ENTRIES: usize = 20_000;

/// The machine at one moment: each thing, and its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) BTreeMap<String, String>);

impl Fingerprint {
    /// Looks at the machine. `mark` is a word in the arguments of every process that a test starts,
    /// by which a process is recognized that has been reparented.
    pub(crate) fn take(mark: &str) -> Fingerprint {
        let mut machine = Fingerprint::default();
        machine.processes(mark);
        machine.mount_namespaces();
        for (what, file) in [
            ("links and their counters' names", "/proc/self/net/dev"),
            ("routes", "/proc/self/net/route"),
            ("routes, IPv6", "/proc/self/net/ipv6_route"),
            ("addresses, IPv6", "/proc/self/net/if_inet6"),
            ("addresses", "/proc/self/net/fib_trie"),
            ("SysV shared memory", "/proc/sysvipc/shm"),
            ("SysV semaphores", "/proc/sysvipc/sem"),
            ("SysV queues", "/proc/sysvipc/msg"),
            ("keys", "/proc/keys"),
            ("keys by user", "/proc/key-users"),
            ("time offsets", "/proc/self/timens_offsets"),
        ] {
            let text = fs::read_to_string(file).unwrap_or_default();
            // A line about an interface or a key has counters: the name in it is enough.
            let words: fn(&str) -> String = match what {
                "links and their counters' names" => |line| line.split(':').next().unwrap().into(),
                "keys" => {
                    |line| line.split_ascii_whitespace().skip(7).collect::<Vec<_>>().join(" ")
                }
                "keys by user" => |line| line.split(':').next().unwrap().into(),
                // The seventh and eighth are how often a route is referred to and was used.
                "routes, IPv6" => |line| {
                    let words = line.split_ascii_whitespace().enumerate();
                    let words = words.filter(|(index, _)| !(6..8).contains(index));
                    words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
                },
                _ => str::to_owned,
            };
            machine.many(what, text.lines().map(words));
        }
        machine.sockets();
        machine.sysctls(Path::new("/proc/sys"));
        for (place, depth) in [("/sys/fs/cgroup", 6), ("/dev/shm", DEPTH), ("/dev/mqueue", 1)] {
            machine.names(Path::new(place), depth);
        }
        machine.many("loop device", loop_devices());
        for place in PUBLIC {
            machine.names(Path::new(place), 1);
            machine.files(Path::new(place), DEPTH);
        }
        if let Some(home) = std::env::var_os("HOME").filter(|home| home != "/") {
            machine.files(Path::new(&home), DEPTH);
        }
        // By a relative path, because it may be in one of the folders above, where it is left out.
        machine.files(Path::new(CHECKOUT), 8);
        let checkout = fs::canonicalize(CHECKOUT).unwrap_or_default();
        for path in written_to() {
            let path = match path.strip_prefix(&checkout) {
                Ok(below) => Path::new(CHECKOUT).join(below),
                Err(_) => path,
            };
            if let Some(how) = machine.0.get_mut(&format!("file {}", path.display())) {
                how.push_str(WRITTEN_TO);
            }
        }
        machine.clock();
        machine.terminal();
        machine
    }

    fn note(&mut self, what: impl Into<String>, how: impl Into<String>) {
        self.0.insert(what.into(), how.into());
    }

    /// Things that may have the same name: how many there are of each.
    fn many(&mut self, what: &str, each: impl IntoIterator<Item = String>) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for one in each {
            *counts.entry(one).or_default() += 1;
        }
        for (one, count) in counts {
            self.note(format!("{what}: {one}"), count.to_string());
        }
    }

    /// The descendants of this process and the processes with the mark, by the names of their
    /// ancestors; and how many PID namespaces they are in.
    fn processes(&mut self, mark: &str) {
        let mut known: HashMap<i32, (i32, String)> = HashMap::new();
        for pid in pids() {
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            let Some((name, rest)) = stat.split_once('(').and_then(|(_, at)| at.rsplit_once(')'))
            else {
                continue;
            };
            let parent = rest.split_ascii_whitespace().nth(1).and_then(|pid| pid.parse().ok());
            known.insert(pid, (parent.unwrap_or(0), name.to_owned()));
        }
        let us = Pid::this().as_raw();
        let mut namespaces = BTreeSet::new();
        let mut chains = Vec::new();
        for (&pid, (parent, name)) in &known {
            let (mut chain, mut above) = (vec![name.as_str()], *parent);
            while above != us
                && let Some((next, name)) = known.get(&above)
            {
                chain.push(name);
                above = *next;
            }
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let marked = String::from_utf8_lossy(&arguments).contains(mark);
            if pid != us && (above == us || marked) {
                chain.reverse();
                let inside = fs::read_link(format!("/proc/{pid}/ns/pid"));
                namespaces.extend(inside);
                chains.push(chain.join(" > "));
            }
        }
        self.many("process", chains);
        self.note("PID namespaces below", namespaces.len().to_string());
    }

    /// Every mount namespace that can be seen through some process. Those of other programs come
    /// and go; mounts in this one stay, and so do namespaces that are bound to a file.
    fn mount_namespaces(&mut self) {
        let mut seen = BTreeSet::new();
        for pid in pids() {
            let Ok(namespace) = fs::read_link(format!("/proc/{pid}/ns/mnt")) else { continue };
            if seen.insert(namespace.clone())
                && let Ok(mounts) = fs::read_to_string(format!("/proc/{pid}/mountinfo"))
            {
                let own = namespace == fs::read_link("/proc/self/ns/mnt").unwrap();
                let name = namespace.to_string_lossy().into_owned();
                if own {
                    self.many("mount", mounts.lines().map(str::to_owned));
                    let pinned = mounts.lines().filter(|line| line.contains(" - nsfs "));
                    self.note("pinned namespaces", pinned.count().to_string());
                } else {
                    self.note(format!("mounts of others {name}"), hash(mounts.as_bytes()));
                }
            }
        }
    }

    fn sockets(&mut self) {
        let paths = fs::read_to_string("/proc/self/net/unix").unwrap_or_default();
        let named = paths.lines().filter_map(|line| line.split_ascii_whitespace().nth(7));
        // Names that the kernel chose (autobind in unix(7)) come and go with any program's messages. A
        // sandbox that left such a socket would have left a process as well.
        let is_number = |name: &str| {
            name.strip_prefix('@').is_some_and(|name| {
                name.len() == 5 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        self.many("socket", named.filter(|name| !is_number(name)).map(str::to_owned));
        for family in ["tcp", "tcp6", "udp", "udp6", "raw", "packet", "netlink"] {
            let text = fs::read_to_string(format!("/proc/self/net/{family}")).unwrap_or_default();
            // Of TCP only sockets that listen: connections come and go.
            let bound =
                text.lines().filter(|line| !family.starts_with("tcp") || line.contains(" 0A "));
            let local = bound.map(|line| line.split_ascii_whitespace().nth(1).unwrap_or("").into());
            self.many(family, local);
        }
    }

    /// Every sysctl that is writable.
    fn sysctls(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                self.sysctls(&entry.path());
            } else if about.mode() & 0o222 != 0
                // The pid of the latest process.
                && entry.file_name() != "ns_last_pid"
                && about.mode() & 0o444 != 0
                && let Ok(value) = fs::read(entry.path())
            {
                self.note(
                    entry.path().display().to_string(),
                    String::from_utf8_lossy(&value).trim(),
                );
            }
        }
    }

    /// The tree of folders and names.
    fn names(&mut self, folder: &Path, depth: usize) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.note(format!("name {}", entry.path().display()), "");
            if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.names(&entry.path(), depth - 1);
            }
        }
    }

    /// Files by name, owner, size, mode and, if small, contents, breadth first. Left out are build
    /// folders, cargo's store and other mounts, where reading may block; and of `.git` all but what
    /// git runs.
    fn files(&mut self, top: &Path, depth: usize) {
        // Nothing changes there, and if it is mounted for writing, this does.
        if access(top, AccessFlags::W_OK) == Err(Errno::EROFS) {
            return self.note(format!("files below {}", top.display()), "read-only");
        }
        let Ok(device) = fs::metadata(top).map(|about| about.dev()) else { return };
        let checkout = fs::metadata(CHECKOUT).ok().map(|about| (about.dev(), about.ino()));
        let mut left = ENTRIES;
        let mut folders = VecDeque::from([(top.to_owned(), depth)]);
        while let Some((folder, depth)) = folders.pop_front() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let of_git =
                    folder.ends_with(".git") && !GIT_RUNS.iter().any(|it| path.ends_with(it));
                if of_git || path.ends_with(".global-cache") || left == 0 {
                    continue;
                }
                left -= 1;
                let Ok(about) = fs::symlink_metadata(&path) else { continue };
                let mut how = format!("{:o} {}:{}", about.mode(), about.uid(), about.gid());
                if about.is_dir() {
                    // Cargo does not tag a folder that existed before.
                    let is_built = path.join("CACHEDIR.TAG").exists() || path == Path::new(TARGET);
                    if path.ends_with(".git") {
                        folders.push_back((path.clone(), GIT_DEPTH));
                    } else if depth > 1
                        && !is_built
                        && about.dev() == device
                        && Some((about.dev(), about.ino())) != checkout
                    {
                        folders.push_back((path.clone(), depth - 1));
                    }
                } else if about.is_file() && about.len() <= HASHED {
                    let bytes = fs::read(&path).unwrap_or_default();
                    how += &format!(" {} bytes {}", about.len(), hash(&bytes));
                } else {
                    how += &format!(" {} bytes {}", about.len(), about.mtime());
                }
                self.note(format!("file {}", path.display()), how);
            }
        }
    }

    /// The difference between the calendar and the time since boot.
    fn clock(&mut self) {
        let read = |clock| {
            // SAFETY: zero is valid, and the kernel fills one timespec.
            unsafe {
                let mut time: libc::timespec = std::mem::zeroed();
                assert_eq!(libc::clock_gettime(clock, &raw mut time), 0);
                time.tv_sec as i128 * 1_000_000_000 + i128::from(time.tv_nsec)
            }
        };
        let offset = read(libc::CLOCK_REALTIME) - read(libc::CLOCK_BOOTTIME);
        // In minutes: a time server corrects by less.
        self.note("clock", (offset / 60_000_000_000).to_string());
    }

    fn terminal(&mut self) {
        let Ok(terminal) = fs::File::open("/dev/tty") else { return };
        // SAFETY: zero is valid, and the kernel fills one termios.
        let settings = unsafe {
            let mut settings: libc::termios = std::mem::zeroed();
            libc::tcgetattr(terminal.as_raw_fd(), &raw mut settings);
            settings
        };
        let flags = [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag];
        self.note("terminal", format!("{flags:?} {:?}", settings.c_cc));
    }

    /// Whether a file has another owner than the folder that it is in.
    fn is_of_another_owner(&self, key: &str) -> bool {
        let folder = key.rsplit_once('/').map_or(key, |(folder, _)| folder);
        let owner = |key: &str| self.0.get(key)?.split([' ', ':']).nth(1);
        owner(key) != owner(folder)
    }

    /// What differs in the other one: key, state here, state there.
    pub(crate) fn differences(&self, other: &Fingerprint) -> Vec<(String, String, String)> {
        let keys: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let of = |machine: &Fingerprint, key: &str| {
            machine.0.get(key).map_or("absent".to_owned(), |value| format!("`{value}`"))
        };
        let all = keys.into_iter().map(|key| (key.clone(), of(self, key), of(other, key)));
        all.filter(|(_, here, there)| here != there).collect()
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Files that a process has open for writing, such as the log of a longer piece of work; of those
/// processes whose descriptors this one may see.
fn written_to() -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    for pid in pids() {
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let Ok(path) = fs::read_link(fd.path()) else { continue };
            let about = format!("/proc/{pid}/fdinfo/{}", fd.file_name().display());
            if path.is_absolute()
                && let Ok(about) = fs::read_to_string(about)
                && let Some(flags) = about.lines().find_map(|line| line.strip_prefix("flags:"))
                && i32::from_str_radix(flags.trim(), 8)
                    .is_ok_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY)
            {
                paths.insert(path);
            }
        }
    }
    paths
}

fn loop_devices() -> Vec<String> {
    let blocks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let backed = blocks.filter_map(|block| {
        let file = fs::read_to_string(block.path().join("loop/backing_file")).ok()?;
        Some(format!("{} {}", block.file_name().to_string_lossy(), file.trim()))
    });
    backed.collect()
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// What cannot be seen here.
fn unseen() -> &'static str {
    if Path::new("/dev/mqueue").exists() {
        "nothing"
    } else {
        "POSIX message queues (there is no /dev/mqueue)"
    }
}

/// What tools may change during a longer piece of work that installs and builds: the beginning of the
/// path, in the home or the checkout, and why.
const STORES: [(&str, &str); 10] = [
    ("~/.cargo/registry", "cargo's store"),
    ("~/.cargo/git", "cargo's store"),
    ("~/.cargo/.package-cache", "cargo's store"),
    ("~/.rustup", "rustup's store"),
    ("~/.npm", "npm's store"),
    ("~/.cache", "stores of programs"),
    ("~/.config", "Chromium's settings"),
    ("~/.pki", "Chromium's keys"),
    ("../../book/book", "the book that was built"),
    ("../../.progress", "the chapters that were solved"),
];

/// Why this is such a change, if it is. A folder of the same name elsewhere is none: the checkout may
/// have a `.cargo` of its own, whose `config.toml` decides what a build runs.
pub(crate) fn store(key: &str, home: &str) -> Option<&'static str> {
    let path = key.strip_prefix("file ")?;
    let below = path.strip_prefix(home).map(|below| format!("~{below}"));
    let path = below.unwrap_or_else(|| path.to_owned());
    let found = STORES.iter().find(|(store, _)| path.starts_with(store));
    found.map(|(_, why)| *why)
}

/// What the machine changes by itself.
#[derive(Default)]
pub(crate) struct Noise(pub(crate) BTreeSet<String>);

/// The entry of a world-writable folder that this is, or is below: `/tmp/it` of `/tmp/it/a/b`.
fn public(key: &str) -> Option<&str> {
    let path = key.strip_prefix("file ").or_else(|| key.strip_prefix("name "))?;
    let below = PUBLIC.iter().find_map(|place| path.strip_prefix(place)?.strip_prefix('/'))?;
    let name = below.split('/').next()?;
    Some(&path[..path.len() - below.len() + name.len()])
}

/// If this changes by itself, so may all that has the same neighborhood: the same folder, the same
/// entry of a world-writable folder, or the same kind of things that come and go with processes.
fn neighborhood(key: &str) -> String {
    if let Some((kind, _)) = key.split_once(" mnt:") {
        return kind.into();
    }
    if let Some(entry) = public(key).filter(|_| key.starts_with("file ")) {
        return entry.into();
    }
    let Some(path) = key.strip_prefix("file ").or_else(|| key.strip_prefix("name ")) else {
        return key.into();
    };
    Path::new(path).parent().unwrap_or(Path::new("/")).display().to_string()
}

impl Noise {
    /// Looks at an idle machine `pairs` times.
    pub(crate) fn learn(&mut self, mark: &str, pairs: usize) {
        let mut before = Fingerprint::take(mark);
        for _ in 0..pairs {
            sleep(Duration::from_millis(100));
            let after = Fingerprint::take(mark);
            let differences = before.differences(&after);
            self.0.extend(differences.iter().map(|(key, ..)| neighborhood(key)));
            before = after;
        }
    }

    /// What has changed and is no noise: key, state before, state now. Some of it goes away with a
    /// delay, because the kernel destroys namespaces in the background, so it looks until nothing has
    /// changed, for `patience` at most.
    pub(crate) fn changed(
        &mut self,
        before: &Fingerprint,
        mark: &str,
        patience: Duration,
    ) -> Vec<(String, String, String)> {
        let deadline = Instant::now() + patience;
        loop {
            let now = Fingerprint::take(mark);
            let changed = self.changes(before, &now, mark);
            if changed.is_empty() || Instant::now() >= deadline {
                return changed;
            }
            // No sandbox is running, so what changes now changes by itself.
            self.learn(mark, 1);
        }
    }

    /// What differs and is no noise.
    pub(crate) fn changes(
        &self,
        before: &Fingerprint,
        now: &Fingerprint,
        mark: &str,
    ) -> Vec<(String, String, String)> {
        let mut changed = before.differences(now);
        // Other programs write files that they have open. In a world-writable folder they also remove
        // what they made, and create files in folders of their own; a new entry at the top counts by
        // its name. Nothing may happen to a canary.
        changed.retain(|(key, was, is)| {
            key.contains(mark) || !was.contains(WRITTEN_TO) && !is.contains(WRITTEN_TO)
        });
        changed.retain(|(key, was, is)| match public(key) {
            Some(entry) if !entry.contains(mark) => {
                let was_there = before.0.contains_key(&format!("name {entry}"));
                is != "absent"
                    && (was != "absent"
                        || key.starts_with("name ")
                        || was_there && now.is_of_another_owner(key))
            }
            _ => true,
        });
        changed.retain(|(key, ..)| !self.0.contains(&neighborhood(key)));
        changed
    }

    /// What was left out.
    pub(crate) fn report(&self) -> String {
        let all: Vec<_> = self.0.iter().map(String::as_str).collect();
        let changes = all.join(", ");
        format!("this machine changes by itself, not compared: {changes}; unseen: {}", unseen())
    }
}

//! The positive control of the fingerprint: one change of each kind is planted, in namespaces that are
//! thrown away, and the fingerprint notices it.

use std::ffi::CString;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio, exit};
use std::time::{Duration, Instant};

use harness::sandbox::patience;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sched::{CloneFlags, unshare};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, setsid};

use super::beside_others;
use super::fingerprint::{Fingerprint, Noise, store};

/// The first argument of a process that plants the changes.
pub(crate) const PLANT: &str = "--plant";
/// The word by which the fingerprint recognizes the processes and folders of that process.
const MARK: &str = "planted";

/// The beginning of that process's line about a change that it cannot make.
const SKIPPED: &str = "cannot be planted: ";

type Planted = Result<(), String>;

/// A change, and the beginning of the key under which the fingerprint has it.
struct Plant {
    key: &'static str,
    act: fn() -> Planted,
}

const fn plant(key: &'static str, act: fn() -> Planted) -> Plant {
    Plant { key, act }
}

const PLANTS: &[Plant] = &[
    plant("process: sleep", || start("sleep", &["60"])),
    plant("PID namespaces below", || start("unshare", &["--pid", "--fork", "sleep", "60"])),
    plant("mount: ", || tmpfs("/mnt")),
    plant("mounts of others ", || start("unshare", &["--mount", "sleep", "60"])),
    plant("links and their counters' names: planted", || {
        run("ip link add planted type veth peer name other")
    }),
    plant("addresses: ", || run("ip address add 192.0.2.1/24 dev planted")),
    plant("routes: planted", || run("ip link set planted up && ip link set other up")),
    plant("addresses, IPv6: ", || run("ip address add 2001:db8::1/64 dev planted nodad")),
    plant("routes, IPv6: ", || run("ip route add 2001:db8:1::/64 dev planted")),
    plant("socket: @planted", || {
        let name = SocketAddr::from_abstract_name("planted").map_err(because("address"))?;
        keep(UnixListener::bind_addr(&name).map_err(because("bind(@planted)"))?)
    }),
    plant("socket: /run/planted.sock", || {
        keep(UnixListener::bind("/run/planted.sock").map_err(because("bind()"))?)
    }),
    plant("tcp: ", || keep(TcpListener::bind("0.0.0.0:81").map_err(because("bind(tcp)"))?)),
    plant("tcp6: ", || keep(TcpListener::bind("[::]:82").map_err(because("bind(tcp6)"))?)),
    plant("udp: ", || keep(UdpSocket::bind("0.0.0.0:81").map_err(because("bind(udp)"))?)),
    plant("udp6: ", || keep(UdpSocket::bind("[::]:82").map_err(because("bind(udp6)"))?)),
    plant("raw: ", || socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)),
    plant("packet: ", || socket(libc::AF_PACKET, libc::SOCK_RAW, 0)),
    plant("netlink: ", || socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC)),
    plant("/proc/sys/kernel/hostname", || {
        nix::unistd::sethostname("planted").map_err(because("sethostname()"))
    }),
    plant("/proc/sys/kernel/domainname", || {
        // SAFETY: seven bytes.
        done(unsafe { libc::setdomainname(c"planted".as_ptr(), 7) }, "setdomainname()")
    }),
    plant("/proc/sys/net/ipv4/ip_forward", || {
        let value = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default();
        write("/proc/sys/net/ipv4/ip_forward", if value.trim() == "0" { "1" } else { "0" })
    }),
    // This is a mount, too, so it must not be planted together with the other one.
    plant("pinned namespaces", pin),
    // SAFETY: integers only.
    plant("SysV shared memory: ", || done(unsafe { libc::shmget(81, 4096, 0o1600) }, "shmget()")),
    // SAFETY: as above.
    plant("SysV semaphores: ", || done(unsafe { libc::semget(81, 1, 0o1600) }, "semget()")),
    // SAFETY: as above.
    plant("SysV queues: ", || done(unsafe { libc::msgget(81, 0o1600) }, "msgget()")),
    plant("name /dev/mqueue/planted", || write("/dev/mqueue/planted", "")),
    plant("name /dev/shm/planted", || write("/dev/shm/planted", "")),
    plant("keys: ", key),
    // Stand-ins: the real ones take root of the machine, and would change the machine.
    plant("name /sys/fs/cgroup/planted", || folder("/sys/fs/cgroup/planted")),
    plant("loop device: loop81", || {
        folder("/sys/block/loop81/loop")?;
        write("/sys/block/loop81/loop/backing_file", "/planted\n")
    }),
    plant("name /tmp/planted.txt", || write("/tmp/planted.txt", "")),
    plant("name /run/planted.txt", || write("/run/planted.txt", "")),
    plant("name /var/tmp/planted.txt", || write("/var/tmp/planted.txt", "")),
    // A file with other contents of the same length, one with another mode, one removed.
    plant("file /tmp/planted/canary", || write("/tmp/planted/canary", "Canary")),
    plant("file /run/planted/canary", || run("chmod 4755 /run/planted/canary")),
    plant("file /var/tmp/planted/canary", || run("rm /var/tmp/planted/canary")),
    plant("file /var/lib/planted.txt", || write("/var/lib/planted.txt", "")),
    plant("file ../../planted.txt", || write("../../planted.txt", "")),
    // Below folders of other programs.
    plant("file /tmp/others/deep/file", || write("/tmp/others/deep/file", "Theirs")),
    plant("file /run/others/deep/file", || run("chmod 4755 /run/others/deep/file")),
    plant("file /var/tmp/others/new", || write("/var/tmp/others/new", "")),
    plant("file /var/lib/others/deep/file", || write("/var/lib/others/deep/file", "Theirs")),
    // Files that decide what runs when someone works in the checkout.
    plant("file ../../.cargo/config.toml", || {
        folder("../../.cargo")?;
        write("../../.cargo/config.toml", "")
    }),
    plant("file ../../.git/config", || write("../../.git/config", "Theirs")),
    plant("file ../../.git/hooks/post-checkout", || write("../../.git/hooks/post-checkout", "")),
    plant("file ../../book/target", || write("../../book/target", "")),
    plant("terminal", echo_off),
    // These need a time namespace, which only a child of this process is in: they come last.
    plant("time offsets: ", || Ok(())),
    plant("clock", || Ok(())),
];

/// Kinds that are not planted, and why.
const NO_PLANT: &[(&str, &str)] = &[
    ("keys by user: ", "its lines are users, and a user namespace without privilege has one"),
    ("files below ", "a checkout that is mounted read-only"),
];

fn because<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Keeps it for as long as this process lives.
fn keep<T>(planted: T) -> Planted {
    std::mem::forget(planted);
    Ok(())
}

fn done(result: i32, call: &str) -> Planted {
    Errno::result(result).map(drop).map_err(because(call))
}

fn start(program: &str, arguments: &[&str]) -> Planted {
    let started = Command::new(program).args(arguments).spawn().map_err(because(program))?;
    // Until it has made its namespaces, and waits.
    let rests = || fs::read_to_string(format!("/proc/{}/wchan", started.id()));
    let deadline = Instant::now() + patience();
    while rests().is_ok_and(|at| at == "0") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    keep(started)
}

fn run(script: &str) -> Planted {
    let output = Command::new("sh").args(["-c", script]).output().map_err(because("sh"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{script}: {said}")) }
}

fn write(path: &str, text: &str) -> Planted {
    fs::write(path, text).map_err(because(path))
}

fn folder(path: &str) -> Planted {
    fs::create_dir_all(path).map_err(because(path))
}

fn new(kind: &str, path: &str, options: &str) -> Planted {
    mount(Some(kind), path, Some(kind), MsFlags::empty(), Some(options)).map_err(because(path))
}

fn tmpfs(path: &str) -> Planted {
    new("tmpfs", path, "")
}

fn bind(from: &str, to: &str) -> Planted {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).map_err(because(to))
}

fn pin() -> Planted {
    write("/tmp/pin", "")?;
    bind("/proc/self/ns/uts", "/tmp/pin")
}

fn socket(family: i32, kind: i32, protocol: i32) -> Planted {
    // SAFETY: integers only. The socket stays open until this process ends.
    let socket = unsafe { libc::socket(family, kind, protocol) };
    done(socket, "socket()")?;
    if family != libc::AF_NETLINK {
        return Ok(());
    }
    // SAFETY: zero is valid for each field; a port of 0 lets the kernel choose.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as _;
    // SAFETY: the kernel reads one address of the size given.
    done(unsafe { libc::bind(socket, (&raw const address).cast(), 12) }, "bind()")
}

/// Adds a key to a new session keyring, which ends with this process.
fn key() -> Planted {
    const JOIN_SESSION_KEYRING: i64 = 1;
    const SESSION: i64 = -3;
    // SAFETY: null asks for a keyring without a name.
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0_i64) };
    done(joined as i32, "keyctl(KEYCTL_JOIN_SESSION_KEYRING)")?;
    let (kind, name) = (CString::from(c"user"), CString::from(c"planted"));
    // SAFETY: C strings, and one byte.
    let added = unsafe {
        libc::syscall(
            libc::SYS_add_key,
            kind.as_ptr(),
            name.as_ptr(),
            c"x".as_ptr(),
            1_i64,
            SESSION,
        )
    };
    done(added as i32, "add_key()")
}

/// Makes a new terminal the controlling one of this process.
fn terminal() -> Result<PtyMaster, String> {
    let master = posix_openpt(nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_NOCTTY)
        .map_err(because("posix_openpt()"))?;
    grantpt(&master).and_then(|()| unlockpt(&master)).map_err(because("unlockpt()"))?;
    let name = ptsname_r(&master).map_err(because("ptsname_r()"))?;
    setsid().map_err(because("setsid()"))?;
    let other: OwnedFd =
        fs::File::options().read(true).write(true).open(&name).map_err(because(&name))?.into();
    // SAFETY: TIOCSCTTY takes an integer.
    done(unsafe { libc::ioctl(other.as_raw_fd(), libc::TIOCSCTTY, 0) }, "ioctl(TIOCSCTTY)")?;
    keep(other)?;
    Ok(master)
}

fn echo_off() -> Planted {
    let terminal = fs::File::open("/dev/tty").map_err(because("/dev/tty"))?;
    let mut settings = tcgetattr(&terminal).map_err(because("tcgetattr()"))?;
    settings.local_flags.toggle(LocalFlags::ECHO);
    tcsetattr(&terminal, SetArg::TCSANOW, &settings).map_err(because("tcsetattr()"))
}

/// Forks, and returns in a child whose boot time is an hour earlier.
fn leave_for_another_time() -> Planted {
    let flag = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    unshare(flag).map_err(because("unshare(CLONE_NEWTIME)"))?;
    write("/proc/self/timens_offsets", "boottime 3600 0")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(because("fork()"))? {
        ForkResult::Child => Ok(()),
        ForkResult::Parent { child } => match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => exit(status),
            other => Err(format!("the child ended with {other:?}")),
        },
    }
}

/// Mounts and files of this process alone, to plant in.
fn prepare() -> Planted {
    let none = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).map_err(because("mount(MS_PRIVATE)"))?;
    // It contains the working directory, so it is mounted over last; from then on `..` leads there.
    let checkout = fs::canonicalize("../..").map_err(because("../.."))?;
    // A `/dev` with `mqueue`, which not every machine has.
    tmpfs("/mnt")?;
    for device in ["null", "tty"] {
        write(&format!("/mnt/{device}"), "")?;
        bind(&format!("/dev/{device}"), &format!("/mnt/{device}"))?;
    }
    for place in ["pts", "shm", "mqueue"] {
        folder(&format!("/mnt/{place}"))?;
    }
    bind("/mnt", "/dev")?;
    new("devpts", "/dev/pts", "newinstance,ptmxmode=666")?;
    std::os::unix::fs::symlink("pts/ptmx", "/dev/ptmx").map_err(because("/dev/ptmx"))?;
    new("mqueue", "/dev/mqueue", "")?;
    for place in ["/sys/fs/cgroup", "/sys/block", "/var/lib", "/run", "/var/tmp"] {
        tmpfs(place)?;
    }
    tmpfs(&checkout.to_string_lossy())?;
    tmpfs("/tmp")?;
    for place in ["/tmp", "/run", "/var/tmp"] {
        folder(&Path::new(place).join(MARK).to_string_lossy())?;
        write(&format!("{place}/{MARK}/canary"), "canary")?;
    }
    for place in ["/tmp", "/run", "/var/tmp", "/var/lib"] {
        folder(&format!("{place}/others/deep"))?;
        write(&format!("{place}/others/deep/file"), "theirs")?;
    }
    folder("../../.git/hooks")?;
    folder("../../book")?;
    write("../../.git/config", "theirs")?;
    keep(terminal()?)
}

/// In a process that is thrown away: prints a line for each change that was not noticed.
pub(crate) fn main() -> ! {
    if let Err(why) = prepare() {
        println!("nothing can be planted: {why}");
        exit(1);
    }
    let mut wrong = Vec::new();
    let mut before = Fingerprint::take(MARK);
    let (there, elsewhere) = PLANTS.split_at(PLANTS.len() - 2);
    // Eight at a time, because a fingerprint takes longer than the changes.
    for plants in there.chunks(8) {
        let planted = plants.iter().filter(|plant| match (plant.act)() {
            Ok(()) => true,
            Err(why) => {
                println!("{SKIPPED}{}: {why}", plant.key);
                false
            }
        });
        let planted: Vec<_> = planted.collect();
        let after = Fingerprint::take(MARK);
        wrong.extend(planted.iter().filter_map(|plant| unnoticed(plant, &before, &after)));
        before = after;
    }
    match leave_for_another_time() {
        Ok(()) => {
            let after = Fingerprint::take(MARK);
            wrong.extend(elsewhere.iter().filter_map(|plant| unnoticed(plant, &before, &after)));
        }
        Err(why) => println!("{SKIPPED}clock: {why}"),
    }
    println!("{}", wrong.join("\n"));
    exit(if wrong.is_empty() { 0 } else { 1 })
}

fn unnoticed(plant: &Plant, before: &Fingerprint, after: &Fingerprint) -> Option<String> {
    let noticed = before.differences(after);
    let is_noticed = noticed.iter().any(|(key, ..)| key.starts_with(plant.key));
    (!is_noticed).then(|| format!("not noticed: {} (but {noticed:?})", plant.key))
}

#[test]
fn every_kind_of_change_is_noticed() {
    slow!();
    let _machine = beside_others();
    let output = Command::new("unshare")
        .args([
            "-Urm",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--net",
            "--ipc",
            "--uts",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg(PLANT)
        // One of the folders that `prepare` mounts over.
        .env("HOME", "/var/lib")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    for (key, why) in NO_PLANT {
        println!("not planted: {key}{why}");
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for reason in said.lines().filter_map(|line| line.strip_prefix(SKIPPED)) {
        skip!("a change that cannot be planted here: {reason}");
    }
}

/// Changes that tools make are recognized by where they are.
#[test]
fn only_the_stores_of_tools_are_left_out() {
    let home = "/home/you";
    for key in
        ["file /home/you/.cargo/registry/it", "file /home/you/.npm", "file ../../book/book/it"]
    {
        assert!(store(key, home).is_some(), "{key}");
    }
    for key in [
        "file /home/you/.cargo/config.toml",
        "file /home/you/.cargo/bin/cargo",
        "file /home/you/checkout/.cargo/config.toml",
        "file ../../.cargo/config.toml",
        "file ../../.cargo/registry/it",
        "file ../../.git/hooks/post-checkout",
        "name /tmp/.cargo",
    ] {
        assert_eq!(store(key, home), None, "{key}");
    }
}

/// What other programs do in a world-writable folder is no change; what a sandbox could do there is.
#[test]
fn other_programs_may_use_world_writable_folders() {
    let of = |keys: &[(&str, &str)]| {
        Fingerprint(keys.iter().map(|(key, how)| ((*key).into(), (*how).into())).collect())
    };
    let there = [("name /tmp/it", ""), ("file /tmp/it", "40777 7:7"), ("file /tmp/it/a", "1")];
    let before = of(&there);
    let changed = |more: &[(&str, &str)], noise: &[&str]| {
        let mut now = before.clone();
        now.0.extend(of(more).0);
        let noise = Noise(noise.iter().map(|key| (*key).to_owned()).collect());
        noise.changes(&before, &now, MARK).len()
    };
    // Other contents; the same in a noisy folder; the same while a program has the file open.
    assert_eq!(changed(&[("file /tmp/it/a", "2")], &[]), 1);
    assert_eq!(changed(&[("file /tmp/it/a", "2")], &["/tmp/it"]), 0);
    assert_eq!(changed(&[("file /tmp/it/a", "2")], &["/tmp/other"]), 1);
    assert_eq!(changed(&[("file /tmp/it/a", "2, open for writing")], &[]), 0);
    // So is the log of the tests, wherever it is; a canary has none.
    assert_eq!(changed(&[("file ../../log", "2, open for writing")], &[]), 0);
    assert_eq!(changed(&[("file ../../log", "2")], &[]), 1);
    assert_eq!(changed(&[("file /tmp/planted/canary", "2, open for writing")], &[]), 1);
    // New in a folder of the same owner, and of another one; new at the top; new beside a canary.
    assert_eq!(changed(&[("file /tmp/it/b", "100644 7:7")], &[]), 0);
    assert_eq!(changed(&[("file /tmp/it/b", "100644 8:8")], &[]), 1);
    assert_eq!(changed(&[("name /tmp/new", ""), ("file /tmp/new", "40777 8:8")], &[]), 1);
    assert_eq!(changed(&[("file /tmp/planted/new", "100644 7:7")], &[]), 1);
    // Removed.
    let noise = Noise::default();
    assert!(noise.changes(&before, &of(&[]), MARK).is_empty());
    assert_eq!(noise.changes(&of(&[("file /tmp/planted/canary", "1")]), &of(&[]), MARK).len(), 1);
}

/// Each kind that is in this machine's fingerprint is planted, or there is a reason why not.
#[test]
fn every_kind_is_planted() {
    let known = PLANTS.iter().map(|plant| plant.key);
    let known: Vec<&str> = known.chain(NO_PLANT.iter().map(|(key, _)| *key)).collect();
    // The part of a key before the name of one thing.
    let kind = |key: &str| {
        let path = key.find('/').unwrap_or(key.len());
        let colon = key.find(": ").map_or(key.len(), |at| at + 2);
        let namespace = key.find("mnt:[").unwrap_or(key.len());
        key[..path.min(colon).min(namespace)].to_owned()
    };
    let machine = Fingerprint::take("no-such-mark");
    assert!(!machine.0.is_empty());
    for key in machine.0.keys() {
        // The path of a file of the checkout begins with a dot.
        let kind = kind(key).trim_end_matches('.').to_owned();
        assert!(known.iter().any(|known| known.starts_with(&kind)), "not planted: {key}");
    }
}

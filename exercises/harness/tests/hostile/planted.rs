//! One change of each kind that the fingerprint looks at is planted, in namespaces that are thrown
//! away, and the fingerprint tells it.

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

use super::MACHINE;
use super::fingerprint::{Fingerprint, Noise, store};

/// The first argument of a process that plants.
pub(crate) const PLANT: &str = "--plant";
/// What the fingerprint knows its processes and folders by.
const MARK: &str = "planted";

type Planted = Result<(), String>;

/// A change, and how the key begins by which the fingerprint tells it.
struct Plant {
    told_as: &'static str,
    act: fn() -> Planted,
}

const fn plant(told_as: &'static str, act: fn() -> Planted) -> Plant {
    Plant { told_as, act }
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
    // A mount as well: not among those that are planted together with that one.
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
    // Stand-ins: nobody but the machine's root makes those, and they would be the machine's.
    plant("name /sys/fs/cgroup/planted", || folder("/sys/fs/cgroup/planted")),
    plant("loop device: loop81", || {
        folder("/sys/block/loop81/loop")?;
        write("/sys/block/loop81/loop/backing_file", "/planted\n")
    }),
    plant("name /tmp/planted.txt", || write("/tmp/planted.txt", "")),
    plant("name /run/planted.txt", || write("/run/planted.txt", "")),
    plant("name /var/tmp/planted.txt", || write("/var/tmp/planted.txt", "")),
    // What is written anew, of the same length; what gets another mode; what is taken away.
    plant("file /tmp/planted/canary", || write("/tmp/planted/canary", "Canary")),
    plant("file /run/planted/canary", || run("chmod 4755 /run/planted/canary")),
    plant("file /var/tmp/planted/canary", || run("rm /var/tmp/planted/canary")),
    plant("file /var/lib/planted.txt", || write("/var/lib/planted.txt", "")),
    plant("file ../../planted.txt", || write("../../planted.txt", "")),
    // Below what others have put there.
    plant("file /tmp/others/deep/file", || write("/tmp/others/deep/file", "Theirs")),
    plant("file /run/others/deep/file", || run("chmod 4755 /run/others/deep/file")),
    plant("file /var/tmp/others/new", || write("/var/tmp/others/new", "")),
    plant("file /var/lib/others/deep/file", || write("/var/lib/others/deep/file", "Theirs")),
    // What is run by who works here.
    plant("file ../../.cargo/config.toml", || {
        folder("../../.cargo")?;
        write("../../.cargo/config.toml", "")
    }),
    plant("file ../../.git/config", || write("../../.git/config", "Theirs")),
    plant("file ../../.git/hooks/post-checkout", || write("../../.git/hooks/post-checkout", "")),
    plant("file ../../book/target", || write("../../book/target", "")),
    plant("terminal", echo_off),
    // Only a child of ours is in the time namespace: the last two, one look.
    plant("time offsets: ", || Ok(())),
    plant("clock", || Ok(())),
];

/// Kinds for which there is no plant, and why.
const NO_PLANT: &[(&str, &str)] =
    &[("keys by user: ", "its lines are users, and a user namespace without privilege has one")];

fn because<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// For as long as this process lives.
fn keep<T>(planted: T) -> Planted {
    std::mem::forget(planted);
    Ok(())
}

fn done(result: i32, call: &str) -> Planted {
    Errno::result(result).map(drop).map_err(because(call))
}

fn start(program: &str, arguments: &[&str]) -> Planted {
    let started = Command::new(program).args(arguments).spawn().map_err(because(program))?;
    // Until it has made what it was asked for, and waits.
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
    // SAFETY: integers only. Nobody closes it.
    let socket = unsafe { libc::socket(family, kind, protocol) };
    done(socket, "socket()")?;
    if family != libc::AF_NETLINK {
        return Ok(());
    }
    // SAFETY: zero is valid: the kernel chooses a number.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as _;
    // SAFETY: the kernel reads one address of the size given.
    done(unsafe { libc::bind(socket, (&raw const address).cast(), 12) }, "bind()")
}

/// In a session keyring of its own, which ends with this process.
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

/// A terminal of our own, in whose session we are from now on.
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

/// Goes on in a child an hour away.
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

/// What there is to look at, and nobody else's.
fn ground() -> Planted {
    let none = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).map_err(because("mount(MS_PRIVATE)"))?;
    // Last the checkout, in which we stand; `..` leads to what is mounted there.
    let checkout = fs::canonicalize("../..").map_err(because("../.."))?;
    // A /dev, because not every machine shows its queues.
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

/// In a process that is thrown away: a line for each plant that was not told.
pub(crate) fn main() -> ! {
    if let Err(why) = ground() {
        println!("no ground to plant on: {why}");
        exit(1);
    }
    let mut wrong = Vec::new();
    let mut before = Fingerprint::take(MARK);
    let (there, elsewhere) = PLANTS.split_at(PLANTS.len() - 2);
    // A few at a time: a look takes longer than they do.
    for plants in there.chunks(8) {
        let planted = plants.iter().filter(|plant| match (plant.act)() {
            Ok(()) => true,
            Err(why) => {
                println!("skipped: {}: it cannot be planted: {why}", plant.told_as);
                false
            }
        });
        let planted: Vec<_> = planted.collect();
        let after = Fingerprint::take(MARK);
        wrong.extend(planted.iter().filter_map(|plant| untold(plant, &before, &after)));
        before = after;
    }
    match leave_for_another_time() {
        Ok(()) => {
            let after = Fingerprint::take(MARK);
            wrong.extend(elsewhere.iter().filter_map(|plant| untold(plant, &before, &after)));
        }
        Err(why) => println!("skipped: clock: it cannot be planted: {why}"),
    }
    println!("{}", wrong.join("\n"));
    exit(if wrong.is_empty() { 0 } else { 1 })
}

fn untold(plant: &Plant, before: &Fingerprint, after: &Fingerprint) -> Option<String> {
    let told = before.differences(after);
    let is_told = told.iter().any(|(key, ..)| key.starts_with(plant.told_as));
    (!is_told).then(|| format!("not told: {} (but {told:?})", plant.told_as))
}

#[test]
fn every_kind_of_change_is_told() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
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
        // The ground is a tmpfs; the home is one of its places.
        .env("HOME", "/var/lib")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    for (told_as, why) in NO_PLANT {
        println!("not planted: {told_as}{why}");
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let skipped = said.lines().any(|line| line.starts_with("skipped: "));
    assert!(!skipped || std::env::var_os("CI_NO_SKIP").is_none(), "{said}");
}

/// A change that a tool makes is told apart by where it is.
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

/// What others do in a place for everybody is told apart from what a sandbox could do there.
#[test]
fn others_may_use_a_place_for_everybody() {
    let of = |keys: &[(&str, &str)]| {
        Fingerprint(keys.iter().map(|(key, how)| ((*key).into(), (*how).into())).collect())
    };
    let there = [("name /tmp/it", ""), ("file /tmp/it", "40777 7:7"), ("file /tmp/it/a", "1")];
    let before = of(&there);
    let told = |more: &[(&str, &str)], noise: &[&str]| {
        let mut now = before.clone();
        now.0.extend(of(more).0);
        let noise = Noise(noise.iter().map(|key| (*key).to_owned()).collect());
        noise.told(&before, &now, MARK).len()
    };
    // Written anew; what was learnt to be noise; what somebody has open.
    assert_eq!(told(&[("file /tmp/it/a", "2")], &[]), 1);
    assert_eq!(told(&[("file /tmp/it/a", "2")], &["/tmp/it"]), 0);
    assert_eq!(told(&[("file /tmp/it/a", "2")], &["/tmp/other"]), 1);
    assert_eq!(told(&[("file /tmp/it/a", "2, somebody writes")], &[]), 0);
    // New in a folder of the same owner, and of another one; new at the top; a canary's.
    assert_eq!(told(&[("file /tmp/it/b", "100644 7:7")], &[]), 0);
    assert_eq!(told(&[("file /tmp/it/b", "100644 8:8")], &[]), 1);
    assert_eq!(told(&[("name /tmp/new", ""), ("file /tmp/new", "40777 8:8")], &[]), 1);
    assert_eq!(told(&[("file /tmp/planted/new", "100644 7:7")], &[]), 1);
    // Taken away.
    let noise = Noise::default();
    assert!(noise.told(&before, &of(&[]), MARK).is_empty());
    assert_eq!(noise.told(&of(&[("file /tmp/planted/canary", "1")]), &of(&[]), MARK).len(), 1);
}

/// Every kind that is looked at here and now has a plant, or a reason.
#[test]
fn every_kind_has_a_plant() {
    let known = PLANTS.iter().map(|plant| plant.told_as);
    let known: Vec<&str> = known.chain(NO_PLANT.iter().map(|(told_as, _)| *told_as)).collect();
    // Of a key, what comes before the thing itself.
    let kind = |key: &str| {
        let path = key.find('/').unwrap_or(key.len());
        let colon = key.find(": ").map_or(key.len(), |at| at + 2);
        let namespace = key.find("mnt:[").unwrap_or(key.len());
        key[..path.min(colon).min(namespace)].to_owned()
    };
    let looked_at = Fingerprint::take("nobody");
    for key in looked_at.0.keys() {
        // A file of the checkout begins with a dot.
        let kind = kind(key).trim_end_matches('.').to_owned();
        assert!(known.iter().any(|told_as| told_as.starts_with(&kind)), "no plant for {key}");
    }
}

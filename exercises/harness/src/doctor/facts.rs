//! What this machine reports about itself.
//!
//! Every fact comes from a file or a harmless call. A fact that cannot be read is `unknown`, and then
//! neither supports a cause nor contradicts it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::{env, fs};

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use super::mounts::Mounts;
use lab::look::{Fields, Kind, kernel, ranges_in};
use lab::sandbox::TooLow;

pub(super) const UNKNOWN: &str = "unknown";

/// Names and values. The names are the keys under `facts` in the table and in `--json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<&'static str, String>);

impl Facts {
    /// The facts as the calling process sees them.
    pub fn read() -> Facts {
        let mounts = Mounts::read();
        let status = Fields::read("/proc/self/status").unwrap_or_default();
        let mut facts = Facts::default();
        facts.of_the_kernel();
        facts.of_the_switches();
        facts.of_the_limits();
        facts.of_the_process(&status);
        facts.of_the_surroundings(&mounts);
        facts
    }

    #[cfg(test)]
    pub(super) fn only(pairs: &[(&'static str, &str)]) -> Facts {
        Facts(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or(UNKNOWN, String::as_str)
    }

    /// Names and values, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn put(&mut self, name: &'static str, value: impl Into<Option<String>>) {
        self.0.insert(name, value.into().unwrap_or_else(|| UNKNOWN.to_owned()));
    }

    fn of_the_kernel(&mut self) {
        // By uname(2), because there may be no /proc.
        let uname = nix::sys::utsname::uname().ok();
        let release = uname.as_ref().map(|uname| uname.release().to_string_lossy().into_owned());
        let machine = uname.map(|uname| uname.machine().to_string_lossy().into_owned());
        self.put("wsl", release.as_deref().map(wsl));
        let gvisor = release.as_deref().map(|release| yes(release.contains("gvisor")));
        self.put("gvisor", gvisor);
        self.put("kernel_5_10", release.as_deref().and_then(at_least_5_10).map(yes));
        self.put("kernel", release);
        self.put("arch", machine);
        self.put("user_namespaces", has_kind("user"));
        self.put("time_namespaces", has_kind("time"));
        self.put("clone3", clone3());
        self.put("landlock", landlock());
    }

    fn of_the_switches(&mut self) {
        for (name, path) in [
            (
                "apparmor_restrict_unprivileged_userns",
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            ),
            ("unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone"),
            ("ptrace_scope", "/proc/sys/kernel/yama/ptrace_scope"),
            ("max_user_namespaces", "/proc/sys/user/max_user_namespaces"),
            ("selinux", "/sys/fs/selinux/enforce"),
            ("apparmor_profile", "/proc/self/attr/apparmor/current"),
        ] {
            self.put(name, switch(path));
        }
        self.put("limits_at_zero", limits_at_zero());
    }

    /// getrlimit(2), cgroups(7), proc_sys_kernel(5).
    fn of_the_limits(&mut self) {
        let too_low = lab::sandbox::too_low();
        let each = |text: fn(&TooLow) -> String, between: &str| {
            let texts: Vec<_> = too_low.iter().map(text).collect();
            if texts.is_empty() { "none".to_owned() } else { texts.join(between) }
        };
        let limits = each(|it| format!("{} is {}, not {}", it.name, it.hard, it.needed), ", ");
        self.put("limits_too_low", limits);
        self.put("prlimit", each(|it| it.option.clone(), " "));
        self.put("limits_on_processes", limits_on_processes());
    }

    /// proc_pid_status(5).
    fn of_the_process(&mut self, status: &Fields) {
        self.put("user", user());
        let capabilities = status.bits("CapEff");
        for (name, number) in [("cap_sys_admin", 21), ("cap_setuid", 7), ("cap_setfcap", 31)] {
            self.put(name, capabilities.map(|all| yes(all & 1 << number != 0)));
        }
        self.put("seccomp", status.get("Seccomp").map(str::to_owned));
        self.put("machines_root", yes(lab::sandbox::holds_the_machines_root()));
        self.put("no_new_privs", status.get("NoNewPrivs").map(str::to_owned));
    }

    fn of_the_surroundings(&mut self, mounts: &Mounts) {
        self.put("proc", mounts.proc());
        self.put("proc_hides", mounts.proc_hides());
        self.put("chroot", chroot(mounts));
        self.put("cgroup", mounts.cgroup().map(str::to_owned));
        self.put("container", container());
        self.put("github_actions", yes(env::var_os("GITHUB_ACTIONS").is_some()));
        self.put("codespaces", yes(env::var_os("CODESPACES").is_some()));
        let release = read("/etc/os-release").unwrap_or_default();
        let mut ids = release.lines().filter_map(|line| line.strip_prefix("ID="));
        let id = ids.next().map(|id| id.trim().trim_matches('"').to_owned());
        self.put("distribution", id);
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn yes(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

/// The text of a file, or `absent`. `None` if it may not be read.
fn switch(path: &str) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text.trim_matches(['\n', '\0']).to_owned()),
        // Without a /proc every file would look absent.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && has_proc() => {
            Some("absent".to_owned())
        }
        Err(_) => None,
    }
}

fn has_proc() -> bool {
    Path::new("/proc/self/status").exists()
}

fn has_kind(name: &str) -> Option<String> {
    let found = fs::symlink_metadata(format!("/proc/self/ns/{name}")).is_ok();
    (found || Path::new("/proc/self/ns").exists()).then(|| yes(found))
}

/// `/proc/sys/user/max_*_namespaces` that are 0 (namespaces(7)).
fn limits_at_zero() -> Option<String> {
    let limit = |kind: Kind| read(&format!("/proc/sys/user/max_{kind}_namespaces"));
    limit(Kind::User)?;
    let is_zero = |kind: &Kind| limit(*kind).is_some_and(|text| text.trim() == "0");
    let zero: Vec<_> = Kind::ALL.into_iter().filter(is_zero).map(Kind::name).collect();
    let zero = zero.join(", ");
    Some(if zero.is_empty() { "none".to_owned() } else { zero })
}

/// What limits the number of processes, as far as it can be read.
fn limits_on_processes() -> String {
    let ulimit = getrlimit(Resource::RLIMIT_NPROC).ok().map(|(_, hard)| hard);
    let ulimit = ulimit.filter(|hard| *hard != RLIM_INFINITY).map(|hard| hard.to_string());
    let cgroup = read("/proc/self/cgroup").unwrap_or_default();
    let own = cgroup.lines().find_map(|line| {
        let (_, named) = line.split_once(':')?;
        let (controllers, path) = named.split_once(':')?;
        let pids = controllers.split(',').any(|name| name == "pids");
        (pids || controllers.is_empty()).then(|| path.to_owned())
    });
    let own = own.unwrap_or_default();
    let folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"];
    let most = folders.iter().find_map(|folder| read(&format!("{folder}{own}/pids.max")));
    let most = most.map(|most| most.trim().to_owned()).filter(|most| most != "max");
    let kernel = |name| Some(read(&format!("/proc/sys/kernel/{name}"))?.trim().to_owned());
    let limits = [
        ("ulimit -u", ulimit),
        ("pids.max", most),
        ("kernel.pid_max", kernel("pid_max")),
        ("kernel.threads-max", kernel("threads-max")),
    ];
    let known = limits.into_iter().filter_map(|(name, limit)| Some(format!("{name} {}", limit?)));
    known.collect::<Vec<_>>().join(", ")
}

/// What kind of user runs this process, by its effective uid and the map of its user namespace.
fn user() -> Option<String> {
    let id = nix::unistd::Uid::effective().as_raw();
    let map = read("/proc/self/uid_map")?;
    let whole = map.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    let name = match id {
        id if !is_mapped(&map, id) => "unmapped",
        0 if whole => "root",
        0 => "root of a user namespace",
        _ => "an ordinary user",
    };
    Some(name.to_owned())
}

fn is_mapped(map: &str, id: u32) -> bool {
    let is_in =
        |[first, _, length]: &[u32; 3]| id.checked_sub(*first).is_some_and(|at| at < *length);
    ranges_in(map).iter().any(is_in)
}

/// The version of WSL, by the kernel's release: that of WSL 1, which has no Linux kernel, has a capital
/// `Microsoft` in it.
fn wsl(release: &str) -> String {
    if release.contains("WSL2") || release.contains("microsoft") {
        "2"
    } else if release.contains("Microsoft") {
        "1"
    } else {
        "no"
    }
    .to_owned()
}

fn at_least_5_10(release: &str) -> Option<bool> {
    Some(kernel::version_in(release)? >= (5, 10))
}

/// Calls clone3(2) without arguments. It fails with `EINVAL`, or with `ENOSYS` if the kernel does not
/// have it or a filter makes it look so.
fn clone3() -> String {
    // SAFETY: a size of 0 is refused before the pointer is looked at; no process is made.
    let result = unsafe { libc::syscall(libc::SYS_clone3, 0, 0) };
    match Errno::result(result) {
        Err(Errno::EINVAL) | Ok(_) => "there".to_owned(),
        Err(errno) => format!("{errno:?}"),
    }
}

/// Calls landlock_create_ruleset(2) with the flag that asks for the version only. No file shows whether
/// this process is in a Landlock domain.
fn landlock() -> String {
    const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
    // SAFETY: this flag takes no pointer and makes no descriptor.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION)
    };
    if version > 0 { "there" } else { "absent" }.to_owned()
}

/// The kernel refuses user namespaces to a process whose root is not its mount namespace's
/// (`current_chrooted`, `fs/namespace.c`).
fn chroot(mounts: &Mounts) -> Option<String> {
    if mounts.lack_a_root() {
        return Some(yes(true));
    }
    // If PID 1 is in the same mount namespace, its root is that of the namespace. Not every process may see it.
    let link = |path: &str| fs::read_link(path).ok();
    if link("/proc/1/ns/mnt")? != link("/proc/self/ns/mnt")? {
        return None;
    }
    let id = |path: &str| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    Some(yes(id("/proc/1/root/")? != id("/")?))
}

/// The container program, by the files and variables that it leaves.
fn container() -> String {
    let named = || {
        let by_systemd = read("/run/systemd/container").or_else(|| env::var("container").ok());
        by_systemd.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
    };
    if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        "kubernetes".to_owned()
    } else if Path::new("/run/.containerenv").exists() {
        "podman".to_owned()
    } else if Path::new("/.dockerenv").exists() {
        "docker".to_owned()
    } else {
        named().unwrap_or_else(|| "none seen".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_looked_up_in_the_map() {
        assert!(is_mapped("         0          0 4294967295\n", 65534));
        assert!(is_mapped("0 1000 1\n1 100000 65535\n", 65534));
        assert!(!is_mapped("0 1000 1\n", 65534));
        assert!(!is_mapped("", 0) && !is_mapped("nonsense", 0));
    }

    #[test]
    fn releases() {
        let found = ["6.18.4", "5.10.0-8-amd64", "5.9.1", "3.10.0-1160.el7", "6-rc1", "new"];
        let found = found.map(at_least_5_10);
        assert_eq!(found, [Some(true), Some(true), Some(false), Some(false), None, None]);
        let found =
            ["5.15.90.1-microsoft-standard-WSL2", "4.4.0-19041-Microsoft", "6.1.0"].map(wsl);
        assert_eq!(found, ["2", "1", "no"]);
    }

    #[test]
    fn every_fact_has_a_value() {
        let facts = Facts::read();
        assert!(facts.iter().count() > 20);
        assert!(facts.iter().all(|(_, value)| !value.is_empty()));
        assert_eq!(facts.get("no such fact"), UNKNOWN);
    }
}

//! Looking at a running lab, from outside: the facts that a challenge asks about.

use std::fs;
use std::io;

use harness::look::{Kind, Link, Mount, Namespace, Namespaces, Process, cgroup, kernel};
use harness::sandbox::{Inhabitants, Run};
use harness::{Report, visit};

use crate::condition::Subject;
use crate::lab::READY;
use crate::table::Challenge;
use crate::world::World;

/// Looks at one lab again and again, while another thread waits for its end.
pub struct Onlooker {
    inhabitants: Inhabitants,
    shell: Process,
    lab: Namespaces,
    /// The device and the directory of the lab's root mount.
    root: Option<(String, String)>,
}

/// What was seen, and of which processes.
pub struct Sight {
    pub world: World,
    processes: Vec<Seen>,
}

/// A process and its namespaces, which stay the same ones while they are held.
struct Seen {
    process: Process,
    namespaces: Namespaces,
    name: String,
}

impl Onlooker {
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn of(run: &Run) -> io::Result<Onlooker> {
        let root = run.mounts().iter().find(|mount| mount.point == "/");
        Ok(Onlooker {
            inhabitants: run.inhabitants()?,
            shell: run.program().try_clone()?,
            lab: run.lab().try_clone()?,
            root: root.map(|mount| (mount.device.clone(), mount.root.clone())),
        })
    }

    /// What the challenge asks about, as it is now. `None` while the lab is being set up, and after its end.
    pub fn look(&self, challenge: &Challenge) -> Option<Sight> {
        self.shell.environment(READY)?;
        let processes = self.inhabitants.processes();
        let processes: Vec<Seen> = processes.into_iter().filter_map(Seen::of).collect();
        let is_shell = |seen: &&Seen| seen.process.pid() == self.shell.pid();
        let facts = |of: Subject, seen: &Seen| {
            let keys = challenge.facts(of).into_iter();
            keys.filter_map(|key| Some((key.to_owned(), self.fact(key, seen, &processes)?)))
                .collect()
        };
        let lab = challenge.facts(Subject::Lab).into_iter();
        let lab =
            lab.filter_map(|key| Some((key.to_owned(), self.fact_of_the_lab(key, &processes)?)));
        let others = processes.iter().filter(|seen| !is_shell(seen));
        let world = World {
            lab: lab.collect(),
            shell: facts(Subject::Shell, processes.iter().find(is_shell)?),
            processes: others.map(|seen| facts(Subject::Process, seen)).collect(),
        };
        let processes = processes.into_iter().filter(|seen| !is_shell(&seen)).collect();
        Some(Sight { world, processes })
    }

    /// Whether the reader's shell has ended.
    pub fn is_over(&self) -> bool {
        self.shell.has_ended()
    }

    /// The table and the facts of these processes, as `cargo xtask check` shows them.
    pub fn report(&self, sight: &Sight, meant: &[usize]) -> nix::Result<String> {
        let mut report = Report::default();
        report.row("lab", self.lab.try_clone()?);
        for (key, value) in &sight.world.lab {
            report.line(&format!("{key} of the lab"), value);
        }
        for place in meant {
            let seen = &sight.processes[*place];
            report.row(&seen.name, seen.namespaces.try_clone()?);
            for (key, value) in &sight.world.processes[*place] {
                if key != "name" && key != "namespaces" {
                    report.line(&format!("{key} of {}", seen.name), value);
                }
            }
        }
        Ok(report.table(&[""]).saw.to_string())
    }

    fn fact(&self, key: &str, seen: &Seen, all: &[Seen]) -> Option<String> {
        let Seen { process, namespaces, name } = seen;
        let of = |kind: Kind| namespaces.get(kind);
        if let Some(path) = key.strip_prefix("mount at ") {
            return mount_at(of(Kind::Mnt)?, path);
        }
        if let Some(path) = key.strip_prefix("propagation of ") {
            return propagation_of(of(Kind::Mnt)?, path);
        }
        if let Some(kind) = key.strip_prefix("owner of ").and_then(Kind::parse) {
            return self.owner(namespaces, kind);
        }
        if let Some(kind) = key.strip_prefix("company in ").and_then(Kind::parse) {
            let same = all.iter().filter(|other| other.process.pid() != process.pid());
            let same = same.filter(|other| other.namespaces.get(kind) == of(kind));
            let mut names: Vec<&str> = same.map(|other| other.name.as_str()).collect();
            names.sort_unstable();
            return Some(or_none(names.join(" ")));
        }
        Some(match key {
            "name" => name.clone(),
            "namespaces" => {
                let apart = namespaces.apart_from(&self.lab).into_iter().map(Kind::name);
                or_none(apart.collect::<Vec<_>>().join(" "))
            }
            "parent" => match process.parent()? {
                parent if parent == self.shell.pid() => "the shell".to_owned(),
                parent => Process::open(parent).ok()?.name()?,
            },
            "host name" => visit::host_name(of(Kind::Uts)?).ok()?,
            "pid" => process.own_pid()?.to_string(),
            "uid" => uid_inside(process)?.to_string(),
            "ids" => process
                .map("uid_map")
                .iter()
                .map(|[.., many]| u64::from(*many))
                .sum::<u64>()
                .to_string(),
            "capabilities" => match process.bits("CapEff")? {
                0 => "none".to_owned(),
                held if held == kernel::all_capabilities()? => "all".to_owned(),
                _ => "some".to_owned(),
            },
            "levels" => levels_below(of(Kind::User)?, self.lab.get(Kind::User)?)?.to_string(),
            "proc" => process.proc().to_string(),
            "zombies" => process
                .children()
                .iter()
                .filter(|child| child.state() == Some('Z'))
                .count()
                .to_string(),
            "lab's root" => {
                let (device, root) = self.root.as_ref()?;
                let mounts = visit::mounts_in(of(Kind::Mnt)?).ok()?;
                let is_it = |mount: &Mount| mount.device == *device && mount.root == *root;
                if mounts.iter().any(is_it) { "mounted" } else { "not mounted" }.to_owned()
            }
            "root directory" => {
                let mounts = process.mounts().ok()?;
                let root = mounts.iter().rfind(|mount| mount.point == "/");
                match root.map(|mount| (&mount.device, &mount.root)) {
                    None => "a folder of a mount",
                    found if found == self.root.as_ref().map(|(device, root)| (device, root)) => {
                        "the lab's"
                    }
                    Some(_) => "another mount",
                }
                .to_owned()
            }
            "queues" => queues(of(Kind::Ipc)?)?,
            "interfaces" => interfaces(&visit::links_in(of(Kind::Net)?).ok()?),
            "cable" => self.cable(of(Kind::Net)?)?,
            "packets to the lab" => self.packets_from(of(Kind::Net)?)?,
            "cgroup" => cgroup_seen_from(of(Kind::Cgroup)?, process)?,
            "cgroup in the lab" => cgroup_seen_from(self.lab.get(Kind::Cgroup)?, process)?,
            "days" => days_ahead(process)?.to_string(),
            _ => return None,
        })
    }

    /// The lab's facts are those of its namespaces, whichever process is in them.
    fn fact_of_the_lab(&self, key: &str, all: &[Seen]) -> Option<String> {
        let of = |kind: Kind| self.lab.get(kind);
        if let Some(path) = key.strip_prefix("mount at ") {
            return mount_at(of(Kind::Mnt)?, path);
        }
        if let Some(path) = key.strip_prefix("propagation of ") {
            return propagation_of(of(Kind::Mnt)?, path);
        }
        if let Some(path) = key.strip_prefix("namespace at ") {
            return namespace_at(of(Kind::Mnt)?, path, all);
        }
        if let Some(path) = key.strip_prefix("host name at ") {
            return visit::host_name_at(of(Kind::Mnt)?, path).ok();
        }
        match key {
            "host name" => visit::host_name(of(Kind::Uts)?).ok(),
            "queues" => queues(of(Kind::Ipc)?),
            _ => None,
        }
    }

    fn owner(&self, namespaces: &Namespaces, kind: Kind) -> Option<String> {
        let owner = namespaces.get(kind)?.owner().ok()?;
        let is = |user: Option<&Namespace>| user == Some(&owner);
        Some(
            match () {
                () if is(namespaces.get(Kind::User)) => "its own user namespace",
                () if is(self.lab.get(Kind::User)) => "the lab's user namespace",
                () => "another user namespace",
            }
            .to_owned(),
        )
    }

    /// Whether a cable, a pair of veth interfaces, leads from here to the lab.
    fn cable(&self, net: &Namespace) -> Option<String> {
        let (here, there) =
            (visit::links_in(net).ok()?, visit::links_in(self.lab.get(Kind::Net)?).ok()?);
        let ends = |link: &&Link| link.peer_is_elsewhere && link.kind.as_deref() == Some("veth");
        let joined = here.iter().filter(ends).find_map(|link| {
            let other = there.iter().filter(ends).find(|other| link.peer == Some(other.index))?;
            (other.peer == Some(link.index)).then_some([link, other])
        });
        Some(
            match joined {
                None => "none",
                Some(ends) if ends.iter().all(|link| link.up) => "up",
                Some(_) => "down",
            }
            .to_owned(),
        )
    }

    /// What becomes of packets from here to an address of the lab's, which a cable would carry.
    fn packets_from(&self, net: &Namespace) -> Option<String> {
        let lab = self.lab.get(Kind::Net)?;
        let links = visit::links_in(lab).ok()?;
        let mut addresses =
            links.iter().filter(|link| link.name != "lo").flat_map(|link| &link.addresses);
        let address = addresses
            .find_map(|address| address.split('/').next()?.parse::<std::net::Ipv4Addr>().ok());
        let Some(address) = address else { return Some("the lab has no address".to_owned()) };
        Some(match visit::exchange(net, lab, address) {
            Ok(_) => "arrive".to_owned(),
            Err(errno) => errno.to_string(),
        })
    }
}

impl Seen {
    fn of(process: Process) -> Option<Seen> {
        let namespaces = Namespaces::of(&process).ok()?;
        Some(Seen { namespaces, name: process.name()?, process })
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// The effective uid as the process itself sees it: getuid(2) returns the overflow id where it is not mapped.
fn uid_inside(process: &Process) -> Option<u32> {
    let uid: u32 = process.status("Uid")?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let mut map = process.map("uid_map").into_iter();
    let inside = map.find_map(|[inside, outside, many]| {
        uid.checked_sub(outside).filter(|place| *place < many).map(|place| inside + place)
    });
    Some(inside.unwrap_or(65534))
}

/// How many user namespaces lie between, with the process's own: 0 for the lab's.
fn levels_below(user: &Namespace, lab: &Namespace) -> Option<u32> {
    let (mut levels, mut user) = (0, user.try_clone().ok()?);
    // 33 is the deepest level that the kernel allows (user_namespaces(7)).
    while user != *lab && levels < 33 {
        user = user.parent().ok()?;
        levels += 1;
    }
    Some(levels)
}

fn mount_at(mnt: &Namespace, path: &str) -> Option<String> {
    let mounts = visit::mounts_in(mnt).ok()?;
    let mount = mounts.iter().rfind(|mount| mount.point == path);
    Some(mount.map_or("none".to_owned(), |mount| mount.kind.clone()))
}

fn propagation_of(mnt: &Namespace, path: &str) -> Option<String> {
    let mounts = visit::mounts_in(mnt).ok()?;
    Some(mounts.iter().rfind(|mount| mount.point == path)?.propagation.to_string())
}

/// The kind of the namespace that is mounted at a path, and whether one of the processes is in it.
fn namespace_at(mnt: &Namespace, path: &str, all: &[Seen]) -> Option<String> {
    let mounts = visit::mounts_in(mnt).ok()?;
    let mount = mounts.iter().rfind(|mount| mount.point == path && mount.kind == "nsfs");
    let Some(Mount { root, .. }) = mount else { return Some("none".to_owned()) };
    let kind = Kind::parse(root.split(':').next()?)?;
    let is_in = |seen: &Seen| seen.namespaces.get(kind).is_some_and(|own| own.name(kind) == *root);
    let inhabited = all.iter().any(is_in);
    Some(format!(
        "{kind}, {}",
        if inhabited { "with a process in it" } else { "without a process" }
    ))
}

fn queues(ipc: &Namespace) -> Option<String> {
    let mut names = visit::queues_in(ipc).ok()?;
    names.sort();
    Some(or_none(names.join(" ")))
}

fn interfaces(links: &[Link]) -> String {
    let state = |link: &Link| format!("{} {}", link.name, if link.up { "up" } else { "down" });
    or_none(links.iter().map(state).collect::<Vec<_>>().join(", "))
}

/// The path of a process's cgroup, as a process in this cgroup namespace reads it.
fn cgroup_seen_from(namespace: &Namespace, process: &Process) -> Option<String> {
    let file = format!("/proc/{}/cgroup", process.pid());
    cgroup::path_in(&visit::read_in(namespace, &file).ok()?)
}

/// How many whole days its boot-time clock is ahead of the machine's (time_namespaces(7)).
fn days_ahead(process: &Process) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{}/timens_offsets", process.pid())).ok()?;
    let line = text.lines().find(|line| line.starts_with("boottime"))?;
    Some(line.split_ascii_whitespace().nth(1)?.parse::<i64>().ok()? / (24 * 60 * 60))
}

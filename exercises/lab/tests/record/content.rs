//! What a trace says.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use lab::look::Kind;
use lab::sandbox::{self, Neighbor, NoTrace, Sandbox, State, Status, Wait};
use trace::{Change, Exit, NamespaceId, Outcome};

use super::actors::{self, trace_of};
use super::{end, has_ip, id, lines, sentences, skip, trace};

#[test]
fn every_call_of_unshare_is_recorded() {
    let version = Command::new("unshare").arg("--version").output().unwrap();
    if !String::from_utf8_lossy(&version.stdout).contains("2.38") {
        return skip!("the calls of unshare(1): they are known for util-linux 2.38 only");
    }
    let trace = trace(State::PlainUser, "exec unshare -Urpf --mount-proc true");
    let wanted = [
        "[2] execve(\"/usr/bin/unshare\", [\"unshare\", \"-Urpf\", \"--mount-proc\", \"true\"])",
        "[2] unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) = 0",
        "[2] fork() = 3",
        "[3 1] write(\"/proc/self/uid_map\", \"0 1000 1\") = 8",
        "[3 1] write(\"/proc/self/setgroups\", \"deny\") = 4",
        "[3 1] write(\"/proc/self/gid_map\", \"0 1000 1\") = 8",
        "[3 1] mount(\"none\", \"/\", NULL, MS_REC | MS_PRIVATE, NULL) = 0",
        "[3 1] mount(\"proc\", \"/proc\", \"proc\", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) = 0",
        "[3 1] execve(\"/usr/bin/true\", [\"true\"])",
        "[3 1] exit(0)",
        "[2] exit(0)",
    ];
    assert_eq!(lines(&trace), wanted);
    let world = end(&trace);
    let owner = |name: &str| world.namespace(id(name)).unwrap().owner;
    assert_eq!(owner("mnt B"), Some(id("user B")));
    assert_eq!(owner("pid B"), Some(id("user B")));
    assert_eq!(owner("uts A"), Some(NamespaceId::OUTER), "the sandbox made the lab");
    let user = world.namespace(id("user B")).unwrap();
    assert_eq!(user.parent, Some(NamespaceId::FIRST_USER));
    assert_eq!(user.settings["uid_map"], "0 1000 1");
    assert_eq!(user.settings["setgroups"], "deny");
    assert!(world.tasks.values().all(|task| task.ended == Some(Exit::Exited(0))));
}

#[test]
fn nested_pid_namespaces_show_every_pid() {
    let trace = trace(State::RootLab, "unshare -pf unshare -pf true");
    let pids: Vec<_> = end(&trace).tasks.values().map(|task| task.pids.clone()).collect();
    assert_eq!(pids, [vec![2], vec![3], vec![4, 1], vec![5, 2, 1]]);
}

#[test]
fn a_refusal_names_the_namespace_where_the_capability_is_missing() {
    let refused = trace(State::PlainUser, "unshare -U hostname otter");
    assert!(
        sentences(&refused).contains(
            "EPERM: no CAP_SYS_ADMIN in the user namespace around the sandbox, which owns uts A; \
             you are in user B"
        ),
        "{}",
        sentences(&refused)
    );
    let refused = trace(State::PlainUser, "unshare -u true");
    assert!(
        sentences(&refused).contains("EPERM: no CAP_SYS_ADMIN in user A, where you are"),
        "{}",
        sentences(&refused)
    );
}

#[test]
fn capabilities_are_lost_by_an_exec_without_a_map() {
    let told = sentences(&trace(State::PlainUser, "exec unshare -U true"));
    assert!(told.contains("unshare [2] has 4"), "{told}");
    assert!(told.contains("unshare [2] has no capabilities"), "{told}");
}

#[test]
fn a_target_is_named() {
    let neighbor = Neighbor {
        name: "target".into(),
        new: libc::CLONE_NEWUTS,
        host_name: Some("otter".into()),
        ..Neighbor::default()
    };
    let mut run = Sandbox::command("/usr/bin/nsenter")
        .args(["-u", "-t", "{target}", "true"])
        .neighbor(neighbor)
        .record()
        .start()
        .unwrap();
    run.await_end();
    let trace = run.trace().unwrap();
    assert!(
        lines(&trace).contains(&"[2] setns(3: uts B, CLONE_NEWUTS) = 0".to_owned()),
        "{trace:?}"
    );
    let world = end(&trace);
    let programs = world.members(id("uts B")).map(|task| world.tasks[&task].program.as_str());
    assert_eq!(programs.collect::<Vec<_>>(), ["target"]);
}

#[test]
fn mounts_are_followed_into_every_namespace_that_they_reach() {
    let trace = trace(
        State::RootLab,
        "mount --make-shared -t tmpfs a /mnt; unshare -m --propagation slave sh -c \
         'mkdir /mnt/b; mount -t tmpfs b /mnt/b'; mkdir /mnt/c; \
         unshare -m --propagation slave sleep 60 & while [ $(readlink /proc/$!/ns/mnt) = \
         $(readlink /proc/$$/ns/mnt) ]; do :; done; mount -t tmpfs c /mnt/c; kill $!",
    );
    let told = sentences(&trace);
    assert!(told.contains("mnt A: tmpfs on /mnt is shared:1 now\n"), "{told}");
    assert!(told.contains("mnt B: tmpfs on /mnt/b\n"), "{told}");
    assert!(!told.contains("mnt A: tmpfs on /mnt/b"), "{told}");
    assert!(told.contains("mnt A: tmpfs on /mnt/c, shared:2\n"), "{told}");
    assert!(told.contains("mnt C: tmpfs on /mnt/c, master:2\n"), "{told}");
}

#[test]
fn interfaces_are_followed_into_other_namespaces() {
    if !has_ip() {
        return skip!("interfaces of the lab: there is no ip(8)");
    }
    let trace = trace(
        State::RootLab,
        "unshare -n sh -c 'echo > /tmp/there; exec sleep 60' & while ! test -e /tmp/there; do :; done
         ip link add left type veth peer name right; ip link set right netns $!
         ip address add 10.0.0.1/24 dev left; ip link set left up; kill $!",
    );
    let told = sentences(&trace);
    let alone = "links in net A: lo up 127.0.0.1/8";
    assert!(told.contains(alone), "{told}");
    assert!(told.contains("left down, peer right in net A"), "{told}");
    assert!(told.contains("left down, peer right in net B"), "{told}");
    assert!(told.contains("links in net B: lo down; right down, peer left in net A\n"), "{told}");
    assert!(told.contains("left down 10.0.0.1/24, peer right in net B"), "{told}");
    assert!(told.contains("left up 10.0.0.1/24, peer right in net B"), "{told}");
}

#[test]
fn a_socket_stays_in_the_network_namespace_of_its_creation() {
    let told = sentences(&trace_of("two sockets").0);
    let sockets = told.lines().filter_map(|line| Some(line.split_once(" is a ")?.1));
    assert_eq!(sockets.collect::<Vec<_>>(), ["socket of net A", "socket of net B"], "{told}");
}

#[test]
fn a_chroot_below_the_working_directory_is_seen() {
    let script = "mkdir -p /tmp/tree; cd /tmp; exec /usr/sbin/chroot tree true";
    let world = end(&trace(State::RootLab, script));
    let root = world.tasks[&1].root.clone().unwrap();
    assert_eq!(root.path, "/tmp/tree");
    assert!(root.mount.is_some());
    let directory = world.tasks[&1].directory.clone().unwrap();
    assert_eq!((directory.path.as_str(), directory.mount), ("/tmp", root.mount));
}

#[test]
fn the_root_of_a_cgroup_namespace_is_where_its_maker_was() {
    if let Err(refusal) = sandbox::has_cgroups() {
        return skip!(NotRoot: "the root of a cgroup namespace: {refusal}");
    }
    let script = "mkdir /sys/fs/cgroup/otter; echo 0 > /sys/fs/cgroup/otter/cgroup.procs; \
                  exec unshare --cgroup --mount sh -c 'umount /sys/fs/cgroup; \
                  mount -t cgroup2 cgroup2 /sys/fs/cgroup'";
    let sandbox = Sandbox::command("/bin/sh").args(["-c", script]).cgroups().record();
    let mut run = sandbox.start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{}", run.stderr());
    let world = end(&run.trace().unwrap());
    let root = |name: &str| world.namespace(id(name)).unwrap().settings["root"].as_str();
    assert_eq!([root("cgroup A"), root("cgroup B")], ["/", "/otter"]);
    assert_eq!(world.tasks[&1].cgroup.as_deref(), Some("/otter"));
    let shown = |name: &str| {
        let mounts = world.namespace(id(name)).unwrap().mounts.values();
        let of_cgroups = mounts.filter(|mount| mount.kind == "cgroup2");
        of_cgroups.map(|mount| mount.root.clone()).collect::<Vec<_>>()
    };
    assert_eq!([shown("mnt A"), shown("mnt B")], [["/"], ["/otter"]]);
}

#[test]
fn a_deadlock_at_the_end_of_pid_1_is_seen() {
    if !wchan_is_told() {
        return skip!(Kernel: "a deadlock: it needs Linux 5.16, which always tells the place of a wait");
    }
    let told = sentences(&trace_of("a parent waits for a PID 1 only").0);
    let waits: Vec<&str> = told.lines().filter(|line| line.contains("has been reaped")).collect();
    let [parent, init] = waits[..] else { panic!("{told}") };
    assert!(parent.contains("[2] waits until") && parent.contains(" 1] has been"), "{told}");
    assert!(init.contains(" 1] waits until") && init.contains(" 2] has been"), "{told}");
}

/// Whether /proc/PID/wchan has the function in which a process waits. On x86, without frame pointers, it
/// has not before Linux 5.16 (`get_wchan` in arch/x86/kernel/process.c).
fn wchan_is_told() -> bool {
    let mut waiting = Command::new("sleep").arg("60").spawn().unwrap();
    let file = format!("/proc/{}/wchan", waiting.id());
    let is_told = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        fs::read_to_string(&file).is_ok_and(|name| name.contains("nanosleep"))
    });
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    is_told
}

#[test]
fn offsets_of_a_time_namespace_are_recorded() {
    if !Kind::Time.exists() {
        return skip!("offsets of a time namespace: this kernel has none");
    }
    let script = "unshare --time --boottime 100 --fork true";
    let world = end(&trace(State::RootLab, script));
    // Versions of util-linux write the clock by number or by name.
    let offsets = &world.namespace(id("time B")).unwrap().settings["timens_offsets"];
    assert!(["7 100 0", "boottime 100 0"].contains(&offsets.as_str()), "{offsets}");
    let times: Vec<_> = world.tasks.values().map(|task| task.namespaces[&Kind::Time]).collect();
    assert_eq!(times, ["time A", "time A", "time B"].map(id));
}

#[test]
fn what_the_kernel_does_not_show_is_left_out() {
    // A file of an owner that the sandbox has no id for, which the program may execute and not read: its
    // process belongs to the machine's user namespace (`would_dump` in fs/exec.c).
    if !skip::is_root_of_the_machine() {
        return skip!(NotRoot: "what the kernel does not show: every file here has an id in the sandbox");
    }
    let program = std::env::temp_dir().join(format!("unreadable-{}", std::process::id()));
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o111)).unwrap();
    let mut run = actors::start_as(&program, "undumpable");
    fs::remove_file(&program).unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{}", run.stderr());
    assert_eq!(run.ended().unwrap().status, Status::Exited(0));
    let trace = run.trace().unwrap();
    assert!(trace.complete);
    let told = sentences(&trace);
    assert!(told.contains("[2], in namespaces that the kernel does not show\n"), "{told}");
    for namespaces in ["uts A", "uts B"] {
        assert!(!told.contains(namespaces), "{told}");
    }
    // The calls themselves are shown.
    assert!(lines(&trace).contains(&"[2] unshare(CLONE_NEWUTS) = 0".to_owned()), "{trace:?}");
}

#[test]
fn a_program_that_traces_learns_why_it_cannot() {
    let (trace, ended) = trace_of("a tracer of its own");
    assert_eq!(ended.status, Status::Exited(0));
    assert!(
        sentences(&trace).contains("EPERM: a task can have one tracer, and the recorder is it")
    );
}

#[test]
fn enomem_is_explained_by_the_end_of_pid_1() {
    let (trace, _) = trace_of("a child of a new PID namespace after its init");
    let told = sentences(&trace);
    assert!(
        told.contains("ENOMEM: the PID 1 of the PID namespace for your children has ended"),
        "{told}"
    );
}

#[test]
fn a_map_written_in_pieces_is_explained() {
    let (trace, ended) = trace_of("two writes");
    assert_eq!(ended.status, Status::Exited(0));
    let told = lines(&trace);
    assert!(
        told.contains(&"[2] write(\"/proc/self/uid_map\", \"0\") = EINVAL".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"[2] write(\"/proc/self/uid_map\", \"0 0 1\") = 5".to_owned()),
        "{told:?}"
    );
    assert!(
        sentences(&trace).contains("EINVAL: one write(2) must carry whole lines of three numbers")
    );
}

#[test]
fn a_run_that_hangs_has_a_trace() {
    let mut run = Sandbox::command("/bin/sh")
        .args(["-c", "unshare -u sleep 1000"])
        .patience(Some(Duration::from_millis(500)))
        .record()
        .start()
        .unwrap();
    assert_eq!(run.await_end(), Wait::TimedOut);
    let trace = run.trace().unwrap();
    assert!(lines(&trace).iter().any(|line| line.ends_with("unshare(CLONE_NEWUTS) = 0")));
    let world = end(&trace);
    let ends: Vec<_> = world.tasks.values().map(|task| task.ended).collect();
    assert!(ends.contains(&Some(Exit::Killed(libc::SIGKILL))) && !ends.contains(&None), "{ends:?}");
}

#[test]
fn nothing_is_recorded_unless_asked_for() {
    let mut run = Sandbox::command("/bin/true").start().unwrap();
    run.await_end();
    assert_eq!(run.trace(), Err(NoTrace::NotRecorded));
}

#[test]
fn the_same_run_has_the_same_trace() {
    let once = || {
        trace(State::RootLab, "unshare -Urmpnui --mount-proc -f sh -c 'hostname x; true'")
            .portable()
    };
    let (one, two) = (once(), once());
    assert_eq!(one.to_json_lines(), two.to_json_lines());
    let mounts = one.events[0].changes.iter().any(|change| matches!(change, Change::Mount { .. }));
    assert!(
        mounts && one.events.iter().all(|event| !matches!(event.outcome, Outcome::Error { .. }))
    );
}

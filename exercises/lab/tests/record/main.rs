//! A trace is what happened, and whoever is followed does what it would have done alone.

mod recorded;

use std::time::{Duration, Instant};

use lab::look::Kind;
use lab::sandbox::{NoTrace, Resident, Run, Sandbox, State, Status, Wait, patience};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use recorded::trace_of;
use trace::{Change, Outcome, Trace, World};

/// The trace of a shell script.
fn trace(state: State, script: &str) -> Trace {
    let mut run =
        Sandbox::command("/bin/sh").args(["-c", script]).state(state).record().start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{script}: {}", run.stderr());
    run.trace().unwrap()
}

/// Who called what, a line for each event but the first.
fn lines(trace: &Trace) -> Vec<String> {
    let mut world = World::after(&trace.events[..1]);
    let each = trace.events[1..].iter().map(|event| {
        world.apply(event);
        let pids = world.tasks.get(&event.task).map(|task| task.pids_in_brackets());
        format!("{} {}", pids.unwrap_or_default(), event.line())
    });
    each.collect()
}

fn sentences(trace: &Trace) -> String {
    let mut world = World::default();
    let mut text = String::new();
    for event in &trace.events {
        for sentence in event.sentences(&world) {
            text += &format!("{sentence}\n");
        }
        world.apply(event);
    }
    text
}

fn end(trace: &Trace) -> World {
    World::after(&trace.events)
}

#[test]
fn every_call_of_unshare_is_told() {
    let version = std::process::Command::new("unshare").arg("--version").output().unwrap();
    if !String::from_utf8_lossy(&version.stdout).contains("2.38") {
        println!("skipped: another unshare(1) than that of util-linux 2.38 makes other calls");
        return;
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
    let owner = |name: &str| world.namespace(name).and_then(|namespace| namespace.owner.clone());
    assert_eq!(owner("mnt B").as_deref(), Some("user B"));
    assert_eq!(owner("pid B").as_deref(), Some("user B"));
    assert_eq!(owner("uts A").as_deref(), Some("outer user"), "somebody else made the lab");
    let user = world.namespace("user B").unwrap();
    assert_eq!(user.parent.as_deref(), Some("user A"));
    assert_eq!(user.settings["uid_map"], "0 1000 1");
    assert_eq!(user.settings["setgroups"], "deny");
    assert!(world.tasks.values().all(|task| task.ended.as_deref() == Some("exited with 0")));
}

#[test]
fn nested_pid_namespaces_show_every_pid() {
    let trace = trace(State::RootLab, "unshare -pf unshare -pf true");
    let pids: Vec<_> = end(&trace).tasks.values().map(|task| task.pids.clone()).collect();
    assert_eq!(pids, [vec![2], vec![3], vec![4, 1], vec![5, 2, 1]]);
}

#[test]
fn a_refusal_says_where_the_right_is_missing() {
    let refused = trace(State::PlainUser, "unshare -U hostname otter");
    assert!(
        sentences(&refused).contains(
            "EPERM: no CAP_SYS_ADMIN in the user namespace that owns it: uts A is owned by the one \
             around the sandbox, you are in user B"
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
    let resident = Resident {
        name: "target".into(),
        new: libc::CLONE_NEWUTS,
        host_name: Some("otter".into()),
        ..Resident::default()
    };
    let mut run = Sandbox::command("/usr/bin/nsenter")
        .args(["-u", "-t", "{target}", "true"])
        .resident(resident)
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
    let namespace = world.namespace("uts B").unwrap();
    let programs = world.members(namespace).map(|task| world.tasks[&task].program.as_str());
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
fn interfaces_are_followed_where_they_go() {
    if !std::path::Path::new("/usr/sbin/ip").exists() && !std::path::Path::new("/sbin/ip").exists()
    {
        println!("skipped: there is no ip(8) on this machine");
        return;
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
fn offsets_of_a_time_namespace_are_told() {
    if !Kind::Time.exists() {
        println!("skipped: this kernel has no time namespaces");
        return;
    }
    let script = "unshare --time --boottime 100 --fork true";
    let world = end(&trace(State::RootLab, script));
    // The clock by number or by name, as util-linux writes it.
    let offsets = &world.namespace("time B").unwrap().settings["timens_offsets"];
    assert!(["7 100 0", "boottime 100 0"].contains(&offsets.as_str()), "{offsets}");
    let times: Vec<_> = world.tasks.values().map(|task| &task.namespaces[&Kind::Time]).collect();
    assert_eq!(times, ["time A", "time A", "time B"]);
}

#[test]
fn a_thread_is_followed_alone() {
    let (trace, ended) = trace_of("a thread leaves alone");
    assert_eq!(ended.status, Status::Exited(0));
    let world = end(&trace);
    let (process, thread) = (&world.tasks[&1], &world.tasks[&2]);
    assert_eq!(thread.process, 1);
    assert_eq!(process.namespaces[&Kind::Uts], "uts A");
    assert_eq!(thread.namespaces[&Kind::Uts], "uts B");
}

#[test]
fn who_asks_not_to_be_traced_is_followed_and_works() {
    for actor in ["an untraced child", "an untraced child of clone3"] {
        let (trace, ended) = trace_of(actor);
        assert_eq!(ended.status, Status::Exited(0), "{actor}: {trace:?}");
        assert_eq!(end(&trace).tasks[&2].namespaces[&Kind::Uts], "uts B", "{actor}");
    }
}

#[test]
fn what_the_kernel_does_not_show_is_left_out() {
    let (trace, ended) = trace_of("undumpable");
    assert_eq!(ended.status, Status::Exited(0));
    assert!(lines(&trace).contains(&"[2] unshare(CLONE_NEWUTS) = 0".to_owned()));
    assert!(lines(&trace).contains(&"[2] sethostname(\"otter\") = 0".to_owned()));
}

#[test]
fn an_init_ends_as_it_would() {
    for actor in ["an init that stops itself", "an init with children ends"] {
        let (trace, ended) = trace_of(actor);
        assert_eq!(ended.status, Status::Exited(0), "{actor}");
        assert!(trace.complete && end(&trace).tasks.values().all(|task| task.ended.is_some()));
    }
}

#[test]
fn signals_do_what_they_would() {
    assert_eq!(trace_of("a stopped child goes on").1.status, Status::Exited(0));
    let (trace, ended) = trace_of("a real-time signal");
    let signal = libc::SIGRTMIN() + 3;
    assert_eq!(ended.status, Status::Killed(signal));
    let how = end(&trace).tasks[&1].ended.clone();
    assert_eq!(how, Some(format!("killed by signal {signal}")));
}

#[test]
fn a_tracer_of_its_own_is_told_why_it_cannot() {
    let (trace, ended) = trace_of("its own tracer");
    assert_eq!(ended.status, Status::Exited(0));
    assert!(
        sentences(&trace).contains("EPERM: a task can have one tracer, and the recorder is it")
    );
}

#[test]
fn a_listener_of_its_own_still_answers() {
    let (trace, ended) = trace_of("its own listener");
    assert_eq!(ended.status, Status::Exited(0));
    let told = lines(&trace).join("\n");
    assert!(told.contains("SECCOMP_FILTER_FLAG_NEW_LISTENER"), "{told}");
    assert!(!told.contains("sethostname"), "its listener answered, not the kernel: {told}");
}

#[test]
fn the_end_of_an_init_explains_enomem() {
    let (trace, _) = trace_of("a child of a new PID namespace after its init");
    let told = sentences(&trace);
    assert!(
        told.contains("ENOMEM: the PID 1 of the PID namespace for your children has ended"),
        "{told}"
    );
}

#[test]
fn a_map_in_pieces_is_explained() {
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
fn a_thread_that_executes_becomes_the_process() {
    let (trace, ended) = trace_of("exec in a thread");
    assert_eq!(ended.status, Status::Exited(0));
    assert_eq!(end(&trace).tasks[&1].program, "true");
    assert!(trace.complete);
}

#[test]
fn a_maker_may_be_killed_in_the_act() {
    let (trace, ended) = trace_of("killed in the act");
    assert_eq!(ended.status, Status::Exited(0));
    assert!(trace.complete);
}

#[test]
fn a_trace_of_too_many_calls_says_what_it_left_out() {
    let (trace, ended) = trace_of("many calls");
    assert_eq!(ended.status, Status::Exited(0));
    assert_eq!(trace.events.len() as u64 + trace.dropped, 5002, "with the start and the end");
    assert!(trace.dropped > 0 && trace.complete);
}

/// Who follows the program.
fn recorder_of(run: &Run) -> Pid {
    Pid::from_raw(run.program().status("TracerPid").unwrap().parse().unwrap())
}

/// A line of a process's status file, in KiB.
fn memory(process: &str, line: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

/// The trace of an actor that wants it to be too long, with what it cost: the length of the trace
/// in bytes, and KiB of the recorder and of this process.
fn trace_at_a_price(actor: &str) -> (Trace, [u64; 3]) {
    let mut run = recorded::start(actor);
    let recorder = recorder_of(&run).to_string();
    let watched = std::thread::spawn(move || {
        let mut most = 0;
        while let Some(now) = memory(&recorder, "VmHWM") {
            most = most.max(now);
            std::thread::sleep(Duration::from_millis(1));
        }
        most
    });
    let before = memory("self", "VmRSS").unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{actor}: {}", run.stderr());
    assert_eq!(run.ended().unwrap().status, Status::Exited(0), "{actor}: {}", run.stderr());
    let trace = run.trace().unwrap();
    let grown = memory("self", "VmRSS").unwrap().saturating_sub(before);
    assert!(trace.complete, "{actor}");
    let length = trace.to_json_lines().len() as u64;
    (trace, [length, watched.join().unwrap(), grown])
}

#[test]
fn a_trace_of_too_many_mounts_is_short() {
    let started = Instant::now();
    let (trace, cost @ [length, recorder, us]) = trace_at_a_price("many mounts");
    let took = started.elapsed();
    // Each bound is several times what is seen, and a small part of what it was without any.
    assert!(length < 5 << 20 && recorder < 64 << 10 && us < 64 << 10, "{cost:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let told = sentences(&trace);
    assert!(told.contains("mounts of mnt B: too many to be followed any further"), "{told}");
    assert!(told.contains("mounts of mnt C: too many to be followed any further"), "{told}");
    assert_eq!(trace.dropped, 0, "the calls themselves are few");
}

#[test]
fn a_trace_of_many_mounts_again_and_again_has_its_end() {
    let (trace, cost @ [length, recorder, us]) = trace_at_a_price("many mounts with short paths");
    assert!(length < 5 << 20 && recorder < 64 << 10 && us < 64 << 10, "{cost:?}");
    // Few enough to be followed, in each namespace.
    let starts = sentences(&trace).matches(" starts as a copy, with 2").count();
    assert!(starts > 1 && trace.dropped > 0, "{starts}, {}", trace.dropped);
}

#[test]
fn a_trace_of_too_many_interfaces_is_short() {
    if !std::path::Path::new("/usr/sbin/ip").exists() && !std::path::Path::new("/sbin/ip").exists()
    {
        println!("skipped: there is no ip(8) on this machine");
        return;
    }
    let (trace, cost @ [length, recorder, us]) = trace_at_a_price("many interfaces");
    assert!(length < 5 << 20 && recorder < 64 << 10 && us < 64 << 10, "{cost:?}");
    let told = sentences(&trace);
    assert!(told.contains("links of net A: too many to be followed any further"), "{told}");
}

#[test]
fn looking_at_many_networks_again_and_again_has_its_end() {
    let (trace, cost @ [length, recorder, us]) = trace_at_a_price("a crowd in many networks");
    assert!(length < 5 << 20 && recorder < 64 << 10 && us < 64 << 10, "{cost:?}");
    assert!(trace.dropped > 0);
}

#[test]
fn a_recorder_that_does_not_come_to_an_end_is_stopped() {
    let moment = std::time::Duration::from_millis(500);
    let sleep = Sandbox::command("/bin/sleep").arg("1000").patience(Some(moment));
    let mut run = sleep.record().start().unwrap();
    let recorder = recorder_of(&run);
    kill(recorder, Signal::SIGSTOP).unwrap();
    let started = Instant::now();
    assert_eq!(run.trace(), Err(NoTrace::Lost));
    let took = started.elapsed();
    assert!(took < patience() * 3, "{took:?}");
    // Nobody waits for it but the kernel.
    let gone = || kill(recorder, None).is_err();
    while !gone() && started.elapsed() < patience() * 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(gone(), "it is there still");
    let program = run.program();
    assert!(program.await_end(patience()), "the program goes with it");
}

#[test]
fn a_run_that_hangs_has_a_trace() {
    let mut run = Sandbox::command("/bin/sh")
        .args(["-c", "unshare -u sleep 1000"])
        .patience(Some(std::time::Duration::from_millis(500)))
        .record()
        .start()
        .unwrap();
    assert_eq!(run.await_end(), Wait::TimedOut);
    let trace = run.trace().unwrap();
    assert!(lines(&trace).iter().any(|line| line.ends_with("unshare(CLONE_NEWUTS) = 0")));
    assert!(
        sentences(&trace).contains("killed by SIGKILL")
            || lines(&trace).join("").contains("killed by SIGKILL")
    );
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
    let starts = one.events[0].changes.iter().any(|change| matches!(change, Change::Mount { .. }));
    assert!(
        starts && one.events.iter().all(|event| !matches!(event.outcome, Outcome::Error { .. }))
    );
}

//! `ch11-ipc KEY TEXT -- COMMAND`: shared memory and a message queue that exist only inside.

use harness::look::{Kind, Namespace, Namespaces};
use harness::sandbox::{Neighbor, Sandbox};
use harness::visit;
use nix::errno::Errno;

use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, letters, random, refused, step,
    with_room_for_a_queue,
};

/// Describes the segment under `key` of an IPC namespace, as a visitor finds it there. `wanted` is
/// what it has to contain.
fn segment(ipc: &Namespace, key: i32, wanted: &str) -> String {
    match visit::segment_in(ipc, key) {
        Ok(text) if !text.is_empty() && text != wanted && wanted.starts_with(&text) => {
            format!("a segment with the first {} bytes of {wanted}", text.len())
        }
        Ok(text) => format!("a segment with {text:?}"),
        Err(errno) => format!("no segment ({})", errno.desc()),
    }
}

/// The same for the queue `/text`.
fn queue(ipc: &Namespace, text: &str) -> String {
    match visit::queue_in(ipc, &format!("/{text}")) {
        Ok(()) => "exists".to_owned(),
        Err(errno) => format!("none ({})", errno.desc()),
    }
}

/// The keys of all segments, by role. /proc/sysvipc shows the IPC namespace of the process that opens
/// it, so a visitor has to enter (`sysvipc_proc_open` in `ipc/util.c`).
fn keys(ipc: &Namespace, key: i32) -> String {
    let text = visit::read_in(ipc, "/proc/sysvipc/shm").unwrap_or_default();
    let keys = text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().next());
    let by_role = keys.map(|found| match found.parse() {
        Ok(0) => "IPC_PRIVATE",
        Ok(found) if found == key => "KEY",
        _ => "another",
    });
    by_role.collect::<Vec<_>>().join(", ")
}

/// The names of all queues, by role.
fn queues(ipc: &Namespace, text: &str) -> String {
    let names = visit::queues_in(ipc).unwrap_or_default();
    let by_role = names.iter().map(|name| if name == text { "TEXT" } else { "another" });
    by_role.collect::<Vec<_>>().join(", ")
}

/// Counts the objects of all kinds: System V, where each file begins with a heading, and POSIX.
fn objects(ipc: &Namespace, mnt: &Namespace) -> String {
    let sysv = |kind| visit::read_in(ipc, &format!("/proc/sysvipc/{kind}"));
    let sysv = |kind| sysv(kind).map(|text| text.lines().count().saturating_sub(1));
    let counts = [
        ("segments", sysv("shm")),
        ("semaphore sets", sysv("sem")),
        ("queues", sysv("msg")),
        ("POSIX queues", visit::queues_in(ipc).map(|names| names.len())),
        ("files in /dev/shm", visit::names_in(mnt, "/dev/shm").map(|names| names.len())),
    ];
    let found = counts.into_iter().filter_map(|(what, count)| match count {
        Ok(0) => None,
        Ok(count) => Some(format!("{count} {what}")),
        Err(errno) => Some(format!("{what} cannot be read ({errno})")),
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

fn ipc_of(command: &Seen) -> &Namespace {
    command.namespaces.get(Kind::Ipc).expect("every kernel has IPC namespaces")
}

/// A key, and a text that is longer than most names.
fn key_and_text() -> (i32, String) {
    ((random() & 0x3fff_ffff) as i32 + 1, letters(100..200))
}

/// Runs the program once, and looks at both sides while COMMAND is parked.
fn look(program: Sandbox) -> Report {
    let (key, text) = key_and_text();
    let mut attempt = Attempt::start(program.args([key.to_string(), text.clone()]).witness());
    attempt.report.role(&text, "TEXT");
    if let Some(command) = attempt.command() {
        let inside = ipc_of(&command);
        let lab = attempt.run.lab();
        let outside = lab.get(Kind::Ipc).expect("every kernel has IPC namespaces");
        let mnt = lab.get(Kind::Mnt).expect("every kernel has mount namespaces");
        let posix = visit::names_in(mnt, "/dev/shm").unwrap_or_default().join(", ");
        let (keys, lab_segment) = (keys(inside, key), segment(outside, key, &text));
        let (queues, lab_queue) = (queues(inside, &text), queue(outside, &text));
        let wanted = text.clone();
        attempt.look("KEY in COMMAND", &command, move |seen| segment(ipc_of(seen), key, &wanted));
        attempt.report.line("KEY in the lab", lab_segment);
        attempt.look("queue /TEXT in COMMAND", &command, move |seen| queue(ipc_of(seen), &text));
        attempt.report.line("queue /TEXT in the lab", lab_queue);
        attempt.report.aside("keys in COMMAND", keys);
        attempt.report.aside("queues in COMMAND", queues);
        if !posix.is_empty() {
            attempt.report.aside("/dev/shm in the lab", posix);
        }
    }
    attempt.release();
    _ = attempt.run.await_end();
    let left = objects_of_the_lab(&attempt);
    attempt.report.line("objects of the lab afterwards", left);
    attempt.finish()
}

fn objects_of_the_lab(attempt: &Attempt) -> String {
    let lab = attempt.run.lab();
    let both = lab.get(Kind::Ipc).zip(lab.get(Kind::Mnt));
    both.map(|(ipc, mnt)| objects(ipc, mnt)).unwrap_or_default()
}

/// The same, as often as it takes until there is room for the queue.
fn report(program: impl Fn() -> Sandbox) -> Report {
    with_room_for_a_queue(|| look(program()))
}

/// Runs the program twice, and holds what could make the objects when COMMAND runs already: the process that
/// has started COMMAND, or one that was made before.
fn report_start(keys: &str) -> Report {
    let mut report = report(|| exercise!().hold_parents());
    let other = self::report(|| exercise!().hold_children());
    report.same("COMMAND before a helper runs", &other, &[keys]);
    report
}

/// COMMAND has an IPC namespace of its own, and shares the other seven with the lab.
#[step]
fn step1_command_has_an_ipc_namespace_of_its_own() {
    assert_report!(report(|| exercise!()).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    A    B    A       A
    ");
}

/// When COMMAND starts, there is a shared memory segment under KEY in its IPC namespace, and it contains
/// TEXT. In the lab's there is none.
#[step]
fn step2_the_segment_exists_only_inside() {
    assert_report!(report_start("KEY").lines(&["KEY", "COMMAND before"]), @r#"
    KEY in COMMAND: a segment with "TEXT"
    KEY in the lab: no segment (No such file or directory)
    COMMAND before a helper runs: the same
    "#);
}

/// When COMMAND starts, the POSIX message queue `/TEXT` exists in its IPC namespace, but not in the lab's.
#[step]
fn step3_the_queue_exists_only_inside() {
    assert_report!(report_start("queue").lines(&["queue", "COMMAND before"]), @r"
    queue /TEXT in COMMAND: exists
    queue /TEXT in the lab: none (No such file or directory)
    COMMAND before a helper runs: the same
    ");
}

/// While COMMAND has its segment and its queue, your program exits with COMMAND's status and leaves no
/// process behind. The lab has not changed, and
/// has no System V object, no POSIX message queue and no POSIX shared memory. If the kernel does not attach the
/// segment (`EINVAL`), your program starts nothing, and exits with another status than 0.
#[step]
fn step4_its_status_is_passed_on_and_nothing_is_left() {
    let report = with_room_for_a_queue(|| {
        let mut report = look(exercise!());
        let program = || {
            let (key, text) = key_and_text();
            exercise!().args([key.to_string(), text])
        };
        high_status(&mut report, program());
        let mut attempt = Attempt::start(program().args(["--", "/bin/true"]));
        _ = attempt.run.await_end();
        report.line("objects after a COMMAND that succeeds", objects_of_the_lab(&attempt));
        report.ending("a COMMAND that succeeds", &attempt.finish());
        if let Some(attach) = ATTACH {
            let refuses = program().failing_call(attach, Errno::EINVAL);
            refused(&mut report, NOT_ATTACHED, refuses);
        } else {
            report.skip(NOT_ATTACHED, "this machine's C library calls ipc(2) for it");
        }
        report
    });
    let inside = ["KEY in COMMAND", "queue /TEXT in COMMAND"];
    let keys =
        ["objects", "exit status", "left behind", "lab afterwards", "a COMMAND", NOT_ATTACHED];
    assert_report!(report.lines(&[&inside[..], &keys].concat()), @r#"
    KEY in COMMAND: a segment with "TEXT"
    queue /TEXT in COMMAND: exists
    objects of the lab afterwards: none
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    objects after a COMMAND that succeeds: none
    a COMMAND that succeeds: exit status 0, left behind: nothing
    a segment that cannot be attached: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    "#);
}

const NOT_ATTACHED: &str = "a segment that cannot be attached";

/// The call that attaches a segment.
const ATTACH: Option<libc::c_long> =
    if cfg!(target_arch = "x86") { None } else { Some(libc::SYS_shmat) };

/// Removes the queue of the IPC namespace, which would count as long as the namespace is there: see
/// [`with_room_for_a_queue`].
const REMOVE: &str =
    "mkdir /tmp/$$ && mount -t mqueue none /tmp/$$ && rm /tmp/$$/* && umount /tmp/$$";

/// `in_use KEY SECONDS`: the program has made a segment, and waits for a COMMAND that sleeps.
/// `left KEY TEXT SECONDS`: it has ended, and a process that sleeps has stayed in its IPC namespace.
fn shell_functions() -> String {
    format!(
        r#"in_use() {{
{{ "$0" $1 in_use -- sh -c '{REMOVE}; echo $$ > /tmp/in_use; exec sleep $0' $2; echo > /tmp/in_use; }} &
until test -s /tmp/in_use; do sleep 0.02; done
}}
left() {{ "$0" $1 $2 -- sh -c '{REMOVE}; sleep $0 > /dev/null 2>&1 &' $3; }}"#
    )
}

/// Runs the program where four other IPC namespaces have segments: one that was left under KEY, two that are
/// in use under the same key, and one that was left under another.
fn look_for_abandoned() -> Report {
    let (key, text) = key_and_text();
    let seconds: Vec<u64> = (0..3).map(|n| 1000 * (n + 1) + random() % 1000).collect();
    let [abandoned, in_use, other] = seconds[..] else { unreachable!("three numbers") };
    let mut segments = [
        format!("left {key} {text} {abandoned}"),
        format!("in_use {key} {in_use}"),
        format!("left {} {text} {other}", key ^ 1),
    ];
    // A program that takes the first or the last one that it finds is right once in three times.
    segments.rotate_left(random() as usize % 3);
    let [first, second, third] = segments;
    let script = format!("{}\n{first}; {second}; {third}; exec \"$0\" \"$@\"", shell_functions());
    // A segment that no process has attached at the moment may be in use all the same.
    let owner = Neighbor {
        name: "owner".into(),
        new: libc::CLONE_NEWIPC,
        segment: Some(key),
        ..Neighbor::default()
    };
    let program = exercise!().args(["--abandoned", &key.to_string()]).witness().neighbor(owner);
    // A search asks many namespaces in vain, and no such answer is a mistake.
    let mut attempt = Attempt::start(program.script(&script).unrecorded());
    attempt.report.role(&text, "TEXT");
    if let Some(command) = attempt.command() {
        let sleepers = [
            (abandoned, "the process beside the abandoned segment"),
            (in_use, "the process beside the one in use"),
            (other, "the process beside the one under another key"),
        ];
        let beside = sleepers.into_iter().find(|(seconds, _)| {
            let mut processes = attempt.run.processes();
            processes.retain(|process| process.arguments() == [seconds.to_string().as_str()]);
            let mut places = processes.iter().filter_map(|process| Namespaces::of(process).ok());
            places.any(|place| place.get(Kind::Ipc) == command.namespaces.get(Kind::Ipc))
        });
        let owner = attempt.run.neighbor("owner").and_then(|owner| Namespaces::of(&owner).ok());
        let is_owners =
            |owner: Namespaces| owner.get(Kind::Ipc) == command.namespaces.get(Kind::Ipc);
        let beside = match beside {
            Some((_, name)) => name,
            None if owner.is_some_and(is_owners) => "the creator of one that is in use",
            None => "none of these processes",
        };
        attempt.report.line("COMMAND is in the IPC namespace of", beside);
        attempt.look("KEY in COMMAND", &command, move |seen| segment(ipc_of(seen), key, &text));
    }
    attempt.release();
    attempt.finish()
}

/// With `--abandoned`, COMMAND is in the IPC namespace in which there is a segment under KEY whose creator
/// has ended, and in no other, and your program exits with its status. If there is none, your program fails
/// and starts nothing.
#[step]
fn further5_command_is_beside_the_abandoned_segment() {
    let report = with_room_for_a_queue(|| {
        let mut report = look_for_abandoned();
        let key = key_and_text().0.to_string();
        let end = "status=$?; kill $(cat /tmp/in_use); wait; exit $status";
        let script = format!("{}\nin_use {key} 1000; \"$0\" \"$@\"; {end}", shell_functions());
        let none = exercise!().args(["--abandoned", &key]).script(&script).unrecorded();
        refused(&mut report, "without an abandoned segment", none);
        report
    });
    assert_report!(report.lines(&["COMMAND is", "KEY in", "exit status", "without"]), @r#"
    COMMAND is in the IPC namespace of: the process beside the abandoned segment
    KEY in COMMAND: a segment with "TEXT"
    exit status: COMMAND's
    without an abandoned segment: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    "#);
}

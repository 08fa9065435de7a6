//! `ch11-ipc KEY TEXT -- COMMAND`: shared memory and a message queue that exist only inside.

use harness::look::{Kind, Namespace};
use harness::visit;
use harness::{Attempt, Report, assert_report, exercise, random, step, token};

/// Describes the segment under `key` and the queue `/text` of an IPC namespace, as a visitor finds them
/// there.
fn segment_and_queue(ipc: &Namespace, key: i32, text: &str) -> (String, String) {
    let segment = match visit::segment_in(ipc, key) {
        Ok(text) => format!("a segment with {text:?}"),
        Err(errno) => format!("no segment ({})", errno.desc()),
    };
    let queue = match visit::queue_in(ipc, &format!("/{text}")) {
        Ok(()) => "exists".to_owned(),
        Err(errno) => format!("none ({})", errno.desc()),
    };
    (segment, queue)
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

/// Counts the System V objects of all three kinds. Each file begins with a heading.
fn objects(ipc: &Namespace) -> String {
    let mut found = Vec::new();
    for (file, name) in [("shm", "segments"), ("sem", "semaphore sets"), ("msg", "queues")] {
        match visit::read_in(ipc, &format!("/proc/sysvipc/{file}")) {
            Ok(text) if text.lines().count() <= 1 => {}
            Ok(text) => found.push(format!("{} {name}", text.lines().count() - 1)),
            Err(errno) => found.push(format!("{name} cannot be read ({errno})")),
        }
    }
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

/// Runs the program once, and looks at both sides while COMMAND is parked.
fn report() -> Report {
    let key = (random() & 0x3fff_ffff) as i32 + 1;
    let text = token("otter");
    let mut attempt = Attempt::start(exercise!().args([key.to_string(), text.clone()]).witness());
    attempt.report.role(&text, "TEXT");
    if let Some(command) = attempt.command() {
        let lab = attempt.run.lab();
        let inside = command.namespaces.get(Kind::Ipc).expect("every kernel has IPC namespaces");
        let outside = lab.get(Kind::Ipc).expect("every kernel has IPC namespaces");
        let mnt = lab.get(Kind::Mnt).expect("every kernel has mount namespaces");
        let names = visit::names_in(mnt, "/dev/shm").unwrap_or_default();
        let (keys_inside, posix) = (keys(inside, key), names.join(", "));
        let [(segment, queue), (lab_segment, lab_queue)] =
            [inside, outside].map(|ipc| segment_and_queue(ipc, key, &text));
        attempt.report.line("KEY in COMMAND", segment);
        attempt.report.line("KEY in the lab", lab_segment);
        attempt.report.line("queue /TEXT in COMMAND", queue);
        attempt.report.line("queue /TEXT in the lab", lab_queue);
        attempt.report.aside("keys in COMMAND", keys_inside);
        attempt.report.aside("/dev/shm in the lab", posix);
    }
    attempt.release();
    _ = attempt.run.await_end();
    let outside = attempt.run.lab().get(Kind::Ipc).expect("every kernel has IPC namespaces");
    let left = objects(outside);
    attempt.report.line("System V objects of the lab afterwards", left);
    attempt.finish()
}

/// COMMAND has an IPC namespace of its own, and shares the other seven with the lab.
#[step]
fn step1_command_has_an_ipc_namespace_of_its_own() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    A    B    A       A
    ");
}

/// In COMMAND's IPC namespace there is a shared memory segment under KEY, and it contains TEXT. In the
/// lab's there is none.
#[step]
fn step2_the_segment_exists_only_inside() {
    assert_report!(report().lines(&["KEY"]), @r#"
    KEY in COMMAND: a segment with "TEXT"
    KEY in the lab: no segment (No such file or directory)
    "#);
}

/// The POSIX message queue `/TEXT` exists in COMMAND's IPC namespace, but not in the lab's.
#[step]
fn step3_the_queue_exists_only_inside() {
    assert_report!(report().lines(&["queue"]), @r"
    queue /TEXT in COMMAND: exists
    queue /TEXT in the lab: none (No such file or directory)
    ");
}

/// Your program exits with COMMAND's status and leaves nothing behind. The lab has not changed, and has
/// no System V object.
#[step]
fn step4_its_status_is_passed_on_and_nothing_is_left() {
    assert_report!(report().lines(&["KEY in COMMAND", "System V", "exit status", "left behind", "lab afterwards"]), @r#"
    KEY in COMMAND: a segment with "TEXT"
    System V objects of the lab afterwards: none
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    "#);
}

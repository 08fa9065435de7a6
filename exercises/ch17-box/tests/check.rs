//! `ch17-box run ROOT -- COMMAND` and `ch17-box exec PID -- COMMAND`: everything at once.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::look::{Mount, visitor};
use harness::sandbox::{State, Thing, Wait, patience};
use harness::{Attempt, Exercise, Report, Seen, assert_report, exercise, random, token};
use nix::sys::signal::Signal;

/// How often a box is killed at a moment that nobody has chosen.
const KILLS: usize = 6;

/// A box around `root`, made by an ordinary user, as far as its options.
fn program(root: &str) -> Exercise {
    let mut exercise = exercise!().state(State::PlainUser).watch_setgroups();
    for folder in ["", "/lab", "/proc", "/data"] {
        exercise = exercise.thing(format!("{root}{folder}"), Thing::Folder);
    }
    exercise.thing(format!("{root}/lab/witness"), Thing::Witness)
}

fn tree() -> String {
    format!("/tmp/{}", token("tree"))
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let (root, name) = (tree(), token("otter"));
    let args = ["run", "--hostname", &name, "--rw", "/data", &root];
    let mut attempt = program(&root).args(args).witness().start();
    attempt.report.role(&name, "NAME");
    attempt.report.role(&root, "ROOT");
    if let Some(command) = attempt.command() {
        attempt.report.line("host name of COMMAND", command.host_name());
        attempt.ids_of(&command, [0, 0]);
        attempt.denial_of(&command);
        attempt.owner_of(&command);
        privileges(&mut attempt, &command);
        place(&mut attempt, &command);
        if let Err(errno) = look_at_mounts(&mut attempt, &command, &root) {
            attempt.report.line("root directory", format_args!("cannot be seen ({errno})"));
        }
    }
    attempt.release(7);
    attempt.finish()
}

fn place(attempt: &mut Attempt, command: &Seen) {
    let parent = command.process.parent();
    let parent = parent.and_then(|pid| harness::look::Process::open(pid).ok());
    let below_init = parent.is_some_and(|parent| parent.own_pid() == Some(1));
    let place = match command.process.own_pid() {
        Some(1) => "PID 1 itself",
        _ if below_init => "a child of PID 1",
        _ => "no child of a PID 1",
    };
    attempt.report.line("its place", place);
}

fn privileges(attempt: &mut Attempt, command: &Seen) {
    for (key, set) in [("effective", "CapEff"), ("permitted", "CapPrm"), ("bounding", "CapBnd")] {
        let mask = command.process.status(set).unwrap_or_default();
        let many = if mask.bytes().all(|digit| digit == b'0') { "none" } else { "some" };
        attempt.report.line(&format!("capabilities, {key}"), many);
    }
    let given = command.process.environment("HOME").is_some();
    attempt.report.line("environment", if given { "yours" } else { "its own" });
    // Input, output, and the one by which the check is told that COMMAND is there.
    let fds = format!("/proc/{}/fd", command.process.pid());
    let fds = fs::read_dir(fds).into_iter().flatten().flatten();
    let own = ["0", "1", "2", "200"];
    let more = fds.filter(|fd| !own.iter().any(|own| fd.file_name() == *own)).count();
    attempt.report.line("descriptors that were yours", if more == 0 { "none" } else { "some" });
}

fn look_at_mounts(attempt: &mut Attempt, command: &Seen, root: &str) -> nix::Result<()> {
    let mounts = command.process.mounts()?;
    let all = visitor::mounts_in(command.mnt())?;
    let inside = |path: &str| format!("{}{path}", root.trim_start_matches("/tmp"));
    let find = |point: &str, what: &dyn Fn(&Mount) -> bool| {
        mounts.iter().rfind(|mount| mount.point == point && what(mount))
    };
    let is_root = |mount: &Mount| mount.root == inside("");
    let new_root = find("/", &is_root);
    let proc = find("/proc", &|mount| mount.kind == "proc");
    let data = find("/data", &|mount| mount.root == inside("/data"));
    let wanted: Vec<u64> = [new_root, proc, data].into_iter().flatten().map(|it| it.id).collect();
    let access = |mount: Option<&Mount>| match mount {
        Some(mount) if mount.options.split(',').any(|option| option == "ro") => "read-only",
        Some(_) => "writable",
        None => "another",
    };
    let old = all.iter().any(|mount| !wanted.contains(&mount.id));
    // Who asks a proc for `self` and is not in its PID namespace finds no process.
    let one = visitor::read_in(command.mnt(), "/proc/1/cmdline").unwrap_or_default();
    let own_proc = one.contains(root);
    let report = &mut attempt.report;
    report.line("root directory", format_args!("ROOT, {}", access(new_root)));
    report.line("on /data", access(data));
    let shows = match (proc, own_proc) {
        (None, _) => "no proc",
        (_, true) => "a proc of the box",
        (_, false) => "a proc of another PID namespace",
    };
    report.line("on /proc", shows);
    report.line("mounts of the old root", if old { "attached" } else { "none" });
    Ok(())
}

/// COMMAND is in eight new namespaces. Seven belong to the eighth, its user namespace, in which you
/// are root; the UTS namespace has the NAME you asked for.
#[test]
fn step1_eight_namespaces_are_new() {
    assert_report!(report().table(&["COMMAND", "uid_map", "gid_map", "host name", "setgroups", "its ids", "owned"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     B    B    B    B    B    B       B
    host name of COMMAND: NAME
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    owned by its user namespace: mnt pid net uts ipc cgroup time
    setgroups of COMMAND: denied by your program
    ");
}

/// Its root directory is ROOT, which can only be read, except for DIR; `/proc` shows the box; and
/// nothing else is mounted.
#[test]
fn step2_root_is_all_there_is() {
    assert_report!(report().lines(&["COMMAND", "root directory", "on /", "mounts of"]), @r"
    root directory: ROOT, read-only
    on /data: writable
    on /proc: a proc of the box
    mounts of the old root: none
    ");
}

/// PID 1 is your program; it passes signals on to COMMAND, and your program exits with its status.
#[test]
fn step3_pid_1_does_its_duty() {
    let mut report = report();
    let root = tree();
    let mut attempt = program(&root).args(["run", &root]).witness().start();
    if attempt.command().is_some() {
        _ = attempt.run.program().signal(Signal::SIGTERM);
    }
    report.ending("after SIGTERM to your program", &attempt.finish());
    let missing = program(&root).args(["run", &root, "--", "/lab/missing"]).start().finish();
    report.ending("a COMMAND that is missing", &missing);
    assert_report!(report.lines(&["COMMAND", "its place", "exit status", "left behind", "after SIGTERM", "a COMMAND"]), @r"
    its place: a child of PID 1
    exit status: COMMAND's
    left behind: nothing
    after SIGTERM to your program: exit status 143, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}

/// COMMAND has no capability and can get none, nothing of your environment, and no file of yours.
#[test]
fn step4_privileges_are_dropped() {
    assert_report!(report().lines(&["COMMAND", "capabilities", "environment", "descriptors"]), @r"
    capabilities, effective: none
    capabilities, permitted: none
    capabilities, bounding: none
    environment: its own
    descriptors that were yours: none
    ");
}

/// `exec` starts a second command in all eight namespaces of the first, with as little privilege.
#[test]
fn step5_exec_enters_a_running_box() {
    // The second word names the box's process; no file there ends in a newline.
    const TEXT: &str = r#""$0" run "$1" -- /lab/witness & box=$!
        until read init </proc/$box/task/$box/children; read pid </proc/$init/task/$init/children
            [ "$pid" ]; do [ -d /proc/$box/ns ] || exit 1; sleep 0.01; done 2>/dev/null
        exec "$0" exec $pid -- /lab/witness"#;
    let root = tree();
    let mut attempt = program(&root).arg(&root).script(TEXT).start();
    if attempt.command().is_some() {
        match attempt.run.await_nth_witness(1) {
            (Wait::Reached, Some(process)) => match Seen::of(process) {
                Ok(second) => {
                    let eight = second.namespaces.again().expect("eight more descriptors");
                    attempt.report.row("second", eight);
                    privileges(&mut attempt, &second);
                }
                Err(errno) => attempt.report.line("second", errno),
            },
            _ => attempt.report.line("second", "never started"),
        }
    }
    attempt.release(7);
    assert_report!(attempt.finish().table(&["COMMAND", "second", "capabilities"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     B    B    B    B    B    B       B
    second   B     B    B    B    B    B    B       B
    capabilities, effective: none
    capabilities, permitted: none
    capabilities, bounding: none
    ");
}

/// Your program is killed with SIGKILL: six times at a random moment, then while COMMAND runs.
/// Nobody is left each time.
#[test]
fn step6_kill_9_leaves_nothing() {
    let mut report = Report::default();
    let mut left = Vec::new();
    for _ in 0..KILLS {
        let root = tree();
        let attempt = program(&root).args(["run", &root, "--", "/lab/witness", &root]).start();
        sleep(Duration::from_micros(random() % 12_000));
        attempt.run.program().kill();
        left.push(somebody_stays(&root));
        _ = attempt.finish();
    }
    let at_random = if left.contains(&true) { "somebody" } else { "nobody" };
    report.line("left after random moments", at_random);
    let root = tree();
    let mut attempt = program(&root).args(["run", &root, "--", "/lab/witness", &root]).start();
    let left = match attempt.command() {
        Some(_) => {
            attempt.run.program().kill();
            if somebody_stays(&root) { "somebody" } else { "nobody" }
        }
        None => "there was no box",
    };
    report.line("left of a running box", left);
    attempt.release(7);
    _ = attempt.finish();
    assert_report!(report.lines(&["left"]), @r"
    left after random moments: nobody
    left of a running box: nobody
    ");
}

/// Whether a process that has `word` on its command line is still there when patience ends.
fn somebody_stays(word: &str) -> bool {
    let deadline = Instant::now() + patience().min(Duration::from_secs(3));
    let is_there = || {
        fs::read_dir("/proc").into_iter().flatten().flatten().any(|entry| {
            fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).any(|arg| arg == word.as_bytes()))
        })
    };
    while is_there() {
        if Instant::now() > deadline {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    false
}

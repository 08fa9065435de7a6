//! `ch17-box run ROOT -- COMMAND` and `ch17-box exec PID -- COMMAND`: everything at once.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::doctor::{self, Advice};
use harness::look::{Kind, Link, Mount, Namespace, Proc, Process, cgroup};
use harness::sandbox::{self, Answer, Fixture, Run, Sandbox, State, WITNESS, patience, try_calls};
use harness::visit;
use harness::{
    A_PROCESS, Attempt, GONE, NO_PROCESS as NONE, Report, Seen, absent_pid, assert_report,
    exercise, left_of_a_killed, left_of_an_orphan, moment, names_errno, random, step, token, until,
    watch_setgroups,
};
use nix::errno::Errno;
use nix::sys::signal::Signal;

/// How many boxes are killed at a random moment.
const KILLS: usize = 6;

/// What a box has a limit on, and the names of such limits in `/proc/PID/limits`. RLIMIT_DATA is for
/// writable memory, RLIMIT_AS for all mappings; either will do.
const LIMITS: [(&str, &[&str]); 2] = [
    ("limit on processes", &["Max processes"]),
    ("limit on memory", &["Max data size", "Max address space"]),
];

/// The signals that are passed on, in the order of their numbers.
const PASSED_ON: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTERM,
];

/// A tree for a box. Its path, and where in it DIR is, are drawn anew for each.
#[derive(Clone)]
struct Tree {
    root: String,
    dir: String,
}

impl Tree {
    fn new() -> Tree {
        let below = if random().is_multiple_of(2) { "/below" } else { "" };
        let (root, dir) = (token("tree"), token("dir"));
        Tree { root: format!("/tmp/{root}"), dir: format!("/{dir}{below}") }
    }

    /// The program as `state` has it, without arguments, in a lab with this tree.
    fn program(&self, state: State) -> Sandbox {
        let Tree { root, dir } = self;
        let above = dir.trim_end_matches("/below");
        let mut sandbox = exercise!().state(state);
        let mut paths = vec!["", "/proc", above, dir];
        paths.dedup();
        for path in paths {
            sandbox = sandbox.fixture(format!("{root}{path}"), Fixture::Directory);
        }
        sandbox.fixture(format!("{root}{WITNESS}"), Fixture::Witness)
    }

    /// The program as an ordinary user runs it, with these options and the witness.
    fn run(&self, options: &[&str]) -> Sandbox {
        let program = self.program(State::PlainUser).arg("run").args(options.iter().copied());
        program.arg(&self.root).witness()
    }

    /// A shell script, in which the program is `$0`, and ROOT `$1`.
    fn script(&self, text: &str) -> Sandbox {
        let sandbox = self.program(State::PlainUser).without_no_new_privs();
        sandbox.arg(&self.root).script(text)
    }

    /// A script that begins with a box, whose COMMAND has the pid `$pid`.
    fn script_with_a_box(&self, text: &str) -> Sandbox {
        self.script(&format!("{WITH_A_BOX}{text}"))
    }
}

/// Starts a script, and returns the value of some variables of its environment.
fn start_with_a_secret(sandbox: Sandbox) -> (Attempt, String) {
    let secret = token("secret");
    let names = ["HOME".to_owned(), "USER".to_owned(), token("VARIABLE")];
    let with_one = |sandbox: Sandbox, name: &String| sandbox.env(name, &secret);
    (Attempt::start(names.iter().fold(sandbox, with_one)), secret)
}

/// What the descriptors of a process lead to.
fn open_files(process: &Process) -> Vec<PathBuf> {
    let folder = fs::read_dir(format!("/proc/{}/fd", process.pid()));
    folder.into_iter().flatten().filter_map(|fd| fs::read_link(fd.ok()?.path()).ok()).collect()
}

/// The hard limits of a process, in the order of [`LIMITS`].
fn limits_of(process: &Process) -> Vec<Vec<Option<u64>>> {
    let limits = |names: &[&str]| names.iter().map(|name| process.hard_limit(name)).collect();
    LIMITS.iter().map(|(_, names)| limits(names)).collect()
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    report_of(|program| program)
}

/// The same, with the program as `arrange` has it.
fn report_of(arrange: impl Fn(Sandbox) -> Sandbox) -> Report {
    let (tree, name) = (Tree::new(), token("otter"));
    let sandbox = watch_setgroups(tree.run(&["--hostname", &name, "--rw", &tree.dir]));
    let mut attempt = Attempt::start(arrange(sandbox));
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.look("host name of COMMAND", &command, Seen::host_name);
        attempt.ids_of(&command, [0, 0]);
        attempt.denial_of(&command);
        attempt.owner_of(&command);
        let position = match (command.process.own_pid(), init_of(&command)) {
            (None, _) => GONE,
            (Some(1), _) => "PID 1 itself",
            (_, Some(_)) => "a child of PID 1",
            (_, None) => "not a child of PID 1",
        };
        attempt.report.line("its position", position);
        look_at_mounts(&mut attempt, &command, &tree);
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND's parent, if that is PID 1 of the box.
fn init_of(command: &Seen) -> Option<Process> {
    let parent = Process::open(command.process.parent()?).ok()?;
    (parent.own_pid() == Some(1)).then_some(parent)
}

/// Reports what COMMAND may do, and what it has of yours: of the shell that the program runs in. What that
/// has is read now, because at its start it may not have its standard streams yet.
fn privileges(attempt: &mut Attempt, command: &Process, secret: &str) {
    let shell = attempt.run.program();
    let (files, limits) = (open_files(shell), limits_of(shell));
    let report = &mut attempt.report;
    for (key, set) in [("effective", "CapEff"), ("permitted", "CapPrm"), ("bounding", "CapBnd")] {
        let mask = command.status(set).unwrap_or_default();
        let many = if mask.bytes().all(|digit| digit == b'0') { "none" } else { "some" };
        report.line(&format!("capabilities, {key}"), many);
    }
    let denied = command.status("NoNewPrivs").as_deref() == Some("1");
    report.line("no_new_privs", if denied { "set" } else { "not set" });
    let environment = fs::read(format!("/proc/{}/environ", command.pid())).unwrap_or_default();
    let given = environment.windows(secret.len()).any(|part| part == secret.as_bytes());
    report.line("environment", if given { "yours" } else { "its own" });
    // You have handed the standard streams to the program.
    let more = open_files(command).iter().any(|file| !files.contains(file));
    report.line("inherited descriptors", if more { "some" } else { "none" });
    for ((key, _), (own, yours)) in LIMITS.iter().zip(limits_of(command).iter().zip(&limits)) {
        let lower = own.iter().zip(yours).any(|(own, yours)| own < yours);
        report.line(key, if lower { "lower than yours" } else { "as high as yours" });
    }
}

fn look_at_mounts(attempt: &mut Attempt, command: &Rc<Seen>, tree: &Tree) {
    attempt.report.role(&tree.root, "ROOT");
    for what in [ROOT, DIR, PROC, OTHERS, HERE] {
        let tree = tree.clone();
        attempt.look(what, command, move |command| {
            let found = look_at_mount(what, command, &tree);
            found.unwrap_or_else(|errno| format!("cannot be examined ({errno})"))
        });
    }
}

const ROOT: &str = "root directory";
const DIR: &str = "on DIR";
const PROC: &str = "on /proc";
const OTHERS: &str = "other mounts";
const HERE: &str = "working directory";

fn look_at_mount(what: &str, command: &Seen, tree: &Tree) -> nix::Result<String> {
    let process = &command.process;
    let mounts = process.mounts()?;
    let inside = |path: &str| format!("{}{path}", tree.root.trim_start_matches("/tmp"));
    let find = |point: &str, what: &dyn Fn(&Mount) -> bool| {
        mounts.iter().rfind(|mount| mount.point == point && what(mount))
    };
    let root = process.root_directory()?;
    let root = find("/", &|mount| mount.root == inside("") && mount.id == root);
    let proc = find("/proc", &|mount| mount.kind == "proc");
    let dir = find(&tree.dir, &|mount| mount.root == inside(&tree.dir));
    let is_wanted = |id: u64| [root, proc, dir].into_iter().flatten().any(|mount| mount.id == id);
    let access = |mount: Option<&Mount>| match mount {
        Some(mount) if mount.is_read_only() => "read-only",
        Some(_) => "writable",
        None => "another",
    };
    let found = match what {
        ROOT => return Ok(format!("{}, {}", tree.root, access(root))),
        DIR => access(dir),
        PROC => match (proc, process.proc()) {
            (None, _) => "no proc",
            (_, Proc::Own) => "a proc of the box",
            (_, Proc::Outer | Proc::Other) => "a proc of another PID namespace",
        },
        OTHERS if visit::mounts_in(command.mnt())?.iter().all(|mount| is_wanted(mount.id)) => {
            "none"
        }
        OTHERS => "attached",
        _ if is_wanted(process.working_directory()?) => "in the box",
        _ => "outside",
    };
    Ok(found.to_owned())
}

/// COMMAND is in eight new namespaces. One of them is its user namespace, in which you are root and which
/// owns the other seven. The host name is NAME when COMMAND starts.
#[step]
fn step1_command_is_in_eight_new_namespaces() {
    let mut report = report();
    let held = report_of(Sandbox::hold_parents);
    report.same("COMMAND before PID 1 goes on", &held, &["host name"]);
    assert_report!(report.table(&["COMMAND", "uid_map", "gid_map", "host name", "setgroups", "its ids", "owned"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     B    B    B    B    B    B       B
    host name of COMMAND: NAME
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    owned by its user namespace: mnt pid net uts ipc cgroup time
    setgroups of COMMAND: denied by your program
    COMMAND before PID 1 goes on: the same
    ");
}

/// If COMMAND could not be started, your program exits with 127, and prints one line that says what failed,
/// and with which errno.
#[step]
fn step2_errors_reach_you() {
    let mut report = report();
    let tree = Tree::new();
    for (key, command, errno) in [
        ("a COMMAND that is missing", format!("/{}", token("missing")), Errno::ENOENT),
        ("a COMMAND that is a directory", "/proc".to_owned(), Errno::EACCES),
    ] {
        let sandbox = tree.program(State::PlainUser).args(["run", &tree.root, "--", &command]);
        failure(&mut report, key, &Attempt::start(sandbox).finish(), &[errno]);
    }
    assert_report!(report.lines(&["a COMMAND"]), @r"
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is missing, error: No such file or directory
    a COMMAND that is a directory: exit status 127, left behind: nothing
    a COMMAND that is a directory, error: Permission denied
    ");
}

/// COMMAND's root directory is ROOT, which is read-only except for DIR, and without `--rw` altogether.
/// `/proc` shows the box, and nothing else is mounted. The working directory is in the box, too. That ROOT is
/// missing is another error than that COMMAND is.
#[step]
fn step3_only_root_and_its_mounts_are_left() {
    let mut report = report();
    let tree = Tree::new();
    let mut attempt = Attempt::start(tree.run(&[]));
    if let Some(command) = attempt.command() {
        let mounts = command.process.mounts().unwrap_or_default();
        let writable = mounts.iter().any(|mount| mount.kind != "proc" && !mount.is_read_only());
        report.line("without --rw", if writable { "writable somewhere" } else { "read-only" });
    }
    attempt.release();
    _ = attempt.finish();
    let missing = format!("/{}", token("missing"));
    let run = |root: &str, command: &str| {
        let sandbox = tree.program(State::PlainUser);
        Attempt::start(sandbox.args(["run", root, "--", command])).finish()
    };
    let without_root = run(&missing, "{witness}");
    failure(&mut report, "a ROOT that is missing", &without_root, &[Errno::ENOENT]);
    // Each of these programs has looked for the same path.
    let without_command = run(&tree.root, &missing);
    let told = without_command.fact("stderr") != without_root.fact("stderr");
    report.line("what failed", if told { "is said" } else { "is not said" });
    assert_report!(report.lines(&["root directory", "on ", "other mounts", "working", "without", "a ROOT", "what failed"]), @r"
    root directory: ROOT, read-only
    on DIR: writable
    on /proc: a proc of the box
    other mounts: none
    working directory: in the box
    without --rw: read-only
    a ROOT that is missing: exit status 127, left behind: nothing
    a ROOT that is missing, error: No such file or directory
    what failed: is said
    ");
}

/// Other file systems may be mounted in ROOT. They are in the box as well, with the flags that they have, and
/// each is read-only. DIR stays writable.
#[step]
fn step4_nothing_below_root_is_writable() {
    let (tree, below) = (Tree::new(), format!("/{}", token("below")));
    let text = format!(
        r#"mount -t tmpfs none "$1{below}" && mkdir "$1{below}/deep" &&
        mount -t tmpfs -o noexec none "$1{below}/deep" &&
        exec "$0" run --rw {} "$1" -- {{witness}}"#,
        tree.dir
    );
    let sandbox = tree.program(State::RootLab).arg(&tree.root).script(&text);
    let sandbox = sandbox.fixture(format!("{}{below}", tree.root), Fixture::Directory);
    let mut attempt = Attempt::start(sandbox);
    if let Some(command) = attempt.command() {
        let mounts = command.process.mounts().unwrap_or_default();
        let find = |point: &str| mounts.iter().rfind(|mount| mount.point == point);
        let describe = |mount: Option<&Mount>| match mount {
            None => "not in the box",
            Some(mount) if mount.is_read_only() => "read-only",
            Some(_) => "writable",
        };
        let deep = find(&format!("{below}/deep"));
        attempt.report.line("a mount below ROOT", describe(find(&below)));
        attempt.report.line("a mount below that", describe(deep));
        let keeps = deep.is_some_and(|mount| mount.options.split(',').any(|it| it == "noexec"));
        attempt.report.line("its own flag", if keeps { "kept" } else { "lost" });
        attempt.report.line("DIR beside them", describe(find(&tree.dir)));
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["a mount", "its own flag", "DIR beside"]), @r"
    a mount below ROOT: read-only
    a mount below that: read-only
    its own flag: kept
    DIR beside them: writable
    ");
}

/// PID 1 is your program. It passes SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 on to COMMAND, and
/// so does your program outside, which exits with COMMAND's status, and with 128 plus the signal's number if a
/// signal ended it.
#[step]
fn step5_signals_reach_command_and_its_status_reaches_you() {
    let mut report = report();
    for (key, to_init) in [("signals to your program", false), ("signals to PID 1", true)] {
        let tree = Tree::new();
        let mut attempt = Attempt::start(tree.run(&[]));
        if let Some(command) = attempt.command() {
            let init = if to_init { init_of(&command) } else { None };
            let target = init.as_ref().unwrap_or(attempt.run.program());
            let come = signals_that_come(target, &command.process);
            report.line(
                key,
                if to_init && init.is_none() { "there is no PID 1".to_owned() } else { come },
            );
        }
        report.ending(&format!("after {key}"), &attempt.finish());
    }
    assert_report!(report.lines(&["its position", "exit status", "left behind", "signals", "after"]), @r"
    its position: a child of PID 1
    exit status: COMMAND's
    left behind: nothing
    signals to your program: HUP INT QUIT USR1 USR2 TERM
    after signals to your program: exit status 129, left behind: nothing
    signals to PID 1: HUP INT QUIT USR1 USR2 TERM
    after signals to PID 1: exit status 129, left behind: nothing
    ");
}

/// Which of the signals come to COMMAND when all are sent to `target`. COMMAND is stopped, so that those
/// that would end it stay pending (signal(7)). When it goes on, the one with the lowest number ends it.
fn signals_that_come(target: &Process, command: &Process) -> String {
    stop(command);
    for signal in PASSED_ON {
        _ = target.signal(signal);
    }
    let set = |name| command.bits(name).unwrap_or(0);
    let among = |bits: u64| {
        let mut all = PASSED_ON.to_vec();
        all.retain(|signal| bits >> (*signal as u64 - 1) & 1 == 1);
        all
    };
    let come = || among(set("ShdPnd") & !set("SigBlk"));
    until(|| among(set("ShdPnd")).len() == PASSED_ON.len());
    let come = come();
    let names: Vec<_> =
        come.iter().map(|signal| signal.as_str().trim_start_matches("SIG")).collect();
    let held_back = !among(set("ShdPnd") & set("SigBlk")).is_empty();
    _ = command.signal(Signal::SIGCONT);
    match names.as_slice() {
        [] if held_back => "held back by COMMAND".to_owned(),
        [] => "none".to_owned(),
        names => names.join(" "),
    }
}

/// Stops a process. If it is recorded, its state is another.
fn stop(process: &Process) {
    _ = process.signal(Signal::SIGSTOP);
    until(|| matches!(process.state(), Some('T' | 't')));
}

/// Reports the end of a run that had to fail, and whether one line of what it printed is about one of
/// these errnos.
fn failure(report: &mut Report, key: &str, run: &Report, errnos: &[Errno]) {
    report.ending(key, run);
    let stderr = run.fact("stderr").unwrap_or_default();
    let is_about = |line: &&str| errnos.iter().any(|errno| names_errno(line, *errno));
    let error = match stderr.lines().filter(is_about).count() {
        0 if stderr.is_empty() => "none".to_owned(),
        0 => "without the right errno".to_owned(),
        1 => errnos[0].desc().to_owned(),
        lines => format!("{lines} lines"),
    };
    report.line(&format!("{key}, error"), error);
}

/// COMMAND is in a session that your program is not in, and has no controlling terminal, although your
/// program has one.
#[step]
fn step6_command_has_another_session_and_no_terminal() {
    let mut attempt = Attempt::start(Tree::new().run(&[]).terminal());
    if let Some(command) = attempt.command() {
        let yours = session_of(attempt.run.program());
        sessions(&mut attempt.report, &command.process, yours.as_deref());
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["session", "terminal"]), @r"
    session: its own
    terminal: none
    ");
}

/// Reports a process's session, and whether it has a controlling terminal.
fn sessions(report: &mut Report, command: &Process, yours: Option<&str>) {
    let own = session_of(command);
    let is_own = own.is_some() && own.as_deref() != yours;
    report.line("session", if is_own { "its own" } else { "yours" });
    // tty_nr is the seventh field of proc_pid_stat(5), four after the state.
    let stat = fs::read_to_string(format!("/proc/{}/stat", command.pid())).unwrap_or_default();
    let terminal = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(4));
    report.line("terminal", if terminal == Some("0") { "none" } else { "yours" });
}

/// The pid of a session's leader in the PID namespaces of its process.
fn session_of(process: &Process) -> Option<String> {
    process.status("NSsid")?.split_whitespace().next().map(str::to_owned)
}

/// COMMAND has the descriptors 0, 1 and 2, and no other, whatever your program has inherited.
#[step]
fn step7_no_other_descriptor_reaches_command() {
    let more: Vec<String> =
        (3..10).filter(|_| !random().is_multiple_of(3)).map(|fd| format!("{fd}</tmp")).collect();
    // dash knows those below 10 only, and bash needs 255 itself. The lab allows 256.
    let high = 60 + random() % 190;
    let text = format!(
        "exec 9</ {}; exec bash -c 'exec {high}</tmp; exec \"$0\" run \"$1\" -- {{witness}}' \"$0\" \"$1\"",
        more.join(" ")
    );
    let mut attempt = Attempt::start(Tree::new().script(&text));
    if let Some(command) = attempt.command() {
        descriptors(&mut attempt.report, &command.process);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["descriptors"]), @"descriptors beyond 0, 1 and 2: none");
}

fn descriptors(report: &mut Report, command: &Process) {
    let folder = fs::read_dir(format!("/proc/{}/fd", command.pid()));
    let names =
        folder.into_iter().flatten().filter_map(|fd| fd.ok()?.file_name().into_string().ok());
    let mut more: Vec<u32> =
        names.filter_map(|name| name.parse().ok()).filter(|fd| *fd > 2).collect();
    more.sort_unstable();
    let many = if more.is_empty() { "none" } else { "some" };
    report.line("descriptors beyond 0, 1 and 2", many);
    report.aside("which", format!("{more:?}"));
}

/// COMMAND has no capability and cannot gain one by an exec. It has lower limits on processes and memory
/// than you, and has inherited neither your environment nor your open files.
#[step]
fn step9_privileges_are_dropped() {
    // The shell keeps the limits that the program starts with.
    let script = Tree::new().script("\"$0\" run \"$1\" -- {witness}; exit $?");
    let (mut attempt, secret) = start_with_a_secret(script);
    if let Some(command) = attempt.command() {
        privileges(&mut attempt, &command.process, &secret);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["COMMAND", "capabilities", "no_new_privs", "environment", "inherited", "limit"]), @r"
    capabilities, effective: none
    capabilities, permitted: none
    capabilities, bounding: none
    no_new_privs: set
    environment: its own
    inherited descriptors: none
    limit on processes: lower than yours
    limit on memory: lower than yours
    ");
}

/// COMMAND gets EPERM for unshare(2), setns(2), add_key(2), request_key(2) and keyctl(2), for clone(2) with
/// `CLONE_NEWUSER`, and for ioctl(2) with `TIOCSTI`, of which the kernel reads the lower half only. It gets
/// ENOSYS for clone3(2). Other requests of ioctl(2) and another clone(2) are not refused.
#[step]
fn step10_a_filter_refuses_some_calls_and_no_others() {
    let mut attempt = Attempt::start(Tree::new().run(&[]));
    if let Some(command) = attempt.command() {
        refusals(&mut attempt.report, &command.process);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["filter"]), @r"
    filter, unshare: EPERM
    filter, setns: EPERM
    filter, clone with CLONE_NEWUSER: EPERM
    filter, clone without it: passed
    filter, clone3: ENOSYS
    filter, ioctl with TIOCSTI: EPERM
    filter, ioctl with TIOCSTI in the lower half: EPERM
    filter, another ioctl: passed
    filter, add_key: EPERM
    filter, request_key: EPERM
    filter, keyctl: EPERM
    ");
}

/// Has a parked witness try calls, and reports what comes of them.
fn refusals(report: &mut Report, command: &Process) {
    let Some(answers) = try_calls(command, patience()) else {
        report.line("filter", "COMMAND did not survive the calls");
        return;
    };
    for (call, answer) in answers {
        let came = match answer {
            Answer::Eperm => "EPERM",
            Answer::Enosys => "ENOSYS",
            Answer::Other => "passed",
        };
        report.line(&format!("filter, {call}"), came);
    }
}

/// The beginning of a script: a box, whose COMMAND has the pid `$pid`.
const WITH_A_BOX: &str = r#"
    "$0" run "$1" -- {witness} & box=$!
    until pid=$(ls -l /proc/[0-9]*/exe | sed -n 's|.* /proc/\([0-9]*\)/exe -> .*{witness}$|\1|p')
        [ "$pid" ]; do [ -d /proc/$box/ns ] || exit 1; sleep 0.01; done 2>/dev/null
    "#;

/// How `exec` is called there. Its COMMAND has arguments.
const EXEC: &str = r#""$0" exec $pid -- {witness} 'two words' '' --option"#;
const ARGUMENTS: [&str; 3] = ["two words", "", "--option"];

/// The COMMANDs of `run` and of `exec`. Either may be found first.
fn both(attempt: &mut Attempt) -> Option<(Rc<Seen>, Rc<Seen>)> {
    let mut found = Vec::new();
    for nth in 0..2 {
        let process = attempt.run.await_nth_witness(nth).1;
        found.extend(process.and_then(|process| Seen::of(process).ok()).map(Rc::new));
    }
    found.sort_by_key(|seen| seen.process.arguments() == ARGUMENTS);
    match &found[..] {
        [first, second] if second.process.arguments() == ARGUMENTS => {
            let eight = first.namespaces.try_clone().expect("eight more descriptors");
            attempt.report.row("COMMAND", eight);
            Some((first.clone(), second.clone()))
        }
        _ => {
            attempt.command()?;
            attempt.report.line("second", "never started with its arguments");
            None
        }
    }
}

/// `exec` runs a second command in all eight namespaces of the first, without any more privilege, session,
/// descriptor or call. It passes signals and the status on, and reports errors, as `run` does.
#[step]
fn step11_exec_enters_a_running_box() {
    let tree = Tree::new();
    let text = format!("{EXEC}; status=$?; wait $box; exit $status");
    let (mut attempt, secret) = start_with_a_secret(tree.script_with_a_box(&text));
    let both_commands = both(&mut attempt);
    if let Some((first, second)) = &both_commands {
        attempt
            .report
            .row("second", second.namespaces.try_clone().expect("eight more descriptors"));
        privileges(&mut attempt, &second.process, &secret);
        let yours = session_of(attempt.run.program());
        sessions(&mut attempt.report, &second.process, yours.as_deref());
        descriptors(&mut attempt.report, &second.process);
        refusals(&mut attempt.report, &second.process);
        look_at_mounts(&mut attempt, second, &tree);
        // If the first ended before the second, PID 1 would, too, and the kernel would kill the second.
        stop(&first.process);
    }
    attempt.release();
    if let Some((first, second)) = &both_commands {
        second.process.await_end(patience());
        _ = first.process.signal(Signal::SIGCONT);
    }
    let mut report = attempt.finish();

    let mut attempt = Attempt::start(tree.script_with_a_box(&format!("exec {EXEC}")));
    let come = both(&mut attempt)
        .map(|(_, second)| signals_that_come(attempt.run.program(), &second.process));
    report.line("signals to `exec`", come.unwrap_or_else(|| "no second command".to_owned()));
    report
        .line("after signals to `exec`", attempt.finish().fact("exit status").unwrap_or_default());

    let missing = format!("/{}", token("missing"));
    let text =
        format!("\"$0\" exec $pid -- {missing}; status=$?; kill $box; wait $box; exit $status");
    let missing = Attempt::start(tree.script_with_a_box(&text)).finish();
    failure(&mut report, "a missing COMMAND", &missing, &[Errno::ENOENT]);
    let pid = absent_pid().to_string();
    let sandbox = tree.program(State::PlainUser).args(["exec", &pid]).witness();
    let errnos = [Errno::ESRCH, Errno::ENOENT];
    failure(&mut report, "a missing PID", &Attempt::start(sandbox).finish(), &errnos);
    assert_report!(report.table(&["COMMAND", "second", "capabilities", "no_new_privs", "environment", "inherited", "limit", "session", "descriptors", "filter, unshare", "root", "on /proc", "working", "exit status", "left behind", "signals", "after", "a missing"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     B    B    B    B    B    B       B
    second   B     B    B    B    B    B    B       B
    capabilities, effective: none
    capabilities, permitted: none
    capabilities, bounding: none
    no_new_privs: set
    environment: its own
    inherited descriptors: none
    limit on processes: lower than yours
    limit on memory: lower than yours
    session: its own
    descriptors beyond 0, 1 and 2: none
    filter, unshare: EPERM
    root directory: ROOT, read-only
    on /proc: a proc of the box
    working directory: in the box
    exit status: COMMAND's
    left behind: nothing
    signals to `exec`: HUP INT QUIT USR1 USR2 TERM
    after signals to `exec`: 129
    a missing COMMAND: exit status 127, left behind: nothing
    a missing COMMAND, error: No such file or directory
    a missing PID: exit status 127, left behind: nothing
    a missing PID, error: No such process
    ");
}

/// With `--net none`, and by default, the box's network has only `lo`, which is up. With `--net veth` a
/// veth pair leads to the network in which your program was started, and packets go in both directions, from
/// several boxes at once. An ordinary user may not do that: your program reports the error, and leaves
/// nothing behind.
#[step]
fn step8_the_network_is_isolated_or_joined_by_a_veth_pair() {
    let mut report = Report::default();
    for (key, options) in [("without --net", &[][..]), ("--net none", &["--net", "none"])] {
        let mut attempt = Attempt::start(Tree::new().run(options));
        let command = attempt.command();
        let lab = lab_net(&attempt.run);
        let inside = match &command {
            None => "there was no box".to_owned(),
            Some(command) if net(command) == lab => "the lab's network".to_owned(),
            Some(command) => summary(&visit::links_in(net(command)), &visit::links_in(lab)),
        };
        report.line(key, inside);
        attempt.release();
        _ = attempt.finish();
    }
    veths_of_root(&mut report);
    let mut attempt = Attempt::start(Tree::new().run(&["--net", "veth"]));
    _ = attempt.run.await_end();
    let links = visit::links_in(lab_net(&attempt.run));
    report.line("the lab after a refusal", summary(&links, &links));
    let refused = attempt.finish();
    failure(&mut report, "--net veth, as an ordinary user", &refused, &[Errno::EPERM]);
    assert_report!(report.lines(&["without", "--net", "from", "the lab"]), @r"
    without --net: lo up
    --net none: lo up
    --net veth, as root of the lab: lo up, a veth to the lab
    from the lab to COMMAND: packets go there and back
    the lab after a refusal: lo up
    --net veth, as an ordinary user: exit status 127, left behind: nothing
    --net veth, as an ordinary user, error: Operation not permitted
    ");
}

/// Looks at the networks of two boxes that the lab's root has made, who may change the lab's network.
fn veths_of_root(report: &mut Report) {
    let tree = Tree::new();
    let text = r#""$0" run --net veth "$1" -- {witness} & box=$!
        "$0" run --net veth "$1" -- {witness}; status=$?; wait $box; exit $status"#;
    let sandbox = tree.program(State::RootLab).arg(&tree.root).script(text);
    let mut attempt = Attempt::start(sandbox);
    let (mut inside, mut reached) = (Vec::new(), Vec::new());
    for nth in 0..2 {
        let command = attempt.run.await_nth_witness(nth).1.and_then(|it| Seen::of(it).ok());
        let Some(command) = command else {
            inside.push("there was no box".to_owned());
            break;
        };
        let lab = lab_net(&attempt.run);
        let (there, here) = (visit::links_in(net(&command)), visit::links_in(lab));
        let address = address_of_end(&there, &here);
        let to = if address.is_some() { " to the lab" } else { "" };
        inside.push(summary(&there, &here) + to);
        reached.push(reach(lab, net(&command), address.flatten()));
    }
    inside.dedup();
    reached.dedup();
    report.line("--net veth, as root of the lab", inside.join(", in another box "));
    report.line("from the lab to COMMAND", reached.join(", in another box "));
    attempt.release();
    report.aside("stderr of a veth", attempt.finish().fact("stderr").unwrap_or_default());
}

fn lab_net(run: &Run) -> &Namespace {
    run.lab().get(Kind::Net).expect("every kernel has network namespaces")
}

fn net(seen: &Seen) -> &Namespace {
    seen.namespaces.get(Kind::Net).expect("every kernel has network namespaces")
}

/// Describes the loopback interface, the ends of veth pairs, and whether there are others. Some modules add
/// interfaces to every network: what the lab has, too, is ignored.
fn summary(links: &nix::Result<Vec<Link>>, lab: &nix::Result<Vec<Link>>) -> String {
    let (Ok(links), Ok(lab)) = (links, lab) else { return "cannot be read".to_owned() };
    let lo = links.iter().find(|link| link.name == "lo");
    let mut summary = lo.map_or("no lo", |lo| if lo.up { "lo up" } else { "lo down" }).to_owned();
    for link in links.iter().filter(|link| link.name != "lo") {
        match is_veth(link) {
            true => summary += ", a veth",
            false if lab.iter().any(|known| known.name == link.name) => {}
            false => summary += ", another interface",
        }
    }
    summary
}

fn is_veth(link: &Link) -> bool {
    link.kind.as_deref() == Some("veth")
}

/// Finds a veth pair with one end `there` and the other `here`, and returns the address of the end
/// `there`, if it has one.
fn address_of_end(
    there: &nix::Result<Vec<Link>>,
    here: &nix::Result<Vec<Link>>,
) -> Option<Option<Ipv4Addr>> {
    let (there, here) = (there.as_ref().ok()?, here.as_ref().ok()?);
    let end = there.iter().find(|link| is_veth(link) && link.peer_is_elsewhere)?;
    let matches = |far: &&Link| end.peer == Some(far.index) && far.peer == Some(end.index);
    here.iter().filter(|link| is_veth(link)).find(matches)?;
    let mut addresses = end.addresses.iter();
    Some(addresses.find_map(|address| address.split('/').next()?.parse().ok()))
}

/// Has one visitor listen in `to` and another connect to it from `from`.
fn reach(from: &Namespace, to: &Namespace, address: Option<Ipv4Addr>) -> &'static str {
    let Some(address) = address else { return "it has no address" };
    match visit::exchange(from, to, address) {
        Ok(_) => "packets go there and back",
        Err(_) => "no answer",
    }
}

/// Your program is killed with SIGKILL: while COMMAND runs, six times at a random moment, and once when it
/// has made its first child, before that child has run. Each time no process and no interface is left. If
/// `exec` is killed, its COMMAND ends, too.
#[step]
fn step12_kill_9_leaves_nothing() {
    let mut report = Report::default();
    let tree = Tree::new();
    let sandbox = tree.program(State::RootLab).args(["run", "--net", "veth", &tree.root]).witness();
    let mut attempt = Attempt::start(sandbox);
    let command = attempt.run.await_witness().1.and_then(|process| Seen::of(process).ok());
    // The closure drops these descriptors, which would keep the box's network alive.
    let there_was_a_box = command.is_some_and(|command| {
        command.namespaces.get(Kind::Pid) != attempt.run.lab().get(Kind::Pid)
    });
    let left = left_of_a_killed(&attempt.run);
    report.line("left of a running box", if there_was_a_box { left } else { "there was no box" });
    // As long as a process is left, the pair is in use.
    let veth = if left == NONE { left_of_pairs(lab_net(&attempt.run)) } else { "all" };
    report.line("left of its veth pair", veth);
    report.aside("stderr", attempt.finish().fact("stderr").unwrap_or_default());
    // One failure is enough.
    let is_left = !there_was_a_box
        || left != NONE
        || (0..KILLS).any(|_| left_after_a_random_moment() != NONE);
    report.line("left after random moments", if is_left { A_PROCESS } else { NONE });

    let script = tree.script("kill -STOP $$; exec \"$0\" run \"$1\" -- {witness}");
    let left = left_of_an_orphan(&mut report, script);
    report.line("left of a child that had not run", left);

    let mut attempt = Attempt::start(tree.script_with_a_box(&format!("exec {EXEC}")));
    let both = both(&mut attempt);
    attempt.run.program().kill();
    let left =
        both.map(|(_, second)| if second.process.await_end(patience()) { NONE } else { A_PROCESS });
    report.line("left of `exec`", left.unwrap_or("no second command"));
    let script = tree.script_with_a_box(&format!("kill -STOP $$; exec {EXEC}"));
    let left = left_of_an_orphan(&mut report, script);
    report.line("left of a child of `exec` that had not run", left);
    assert_report!(report.lines(&["left"]), @r"
    left of a running box: no process
    left of its veth pair: nothing
    left after random moments: no process
    left of a child that had not run: no process
    left of `exec`: no process
    left of a child of `exec` that had not run: no process
    ");
}

fn left_after_a_random_moment() -> &'static str {
    let attempt = Attempt::start(Tree::new().run(&[]));
    sleep(moment(Duration::from_millis(12)));
    left_of_a_killed(&attempt.run)
}

/// What is left of veth pairs. The kernel destroys a network namespace in the background (`cleanup_net`
/// in net/core/net_namespace.c).
fn left_of_pairs(net: &Namespace) -> &'static str {
    let deadline = Instant::now() + patience();
    while visit::links_in(net).is_ok_and(|links| links.iter().any(is_veth)) {
        if Instant::now() > deadline {
            return "an end";
        }
        sleep(Duration::from_millis(5));
    }
    "nothing"
}

/// `oci` runs the box that a `config.json` describes: `process.args` in `process.cwd`, with `root.path`, which
/// is read-only if `root.readonly` says so, `hostname`, and the kinds that `linux.namespaces` lists, and no
/// others. Any other property is refused by its name, and nothing is started. So is a file that is no JSON.
#[step]
fn further13_an_oci_bundle_is_run_or_refused() {
    let mut report = Report::default();
    let names = [
        ("user", Kind::User),
        ("mount", Kind::Mnt),
        ("pid", Kind::Pid),
        ("uts", Kind::Uts),
        ("network", Kind::Net),
        ("ipc", Kind::Ipc),
        ("cgroup", Kind::Cgroup),
        ("time", Kind::Time),
    ];
    for (read_only, host_name) in [(true, Some(token("otter"))), (false, None)] {
        let tree = Tree::new();
        // Some are listed in any case: those that the others need, and the one of the host name. One of the
        // others never is.
        let first = if host_name.is_some() { 4 } else { 3 };
        let never = first + random() as usize % (names.len() - first);
        let is_listed = |at: usize| at < first || at != never && random().is_multiple_of(2);
        let listed: Vec<_> =
            (0..names.len()).filter(|at| is_listed(*at)).map(|at| names[at]).collect();
        let types = listed.iter().map(|(name, _)| format!(r#"{{"type": "{name}"}}"#));
        let types = types.collect::<Vec<_>>().join(", ");
        let name = host_name.as_ref().map(|name| format!(r#""hostname": "{name}","#));
        let root = tree.root.trim_start_matches("/tmp/");
        let config = format!(
            r#"{{"ociVersion": "1.0.2", {} "root": {{"path": "{root}", "readonly": {read_only}}},
            "process": {{"args": ["{{witness}}", "two words", "", "--option"], "cwd": "{}"}},
            "linux": {{"namespaces": [{types}]}}}}"#,
            name.unwrap_or_default(),
            tree.dir
        );
        let (mut attempt, command) = start_bundle(&tree, &config);
        let which = if read_only { "a read-only root" } else { "a writable root" };
        let Some(command) = command else {
            report.line(which, "never started with its arguments");
            report.aside("stderr", attempt.finish().fact("stderr").unwrap_or_default());
            continue;
        };
        let made = |kind: Kind| command.namespaces.get(kind) != attempt.run.lab().get(kind);
        let as_listed = |(_, kind): &(&str, Kind)| {
            made(*kind) == listed.iter().any(|(_, listed)| listed == kind)
        };
        let others: Vec<_> = names.iter().filter(|name| !as_listed(name)).map(|it| it.0).collect();
        let kinds = if others.is_empty() { "as listed".to_owned() } else { others.join(" ") };
        report.line(&format!("{which}, namespaces"), kinds);
        if let Some(name) = &host_name {
            report.role(name, "NAME");
            let shown = command.host_name();
            report.line(&format!("{which}, host name"), shown);
        }
        report.role(&tree.root, "ROOT");
        let shown = look_at_mount(ROOT, &command, &tree).unwrap_or_else(|errno| errno.to_string());
        report.line(&format!("{which}, root"), shown);
        let place = fs::read_link(format!("/proc/{}/cwd", command.process.pid()));
        let right = place.is_ok_and(|place| place.to_str() == Some(&tree.dir));
        let place = if right { "as configured" } else { "another" };
        report.line(&format!("{which}, working directory"), place);
        attempt.release();
        report.ending(&format!("{which}, its end"), &attempt.finish());
    }
    let tree = Tree::new();
    let property = token("property");
    for (key, start) in [
        ("a property", r#"{"process""#),
        ("a property of process", r#"{"args""#),
        ("a property of root", r#"{"path""#),
        ("a property of linux", r#"{"namespaces""#),
        ("a property of a namespace", r#"{"type": "pid""#),
    ] {
        let with_more = start.replace('{', &format!(r#"{{"{property}": 1, "#));
        let config = SMALL.replace("ROOT", &tree.root).replacen(start, &with_more, 1);
        refused_bundle(&mut report, key, &tree, &config, &property);
    }
    refused_bundle(&mut report, "no JSON", &tree, r#"{"root": "#, "config.json");
    assert_report!(report.lines(&["a read-only", "a writable", "a property", "no JSON"]), @r"
    a read-only root, namespaces: as listed
    a read-only root, host name: NAME
    a read-only root, root: ROOT, read-only
    a read-only root, working directory: as configured
    a read-only root, its end: exit status COMMAND's, left behind: nothing
    a writable root, namespaces: as listed
    a writable root, root: ROOT, writable
    a writable root, working directory: as configured
    a writable root, its end: exit status COMMAND's, left behind: nothing
    a property: exit status 127, left behind: nothing
    a property, which: named, not started
    a property of process: exit status 127, left behind: nothing
    a property of process, which: named, not started
    a property of root: exit status 127, left behind: nothing
    a property of root, which: named, not started
    a property of linux: exit status 127, left behind: nothing
    a property of linux, which: named, not started
    a property of a namespace: exit status 127, left behind: nothing
    a property of a namespace, which: named, not started
    no JSON: exit status 127, left behind: nothing
    no JSON, which: named, not started
    ");
}

/// A bundle that could be run.
const SMALL: &str = r#"{"process": {"args": ["{witness}"], "cwd": "/"}, "root": {"path": "ROOT"},
    "linux": {"namespaces": [{"type": "user"}, {"type": "mount"}, {"type": "pid"}]}}"#;

/// Runs a bundle whose ROOT is a tree beside the file.
fn bundle(tree: &Tree, config: &str) -> Sandbox {
    let text = format!("cat > /tmp/config.json <<'END'\n{config}\nEND\nexec \"$0\" oci /tmp");
    tree.program(State::PlainUser).script(&text)
}

/// The COMMAND of a bundle, if it has been started with [`ARGUMENTS`].
fn start_bundle(tree: &Tree, config: &str) -> (Attempt, Option<Seen>) {
    let mut attempt = Attempt::start(bundle(tree, config));
    let process = attempt.run.await_witness().1;
    let process = process.filter(|process| process.arguments() == ARGUMENTS);
    let seen = process.and_then(|process| Seen::of(process).ok());
    (attempt, seen)
}

/// Reports the refusal of a bundle, whose error has to contain a name.
fn refused_bundle(report: &mut Report, key: &str, tree: &Tree, config: &str, name: &str) {
    let mut attempt = Attempt::start(bundle(tree, config));
    let started = attempt.run.await_witness().1.is_some();
    if started {
        attempt.release();
    }
    let run = attempt.finish();
    let stderr = run.fact("stderr").unwrap_or_default();
    let told = if stderr.contains(name) { "named" } else { "not named" };
    let started = if started { "started" } else { "not started" };
    report.ending(key, &run);
    report.line(&format!("{key}, which"), format!("{told}, {started}"));
}

/// With `--cgroup CGROUP` your program makes a cgroup of that name below `/sys/fs/cgroup`. PID 1 and COMMAND
/// are in it, and COMMAND sees it as `/`. Your program outside is not in it. The COMMAND of `exec` is in it,
/// too. Afterwards CGROUP is gone, also if COMMAND could not be started.
#[step]
fn further14_the_cgroup_is_joined_before_its_namespace_is_made() {
    let (mut report, tree, name) = (Report::default(), Tree::new(), token("otter"));
    report.role(&name, "CGROUP");
    let missing = format!("/{}", token("missing"));
    let program = || tree.program(State::RootLab).cgroups();
    let not_started =
        program().args(["run", "--cgroup", &name, &tree.root, "--", missing.as_str()]);
    if let Err(refused) = sandbox::has_cgroups() {
        let Advice { cause, remedy, .. } = doctor::explain(&refused);
        let reason = format!("{refused}; {cause}; help: {remedy}");
        report.skip("whether the cgroup is joined before its namespace is made", &reason);
        // Without cgroups of its own the lab finds those of the check, and may not write to them.
        let errnos = [Errno::EACCES, Errno::EPERM, Errno::EROFS, Errno::ENOENT];
        let run = Attempt::start(not_started).finish();
        let told = run.fact("stderr").unwrap_or_default();
        let told = errnos.iter().any(|errno| names_errno(&told, *errno));
        report.line("a CGROUP that cannot be made", if told { "is an error" } else { "no error" });
        return assert_report!(report.lines(&["a CGROUP"]), @"a CGROUP that cannot be made: is an error");
    }
    let text = WITH_A_BOX.replacen("run", &format!("run --cgroup {name}"), 1)
        + &format!("{EXEC}; status=$?; wait $box; exit $status");
    let mut attempt = Attempt::start(program().arg(&tree.root).script(&text));
    let both_commands = both(&mut attempt);
    if let Some((first, second)) = &both_commands {
        let init = init_of(first);
        let outside = init.as_ref().and_then(Process::parent).and_then(|it| Process::open(it).ok());
        let lab = attempt.run.lab().get(Kind::Cgroup).expect("each process is in one");
        let own = first.namespaces.get(Kind::Cgroup).expect("each process is in one");
        for (key, process, seen_by) in [
            ("COMMAND's cgroup, seen by the lab", Some(&first.process), lab),
            ("COMMAND's cgroup, seen by COMMAND", Some(&first.process), own),
            ("PID 1's cgroup, seen by the lab", init.as_ref(), lab),
            ("your program's cgroup, seen by the lab", outside.as_ref(), lab),
            ("the second's cgroup, seen by the lab", Some(&second.process), lab),
            ("the second's cgroup, seen by COMMAND", Some(&second.process), own),
        ] {
            report.line(key, cgroup_of(process, seen_by));
        }
        stop(&first.process);
    }
    attempt.release();
    if let Some((first, second)) = &both_commands {
        second.process.await_end(patience());
        _ = first.process.signal(Signal::SIGCONT);
    }
    let finished = attempt.finish();
    report.ending("its end", &finished);
    report.line("the lab afterwards", finished.fact("lab afterwards").unwrap_or_default());
    report.aside("stderr", finished.fact("stderr").unwrap_or_default());
    let run = Attempt::start(not_started).finish();
    failure(&mut report, "a COMMAND that is missing", &run, &[Errno::ENOENT]);
    report.line("the lab after that", run.fact("lab afterwards").unwrap_or_default());
    assert_report!(report.lines(&["COMMAND's cgroup", "PID 1's", "your program's", "the second's", "its end", "the lab", "a COMMAND"]), @r"
    COMMAND's cgroup, seen by the lab: /CGROUP
    COMMAND's cgroup, seen by COMMAND: /
    PID 1's cgroup, seen by the lab: /CGROUP
    your program's cgroup, seen by the lab: /lab
    the second's cgroup, seen by the lab: /CGROUP
    the second's cgroup, seen by COMMAND: /
    its end: exit status COMMAND's, left behind: nothing
    the lab afterwards: unchanged
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is missing, error: No such file or directory
    the lab after that: unchanged
    ");
}

/// The path of a process's cgroup, as it is seen from a cgroup namespace.
fn cgroup_of(process: Option<&Process>, seen_by: &Namespace) -> String {
    let Some(process) = process else { return "there is no such process".to_owned() };
    match visit::read_in(seen_by, &format!("/proc/{}/cgroup", process.pid())) {
        Ok(text) => cgroup::path_in(&text).unwrap_or("in no hierarchy".to_owned()),
        Err(errno) => format!("cannot be read ({errno})"),
    }
}

//! `ch17-box run ROOT -- COMMAND` and `ch17-box exec PID -- COMMAND`: everything at once.

use std::fs;
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::look::{Kind, Link, Mount, Namespace, Process};
use harness::sandbox::{Fixture, Run, Sandbox, State, Wait, patience};
use harness::visit;
use harness::{
    Attempt, Report, Seen, assert_report, exercise, random, step, token, watch_setgroups,
};
use nix::errno::Errno;
use nix::sys::signal::Signal;

/// How many boxes are killed at a random moment.
const KILLS: usize = 6;

/// How long all processes have to sleep until the check takes them to be left for good.
const STILL: Duration = Duration::from_millis(200);

/// The program as an ordinary user starts it, with a tree for the box at `root`, but without arguments.
fn program(root: &str) -> Sandbox {
    program_of(State::PlainUser, root)
}

fn program_of(state: State, root: &str) -> Sandbox {
    let mut sandbox = exercise!().state(state);
    for path in ["", "/proc", "/data"] {
        sandbox = sandbox.fixture(format!("{root}{path}"), Fixture::Directory);
    }
    sandbox.fixture(format!("{root}{{witness}}"), Fixture::Witness)
}

fn tree() -> String {
    format!("/tmp/{}", token("tree"))
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let (root, name) = (tree(), token("otter"));
    let args = ["run", "--hostname", &name, "--rw", "/data", &root];
    let mut attempt = Attempt::start(watch_setgroups(program(&root)).args(args).witness());
    attempt.report.role(&name, "NAME");
    attempt.report.role(&root, "ROOT");
    if let Some(command) = attempt.command() {
        attempt.report.line("host name of COMMAND", command.host_name());
        attempt.ids_of(&command, [0, 0]);
        attempt.denial_of(&command);
        attempt.owner_of(&command);
        report_position(&mut attempt, &command);
        if let Err(errno) = look_at_mounts(&mut attempt, &command, &root) {
            attempt.report.line("root directory", format_args!("cannot be examined ({errno})"));
        }
    }
    attempt.release();
    attempt.finish()
}

fn report_position(attempt: &mut Attempt, command: &Seen) {
    let parent = command.process.parent();
    let parent = parent.and_then(|pid| harness::look::Process::open(pid).ok());
    let below_init = parent.is_some_and(|parent| parent.own_pid() == Some(1));
    let position = match command.process.own_pid() {
        Some(1) => "PID 1 itself",
        _ if below_init => "a child of PID 1",
        _ => "not a child of PID 1",
    };
    attempt.report.line("its position", position);
}

fn privileges(attempt: &mut Attempt, command: &Seen) {
    for (key, set) in [("effective", "CapEff"), ("permitted", "CapPrm"), ("bounding", "CapBnd")] {
        let mask = command.process.status(set).unwrap_or_default();
        let many = if mask.bytes().all(|digit| digit == b'0') { "none" } else { "some" };
        attempt.report.line(&format!("capabilities, {key}"), many);
    }
    let denied = command.process.status("NoNewPrivs").as_deref() == Some("1");
    attempt.report.line("no_new_privs", if denied { "set" } else { "not set" });
    let given = command.process.environment("HOME").is_some();
    attempt.report.line("environment", if given { "yours" } else { "its own" });
    // Standard input, output and error.
    let fds = format!("/proc/{}/fd", command.process.pid());
    let fds = fs::read_dir(fds).into_iter().flatten().flatten();
    let own = ["0", "1", "2"];
    let more = fds.filter(|fd| !own.iter().any(|own| fd.file_name() == *own)).count();
    attempt.report.line("inherited descriptors", if more == 0 { "none" } else { "some" });
}

/// Reports whether COMMAND's limits are lower than those of the process that started the program.
fn limits(attempt: &mut Attempt, command: &Seen, you: &Process) {
    let lower = |name: &str| {
        let [own, yours] = [&command.process, you].map(|process| process.hard_limit(name));
        own.zip(yours).is_some_and(|(own, yours)| own < yours)
    };
    let word = |is_lower: bool| if is_lower { "lower than yours" } else { "as high as yours" };
    attempt.report.line("limit on processes", word(lower("Max processes")));
    // RLIMIT_DATA is for writable memory, RLIMIT_AS for all mappings; either will do.
    let memory = lower("Max data size") || lower("Max address space");
    attempt.report.line("limit on memory", word(memory));
}

fn look_at_mounts(attempt: &mut Attempt, command: &Seen, root: &str) -> nix::Result<()> {
    let mounts = command.process.mounts()?;
    let all = visit::mounts_in(command.mnt())?;
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
    // The visitor is not in this PID namespace, so it cannot use /proc/self.
    let one = visit::read_in(command.mnt(), "/proc/1/cmdline").unwrap_or_default();
    let own_proc = one.contains(root);
    let report = &mut attempt.report;
    report.line("root directory", format_args!("{root}, {}", access(new_root)));
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

/// COMMAND is in eight new namespaces. One of them is its user namespace, in which you are root and which
/// owns the other seven. The host name is NAME.
#[step]
fn step1_command_is_in_eight_new_namespaces() {
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

/// COMMAND's root directory is ROOT, which is read-only except for DIR. `/proc` shows the box, and nothing
/// else is mounted.
#[step]
fn step2_only_root_and_its_mounts_are_left() {
    assert_report!(report().lines(&["COMMAND", "root directory", "on /", "mounts of"]), @r"
    root directory: ROOT, read-only
    on /data: writable
    on /proc: a proc of the box
    mounts of the old root: none
    ");
}

/// PID 1 is your program, and passes signals on to COMMAND. Your program exits with COMMAND's status. If
/// COMMAND could not be started, it exits with 127 and prints one line: what failed, and the errno in words.
#[step]
fn step3_signals_reach_command_and_errors_reach_you() {
    let mut report = report();
    let root = tree();
    let mut attempt = Attempt::start(program(&root).args(["run", &root]).witness());
    if attempt.command().is_some() {
        _ = attempt.run.program().signal(Signal::SIGTERM);
    }
    report.ending("after SIGTERM to your program", &attempt.finish());
    let run = |root: &str, command: &str| {
        Attempt::start(program(&tree()).args(["run", root, "--", command])).finish()
    };
    failure(&mut report, "a COMMAND that is missing", &run(&root, "/lab/missing"));
    failure(&mut report, "a ROOT that is missing", &run("/tmp/missing", "{witness}"));
    assert_report!(report.lines(&["COMMAND", "its position", "exit status", "left behind", "after SIGTERM", "a COMMAND", "a ROOT"]), @r"
    its position: a child of PID 1
    exit status: COMMAND's
    left behind: nothing
    after SIGTERM to your program: exit status 143, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is missing, error: No such file or directory
    a ROOT that is missing: exit status 127, left behind: nothing
    a ROOT that is missing, error: No such file or directory
    ");
}

/// Reports the end of a run that had to fail, and the errno in its error message, which must be one line.
fn failure(report: &mut Report, key: &str, run: &Report) {
    report.ending(key, run);
    let stderr = run.fact("stderr").unwrap_or_default();
    let known = [Errno::ENOENT, Errno::EPERM];
    let errno = known.into_iter().find(|errno| stderr.contains(errno.desc()));
    let error = match (stderr.lines().count(), errno) {
        (0, _) => "none".to_owned(),
        (1, Some(errno)) => errno.desc().to_owned(),
        (1, None) => "without the right errno".to_owned(),
        (lines, _) => format!("{lines} lines"),
    };
    report.line(&format!("{key}, error"), error);
}

/// COMMAND has no capability and cannot gain one by an exec. It has lower limits on processes and memory
/// than you, and has inherited neither your environment nor your open files.
#[step]
fn step4_privileges_are_dropped() {
    let root = tree();
    // The shell keeps the limits that the program starts with.
    let script = "\"$0\" run \"$1\" -- {witness}; exit $?";
    let mut attempt =
        Attempt::start(program(&root).without_no_new_privs().arg(&root).script(script));
    if let Some(command) = attempt.command() {
        privileges(&mut attempt, &command);
        // The shell waits for the program. If that does not wait for COMMAND, both have ended.
        match Process::open(attempt.run.program().pid()) {
            Ok(shell) => limits(&mut attempt, &command, &shell),
            Err(_) => {
                for key in ["limit on processes", "limit on memory"] {
                    attempt.report.line(key, "unknown, because your program had already ended");
                }
            }
        }
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

/// `exec` runs a second command in all eight namespaces of the first, without any more privilege.
#[step]
fn step5_exec_enters_a_running_box() {
    // The kernel's lists of children do not end in a newline, so `read` fails although it reads a pid.
    const TEXT: &str = r#""$0" run "$1" -- {witness} & box=$!
        until read init </proc/$box/task/$box/children; read pid </proc/$init/task/$init/children
            [ "$pid" ]; do [ -d /proc/$box/ns ] || exit 1; sleep 0.01; done 2>/dev/null
        exec "$0" exec $pid -- {witness}"#;
    let root = tree();
    let mut attempt = Attempt::start(program(&root).without_no_new_privs().arg(&root).script(TEXT));
    if attempt.command().is_some() {
        match attempt.run.await_nth_witness(1) {
            (Wait::Reached, Some(process)) => match Seen::of(process) {
                Ok(second) => {
                    let eight = second.namespaces.try_clone().expect("eight more descriptors");
                    attempt.report.row("second", eight);
                    privileges(&mut attempt, &second);
                }
                Err(errno) => attempt.report.line("second", errno),
            },
            _ => attempt.report.line("second", "never started"),
        }
    }
    attempt.release();
    assert_report!(attempt.finish().table(&["COMMAND", "second", "capabilities", "no_new_privs"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     B    B    B    B    B    B       B
    second   B     B    B    B    B    B    B       B
    capabilities, effective: none
    capabilities, permitted: none
    capabilities, bounding: none
    no_new_privs: set
    ");
}

/// With `--net none`, and by default, the box's network has only `lo`, which is up. With `--net veth` a
/// veth pair leads to the network in which your program was started, and packets go in both directions. An
/// ordinary user may not do that: your program reports the error, and leaves nothing behind.
#[step]
fn step6_the_network_is_isolated_or_joined_by_a_veth_pair() {
    let mut report = Report::default();
    for (key, options) in [("without --net", vec![]), ("--net none", vec!["--net", "none"])] {
        let root = tree();
        let args = ["run"].into_iter().chain(options).chain([root.as_str()]);
        let mut attempt = Attempt::start(program(&root).args(args).witness());
        let links = attempt.command().map(|command| visit::links_in(net(&command)));
        report.line(key, links.map_or("there was no box".to_owned(), |links| summary(&links)));
        attempt.release();
        _ = attempt.finish();
    }
    veth_of_root(&mut report);
    let root = tree();
    let mut attempt =
        Attempt::start(program(&root).args(["run", "--net", "veth", &root]).witness());
    _ = attempt.run.await_end();
    let lab = attempt.run.lab().get(Kind::Net).expect("every kernel has network namespaces");
    report.line("the lab after a refusal", summary(&visit::links_in(lab)));
    failure(&mut report, "--net veth, as an ordinary user", &attempt.finish());
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

/// Looks at the network of a box that the lab's root has made, who may change the lab's network.
fn veth_of_root(report: &mut Report) {
    let root = tree();
    let args = ["run", "--net", "veth", &root];
    let mut attempt = Attempt::start(program_of(State::RootLab, &root).args(args).witness());
    match attempt.command() {
        Some(command) => {
            let lab =
                attempt.run.lab().get(Kind::Net).expect("every kernel has network namespaces");
            let inside = visit::links_in(net(&command));
            let address = address_of_end(&inside, &visit::links_in(lab));
            let what = match address {
                Some(_) => format!("{} to the lab", summary(&inside)),
                None => summary(&inside),
            };
            report.line("--net veth, as root of the lab", what);
            report.line("from the lab to COMMAND", reach(lab, net(&command), address.flatten()));
        }
        None => report.line("--net veth, as root of the lab", "there was no box"),
    }
    attempt.release();
    report.aside("stderr of a veth", attempt.finish().fact("stderr").unwrap_or_default());
}

fn net(seen: &Seen) -> &Namespace {
    seen.namespaces.get(Kind::Net).expect("every kernel has network namespaces")
}

/// Describes the loopback interface and the ends of veth pairs. Other interfaces, which some modules add
/// to every network, are ignored.
fn summary(links: &nix::Result<Vec<Link>>) -> String {
    let links = match links {
        Ok(links) => links,
        Err(errno) => return format!("cannot be read ({errno})"),
    };
    let lo = links.iter().find(|link| link.name == "lo");
    let lo = lo.map_or("no lo", |lo| if lo.up { "lo up" } else { "lo down" });
    let veths = links.iter().filter(|link| is_veth(link)).map(|_| ", a veth".to_owned());
    lo.to_owned() + &veths.collect::<String>()
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

/// Your program is killed with SIGKILL, first while COMMAND runs, and then six times at a random moment.
/// Each time no process and no interface is left.
#[step]
fn step7_kill_9_leaves_nothing() {
    let mut report = Report::default();
    let root = tree();
    let args = ["run", "--net", "veth", &root];
    let mut attempt = Attempt::start(program_of(State::RootLab, &root).args(args).witness());
    let command = attempt.run.await_witness().1.and_then(|process| Seen::of(process).ok());
    // The closure drops these descriptors, which would keep the box's network alive.
    let there_was_a_box = command.is_some_and(|command| {
        command.namespaces.get(Kind::Pid) != attempt.run.lab().get(Kind::Pid)
    });
    attempt.run.program().kill();
    let mut left = a_process_is_left(&attempt.run);
    report.line(
        "left of a running box",
        match (there_was_a_box, left) {
            (false, _) => "there was no box",
            (true, true) => "a process",
            (true, false) => "no process",
        },
    );
    // As long as a process is left, the pair is in use.
    let lab = attempt.run.lab().get(Kind::Net).expect("every kernel has network namespaces");
    report.line("left of its veth pair", if left { "all" } else { left_of_pairs(lab) });
    attempt.release();
    report.aside("stderr", attempt.finish().fact("stderr").unwrap_or_default());
    // One failure is enough.
    left = left || !there_was_a_box || (0..KILLS).any(|_| left_after_a_random_moment());
    report.line("left after random moments", if left { "a process" } else { "no process" });
    assert_report!(report.lines(&["left"]), @r"
    left of a running box: no process
    left of its veth pair: nothing
    left after random moments: no process
    ");
}

fn left_after_a_random_moment() -> bool {
    let root = tree();
    let attempt = Attempt::start(program(&root).args(["run", &root]).witness());
    sleep(Duration::from_micros(random() % 12_000));
    attempt.run.program().kill();
    a_process_is_left(&attempt.run)
}

/// Whether a process is left of a program that was killed. A process that is about to die is not asleep,
/// because a SIGKILL wakes it, and so does the end of a pipe that it reads.
fn a_process_is_left(run: &Run) -> bool {
    let deadline = Instant::now() + patience();
    // Until it has ended, its children still have it as their parent.
    _ = run.program().await_end(patience());
    let mut last_awake = Instant::now();
    loop {
        let left = run.processes();
        let Some(first) = left.first() else { return false };
        if left.iter().any(|process| process.state() != Some('S')) {
            last_awake = Instant::now();
        }
        if last_awake.elapsed() > STILL || Instant::now() > deadline {
            return true;
        }
        _ = first.await_end(Duration::from_millis(5));
    }
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

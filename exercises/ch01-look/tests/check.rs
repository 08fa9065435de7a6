//! `ch01-look PID PID`: which namespaces two processes share.

use harness::look::{Kind, Namespaces};
use harness::sandbox::{Neighbor, Sandbox};
use harness::{Attempt, Report, absent_pid, assert_report, exercise, random, step};

/// The kinds in which a single thread can move. The threads of a process share their root and working
/// directory, which belong to the mount namespace, and have one user, PID and time namespace.
const THREAD_KINDS: [Kind; 4] = [Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];

/// The kinds of which a process can have another one for its children than for itself.
const FOR_CHILDREN: [Kind; 2] = [Kind::Pid, Kind::Time];

/// What the report says of a pair about which the program is right.
const RIGHT: &str = "every answer is right";

/// The flags of all kinds that this kernel has.
fn all() -> i32 {
    Kind::ALL.into_iter().filter(|kind| kind.exists()).map(Kind::flag).sum()
}

/// Splits flags at random into two sets, neither of them empty.
fn split(flags: i32) -> (i32, i32) {
    let some = random() as i32 & flags;
    if some == 0 || some == flags { split(flags) } else { (some, flags & !some) }
}

/// Three sets of flags, drawn so that any two kinds are told apart: at least one of the sets has one of the two
/// and not the other. So the link of another kind does not give the right answer all three times.
fn that_tell_kinds_apart() -> [i32; 3] {
    let mut kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| kind.exists()).collect();
    let mut drawn = Vec::new();
    while !kinds.is_empty() {
        drawn.push(kinds.swap_remove(random() as usize % kinds.len()));
    }
    // A kind's place, from 0 to 7, has three bits of its own.
    [1, 2, 4].map(|bit| {
        let places = drawn.iter().enumerate().filter(|(place, _)| place & bit != 0);
        places.map(|(_, kind)| kind.flag()).sum()
    })
}

fn neighbor(name: &str, new: i32) -> Neighbor {
    Neighbor { name: name.into(), new, ..Neighbor::default() }
}

/// The program, asked about two neighbors.
fn about(one: Neighbor, two: Neighbor) -> Sandbox {
    exercise!().arg("{one}").arg("{two}").neighbor(one).neighbor(two)
}

/// Asks the program about two neighbors, and reports how its answers compare with the kernel's.
fn ask(report: &mut Report, pair: &str, sandbox: Sandbox) {
    let attempt = Attempt::start(sandbox);
    let truth = truth(&attempt);
    judge(report, pair, &attempt.finish(), truth.as_ref());
}

/// The namespaces of the two neighbors, or `None` if the program has killed them.
fn truth(attempt: &Attempt) -> Option<(Namespaces, Namespaces)> {
    let look = |name| Namespaces::of(&attempt.run.neighbor(name)?).ok();
    look("one").zip(look("two"))
}

/// Asks about two neighbors that share nothing, until the inode numbers of two namespaces have differed in their
/// last digits alone: a program that compares only the others takes these two for one.
fn ask_about_all(report: &mut Report, pair: &str) {
    // The kernel gives out the lowest numbers that are free. While these namespaces are held, each pair has others.
    let mut held = Vec::new();
    loop {
        let attempt = Attempt::start(about(neighbor("one", all()), neighbor("two", all())));
        let truth = truth(&attempt);
        let finished = attempt.finish();
        let is_seen = truth.as_ref().is_none_or(|(one, two)| {
            Kind::ALL.into_iter().any(|kind| differ_at_the_end(one, two, kind))
        });
        if is_seen || held.len() == 8 || verdict(&finished, truth.as_ref()) != RIGHT {
            return judge(report, pair, &finished, truth.as_ref());
        }
        held.push(truth);
    }
}

/// Whether two inode numbers are equal but for their last two digits, and but for their last eight bits.
fn differ_at_the_end(one: &Namespaces, two: &Namespaces, kind: Kind) -> bool {
    let numbers = one.get(kind).zip(two.get(kind)).map(|(one, two)| (one.inode(), two.inode()));
    numbers.is_some_and(|(one, two)| one != two && one / 100 == two / 100 && one >> 8 == two >> 8)
}

/// The answers about this kind. Other lines of the output play no part.
fn answers(stdout: &str, kind: Kind) -> Vec<&str> {
    let lines = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let answers = lines.filter_map(|words| match words[..] {
        [name, answer @ ("same" | "other")] if name == kind.name() => Some(answer),
        _ => None,
    });
    answers.collect()
}

/// Reports how the program's answers compare with the kernel's.
fn judge(
    report: &mut Report,
    pair: &str,
    finished: &Report,
    truth: Option<&(Namespaces, Namespaces)>,
) {
    report.line(pair, verdict(finished, truth));
    for stream in ["stdout", "stderr"].into_iter().filter(|_| truth.is_some()) {
        report.aside(stream, finished.fact(stream).unwrap_or_default());
    }
}

fn verdict(finished: &Report, truth: Option<&(Namespaces, Namespaces)>) -> String {
    let Some((one, two)) = truth else { return "both neighbors are gone".to_owned() };
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let stdout = fact("stdout");
    let mut wrong = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
        let truth = if one.get(kind) == two.get(kind) { "same" } else { "other" };
        match answers(&stdout, kind)[..] {
            [answer] if answer == truth => {}
            [answer] => wrong.push(format!("{kind} is not {answer}")),
            [] => wrong.push(format!("{kind} is missing")),
            _ => wrong.push(format!("{kind} is answered twice")),
        }
    }
    match fact("exit status").as_str() {
        "0" if wrong.is_empty() => RIGHT.to_owned(),
        "0" => wrong.join(", "),
        status if Kind::ALL.into_iter().any(|kind| !answers(&stdout, kind).is_empty()) => {
            format!("answers, but exit status {status}")
        }
        status => format!("no answer, exit status {status}"),
    }
}

/// Asks about one process twice, and about one that does not exist. It tells a program that compares the
/// wrong thing from one that compares nothing.
fn ask_for_the_diagnosis(report: &mut Report) {
    let mut other = Report::default();
    let attempt = Attempt::start(exercise!().args(["{one}", "{one}"]).neighbor(neighbor("one", 0)));
    let look = || Namespaces::of(&attempt.run.neighbor("one")?).ok();
    let truth = look().zip(look());
    judge(&mut other, "about one process twice", &attempt.finish(), truth.as_ref());
    report.aside(
        "about one process twice",
        other.fact("about one process twice").unwrap_or_default(),
    );
    let absent = absent_pid().to_string();
    for (order, first, second) in [("first", &*absent, "{one}"), ("second", "{one}", &*absent)] {
        let outcome = refusal(&mut other, exercise!().args([first, second]));
        report.aside(&format!("about no process, {order}"), outcome);
    }
}

/// For each kind of namespace your program prints `same` or `other`, and every answer is right. It is
/// asked about pairs of neighbors in random namespaces; some pairs share all of them, once while your
/// program itself is in others.
#[step]
fn step1_every_answer_about_two_processes_is_right() {
    let mut report = Report::default();
    let (some, rest) = split(all());
    let [first, second, third] = that_tell_kinds_apart();
    let pairs = [
        ("they share everything", 0, 0),
        ("one has left some", first, 0),
        ("one has left others", second, 0),
        ("the other has left some", 0, third),
        ("both have left some", some, rest),
    ];
    for (pair, one, two) in pairs {
        ask(&mut report, pair, about(neighbor("one", one), neighbor("two", two)));
    }
    ask_about_all(&mut report, "both have left all");
    let children = FOR_CHILDREN.into_iter().filter(|kind| kind.exists()).map(Kind::flag).sum();
    let parent = Neighbor { children, ..neighbor("one", 0) };
    ask(
        &mut report,
        "they share everything, but their children would not",
        about(parent, neighbor("two", 0)),
    );
    let elsewhere = "exec unshare --mount --uts --ipc --net --cgroup \"$0\" \"$@\"";
    let pair = about(neighbor("one", 0), neighbor("two", 0)).script(elsewhere);
    ask(&mut report, "they share everything, but not with you", pair);
    if report.facts("both have left all").any(|fact| fact.contains("is not"))
        || report.facts("they share everything").any(|fact| fact.contains("is not"))
    {
        ask_for_the_diagnosis(&mut report);
    }
    assert_report!(report.lines(&["they share", "one has", "the other", "both have"]), @r"
    they share everything: every answer is right
    one has left some: every answer is right
    one has left others: every answer is right
    the other has left some: every answer is right
    both have left some: every answer is right
    both have left all: every answer is right
    they share everything, but their children would not: every answer is right
    they share everything, but not with you: every answer is right
    ");
}

/// Asks the program about a neighbor and one of its threads, which has moved to `new` namespaces.
fn ask_about_a_thread(report: &mut Report, pair: &str, order: [&str; 2], new: i32) {
    // Not in a PID namespace of its own, where the thread would know only its id inside.
    let (own, _) = split(all() & !libc::CLONE_NEWPID);
    let process = Neighbor { thread: Some(new), ..neighbor("one", own) };
    let attempt = Attempt::start(exercise!().args(order).neighbor(process));
    let look = || {
        let process = attempt.run.neighbor("one")?;
        let thread = process.tasks().into_iter().find(|task| *task != process.pid().as_raw())?;
        Some((Namespaces::of(&process).ok()?, Namespaces::of_thread(&process, thread).ok()?))
    };
    let truth = look();
    judge(report, pair, &attempt.finish(), truth.as_ref());
}

/// A thread can be in other namespaces than the rest of its process. Given a thread's id, your
/// program answers for that thread.
#[step]
fn step2_a_thread_with_namespaces_of_its_own_is_noticed() {
    let mut report = Report::default();
    let (some, rest) = split(THREAD_KINDS.map(Kind::flag).iter().sum());
    ask_about_a_thread(&mut report, "a process and its thread", ["{one}", "{one.thread}"], some);
    ask_about_a_thread(&mut report, "a thread and its process", ["{one.thread}", "{one}"], rest);
    if report.facts("a process and its thread").any(|fact| fact.contains("is not")) {
        // A program that never notices a difference has not taken a thread for its process.
        let mut other = Report::default();
        ask(&mut other, "about two processes", about(neighbor("one", all()), neighbor("two", 0)));
        let answers = other.fact("about two processes").unwrap_or_default();
        report.aside("about two processes", answers);
    }
    assert_report!(report.lines(&["a process", "a thread and"]), @r"
    a process and its thread: every answer is right
    a thread and its process: every answer is right
    ");
}

/// Runs the program with these arguments, and says what it made of a process that it cannot examine.
fn refusal(report: &mut Report, sandbox: Sandbox) -> &'static str {
    let one = Neighbor { zombie: true, ..neighbor("one", 0) };
    let finished = Attempt::start(sandbox.neighbor(one)).finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let (status, stdout, stderr) = (fact("exit status"), fact("stdout"), fact("stderr"));
    let answered = Kind::ALL.into_iter().any(|kind| !answers(&stdout, kind).is_empty());
    let said = !(stdout.is_empty() && stderr.is_empty());
    report.aside("stdout", stdout);
    report.aside("stderr", stderr);
    match (status.parse(), answered, said) {
        (Ok(0), true, _) => "answered",
        (Ok(0), false, _) => "exit status 0 and no answer",
        (Ok(_), true, _) => "answered, and then failed",
        (Ok(_), false, false) => "failed without a word",
        (Ok(1..), false, true) => "an error",
        _ if status.starts_with("still running") => "it does not end",
        _ => "no exit status",
    }
}

/// Your program is asked about a pid that no process has, about a process in a user namespace in which
/// you have no capability, and about a zombie, each time as the first and as the second of the two. It
/// prints an error instead of an answer, and exits with a status other than 0. It does so for no other
/// process.
#[step]
fn step3_a_process_that_cannot_be_examined_gives_an_error() {
    let mut report = Report::default();
    let absent = absent_pid().to_string();
    for (order, first, second) in [("first", &*absent, "{one}"), ("second", "{one}", &*absent)] {
        let outcome = refusal(&mut report, exercise!().args([first, second]));
        report.line(&format!("no process, {order}"), outcome);
    }
    // The program has the shell's pid, and is alone in a user namespace below the neighbor's.
    for (order, pids) in [("first", "\"$1\" $$"), ("second", "$$ \"$1\"")] {
        let below = exercise!().arg("{one}").script(&format!("exec unshare --user \"$0\" {pids}"));
        let outcome = refusal(&mut report, below);
        report.line(&format!("out of reach, {order}"), outcome);
    }
    for (order, pids) in
        [("first", ["{one.zombie}", "{one}"]), ("second", ["{one}", "{one.zombie}"])]
    {
        let outcome = refusal(&mut report, exercise!().args(pids));
        report.line(&format!("a zombie, {order}"), outcome);
    }
    // Without any capability, it can still examine itself. Its pid is as large as that of most processes on a
    // machine, if the kernel lets one choose it (CONFIG_CHECKPOINT_RESTORE).
    let script = r#"exec unshare --pid --fork --mount-proc sh -c '
        echo 9999 > /proc/sys/kernel/ns_last_pid
        sh -c "exec unshare --user \"\$0\" \$\$ \$\$" "$0"
        exit $?' "$0""#;
    let itself = Attempt::start(exercise!().script(script));
    let lab = || itself.run.lab().try_clone().ok();
    let truth = lab().zip(lab());
    judge(&mut report, "within reach, itself", &itself.finish(), truth.as_ref());
    ask(&mut report, "within reach", about(neighbor("one", split(all()).0), neighbor("two", 0)));
    assert_report!(report.lines(&["no process", "out of reach", "a zombie", "within reach"]), @r"
    no process, first: an error
    no process, second: an error
    out of reach, first: an error
    out of reach, second: an error
    a zombie, first: an error
    a zombie, second: an error
    within reach, itself: every answer is right
    within reach: every answer is right
    ");
}

/// What the program says about all processes: the first word of each line, and the pids.
fn groups(stdout: &str) -> Vec<(&str, Vec<i32>)> {
    let lines = stdout.lines().filter_map(|line| {
        let (word, pids) = line.trim().split_once(char::is_whitespace)?;
        let pids: Result<Vec<i32>, _> = pids.split_whitespace().map(str::parse).collect();
        Some((word, pids.ok()?))
    });
    lines.filter(|(word, _)| ["same", "unknown"].contains(word)).collect()
}

/// Has the program list all processes, and compares the list with the kernel's.
fn judge_list(report: &mut Report, key: &str, kind: Kind) {
    // A process in a PID namespace of its own would have two numbers.
    let (some, rest) = split(all() & !libc::CLONE_NEWPID);
    let names = ["one", "two", "three"];
    let program = exercise!().arg("--all").arg(kind.name());
    let neighbors = [some, rest, 0].into_iter().zip(names);
    let neighbors =
        neighbors.map(|(new, name)| Neighbor { zombie: name == "three", ..neighbor(name, new) });
    let attempt = Attempt::start(neighbors.fold(program, Sandbox::neighbor));
    let own = attempt.run.program().own_pid();
    let mut known: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let process = attempt.run.neighbor(name)?;
            let namespace = Namespaces::of(&process).ok()?.get(kind)?.try_clone().ok()?;
            Some((*name, process.own_pid()?, namespace))
        })
        .collect();
    let lab = attempt.run.lab().get(kind).and_then(|lab| lab.try_clone().ok());
    known.extend(own.zip(lab).map(|(pid, lab)| ("your program", pid, lab)));
    let zombie = attempt.run.neighbor("three").and_then(|parent| parent.children().pop());
    let zombie = zombie.and_then(|zombie| zombie.own_pid());
    let gone = names.iter().any(|name| known.iter().all(|(found, ..)| found != name));
    let Some(zombie) = zombie.filter(|_| !gone) else {
        return report.line(key, "a neighbor is gone");
    };
    let finished = attempt.finish();
    let stdout = finished.fact("stdout").unwrap_or_default();
    let groups = groups(&stdout);
    let mut wrong = Vec::new();
    let mut place = |name: &str, pid: i32, words: &[&str]| {
        let found: Vec<_> =
            groups.iter().enumerate().filter(|(_, (_, pids))| pids.contains(&pid)).collect();
        match found[..] {
            [(at, (said, _))] if words.contains(said) => return Some(at),
            [(_, (said, _))] => wrong.push(format!("{name} is not {said}")),
            [] => wrong.push(format!("{name} is missing")),
            _ => wrong.push(format!("{name} is in several lines")),
        }
        None
    };
    place("PID 1", 1, &["unknown"]);
    // It has kept its credentials, and with them its user namespace.
    let both = ["unknown", "same"];
    place("a zombie", zombie, if kind == Kind::User { &both } else { &both[..1] });
    let places: Vec<_> = known.iter().map(|(name, pid, _)| place(name, *pid, &["same"])).collect();
    for (at, (name, _, namespace)) in known.iter().enumerate() {
        for (other_at, (other, _, others)) in known.iter().enumerate().take(at) {
            match places[at].zip(places[other_at]) {
                Some((one, two)) if (one == two) != (namespace == others) => {
                    let truth = if one == two { "do not share it" } else { "share it" };
                    wrong.push(format!("{other} and {name} {truth}"));
                }
                _ => {}
            }
        }
    }
    let verdict = match finished.fact("exit status").as_deref() {
        Some("0") if wrong.is_empty() => "every process is where it belongs".to_owned(),
        Some("0") => wrong.join(", "),
        status => format!("exit status {}", status.unwrap_or_default()),
    };
    report.of_run(key, verdict, &finished);
}

/// With `--all KIND` your program prints a line `same PID…` for each namespace of this kind, with all of
/// its processes that you can see, and a line `unknown PID…` with those that cannot be examined. Each
/// process is in exactly one line, even a zombie.
#[step]
fn further4_every_process_is_listed_with_those_that_share_its_namespace() {
    let mut report = Report::default();
    let draw = |but: &[Kind]| {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.exists() && !but.contains(kind));
        let kinds: Vec<_> = kinds.collect();
        kinds[random() as usize % kinds.len()]
    };
    // The zombie is in a user namespace still, so one kind is another.
    let kind = draw(&[Kind::Pid, Kind::User]);
    judge_list(&mut report, "of one kind", kind);
    judge_list(&mut report, "of another kind", draw(&[Kind::Pid, kind]));
    assert_report!(report.lines(&["of one", "of another"]), @r"
    of one kind: every process is where it belongs
    of another kind: every process is where it belongs
    ");
}

//! `ch01-look PID PID`: which namespaces two processes share.

use harness::look::{Kind, Namespaces};
use harness::sandbox::Neighbor;
use harness::{Attempt, Report, assert_report, exercise, random, step};

/// The kinds in which clone(2) can give a neighbor a new namespace. (A child is never born in a new
/// time namespace that way.)
const KINDS: [Kind; 7] =
    [Kind::User, Kind::Mnt, Kind::Pid, Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];
/// The kinds in which a single thread can move. The mount namespace is not one of them: the threads of
/// a process share their root and working directory, which belong to it.
const THREAD_KINDS: [Kind; 4] = [Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];

/// Splits `kinds` at random into two sets of flags, neither of them empty.
fn some_of(kinds: &[Kind]) -> (i32, i32) {
    let chosen = random() % ((1 << kinds.len()) - 2) + 1;
    let flag = |bit: usize| if chosen >> bit & 1 == 1 { kinds[bit].flag() } else { 0 };
    let some = (0..kinds.len()).map(flag).sum();
    (some, kinds.iter().map(|kind| kind.flag()).sum::<i32>() & !some)
}

fn neighbor(name: &str, new: i32) -> Neighbor {
    Neighbor { name: name.into(), new, ..Neighbor::default() }
}

/// Asks the program about two neighbors, and reports how its answers compare with the kernel's.
fn ask(report: &mut Report, pair: &str, one: Neighbor, two: Neighbor) {
    let attempt = Attempt::start(exercise!().arg("{one}").arg("{two}").neighbor(one).neighbor(two));
    // There is nothing to compare with if the program has killed its neighbors.
    let look = |name| Namespaces::of(&attempt.run.neighbor(name)?).ok();
    let truth = look("one").zip(look("two"));
    judge(report, pair, &attempt.finish(), truth);
}

/// Compares the program's answers with the kernel's.
fn judge(
    report: &mut Report,
    pair: &str,
    finished: &Report,
    truth: Option<(Namespaces, Namespaces)>,
) {
    let Some((one, two)) = truth else {
        return report.line(pair, "both neighbors are gone");
    };
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let stdout = fact("stdout");
    let mut wrong = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
        let truth = if one.get(kind) == two.get(kind) { "same" } else { "other" };
        let mut answers = stdout
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(name, _)| *name == kind.name());
        match (answers.next(), answers.next()) {
            (Some((_, answer)), None) if answer == truth => {}
            (Some((_, answer)), None) => wrong.push(format!("{kind} is not {answer}")),
            (Some(_), Some(_)) => wrong.push(format!("{kind} is answered twice")),
            (None, _) => wrong.push(format!("{kind} is missing")),
        }
    }
    let verdict = match fact("exit status").as_str() {
        "0" if wrong.is_empty() => "every answer is right".to_owned(),
        "0" => wrong.join(", "),
        status => format!("no answer, exit status {status}"),
    };
    report.line(pair, verdict);
    report.aside("stdout", stdout);
    report.aside("stderr", fact("stderr"));
}

/// For each kind of namespace your program prints `same` or `other`, and every answer is right. It is
/// asked about pairs of neighbors in random namespaces; one pair shares all of them.
#[step]
fn step1_every_answer_about_two_processes_is_right() {
    let mut report = Report::default();
    ask(&mut report, "they share everything", neighbor("one", 0), neighbor("two", 0));
    let (some, rest) = some_of(&KINDS);
    ask(&mut report, "one has left some", neighbor("one", some), neighbor("two", 0));
    ask(&mut report, "both have left some", neighbor("one", some), neighbor("two", rest));
    assert_report!(report.lines(&["they share", "one has", "both have"]), @r"
    they share everything: every answer is right
    one has left some: every answer is right
    both have left some: every answer is right
    ");
}

/// Asks the program about a neighbor and one of its threads, which has moved to `new` namespaces.
fn ask_about_a_thread(report: &mut Report, pair: &str, new: i32) {
    let process = Neighbor { name: "one".into(), thread: Some(new), ..Neighbor::default() };
    let attempt = Attempt::start(exercise!().arg("{one}").arg("{one.thread}").neighbor(process));
    let look = || {
        let process = attempt.run.neighbor("one")?;
        let thread = process.tasks().into_iter().find(|task| *task != process.pid().as_raw())?;
        Some((Namespaces::of(&process).ok()?, Namespaces::of_thread(&process, thread).ok()?))
    };
    let truth = look();
    judge(report, pair, &attempt.finish(), truth);
}

/// A thread can be in other namespaces than the rest of its process. Given a thread's id, your
/// program answers for that thread.
#[step]
fn step2_a_thread_with_namespaces_of_its_own_is_noticed() {
    let mut report = Report::default();
    let (some, rest) = some_of(&THREAD_KINDS);
    ask_about_a_thread(&mut report, "a process and its thread", some);
    ask_about_a_thread(&mut report, "another one and its thread", rest);
    assert_report!(report.lines(&["a process", "another one"]), @r"
    a process and its thread: every answer is right
    another one and its thread: every answer is right
    ");
}

/// No process has the pid 399, and PID 1 belongs to a user namespace in which you have no capability.
/// For both, your program prints an error instead of an answer, and exits with a status other than 0.
#[step]
fn step3_a_process_that_cannot_be_examined_gives_an_error() {
    let mut report = Report::default();
    for (whose, pid) in [("no process", "399"), ("PID 1", "1")] {
        let attempt =
            Attempt::start(exercise!().arg("{one}").arg(pid).neighbor(neighbor("one", 0)));
        let finished = attempt.finish();
        let fact = |key: &str| finished.fact(key).unwrap_or_default();
        let (stdout, stderr) = (fact("stdout"), fact("stderr"));
        let outcome = match (fact("exit status").as_str(), stdout.as_str()) {
            ("0", "") => "exit status 0 and no answer".to_owned(),
            ("0", _) => "answered".to_owned(),
            // "…: No such file or directory (os error 2)"; the number is optional.
            (_, "") => stderr
                .rsplit(": ")
                .next()
                .unwrap_or_default()
                .split(" (")
                .next()
                .unwrap_or_default()
                .to_owned(),
            _ => "answered, and then failed".to_owned(),
        };
        report.line(whose, outcome);
        report.aside("stdout", stdout);
        report.aside("stderr", stderr);
    }
    assert_report!(report.lines(&["no process", "PID 1"]), @r"
    no process: No such file or directory
    PID 1: Permission denied
    ");
}

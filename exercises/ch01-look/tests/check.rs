//! `ch01-look PID PID`: which namespaces two processes share.

use harness::look::{Kind, Namespaces};
use harness::sandbox::Neighbor;
use harness::{Report, assert_report, exercise, random};

/// The kinds that a neighbor may have for itself from birth. (A process does not get into another
/// time namespace by being cloned.)
const KINDS: [Kind; 7] =
    [Kind::User, Kind::Mnt, Kind::Pid, Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];
/// Those that a thread can leave alone. The mount namespace goes with root and working directory,
/// which threads share.
const THREAD_KINDS: [Kind; 4] = [Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];

/// Some of `kinds` as flags, at least one and not all, and the rest: nobody can know which.
fn some_of(kinds: &[Kind]) -> (i32, i32) {
    let dice = random() % ((1 << kinds.len()) - 2) + 1;
    let flag = |bit: usize| if dice >> bit & 1 == 1 { kinds[bit].flag() } else { 0 };
    let some = (0..kinds.len()).map(flag).sum();
    (some, kinds.iter().map(|kind| kind.flag()).sum::<i32>() & !some)
}

fn neighbor(name: &str, new: i32) -> Neighbor {
    Neighbor { name: name.into(), new, ..Neighbor::default() }
}

/// Asks the program about two neighbors, and enters in the report how right it was.
fn ask(report: &mut Report, pair: &str, one: Neighbor, two: Neighbor) {
    let attempt = exercise!().arg("{one}").arg("{two}").neighbor(one).neighbor(two).start();
    // A program that kills them leaves nothing to look at.
    let look = |name| Namespaces::of(&attempt.run.neighbor(name)?).ok();
    let truth = look("one").zip(look("two"));
    judge(report, pair, &attempt.finish(), truth);
}

/// Compares what the program said with what the kernel says.
fn judge(
    report: &mut Report,
    pair: &str,
    finished: &Report,
    truth: Option<(Namespaces, Namespaces)>,
) {
    let Some((one, two)) = truth else {
        return report.line(pair, "they are gone");
    };
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let said = fact("stdout");
    let mut wrong = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
        let truth = if one.get(kind) == two.get(kind) { "same" } else { "other" };
        let mut answers = said
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(name, _)| *name == kind.name());
        match (answers.next(), answers.next()) {
            (Some((_, answer)), None) if answer == truth => {}
            (Some((_, answer)), None) => wrong.push(format!("{kind} is not {answer}")),
            (Some(_), Some(_)) => wrong.push(format!("{kind} is there twice")),
            (None, _) => wrong.push(format!("{kind} is missing")),
        }
    }
    let verdict = match fact("exit status").as_str() {
        "0" if wrong.is_empty() => "every answer is right".to_owned(),
        "0" => wrong.join(", "),
        status => format!("no answer, exit status {status}"),
    };
    report.line(pair, verdict);
    report.aside("stdout", said);
    report.aside("stderr", fact("stderr"));
}

/// For each kind your program prints `same` or `other`, and is right. The neighbors are in random
/// namespaces; two of them share everything.
#[test]
fn step1_every_answer_about_two_processes_is_right() {
    let mut report = Report::default();
    ask(&mut report, "two who share all", neighbor("one", 0), neighbor("two", 0));
    let (some, rest) = some_of(&KINDS);
    ask(&mut report, "one who left some", neighbor("one", some), neighbor("two", 0));
    ask(&mut report, "both left some", neighbor("one", some), neighbor("two", rest));
    assert_report!(report.lines(&["two who", "one who", "both"]), @r"
    two who share all: every answer is right
    one who left some: every answer is right
    both left some: every answer is right
    ");
}

/// Asks the program about a neighbor and its thread, which has left it for `new` namespaces.
fn ask_about_a_thread(report: &mut Report, who: &str, new: i32) {
    let process = Neighbor { name: "one".into(), thread: Some(new), ..Neighbor::default() };
    let attempt = exercise!().arg("{one}").arg("{one.thread}").neighbor(process).start();
    let look = || {
        let process = attempt.run.neighbor("one")?;
        let thread = process.tasks().into_iter().find(|task| *task != process.pid().as_raw())?;
        Some((Namespaces::of(&process).ok()?, Namespaces::of_thread(&process, thread).ok()?))
    };
    let truth = look();
    judge(report, who, &attempt.finish(), truth);
}

/// A thread may be in other namespaces than the rest of its process. Given a thread's id, your
/// program answers for that thread.
#[test]
fn step2_a_thread_that_left_alone_is_seen() {
    let mut report = Report::default();
    let (some, rest) = some_of(&THREAD_KINDS);
    ask_about_a_thread(&mut report, "a process and its thread", some);
    ask_about_a_thread(&mut report, "another one and its thread", rest);
    assert_report!(report.lines(&["a process", "another one"]), @r"
    a process and its thread: every answer is right
    another one and its thread: every answer is right
    ");
}

/// Nobody has the pid 399, and PID 1 belongs to a user namespace over which you have no rights.
/// About both your program gives no answer, but the error, and a status that is not 0.
#[test]
fn step3_a_process_that_cannot_be_looked_at_is_an_error() {
    let mut report = Report::default();
    for (who, pid) in [("nobody", "399"), ("PID 1", "1")] {
        let attempt = exercise!().arg("{one}").arg(pid).neighbor(neighbor("one", 0)).start();
        let finished = attempt.finish();
        let fact = |key: &str| finished.fact(key).unwrap_or_default();
        let (said, complaint) = (fact("stdout"), fact("stderr"));
        let outcome = match (fact("exit status").as_str(), said.as_str()) {
            ("0", "") => "exit status 0 and no answer".to_owned(),
            ("0", _) => "answered".to_owned(),
            // "…: No such file or directory (os error 2)"; whether the number is there is taste.
            (_, "") => complaint
                .rsplit(": ")
                .next()
                .unwrap_or_default()
                .split(" (")
                .next()
                .unwrap_or_default()
                .to_owned(),
            _ => "answered, and then an error".to_owned(),
        };
        report.line(who, outcome);
        report.aside("stdout", said);
        report.aside("stderr", complaint);
    }
    assert_report!(report.lines(&["nobody", "PID 1"]), @r"
    nobody: No such file or directory
    PID 1: Permission denied
    ");
}

//! `ch15-time MONOTONIC BOOTTIME -- COMMAND`: two clocks that are shifted for COMMAND.

use std::path::PathBuf;

use harness::look::{Kind, Namespace, Process};
use harness::sandbox::State;
use harness::visit;
use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, named_status, no_more_namespaces,
    not_refused, random, refused, step,
};

/// Why this kernel has nothing to show, for [`Report::skip`].
const NONE: &str = "this kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS)";

/// The seconds since boot in `time`, or in the lab's time namespace, which this check is in as well.
/// /proc/uptime shows the reader's own clock.
fn uptime(time: Option<&Namespace>) -> Option<f64> {
    let text = match time {
        Some(time) => visit::read_in(time, "/proc/uptime").ok()?,
        None => std::fs::read_to_string("/proc/uptime").ok()?,
    };
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// An offset of COMMAND's time namespace. COMMAND's own file shows those of the namespace in which its
/// children would be born; both namespaces of a visitor that has joined one are that one. No visitor
/// joins the lab's, but this check is in it.
fn offset(command: &Seen, clock: &str) -> String {
    let file = "/proc/self/timens_offsets";
    let text = command.namespaces.get(Kind::Time).map(|time| visit::read_in(time, file));
    let text = text.and_then(Result::ok).or_else(|| std::fs::read_to_string(file).ok());
    let text = text.unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    match lines.find(|words| words.first() == Some(&clock)).as_deref() {
        Some([_, seconds, nanoseconds]) => format!("{seconds} s {nanoseconds} ns"),
        _ => "cannot be read".to_owned(),
    }
}

/// What a wrong offset in seconds is, if it comes from the two on the command line.
fn origin(seconds: i64, own: i64, other: i64) -> Option<&'static str> {
    let since_boot = uptime(None)? as i64;
    // The program has read its clock a moment before.
    let is_now = |difference: i64| (since_boot - 10..=since_boot + 1).contains(&difference);
    match seconds {
        _ if seconds == own => None,
        _ if seconds == -own && own < 0 => Some("without its sign"),
        _ if seconds == own - other => Some("less the other"),
        _ if is_now(seconds - own) => Some("and the time since boot"),
        _ if is_now(own - seconds) => Some("less the time since boot"),
        _ => None,
    }
}

/// Two random offsets, of which the one with this index is negative where that is possible: no clock can be
/// set back to before the machine's boot.
fn offsets(negative: usize) -> [i64; 2] {
    let above = |least: i64| least + (random() % 1_000_000) as i64;
    let mut offsets = [above(1_000_000), above(3_000_000)];
    if can_be_negative() {
        offsets[negative] = -100 - (random() % 100) as i64;
    }
    offsets
}

fn can_be_negative() -> bool {
    uptime(None).is_some_and(|seconds| seconds > 300.0)
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report(negative: usize) -> Report {
    let [monotonic, boottime] = offsets(negative);
    let arguments = [monotonic, boottime].map(|seconds| seconds.to_string());
    let mut attempt = Attempt::start(exercise!().args(arguments.clone()).witness());
    if !can_be_negative() {
        attempt
            .report
            .skip("a negative offset", "this machine was booted less than five minutes ago");
    }
    attempt.report.role(&arguments[0], "MONOTONIC");
    attempt.report.role(&arguments[1], "BOOTTIME");
    attempt.report.role(&(monotonic + boottime).to_string(), "MONOTONIC + BOOTTIME");
    if let Some(command) = attempt.command() {
        for clock in ["monotonic", "boottime"] {
            attempt.look(&format!("offset of {clock}"), &command, move |it| offset(it, clock));
            let seconds = offset(&command, clock).split(' ').next().and_then(|it| it.parse().ok());
            let [own, other] = match clock {
                "monotonic" => [monotonic, boottime],
                _ => [boottime, monotonic],
            };
            if let Some(origin) = seconds.and_then(|seconds| origin(seconds, own, other)) {
                attempt.report.aside("an offset is what was asked for", origin);
            }
        }
        if let Some(inside) = command.namespaces.get(Kind::Time) {
            // The clock outside is read before and after, so that a slow machine does not matter.
            let uptimes = [uptime(None), uptime(Some(inside)), uptime(None)];
            let shifted = match uptimes {
                [Some(before), Some(inside), Some(after)] => {
                    let shift = boottime as f64;
                    // Each is truncated to hundredths.
                    (before + shift - 0.02..=after + shift + 0.02).contains(&inside)
                }
                _ => false,
            };
            let not = if shifted { "" } else { "not " };
            attempt.report.line("uptime", format_args!("{not}later by {boottime}"));
        }
    }
    attempt.release();
    attempt.finish()
}

/// Whether this kernel has time namespaces. If not, the step has nothing to compare, and says so.
fn is_possible() -> bool {
    if !Kind::Time.exists() {
        let mut report = Report::default();
        report.skip("the time namespace", NONE);
        assert_report!(report.lines(&[]), @"");
    }
    Kind::Time.exists()
}

/// COMMAND has a time namespace of its own, and shares the other seven with the lab.
#[step]
fn step1_command_has_a_time_namespace_of_its_own() {
    if !is_possible() {
        return;
    }
    assert_report!(report(0).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    A    A    A       B
    ");
}

/// COMMAND's time namespace has the offsets from the command line, and its uptime is later by BOOTTIME
/// than the lab's.
#[step]
fn step2_both_clocks_are_shifted() {
    if !is_possible() {
        return;
    }
    let (mut report, other) = (report(0), report(1));
    report.same("once more", &other, &["offset", "uptime"]);
    assert_report!(report.lines(&["offset", "uptime", "once more"]), @r"
    offset of monotonic: MONOTONIC s 0 ns
    offset of boottime: BOOTTIME s 0 ns
    uptime: later by BOOTTIME
    once more: the same
    ");
}

/// Your program exits with COMMAND's status, whatever it is, and leaves nothing behind, and the lab has
/// not changed.
#[step]
fn step3_its_status_is_passed_on_and_nothing_is_left() {
    if !is_possible() {
        return;
    }
    let mut report = report(1);
    high_status(&mut report, exercise!().args(["1000", "2000"]));
    assert_report!(report.lines(&["uptime", "exit status", "left behind", "lab afterwards", "a COMMAND"]), @r"
    uptime: later by BOOTTIME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    ");
}

/// If the kernel refuses an offset, with which the clock would be negative, or the namespace, your program
/// starts nothing, changes nothing in the lab, and exits with another status than 0.
#[step]
fn step4_after_a_refused_call_no_command_is_started() {
    if !is_possible() {
        return;
    }
    let mut report = Report::default();
    let [monotonic, boottime] = offsets(0).map(|seconds| seconds.to_string());
    let before_boot = (-1_000_000_000_000 - random() as i64 % 1_000_000).to_string();
    let program = exercise!().args([monotonic.as_str(), &before_boot]);
    refused(&mut report, "an offset to before the boot", program);
    let program = || exercise!().args([&monotonic, &boottime]);
    refused(&mut report, "no more time namespaces", no_more_namespaces(program(), "time"));
    // Who may not make one could still do so in a user namespace, and nobody has asked for that.
    refused(&mut report, "an ordinary user", program().state(State::PlainUser));
    not_refused(&mut report, "COMMAND where nothing is refused", "uptime", &self::report(0));
    assert_report!(report.lines(&["an offset", "no more", "an ordinary", "COMMAND where"]), @r"
    an offset to before the boot: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no more time namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    an ordinary user: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    COMMAND where nothing is refused: later by BOOTTIME
    ");
}

/// The time namespace that this link of a process leads to.
fn time_of(process: &Process, link: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{}/ns/{link}", process.pid())).ok()
}

/// While three COMMANDs run, each has a time namespace and offsets of its own. Your program is still in the
/// lab's time namespace, and so are the children that it would have next. The first COMMAND's status is yours.
#[step]
fn further5_three_commands_run_at_once_with_three_pairs_of_clocks() {
    if !is_possible() {
        return;
    }
    const ROWS: [&str; 3] = ["first", "second", "third"];
    // No offset occurs twice.
    let pairs = [offsets(0), offsets(1), offsets(0).map(|seconds| seconds + 5_000_000)];
    let mut program = exercise!();
    for (place, [monotonic, boottime]) in pairs.iter().enumerate() {
        let and: &[&str] = if place == 0 { &[] } else { &["--and"] };
        program = program.args(and).args([monotonic.to_string(), boottime.to_string()]).witness();
    }
    let mut attempt = Attempt::start(program);
    for (row, pair) in ROWS.iter().zip(pairs) {
        for (clock, seconds) in ["MONOTONIC", "BOOTTIME"].iter().zip(pair) {
            attempt.report.role(&seconds.to_string(), &format!("{} {clock}", row.to_uppercase()));
        }
    }
    if let Some(commands) = attempt.commands(ROWS) {
        for (row, command) in ROWS.iter().zip(&commands) {
            for clock in ["monotonic", "boottime"] {
                let key = format!("{clock} of the {row}");
                attempt.look(&key, command, move |it| offset(it, clock));
            }
        }
        let program = attempt.run.program();
        let next = time_of(program, "time_for_children");
        let same = next.is_some() && next == time_of(program, "time");
        let next = if same { "your program's own" } else { "another than your program's" };
        attempt.report.line("time namespace of the next child", next);
        attempt.row_of_program();
    }
    attempt.release();
    let mut report = attempt.finish();

    let first = 40 + random() % 80;
    let [shell, option] = ["/bin/sh", "-c"];
    let program = exercise!().args(["1000", "2000", "--", shell, option]);
    let program = program.arg(format!("exit {first}"));
    let program = program.args(["--and", "3000", "4000", "--", shell, option, "exit 33"]);
    named_status(&mut report, "two COMMANDs with two statuses", (first, "FIRST"), program);
    let lines = ["monotonic of", "boottime of", "time namespace", "lab afterwards", "exit status"];
    assert_report!(report.table(&[&lines[..], &["left behind", "two COMMANDs"]].concat()), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    first    A     A    A    A    A    A    A       B
    second   A     A    A    A    A    A    A       C
    third    A     A    A    A    A    A    A       D
    program  A     A    A    A    A    A    A       A
    monotonic of the first: FIRST MONOTONIC s 0 ns
    boottime of the first: FIRST BOOTTIME s 0 ns
    monotonic of the second: SECOND MONOTONIC s 0 ns
    boottime of the second: SECOND BOOTTIME s 0 ns
    monotonic of the third: THIRD MONOTONIC s 0 ns
    boottime of the third: THIRD BOOTTIME s 0 ns
    time namespace of the next child: your program's own
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    two COMMANDs with two statuses: exit status FIRST, left behind: nothing
    ");
}

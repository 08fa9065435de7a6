//! `ch15-time MONOTONIC BOOTTIME -- COMMAND`: two clocks that are shifted for COMMAND.

use harness::look::{Kind, Namespace};
use harness::visit;
use harness::{Attempt, Report, Seen, assert_report, exercise, high_status, random, step};

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
    if let Some(command) = attempt.command() {
        for clock in ["monotonic", "boottime"] {
            attempt.look(&format!("offset of {clock}"), &command, move |it| offset(it, clock));
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

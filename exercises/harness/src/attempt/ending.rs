//! How a program ended, in words.

use std::io;

use lab::look::Process;
use lab::random;
use lab::sandbox::{self, Sandbox, Status, Wait};
use nix::errno::Errno;
use trace::Exit;

use super::Attempt;
use crate::report::Report;
use crate::variant;

impl Attempt {
    /// The exit status, or the signal.
    pub(super) fn status(&self) -> String {
        match self.run.ended().map(|ended| ended.status) {
            Some(Status::Exited(code)) => match self.released {
                Some(status) if code == i32::from(status) => "COMMAND's".to_owned(),
                Some(_) => format!("{code}, not COMMAND's"),
                None => code.to_string(),
            },
            Some(Status::Killed(signal)) => Exit::Killed(signal).to_string(),
            None => "unknown".to_owned(),
        }
    }

    /// Why a wait came to nothing.
    pub(super) fn stopped(&self, wait: Wait) -> String {
        match wait {
            Wait::TimedOut => {
                let patience = self.run.patience().unwrap_or_else(sandbox::patience);
                let seconds = patience.as_secs_f64();
                let mut text = format!("still running after {seconds} s");
                if let Some(call) = self.run.program().waits_in() {
                    text += &format!(", in {call}");
                }
                let children = self.run.program().children();
                let alive = children.iter().find(|child| !child.has_ended());
                if let Some(call) = alive.and_then(Process::waits_in) {
                    text += &format!("; its child in {call}");
                }
                text
            }
            wait => wait.stopped().unwrap_or_else(|| self.status()),
        }
    }
}

/// Runs the program once more, with a COMMAND whose exit status is more than a signed byte holds, and
/// enters the end. `program` has all arguments except those from `--` on.
pub fn high_status(report: &mut Report, program: Sandbox) {
    let status = 200 + random() % 50;
    let shell = ["--", "/bin/sh", "-c", &format!("exit {status}")];
    named_status(report, "a COMMAND with a high status", (status, "HIGH"), program.args(shell));
}

/// Runs the program, and enters the end. An exit status that no program can guess has a name there.
pub fn named_status(report: &mut Report, key: &str, (status, name): (u64, &str), program: Sandbox) {
    let finished = Attempt::start(program).finish();
    report.role(&format!("exit status {status},"), &format!("exit status {name},"));
    report.ending(key, &finished);
}

/// What is printed where the lab cannot be made to refuse a call.
const NOT_ARRANGED: &str = "the refusal could not be arranged";

/// Lets the program run where no more namespaces of a kind (`uts`, `pid`, …) may be made.
pub fn no_more_namespaces(program: Sandbox, kind: &str) -> Sandbox {
    let limit = format!("echo 0 > /proc/sys/user/max_{kind}_namespaces");
    program.script(&if_arranged(&limit, ""))
}

/// Lets the program run where something hides a part of `/proc` and cannot be unmounted, so that the kernel
/// mounts no proc there. That is in a user and a mount namespace of its own, and the lab is as it was.
pub fn no_new_proc(program: Sandbox) -> Sandbox {
    const BELOW: &str = "unshare --user --map-root-user --mount";
    let hidden = format!("mount -t tmpfs none /proc/sys && {BELOW} true");
    let script = "exec unshare --mount sh -c \"$HIDDEN\" \"$0\" \"$@\"";
    program.env("HIDDEN", &if_arranged(&hidden, BELOW)).script(script)
}

/// A script that executes the program, by way of another one or directly, if `command` succeeds.
fn if_arranged(command: &str, by_way_of: &str) -> String {
    let program = format!("exec {by_way_of} \"$0\" \"$@\"");
    format!("if {command}; then {program}; else echo '{NOT_ARRANGED}'; fi")
}

/// Runs the program where the kernel refuses one of its calls, and enters what it does then. `program` has
/// all arguments except those from `--` on.
pub fn refused(report: &mut Report, key: &str, program: Sandbox) {
    let program = program.args(["--", "/bin/echo", "COMMAND has run"]);
    let mut attempt = Attempt::start(program);
    let wait = attempt.run.await_end();
    attempt.lost = Some(wait).filter(|wait| *wait != Wait::Reached);
    attempt.await_those_left_behind();
    // What they have printed since.
    attempt.run.await_end();
    let has_run = attempt.run.stdout().contains("COMMAND has run");
    let finished = attempt.finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let status = fact("exit status");
    let failed = match variant::current().and_then(|variant| variant.failure) {
        Some(asked) if status != asked.to_string() => format!("exits with {status}, not {asked}"),
        None if status == "0" => "succeeds".to_owned(),
        // It has not exited at all.
        None if ["killed by ", "still running"].iter().any(|start| status.starts_with(start)) => {
            format!("is {status}")
        }
        _ => "fails".to_owned(),
    };
    let command = match has_run {
        true => "COMMAND is started",
        false if finished.fact("stdout").is_some_and(|text| text == NOT_ARRANGED) => NOT_ARRANGED,
        false => "COMMAND is not started",
    };
    let left = fact("left behind");
    let lab = match fact("lab afterwards") {
        lab if lab == "unchanged" => format!("the lab is {lab}"),
        // Such as "the host name is NAME".
        lab => format!("in the lab {lab}"),
    };
    let all = format!("{command}, your program {failed}, left behind: {left}, {lab}");
    report.of_run(key, all, &finished);
}

/// Enters a fact of a run in which nothing was refused: beside [`refused`] alone, a program that never
/// starts anything would pass as well.
pub fn not_refused(report: &mut Report, key: &str, fact: &str, run: &Report) {
    let found = run.fact(fact).unwrap_or("never started".to_owned());
    report.of_run(key, found, run);
}

/// Whether a message may be about this errno: it says so, or ends with its number.
pub fn names_errno(message: &str, errno: Errno) -> bool {
    let number = (errno as i32).to_string();
    spells_errno(message, errno) || tokens(message).last() == Some(&number.as_str())
}

/// Whether a message says that it is about this errno: in words, by its name, or by its number after a word
/// such as `errno`. Another number could be a pid.
pub fn spells_errno(message: &str, errno: Errno) -> bool {
    let words = io::Error::from(errno).to_string();
    // "Inappropriate ioctl for device (os error 25)", where nix has "Not a typewriter".
    let words = words.split(" (os error").next().unwrap_or_default();
    let lower = message.to_lowercase();
    if [words, errno.desc()].iter().any(|words| lower.contains(&words.to_lowercase())) {
        return true;
    }
    let tokens = tokens(message);
    let (name, number) = (format!("{errno:?}"), (errno as i32).to_string());
    let announced =
        |before: &str| ["error", "errno", "code"].contains(&before.to_lowercase().as_str());
    tokens.contains(&name.as_str())
        || tokens.windows(2).any(|pair| announced(pair[0]) && pair[1] == number)
}

/// Its words, names and numbers.
fn tokens(message: &str) -> Vec<&str> {
    let is_separator = |character: char| !character.is_alphanumeric() && character != '_';
    message.split(is_separator).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_has_three_names() {
        for message in [
            "open: No such file or directory",
            "execve(\"/x\"): ENOENT: No such file or directory",
            "no such file or directory: /x",
            "open failed (os error 2)",
            "open: errno=2, giving up",
            "open /x: 2",
        ] {
            assert!(names_errno(message, Errno::ENOENT), "{message}");
            assert!(!names_errno(message, Errno::EPERM), "{message}");
        }
        for message in ["Inappropriate ioctl for device", "ENOTTY: Not a typewriter"] {
            assert!(names_errno(message, Errno::ENOTTY), "{message}");
        }
        for message in ["", "pid 2 is gone", "MY_ENOENT", "error 22"] {
            assert!(!names_errno(message, Errno::ENOENT), "{message}");
        }
        assert!(!spells_errno("no answer for 2", Errno::ENOENT), "2 may be a pid");
        assert!(spells_errno("open failed (os error 2)", Errno::ENOENT));
    }
}

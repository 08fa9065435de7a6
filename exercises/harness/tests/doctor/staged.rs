//! Each environment is set up in a process of its own.
//!
//! The test binary starts itself again with [`STAGE`] set. Before `main` there is one thread, so
//! unshare(2) with a user namespace works, and a filter applies to the whole process.

mod environments;
mod filter;
mod landlock;

use std::ffi::OsStr;
use std::fmt;
use std::process::{Command, Stdio, exit};

use harness::Attempt;
use harness::doctor::{self, Answer};
use harness::sandbox::{Sandbox, WITNESS};

const STAGE: &str = "NAMESPACES_BY_HAND_STAGE";

/// The exit status if an environment could not be set up. The reason is the last line of the output.
const NOT_STAGED: i32 = 77;

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

extern "C" fn entry() {
    let Some(stage) = std::env::var_os(STAGE) else { return };
    // The supervisor of the sandbox is this program once more, and must not stage anything.
    // SAFETY: there is one thread, and no pointer into the environment is kept.
    unsafe { std::env::remove_var(STAGE) };
    match environments::enter(stage.to_str().unwrap_or_default()) {
        Ok(()) => {
            print_what_is_seen();
            exit(0)
        }
        Err(reason) => {
            println!("{reason}");
            exit(NOT_STAGED)
        }
    }
}

/// Prints lines of `name = value` from inside the environment.
fn print_what_is_seen() {
    if let Err(error) = Sandbox::command(WITNESS).start() {
        let advice = doctor::explain(&error);
        println!("place = {}", error.at);
        println!("errno = {:?}", error.errno);
        println!("call = {}", error.call);
        println!("row = {}", advice.environments.join(" "));
        println!("cause = {}", advice.cause);
        println!("help = {}", advice.remedy);
        println!("verdict = {}", verdict());
    }
    println!("recorded = {}", recorded());
    let examination = doctor::examine();
    let (mut refused, mut newer) = (Vec::new(), Vec::new());
    for finding in &examination.findings {
        match &finding.answer {
            // Many machines have no delegated cgroup. No chapter depends on one.
            Answer::Refused(..) if finding.name.starts_with("cgroup_") => {}
            Answer::Refused(refusal, advice) => {
                if refused.is_empty() {
                    println!("doctor call = {}: {}", refusal.call, refusal.errno_name());
                    println!("doctor row = {}", advice.environments.join(" "));
                    println!("doctor cause = {}", advice.cause);
                    println!("doctor help = {}", advice.remedy);
                }
                refused.push(finding.name);
            }
            Answer::Newer(..) => newer.push(finding.name),
            Answer::Works | Answer::NotTried(_) => {}
        }
    }
    println!("refused = {}", refused.join(" "));
    println!("newer = {}", newer.join(" "));
    let chapters = (1..=17).filter(|chapter| examination.can_check(*chapter));
    let chapters: Vec<_> = chapters.map(|chapter| chapter.to_string()).collect();
    println!("chapters = {}", chapters.join(" "));
}

/// A run with the recorder beside it: how it ended, and the trace's last call or why there is none.
fn recorded() -> String {
    let Ok(mut run) = Sandbox::command("/bin/true").record().start() else {
        return "no sandbox".to_owned();
    };
    let wait = run.await_end();
    match run.trace() {
        Ok(trace) => format!("{wait:?}, {}", trace.events.last().map_or("", |event| &event.text)),
        Err(why) => format!("{wait:?}, {why}"),
    }
}

/// The first line of what a check says where its sandbox is refused.
fn verdict() -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::panic::catch_unwind(|| drop(Attempt::start(Sandbox::new("/bin/true"))));
    let said = started.err().and_then(|said| said.downcast::<String>().ok());
    said.and_then(|said| said.lines().next().map(str::to_owned)).unwrap_or_default()
}

/// The output of such a process.
pub(crate) struct Seen(String);

impl Seen {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (key, value) = line.split_once(" =")?;
            (key == name).then(|| value.trim())
        })
    }

    /// The place at which the sandbox was refused, the errno, and the row that explains it.
    pub(crate) fn sandbox(&self) -> Option<[String; 3]> {
        let value = |name| self.value(name).unwrap_or_default().to_owned();
        self.value("place").map(|_| ["place", "errno", "row"].map(value))
    }
}

impl Seen {
    /// The first of the doctor's attempts that was refused, the errno, and the row that explains it.
    pub(crate) fn doctor(&self) -> [String; 3] {
        let value = |name| self.value(name).unwrap_or_default();
        let place = value("refused").split(' ').next().unwrap_or_default();
        let errno = value("doctor call").rsplit(": ").next().unwrap_or_default();
        [place, errno, value("doctor row")].map(str::to_owned)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "in that environment:\n{}", self.0)
    }
}

/// Looks at an environment.
///
/// # Errors
///
/// Why it cannot be set up on this machine.
pub(crate) fn in_environment(name: &str) -> Result<Seen, String> {
    let run = |stage: &OsStr| {
        let output = Command::new("/proc/self/exe")
            .env(STAGE, stage)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        output.map_err(|error| format!("this program could not be started again: {error}"))
    };
    let output = run(name.as_ref())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(Seen(text)),
        Some(NOT_STAGED) => Err(text.lines().last().unwrap_or("it does not say why").to_owned()),
        _ => panic!("the stage `{name}` ended with {}\n{text}", output.status),
    }
}

//! What each program that starts a box gives its command: asked from inside, by the same few commands.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::boxes::{Bundle, Starter};
use xtask::shared::screen::print;

/// A variable of the environment of each program, which its command should not have.
const SECRET: &str = "BENCH_SECRET";

/// The command that has to end with its starter: no other process sleeps for this long.
const LONG: &str = "86321";

/// Prints a table with a column for each starter.
pub(super) fn print_table(starters: &[Starter], bundle: &Bundle) {
    let columns: Vec<_> = starters.iter().map(|starter| facts(starter, bundle)).collect();
    print("\nwhat the command has, and what becomes of it\n\n");
    let names = starters.iter().map(|starter| format!("{:>14}", starter.short)).collect::<String>();
    print(&format!("{:24}{names}\n", ""));
    for row in ROWS {
        let cells = columns.iter().map(|column| match column {
            Ok(facts) => format!("{:>14}", facts[row]),
            Err(_) => format!("{:>14}", "-"),
        });
        print(&format!("{row:24}{}\n", cells.collect::<String>()));
    }
    for (starter, column) in starters.iter().zip(&columns) {
        if let Err(error) = column {
            print(&format!("{}: not asked: {error}\n", starter.short));
        }
    }
}

const ROWS: [&str; 11] = [
    "new namespaces",
    "its pid",
    "root directory",
    "capabilities",
    "no_new_privs",
    "seccomp filter",
    "session",
    "descriptor 7",
    "your environment",
    "limit on processes",
    "starter gets SIGKILL",
];

fn facts(starter: &Starter, bundle: &Bundle) -> Result<HashMap<&'static str, String>, String> {
    let ask = |command: &[&str]| output(&starter.words(bundle, command)?);
    let status = ask(&["/bin/cat", "/proc/self/status"])?;
    let field = |name: &str| field(&status, name);
    let stat = ask(&["/bin/cat", "/proc/self/stat"])?;
    let is =
        |yes: bool, then: &str, otherwise: &str| (if yes { then } else { otherwise }).to_owned();

    let mut facts = HashMap::new();
    facts.insert("new namespaces", new_namespaces(&ask(&["/bin/ls", "-l", "/proc/self/ns"])?));
    facts.insert("its pid", field("Pid"));
    let mounts = ask(&["/bin/cat", "/proc/self/mountinfo"])?;
    let is_read_only = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        words.get(4) == Some(&"/") && words.get(5).is_some_and(|word| word.starts_with("ro"))
    };
    facts.insert("root directory", is(mounts.lines().any(is_read_only), "read-only", "writable"));
    let many = |set: &str| u64::from_str_radix(&field(set), 16).unwrap_or_default().count_ones();
    // The second number is the most that a later exec can give.
    facts.insert("capabilities", format!("{} of {}", many("CapEff"), many("CapBnd")));
    facts.insert("no_new_privs", is(field("NoNewPrivs") == "1", "set", "not set"));
    facts.insert("seccomp filter", is(field("Seccomp") == "2", "yes", "no"));
    // The session is 0 if its leader is in none of the box's PID namespaces.
    let session = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(3));
    facts.insert("session", is(session == Some("0"), "yours", "its own"));
    let descriptors = ask(&["/bin/ls", "/proc/self/fd"])?;
    facts.insert("descriptor 7", is(descriptors.lines().any(|it| it == "7"), "open", "closed"));
    let environment = ask(&["/bin/cat", "/proc/self/environ"])?;
    facts.insert("your environment", is(environment.contains(SECRET), "there", "gone"));
    let (own, inside) = (
        hard_limit(&read("/proc/self/limits")?),
        hard_limit(&ask(&["/bin/cat", "/proc/self/limits"])?),
    );
    facts.insert("limit on processes", is(own == inside, "yours", "lower"));
    let outlives = outlives(&starter.words(bundle, &["/bin/sleep", LONG])?)?;
    starter.clean_up(bundle)?;
    facts.insert("starter gets SIGKILL", is(outlives, "it goes on", "it ends"));
    Ok(facts)
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// A field of `/proc/PID/status`.
fn field(status: &str, name: &str) -> String {
    let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_default().trim().to_owned()
}

/// The hard limit in the line `Max processes`.
fn hard_limit(limits: &str) -> Option<String> {
    let line = limits.lines().find(|line| line.starts_with("Max processes"))?;
    line.split_ascii_whitespace().nth(3).map(str::to_owned)
}

/// How many of the links in a listing of `/proc/PID/ns` are others than those of this process.
fn new_namespaces(listing: &str) -> String {
    let links = listing.lines().filter_map(|line| line.split_once(" -> "));
    let is_new = |(name, link): &(&str, &str)| {
        let name = name.rsplit(' ').next().unwrap_or_default();
        let own = fs::read_link(format!("/proc/self/ns/{name}"));
        !name.ends_with("_for_children") && own.is_ok_and(|own| own.to_str() != Some(link))
    };
    links.filter(is_new).count().to_string()
}

/// The program as a careless parent starts it: with its environment, and with one descriptor too many.
fn command(words: &[String]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec \"$@\" 7< /", "sh"]).args(words).env(SECRET, "1");
    command.stdin(Stdio::null());
    command
}

fn output(words: &[String]) -> Result<String, String> {
    let output = command(words).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{}: {}", output.status, said.lines().last().unwrap_or_default()))
        }
    }
}

/// Whether a command that sleeps for long is still there after its starter has been killed. It is ended here.
fn outlives(words: &[String]) -> Result<bool, String> {
    let silent = || Stdio::null();
    let mut starter =
        command(words).stdout(silent()).stderr(silent()).spawn().map_err(|it| it.to_string())?;
    let started = within(Duration::from_secs(5), || sleeper().is_some());
    _ = starter.kill();
    _ = starter.wait();
    if !started {
        return Err("its command has not started".to_owned());
    }
    let ended = within(Duration::from_secs(1), || sleeper().is_none());
    if let Some(pid) = sleeper() {
        _ = kill(pid, Signal::SIGKILL);
    }
    Ok(!ended)
}

fn within(patience: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(10));
    }
    true
}

/// The process that is the long sleep, and no starter of one.
fn sleeper() -> Option<Pid> {
    let wanted = format!("/bin/sleep\0{LONG}\0");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (fs::read(entry.path().join("cmdline")).ok()? == wanted.as_bytes())
            .then(|| Pid::from_raw(pid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        let status = "Pid:\t2\nCapBnd:\t0000000000000000\n";
        assert_eq!((field(status, "Pid"), field(status, "Seccomp")), ("2".into(), String::new()));
        let limits =
            "Max processes             128                  256                  processes\n";
        assert_eq!(hard_limit(limits).as_deref(), Some("256"));
        let own = fs::read_link("/proc/self/ns/uts").unwrap();
        let links = format!(
            "l uts -> {}\nl net -> net:[1]\nl pid_for_children -> pid:[1]\n",
            own.display()
        );
        assert_eq!(new_namespaces(&links), "1");
    }
}

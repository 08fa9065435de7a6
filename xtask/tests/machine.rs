//! A right program on machines that lack something: the check passes, or it says what is missing, with exit
//! status 3. It never fails. The environments are real; the program is the solution of chapter 10, whose check
//! needs the most processes.

#[macro_use]
#[path = "../../exercises/lab/tests/common/skip.rs"]
mod skip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use assert_cmd::cargo::cargo_bin;
use harness::look::kernel;
use serde_json::Value;

const CHAPTER: &str = "ch10-init";

/// `None` if the shell could not set the environment up.
struct Checked {
    code: i32,
    /// The outcomes of the objects of `--json`, and the numbers of the last one.
    outcomes: Vec<String>,
    last: Value,
    xml: String,
    said: String,
}

/// The exit status of a script that could not set the environment up.
const NOT_STAGED: i32 = 77;

/// Checks the solution in the environment that a script makes. The script ends with `"$@"`.
fn check(name: &str, script: &str) -> Option<Checked> {
    let xml = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("machine {name}.xml"));
    _ = fs::remove_file(&xml);
    let output = in_environment(script, &["check", CHAPTER, "--json", "--junit"], &xml);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() == Some(NOT_STAGED) {
        skip!(Kernel: "the environment `{name}` cannot be set up here: {said}");
        return None;
    }
    let objects = out.lines().map(serde_json::from_str);
    let mut objects: Vec<Value> = objects.collect::<Result<_, _>>().expect(&said);
    let last = objects.pop().unwrap_or_else(|| panic!("{name} printed nothing: {said}"));
    let outcomes = objects.iter().map(|it| it["outcome"].as_str().unwrap_or_default().to_owned());
    Some(Checked {
        code: output.status.code().unwrap_or(-1),
        outcomes: outcomes.collect(),
        last,
        xml: fs::read_to_string(xml).unwrap_or_default(),
        said: format!("{name}\n{out}\n{said}"),
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs xtask in an environment. The script is bash's, for its ulimit.
fn in_environment(script: &str, words: &[&str], last: &Path) -> Output {
    let xtask = cargo_bin!("xtask");
    let solution = xtask.with_file_name(format!("{CHAPTER}-solution"));
    let mut shell = Command::new("bash");
    shell
        .args(["-c", script, "bash"])
        .arg(xtask)
        .args(words)
        .arg(last)
        .env("NAMESPACES_BY_HAND_ROOT", root())
        .env("NAMESPACES_BY_HAND_PROGRAM", built(solution))
        .current_dir(root());
    shell.output().unwrap()
}

/// Cargo builds the solutions together with their tests, and alone this test builds one.
fn built(program: PathBuf) -> PathBuf {
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package"]).arg(format!("{CHAPTER}-solution"));
        assert!(cargo.status().unwrap().success());
    }
    program
}

impl Checked {
    /// Passed or not checked, in all that it says.
    #[track_caller]
    fn is_no_failure(&self) -> &Checked {
        let all = |wanted: &str| self.outcomes.iter().all(|outcome| outcome == wanted);
        let counts = |key: &str| self.last[key].as_u64().unwrap_or(99);
        assert!([0, 3].contains(&self.code), "{}: {}", self.code, self.said);
        assert!(!self.said.contains("panicked"), "{}", self.said);
        assert_eq!(all("passed"), self.code == 0, "{}", self.said);
        assert!(self.outcomes.iter().all(|it| it == "passed" || it == "cannot"), "{}", self.said);
        let numbers = [counts("passed"), counts("failed"), counts("cannot")];
        let wanted = if self.code == 0 { [1, 0, 0] } else { [0, 0, 1] };
        assert_eq!(numbers, wanted, "{}", self.said);
        assert!(self.xml.contains(r#"failures="0" errors="0""#), "{}", self.xml);
        assert_eq!(self.xml.contains("<skipped message="), self.code == 3, "{}", self.xml);
        self
    }

    /// Not checked, and this is said to be the cause.
    #[track_caller]
    fn cannot(&self, cause: &str) {
        self.is_no_failure();
        assert_eq!(self.code, 3, "{}", self.said);
        assert!(self.said.contains(cause), "{}", self.said);
    }
}

#[test]
fn soft_limits_are_raised() {
    let limits = "ulimit -S -u 150; ulimit -S -v 900000; ulimit -S -d 200000; ulimit -S -t 9; \
                  ulimit -S -f 9000; ulimit -S -n 64; ulimit -S -q 0";
    let Some(checked) = check("soft limits", &format!("{limits} || exit 77; exec \"$@\"")) else {
        return;
    };
    assert_eq!(checked.is_no_failure().code, 0, "{}", checked.said);
}

#[test]
fn a_hard_limit_that_is_too_low_is_no_verdict() {
    for (name, limit) in [
        ("RLIMIT_NPROC", "ulimit -u 40"),
        ("RLIMIT_NPROC", "ulimit -u 100"),
        ("RLIMIT_NOFILE", "ulimit -n 100"),
        ("RLIMIT_DATA", "ulimit -d 262144"),
        ("RLIMIT_AS", "ulimit -v 524288"),
        ("RLIMIT_FSIZE", "ulimit -f 100"),
        ("RLIMIT_CPU", "ulimit -t 5"),
    ] {
        // Root of the machine may raise it again, but not in a user namespace.
        let script = format!("{limit} && exec unshare --map-current-user \"$@\" || exit 77");
        if let Some(checked) = check(limit, &script) {
            checked.cannot(&format!("{name} is "));
        }
    }
}

/// A PID namespace with so many pids that can be used: those below 300 are given only once.
fn few_pids(usable: u32) -> String {
    let most = 300 + usable;
    let inside = format!(
        "echo {most} > /proc/sys/kernel/pid_max || exit 77\n\
         for ((i = 0; i < {most}; i++)); do (:); done\n\
         \"$@\""
    );
    let unshare = "unshare --user --map-root-user --pid --fork --mount-proc";
    format!("{unshare} true || exit 77; exec {unshare} bash -c '{inside}' bash \"$@\"")
}

#[test]
fn too_few_processes_are_no_verdict() {
    // Here it would be the whole machine that has few.
    if !kernel::pid_max_is_of_a_namespace() {
        return skip!(Kernel: "few pids: it needs Linux 6.14, where each PID namespace has a pid_max");
    }
    for usable in [8, 45, 90] {
        if let Some(checked) = check("few pids", &few_pids(usable)) {
            checked.is_no_failure();
        }
    }
}

#[test]
fn a_proc_that_hides_processes_is_no_verdict() {
    for option in ["hidepid=1", "hidepid=2"] {
        // Nothing is hidden from a process with the capability, nor from one in the group 0.
        let inside = format!(
            "mount -t proc -o {option} proc /proc && exec setpriv --bounding-set=-sys_ptrace \
             --inh-caps=-sys_ptrace \"$@\""
        );
        let script = format!(
            "[ $(id -g) != 0 ] || group=\"setpriv --regid 65534 --clear-groups\"\n\
             $group true || exit 77\n\
             exec $group unshare --map-root-user --mount --pid --fork bash -c '{inside} || exit 77' bash \"$@\""
        );
        if let Some(checked) = check(option, &script) {
            checked.cannot("/proc is mounted with the option hidepid");
        }
    }
}

#[test]
fn a_machine_that_lacks_nothing_passes() {
    let checked = check("as it is", "exec \"$@\"").unwrap();
    assert_eq!(checked.is_no_failure().code, 0, "{}", checked.said);
}

/// The check, and with it the program, gets a hundredth of a processor: it has the lowest priority, beside
/// busy processes.
#[test]
fn a_loaded_machine_is_no_verdict() {
    let check = check_of_the_solution();
    let verdict = Path::new(env!("CARGO_TARGET_TMPDIR")).join("machine loaded.json");
    _ = fs::remove_file(&verdict);
    let busy = thread::available_parallelism().map_or(2, usize::from) * 2;
    let mut busy: Vec<Child> = (0..busy)
        .map(|_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())
        .collect();
    let status = Command::new("nice")
        .args(["-n", "19"])
        .arg(check)
        .args(["--exact", "step1_command_is_a_child_of_pid_1"])
        .env("NAMESPACES_BY_HAND_ROOT", root())
        .env("NAMESPACES_BY_HAND_VERDICT", &verdict)
        .current_dir(root().join("exercises").join(CHAPTER))
        .stdout(Stdio::null())
        .status();
    busy.iter_mut().for_each(|process| {
        process.kill().unwrap();
        process.wait().unwrap();
    });
    let status = status.unwrap();
    let text = fs::read_to_string(verdict).unwrap();
    let outcome = &serde_json::from_str::<Value>(&text).unwrap()["outcome"];
    assert!(outcome == "passed" || outcome == "cannot", "{text}");
    assert_eq!(status.code(), Some(if outcome == "passed" { 0 } else { 3 }), "{text}");
}

/// The test program of the chapter's solution, from what cargo says of its build.
fn check_of_the_solution() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--no-run", "--test", "check", "--message-format=json"]);
    let output = cargo.arg("--package").arg(format!("{CHAPTER}-solution")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let built = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut checks = built.filter(|message| message["target"]["kind"][0] == "test");
    PathBuf::from(checks.find_map(|check| Some(check["executable"].as_str()?.to_owned())).unwrap())
}

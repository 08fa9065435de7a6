//! The attacks on cgroups as an ordinary user who has delegated ones: then the program's id is the one
//! that owns them. It takes root to delegate.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::sync::mpsc;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use harness::sandbox::{self, Sandbox, patience};

use super::corpus::CORPUS;
use super::{LONG, all, an_ordinary_run, attempts, beside_others, mark, skip};

/// The first argument of a process that is that user.
pub(crate) const DELEGATED: &str = "--delegated";
/// A word in the names of these attacks.
const CGROUP: &str = "cgroup";
/// An id that no user of the machine and no sandbox has.
const USER: u32 = 0x7000_4141;
/// The exit status if that user finds no delegated cgroup.
const NOT_STAGED: i32 = 77;

/// In that user's process: prints a line for each attack that got through.
pub(crate) fn main() -> ! {
    let staged = sandbox::has_cgroups()
        .and_then(|()| Sandbox::command("/bin/true").cgroups().start())
        .map(|run| assert_eq!(run.ids(), Some([USER; 2]), "the user's id is the program's"));
    if let Err(why) = staged {
        println!("{why}");
        exit(NOT_STAGED);
    }
    let attempts = attempts(CORPUS).into_iter().filter(|(attack, _)| attack.name.contains(CGROUP));
    let wrong = all(&attempts.collect::<Vec<_>>(), 1);
    an_ordinary_run();
    println!("{}", wrong.join("\n"));
    exit(if wrong.is_empty() { 0 } else { 1 })
}

/// Two cgroups delegated to that user: one in which others can be made, and in it one for processes.
/// And a copy of this program that the user may read.
struct Stage {
    upper: PathBuf,
    copy: PathBuf,
}

impl Stage {
    /// # Errors
    ///
    /// Why there is no cgroup to delegate.
    fn set() -> Result<Stage, String> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut of_version_2 = mounts.lines().filter(|mount| mount.contains(" - cgroup2 "));
        let point = of_version_2.find_map(|mount| mount.split(' ').nth(4));
        let point = point.ok_or("no cgroups of version 2 are mounted")?;
        // From here on, dropping the stage removes what was made.
        let stage = Stage {
            upper: Path::new(point).join(mark()),
            copy: std::env::temp_dir().join(format!("{}-delegated", mark())),
        };
        let because = |error: std::io::Error| error.to_string();
        for folder in [stage.upper.clone(), stage.processes()] {
            fs::create_dir(&folder).map_err(because)?;
            for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                chown(folder.join(file), Some(USER), Some(USER)).map_err(because)?;
            }
        }
        // With these controllers, where version 2 has them, the sandbox can limit its cgroups.
        _ = fs::write(stage.upper.join("cgroup.subtree_control"), "+memory +pids");
        fs::create_dir(&stage.copy).map_err(because)?;
        fs::copy(std::env::current_exe().unwrap(), stage.program()).map_err(because)?;
        Ok(stage)
    }

    fn processes(&self) -> PathBuf {
        self.upper.join("check")
    }

    fn program(&self) -> PathBuf {
        self.copy.join("hostile")
    }

    /// The cgroups of sandboxes that still exist.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.upper).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("namespaces-by-hand-")).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.copy);
        // A process that has closed all its files may take a moment more to end.
        let deadline = Instant::now() + patience();
        for folder in [self.processes(), self.upper.clone()] {
            while fs::remove_dir(&folder)
                .is_err_and(|error| error.kind() == ErrorKind::ResourceBusy)
                && Instant::now() < deadline
            {
                sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn no_attack_on_delegated_cgroups_gets_through() {
    let _machine = beside_others();
    assert!(CORPUS.iter().any(|attack| attack.name.contains(CGROUP)));
    if !skip::is_root_of_the_machine() {
        return skip!(NotRoot: "attacks on delegated cgroups");
    }
    let stage = match Stage::set() {
        Ok(stage) => stage,
        Err(why) => return skip!(Cgroups: "attacks on delegated cgroups: {why}"),
    };
    let script = "echo 0 > \"$1\"/cgroup.procs && exec setpriv --reuid=$2 --regid=$2 \
                  --clear-groups --inh-caps=-all --bounding-set=-all \"$3\" $4";
    let mut user = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(stage.processes())
        .arg(USER.to_string())
        .arg(stage.program())
        .arg(DELEGATED)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both streams end with the user's last process, because no janitor holds them open.
    let (sender, output) = mpsc::channel();
    let mut streams = (user.stdout.take().unwrap(), user.stderr.take().unwrap());
    spawn(move || {
        let (mut said, mut errors) = (String::new(), String::new());
        _ = streams.0.read_to_string(&mut said);
        _ = streams.1.read_to_string(&mut errors);
        _ = sender.send((said, errors));
    });
    let status = user.wait().unwrap();
    let (said, errors) = output.recv_timeout(LONG).expect("a process holds the output open");
    println!("{said}");
    if status.code() == Some(NOT_STAGED) {
        return skip!(Cgroups: "attacks on delegated cgroups: {said}");
    }
    assert!(status.success(), "{status}: {said}{errors}");
    let deadline = Instant::now() + LONG;
    while !stage.left().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", stage.left());
        sleep(Duration::from_millis(10));
    }
}

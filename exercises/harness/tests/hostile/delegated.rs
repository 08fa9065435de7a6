//! The attacks on cgroups as an ordinary user to whom some are delegated: there the program's id is
//! the one that owns them. Root stages that, and says so where it cannot.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::sync::mpsc;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use harness::sandbox::{self, Sandbox, patience};
use nix::unistd::Uid;

use super::corpus::CORPUS;
use super::{LONG, MACHINE, all, an_honest_run, attempts, mark};

/// The first argument of a process that is that user.
pub(crate) const DELEGATED: &str = "--delegated";
/// Nobody's id, and none of a sandbox's.
const USER: u32 = 0x7000_4141;
/// The exit status of one that has no cgroups to give.
const NOT_STAGED: i32 = 77;

/// In that user's process: a line for each attack that got through.
pub(crate) fn main() -> ! {
    let staged = sandbox::has_cgroups()
        .and_then(|()| Sandbox::command("/bin/true").cgroups().start())
        .map(|run| assert_eq!(run.ids(), Some([USER; 2]), "its id is the program's"));
    if let Err(why) = staged {
        println!("{why}");
        exit(NOT_STAGED);
    }
    let attempts =
        attempts(CORPUS).into_iter().filter(|(attack, _)| attack.name.contains("cgroup"));
    let wrong = all(&attempts.collect::<Vec<_>>(), 1);
    an_honest_run();
    println!("{}", wrong.join("\n"));
    exit(if wrong.is_empty() { 0 } else { 1 })
}

/// Two cgroups of that user's: one that can have others, and one in it for the processes. A copy of
/// this program, where everybody may read.
struct Stage {
    upper: PathBuf,
    copy: PathBuf,
}

impl Stage {
    fn set() -> Result<Stage, String> {
        if !Uid::effective().is_root() {
            return Err("only root delegates".into());
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut of_version_2 = mounts.lines().filter(|mount| mount.contains(" - cgroup2 "));
        let point = of_version_2.find_map(|mount| mount.split(' ').nth(4));
        let point = point.ok_or("no cgroups of version 2 are mounted")?;
        // From here on, what was made goes with it.
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
        // Limits, where there are the controllers for it: then the sandbox has them to hand on.
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

    /// The cgroups of sandboxes.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.upper).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("namespaces-by-hand-")).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.copy);
        // Whoever has closed everything may be on the way out for a moment more.
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
fn no_attack_on_cgroups_gets_through_for_who_owns_them() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let stage = match Stage::set() {
        Ok(stage) => stage,
        Err(why) => return not_staged(&why),
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
    // Both end with the user's last process: no janitor holds them.
    let (tell, told) = mpsc::channel();
    let mut streams = (user.stdout.take().unwrap(), user.stderr.take().unwrap());
    spawn(move || {
        let (mut said, mut errors) = (String::new(), String::new());
        _ = streams.0.read_to_string(&mut said);
        _ = streams.1.read_to_string(&mut errors);
        _ = tell.send((said, errors));
    });
    let status = user.wait().unwrap();
    let (said, errors) = told.recv_timeout(LONG).expect("somebody holds its output");
    println!("{said}");
    if status.code() == Some(NOT_STAGED) {
        return not_staged(&said);
    }
    assert!(status.success(), "{status}: {said}{errors}");
    let deadline = Instant::now() + LONG;
    while !stage.left().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", stage.left());
        sleep(Duration::from_millis(10));
    }
}

fn not_staged(why: &str) {
    println!("skipped: attacks on the cgroups of an ordinary user: {}", why.trim());
}

//! `cargo xtask bench box [--runs N]`: what it costs to start chapter 17's box, beside container runtimes
//! and other programs that start one.
//!
//! In turn, each runs the same `/bin/true` in new namespaces of its own, in the same root directory, with a
//! /proc. Then each runs a few commands that print what they have. A program that is not installed, or does not
//! start here, is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::unistd::{getegid, geteuid};
use serde_json::{Value, json};

use super::facts;
use super::measure::{Ran, in_turn, quantile, way};
use xtask::shared::cargo::{Built, build_program};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::{Screen, print};

pub(super) fn run(runs: usize) -> Result {
    let package = format!("{}-solution", Chapter::find("ch17")?.name);
    let Built::Yes(program) = build_program(&package, Screen::stdout())? else {
        return Err(Failure::new(format!("{package} does not compile")));
    };
    let bundle = Bundle::make()?;
    let starters = starters(&program, &bundle);
    let words: Vec<_> = starters.iter().map(|it| it.words(&bundle, &["/bin/true"])).collect();
    let once = |words: &std::result::Result<Vec<String>, String>| start(words.as_ref()?);
    let ways: Vec<_> =
        starters.iter().zip(&words).map(|(it, words)| way(&it.name, move || once(words))).collect();
    let times = in_turn(&ways, runs);
    let first = times[0].as_ref().map(|times| quantile(times, 0.5)).unwrap_or(f64::NAN);
    print(&format!("median and 95th percentile of {runs} runs in turn, in ms\n\n"));
    print(&format!("{:36}{:>7}{:>7}{:>8}\n", "", "median", "95 %", "× box"));
    for (way, times) in ways.iter().zip(&times) {
        match times {
            Ok(times) => {
                let (median, most) = (quantile(times, 0.5), quantile(times, 0.95));
                print(&format!("{:36}{median:7.2}{most:7.2}{:8.2}\n", way.name, median / first));
            }
            Err(error) => print(&format!("{:36}not measured: {error}\n", way.name)),
        }
    }
    facts::print_table(&starters, &bundle);
    Ok(ExitCode::SUCCESS)
}

/// A program that starts a box.
pub(super) struct Starter {
    name: String,
    pub(super) short: &'static str,
    /// Its words up to the command. An OCI runtime reads the command from a file.
    words: Vec<String>,
    is_runtime: bool,
}

impl Starter {
    /// The words with which it runs this command in a box.
    pub(super) fn words(
        &self,
        bundle: &Bundle,
        command: &[&str],
    ) -> std::result::Result<Vec<String>, String> {
        if self.is_runtime {
            bundle.configure(command).map_err(|error| format!("config.json: {error}"))?;
            return Ok(self.words.clone());
        }
        let command = command.iter().map(|word| (*word).to_owned());
        Ok(self.words.iter().cloned().chain(command).collect())
    }

    /// Removes what a box leaves behind whose starter has been killed.
    pub(super) fn clean_up(&self, bundle: &Bundle) -> Ran {
        if self.is_runtime { bundle.delete_with(self.short) } else { Ok(()) }
    }
}

fn starters(program: &Path, bundle: &Bundle) -> Vec<Starter> {
    let root = bundle.at("rootfs");
    let starter = |name: &str, short, words: &str| {
        let words = words.split_ascii_whitespace();
        let words = words.map(|word| word.replace("ROOT", &root)).collect::<Vec<_>>();
        Starter { name: name.to_owned(), short, words, is_runtime: false }
    };
    let mut starters = vec![
        starter("ch17-box run", "ch17-box", "PROGRAM run ROOT --"),
        starter(
            "unshare(1), eight kinds and a chroot",
            "unshare",
            "unshare --user --map-root-user --mount --pid --fork --net --uts --ipc --cgroup \
             --time --root=ROOT --mount-proc --",
        ),
        starter(
            "bwrap, seven kinds",
            "bwrap",
            "bwrap --unshare-all --uid 0 --gid 0 --die-with-parent --ro-bind ROOT / \
             --proc /proc",
        ),
    ];
    starters[0].words[0] = program.to_string_lossy().into_owned();
    starters.extend(["crun", "runc", "youki"].map(|short| {
        let (name, words) = (format!("{short} run, seven kinds"), bundle.words(short));
        Starter { name, short, words, is_runtime: true }
    }));
    starters
}

/// Starts it, and waits for its end.
fn start(words: &[String]) -> Ran {
    let output = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{}: {}", output.status, said.lines().last().unwrap_or_default())),
    }
}

/// A folder with a root directory and an OCI configuration for it. Dropping it removes it.
pub(super) struct Bundle(PathBuf);

impl Bundle {
    pub(super) fn make() -> Result<Bundle> {
        let folder = std::env::temp_dir().join(format!("ch17-bench-{}", std::process::id()));
        let bundle = Bundle(folder);
        match bundle.fill() {
            Ok(()) => Ok(bundle),
            Err(error) => Err(Failure::new(format!("could not make a root directory: {error}"))),
        }
    }

    /// Starts the program with this runtime, and waits for its end.
    pub(super) fn run_with(&self, runtime: &str) -> Ran {
        start(&self.words(runtime))
    }

    fn words(&self, runtime: &str) -> Vec<String> {
        let name = format!("box-of-{runtime}");
        let words = [runtime, "--root", &self.at(runtime), "run", "--bundle", &self.at(""), &name];
        words.map(str::to_owned).to_vec()
    }

    /// Removes what a runtime has written down about its container, and the cgroup of that.
    fn delete_with(&self, runtime: &str) -> Ran {
        let name = format!("box-of-{runtime}");
        let words = [runtime, "--root", &self.at(runtime), "delete", "--force", &name];
        start(&words.map(str::to_owned))
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn fill(&self) -> std::io::Result<()> {
        let root = self.0.join("rootfs");
        for folder in ["proc", "dev"] {
            fs::create_dir_all(root.join(folder))?;
        }
        // The programs, their libraries, and the loader of those.
        let programs = ["/bin/true", "/bin/cat", "/bin/ls", "/bin/sleep"];
        let needed = Command::new("ldd").args(programs).output()?;
        let needed = String::from_utf8_lossy(&needed.stdout).into_owned();
        let paths = needed.split_ascii_whitespace().filter(|word| word.starts_with('/'));
        for path in paths.map(|path| path.trim_end_matches(':')).chain(programs) {
            let inside = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(inside.parent().unwrap_or(&root))?;
            fs::copy(path, inside)?;
        }
        self.configure(&["/bin/true"])
    }

    /// Writes the configuration of a container that runs this command.
    fn configure(&self, command: &[&str]) -> std::io::Result<()> {
        fs::write(self.0.join("config.json"), config(command))
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, which empties its folder for temporary files.
        _ = fs::remove_dir_all(&self.0);
    }
}

/// As little as the OCI runtime specification requires. All runtimes put files into `/dev`.
fn config(command: &[&str]) -> String {
    let sets = ["bounding", "effective", "permitted", "inheritable", "ambient"];
    let no_capabilities: Value =
        sets.map(|set| (set, Value::Array(Vec::new()))).into_iter().collect();
    let kinds = ["user", "mount", "pid", "network", "uts", "ipc", "cgroup"];
    let map = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    json!({
        "ociVersion": "1.0.2",
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "box",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": command,
            "env": ["PATH=/bin"],
            "cwd": "/",
            "noNewPrivileges": true,
            "capabilities": no_capabilities,
        },
        "mounts": [
            {
                "destination": "/proc", "type": "proc", "source": "proc",
                "options": ["nosuid", "nodev", "noexec"],
            },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"] },
        ],
        "linux": {
            "cgroupsPath": "/ch17-bench",
            "uidMappings": map(geteuid().as_raw()),
            "gidMappings": map(getegid().as_raw()),
            "namespaces": kinds.map(|kind| json!({ "type": kind })),
        },
    })
    .to_string()
}

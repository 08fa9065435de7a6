//! `cargo xtask bench box [--runs N]`: what it costs to start chapter 17's box, beside container runtimes
//! and other programs that start one.
//!
//! In turn, each runs the same `/bin/true` in new namespaces of its own, in the same read-only root
//! directory, with a /proc. A program that is not installed, or does not start here, is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::unistd::{getegid, geteuid};
use serde_json::{Value, json};

use super::measure::{Ran, in_turn, quantile, way};
use crate::shared::cargo::{Built, build_program};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::{Screen, print};

pub(super) fn run(runs: usize) -> Result {
    let package = format!("{}-solution", Chapter::find("ch17")?.name);
    let Built::Yes(program) = build_program(&package, Screen::stdout())? else {
        return Err(Failure::new(format!("{package} does not compile")));
    };
    let bundle = Bundle::make()?;
    let programs = programs(&program, &bundle);
    let ways: Vec<_> = programs.iter().map(|(name, words)| way(name, || start(words))).collect();
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
    Ok(ExitCode::SUCCESS)
}

/// Names, and the words with which each starts a box around `/bin/true`.
fn programs(program: &Path, bundle: &Bundle) -> Vec<(String, Vec<String>)> {
    let root = bundle.at("rootfs");
    let split = |words: &str| {
        let words = words.split_ascii_whitespace();
        words.map(|word| word.replace("ROOT", &root)).collect::<Vec<_>>()
    };
    let mut programs = vec![
        ("ch17-box run", split("PROGRAM run ROOT -- /bin/true")),
        (
            "unshare(1), eight kinds and a chroot",
            split(
                "unshare --user --map-root-user --mount --pid --fork --net --uts --ipc --cgroup \
                 --time --root=ROOT --mount-proc -- /bin/true",
            ),
        ),
        (
            "bwrap, seven kinds",
            split(
                "bwrap --unshare-all --uid 0 --gid 0 --die-with-parent --ro-bind ROOT / \
                 --proc /proc /bin/true",
            ),
        ),
    ];
    programs[0].1[0] = program.to_string_lossy().into_owned();
    let runtimes = ["crun", "runc", "youki"];
    let runtimes =
        runtimes.map(|runtime| (format!("{runtime} run, seven kinds"), bundle.words(runtime)));
    let programs = programs.into_iter().map(|(name, words)| (name.to_owned(), words));
    programs.chain(runtimes).collect()
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

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn fill(&self) -> std::io::Result<()> {
        let root = self.0.join("rootfs");
        for folder in ["proc", "dev"] {
            fs::create_dir_all(root.join(folder))?;
        }
        // The program, its libraries, and their loader.
        let needed = Command::new("ldd").arg("/bin/true").output()?;
        let needed = String::from_utf8_lossy(&needed.stdout).into_owned();
        let paths = needed.split_ascii_whitespace().filter(|word| word.starts_with('/'));
        for path in paths.chain(["/bin/true"]) {
            let inside = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(inside.parent().unwrap_or(&root))?;
            fs::copy(path, inside)?;
        }
        fs::write(self.0.join("config.json"), config())
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, which empties its folder for temporary files.
        _ = fs::remove_dir_all(&self.0);
    }
}

/// As little as the OCI runtime specification requires. All runtimes put files into `/dev`.
fn config() -> String {
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
            "args": ["/bin/true"],
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

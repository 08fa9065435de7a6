//! A run that is killed at any moment, and a machine that loses its power: no result is lost, none is made twice,
//! and nothing is left.
//!
//! `NAMESPACES_BY_HAND_KILLS=200` kills so often, instead of a few times.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{BROKEN, CHAPTER, Course, solution, stub};
use grade::result::Graded;
use harness::{moment, random};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// The trees of texts and results, of which the last one is written last.
const TREES: [(&str, &str); 3] = [("log", "md"), ("feedback", "md"), ("results", "json")];

/// How long what was started may take to end after its parent.
const SETTLE: Duration = Duration::from_secs(30);

#[test]
fn a_run_that_is_killed_at_any_moment_goes_on() {
    slow!();
    let (few, many) = (8, std::env::var("NAMESPACES_BY_HAND_KILLS"));
    let wanted_kills: usize = many.map_or(few, |many| many.parse().expect("it is a number"));
    // Whatever loses its parent becomes a child of this process, which can wait for it.
    set_child_subreaper(true).unwrap();
    let course = course();
    // The first run may build the course, which takes longer than all that follows.
    course.grade("built", &[]);
    let start = Instant::now();
    course.grade("whole", &[]);
    let took = start.elapsed();
    let wanted = without_times(&results(&course.at("whole")));
    let (mounts, cgroups) = (mounts(), cgroups());

    let (mut kills, mut writes) = (0, 0);
    for round in 0.. {
        let out = format!("out{round}");
        let mut known = BTreeMap::new();
        loop {
            prepare(&course, &out);
            let mut run = start_run(&course, &out);
            // By the clock the compiler or a check is running, and hardly ever is a file being written.
            let at_a_write = kills % 2 == 1;
            let ended = match at_a_write {
                true => await_write(&mut run, &course.at(&out)),
                false => await_moment(&mut run, moment(took)),
            };
            if ended {
                assert!(run.wait().unwrap().success());
                break;
            }
            // As all is in one moment: a copy of this is what a machine without power has kept.
            signal(&run, Signal::SIGSTOP);
            let lost = format!("lost{kills}");
            copy(&course.at(&out), &course.at(&lost));
            // The first process alone, or all that it has started as well.
            match random() % 2 {
                0 => run.kill().unwrap(),
                _ => signal(&run, Signal::SIGKILL),
            }
            run.wait().unwrap();
            // What is still stopped would never end.
            _ = kill(group(&run), Signal::SIGCONT);
            await_orphans();
            kills += 1;
            writes += usize::from(at_a_write);
            known = whole(&course.at(&out), &known);
            assert_eq!(whole(&course.at(&lost), &known), known, "{lost}");
            if kills % 4 == 0 {
                go_on(&course, &lost, &known, &wanted);
            }
            fs::remove_dir_all(course.at(&lost)).unwrap();
        }
        go_on(&course, &out, &known, &wanted);
        fs::remove_dir_all(course.at(&out)).unwrap();
        if kills >= wanted_kills {
            break;
        }
    }
    assert!(writes > 0);
    eprintln!("killed {kills} times, {writes} of them at a write");
    assert_eq!(self::mounts(), mounts);
    await_no_more(&cgroups);
    let left: Vec<_> = fs::read_dir(course.at("tmp")).unwrap().map(|it| it.unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Programs that are checked, one that does not compile, and archives that are quickly done with.
fn course() -> Course {
    let course = Course::new(&[
        ("right.rs", &solution()),
        ("right-too/main.rs", &solution()),
        ("stub.rs", &stub()),
        ("broken.rs", BROKEN),
    ]);
    (0..8).for_each(|number| course.hand_in(&format!("damaged{number}.zip"), "PK\x03\x04"));
    fs::create_dir(course.at("tmp")).unwrap();
    course
}

/// Makes the folders that the run would make, so that they can be watched.
fn prepare(course: &Course, out: &str) {
    for entry in fs::read_dir(course.at("in")).unwrap() {
        let name = entry.unwrap().path();
        let key = name.file_stem().unwrap();
        for (tree, _) in TREES {
            fs::create_dir_all(course.at(out).join(tree).join(key)).unwrap();
        }
    }
    // It is a folder of results by this file.
    File::options().create(true).append(true).open(course.at(out).join(".lock")).unwrap();
}

fn start_run(course: &Course, out: &str) -> Child {
    let seed = course.at("whole/.secret");
    let mut grade = course.command(out, &["--jobs", "2", "--seed", seed.to_str().unwrap()]);
    grade.env("TMPDIR", course.at("tmp")).process_group(0);
    grade.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A signal for all that are in its process group.
fn signal(run: &Child, signal: Signal) {
    kill(group(run), signal).unwrap();
}

/// Its process group, as kill(2) takes it.
fn group(run: &Child) -> Pid {
    Pid::from_raw(-(run.id() as i32))
}

/// Whether the run ends before that moment.
fn await_moment(run: &mut Child, moment: Duration) -> bool {
    sleep(moment);
    run.try_wait().unwrap().is_some()
}

/// Waits for one of the things that happen to files of results: made, written to, renamed. Whether the run has ended
/// before.
fn await_write(run: &mut Child, out: &Path) -> bool {
    // SAFETY: takes a number.
    let watch = Errno::result(unsafe { libc::inotify_init1(libc::IN_CLOEXEC) }).unwrap();
    // SAFETY: it was returned just now.
    let watch = unsafe { OwnedFd::from_raw_fd(watch) };
    for (tree, _) in TREES {
        for folder in fs::read_dir(out.join(tree)).unwrap() {
            let folder = CString::new(folder.unwrap().path().as_os_str().as_bytes()).unwrap();
            let events = libc::IN_CREATE | libc::IN_MODIFY | libc::IN_MOVED_TO;
            // SAFETY: takes a string that is alive, and a descriptor.
            let added =
                unsafe { libc::inotify_add_watch(watch.as_raw_fd(), folder.as_ptr(), events) };
            Errno::result(added).unwrap();
        }
    }
    let mut left: u64 = 1 + random() % 24;
    let mut watch = File::from(watch);
    loop {
        let mut ready = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::from(10u8)).unwrap() == 0 {
            if run.try_wait().unwrap().is_some() {
                return true;
            }
            continue;
        }
        // Room for one or a few: the name of a file is in each.
        let happened = watch.read(&mut [0; 512]).unwrap();
        left = left.saturating_sub(happened.div_ceil(64) as u64);
        if left == 0 {
            return run.try_wait().unwrap().is_some();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
    // What was not synced when the power went may be empty.
    for file in files(to) {
        if file.extension() == Some("new".as_ref()) {
            fs::write(file, "").unwrap();
        }
    }
}

/// Waits for the end of all that has lost its parent.
fn await_orphans() {
    let start = Instant::now();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(WaitStatus::StillAlive) => sleep(Duration::from_millis(5)),
            Ok(_) => continue,
            Err(errno) => panic!("{errno}"),
        }
        if start.elapsed() > SETTLE {
            let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
            panic!("left: {children}");
        }
    }
}

/// The results that are there, each of which must be whole, with its texts, and as it was if it was there before.
fn whole(out: &Path, known: &BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, String> {
    let results = results(out);
    for (file, text) in &results {
        let key = file.parent().unwrap();
        Graded::from_json(text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (tree, ending) in TREES {
            let text = out.join(tree).join(key).join(CHAPTER).with_extension(ending);
            assert!(fs::metadata(&text).is_ok_and(|it| it.len() > 0), "{}", text.display());
        }
    }
    for (file, text) in known {
        assert_eq!(results.get(file), Some(text), "{}", file.display());
    }
    results
}

/// What was cut off is graded to its end, without a result that was there being made again.
fn go_on(
    course: &Course,
    out: &str,
    known: &BTreeMap<PathBuf, String>,
    wanted: &BTreeMap<PathBuf, serde_json::Value>,
) {
    let run = start_run(course, out).wait().unwrap();
    assert!(run.success(), "{run}");
    let results = whole(&course.at(out), known);
    assert_eq!(&without_times(&results), wanted, "{out}");
    assert!(!course.at(out).join("changes.txt").exists());
    let left = files(&course.at(out));
    let is_left =
        |file: &&PathBuf| file.extension() == Some("new".as_ref()) || file.ends_with(".work");
    assert_eq!(left.iter().find(is_left), None, "{out}");
}

/// By their paths from the folder of results.
fn results(out: &Path) -> BTreeMap<PathBuf, String> {
    let results = out.join("results");
    let mut found = BTreeMap::new();
    for file in files(&results) {
        if file.extension() == Some("json".as_ref()) {
            let name = file.strip_prefix(&results).unwrap().to_owned();
            found.insert(name, fs::read_to_string(&file).unwrap());
        }
    }
    found
}

fn without_times(results: &BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, serde_json::Value> {
    let without = |text: &String| {
        let mut result: serde_json::Value = serde_json::from_str(text).unwrap();
        result["seconds"].take();
        result["provenance"]["graded"].take();
        for step in result["steps"].as_array_mut().unwrap() {
            step["seconds"].take();
        }
        result
    };
    results.iter().map(|(file, text)| (file.clone(), without(text))).collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// The cgroups that labs have made, also those of other runs on this machine.
fn cgroups() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        // It may be gone by now.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().as_bytes().starts_with(b"namespaces-by-hand-") {
                found.insert(entry.path());
            }
            folders.push(entry.path());
        }
    }
    found
}

/// Waits until those that are new are gone. Other runs make some, too, and remove them.
fn await_no_more(before: &BTreeSet<PathBuf>) {
    let mut new: BTreeSet<PathBuf> = cgroups().difference(before).cloned().collect();
    let start = Instant::now();
    while !new.is_empty() {
        assert!(start.elapsed() < SETTLE, "{new:?}");
        sleep(Duration::from_millis(50));
        new = cgroups().intersection(&new).cloned().collect();
    }
}

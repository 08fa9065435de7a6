//! The machine itself in a page, from `cargo xtask live build`. Slow, so `cargo test` leaves it out:
//!
//! ```text
//! cargo test -p book --test web image:: -- --ignored --nocapture --test-threads 1
//! ```

use crate::chromium::Chromium;
use crate::faults::Faults;
use crate::firefox::Firefox;
use crate::live::{asked, becomes_within, enter, open, says, text};
use crate::reader::{Reader, Screen};
use crate::site::Site;
use crate::tools::Tools;
use book::live::{FOLDER, Live};
use serde_json::json;
use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the machine may take for anything: it is an emulated one, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

const READY: &str =
    "document.querySelector('.live-status')?.textContent.startsWith('Ready') === true";

/// This repository's book with its machine.
fn book() -> Option<Site> {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let Some(live) = Live::find(&repo.join(FOLDER)).unwrap() else {
        skip!(
            "the machine in a page: there is none in {FOLDER}; `cargo xtask live build` makes it"
        );
        return None;
    };
    Some(Site::with(&repo, Some(live)))
}

fn becomes(reader: &mut impl Reader, condition: &str) -> bool {
    becomes_within(reader, condition, PATIENCE)
}

/// Opens the lab of a session or a challenge, the first one that this matches.
fn start(reader: &mut impl Reader, selector: &str) -> bool {
    let button = format!("document.querySelector('{selector}').parentElement.nextElementSibling");
    reader.eval("document.querySelector('.live-status')?.replaceChildren()");
    reader.eval(&format!("{button}.click()"));
    becomes(reader, READY)
}

/// What is marked of each command of the session, after all were sent.
fn marks(reader: &mut impl Reader) -> String {
    let marks = "[...document.querySelectorAll('.live-mark')].map(mark => mark.textContent)";
    reader.eval("document.querySelector('.live-all').click()");
    becomes(reader, &format!("{marks}.every(mark => mark !== '')"));
    reader.eval(&format!("{marks}.join()")).as_str().unwrap_or_default().to_owned()
}

fn log(reader: &mut impl Reader) -> String {
    text(reader, ".live-log")
}

/// Types a command, and waits until a line of the log is this text.
fn prints(reader: &mut impl Reader, command: &str, line: &str) -> bool {
    enter(reader, command);
    becomes(reader, &crate::live::prints(line))
}

fn reset(reader: &mut impl Reader) -> Option<Duration> {
    let begin = Instant::now();
    reader.eval("document.querySelector('.live-status').replaceChildren(); document.querySelector('.live-reset').click()");
    becomes(reader, READY).then(|| begin.elapsed())
}

/// A session in each kind of lab prints what the page shows.
fn sessions(reader: &mut impl Reader, site: &Site) -> Vec<String> {
    let mut faults = Faults::default();
    for (page, selector) in [
        ("ch02-unshare.html", "code.live:not([class*=challenge-])"),
        ("ch04-setns.html", "code.live:not([class*=challenge-])"),
        ("ch05-user.html", "code.live.user:not([class*=challenge-])"),
        ("ch05-maps.html", "code.live.ids:not(.user)"),
        ("ch14-cgroup.html", "code.live.cgroups"),
    ] {
        open(reader, site, page);
        let ready = start(reader, selector);
        faults.unless(ready, format!("{page}: {}", text(reader, ".live-status")));
        let marks = marks(reader);
        let same = marks.split(',').all(|mark| mark.starts_with("as on the page"));
        faults.unless(same, format!("{page}: {marks}\n{}", log(reader)));
    }
    faults.0
}

/// Chapter 2's challenge: nothing, words, the wrong way, the right one, and left again.
fn challenge(reader: &mut impl Reader, site: &Site) -> Vec<String> {
    let mut faults = Faults::default();
    open(reader, site, "ch02-unshare.html");
    let ready = start(reader, "code.live[class*=challenge-]");
    faults.unless(ready, text(reader, ".live-status"));
    reader.eval("document.querySelector('.live-drawing').open = true");
    for (command, verdict) in [
        ("echo done uts otter", "Not yet."),
        ("hostname otter", "Not yet: The lab itself has been renamed"),
        ("hostname lab; unshare --uts sh -c 'hostname otter; exec sleep 600' &", "Done: "),
        ("kill $!", "Not yet."),
    ] {
        enter(reader, command);
        let found = becomes(reader, &says("verdict", verdict));
        let said = text(reader, ".live-verdict");
        faults.unless(found, format!("{command}: {said}\n{}", log(reader)));
    }
    let drawn = becomes(reader, "document.querySelector('.live-picture svg') !== null");
    faults.unless(drawn, "the lab is not drawn");
    faults.0
}

#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn sessions_are_as_on_the_page() {
    let (Some(site), Some(Tools { mut browser, .. })) = (book(), Tools::find()) else { return };
    browser.sit_at(Screen::DESK);
    crate::none(sessions(&mut browser, &site));
}

#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn a_challenge_is_judged_by_the_kernel() {
    let (Some(site), Some(Tools { mut browser, .. })) = (book(), Tools::find()) else { return };
    browser.sit_at(Screen::PHONE);
    crate::none(challenge(&mut browser, &site));
}

#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn another_browser_runs_it_as_well() {
    let (Some(site), Some(mut browser)) = (book(), Firefox::find()) else { return };
    let faults = [sessions(&mut browser, &site), challenge(&mut browser, &site)];
    crate::none(faults.concat());
}

/// What would bring a machine down leaves the page usable, and a reset brings the lab back.
#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn attacks_end_at_the_lab() {
    let (Some(site), Some(Tools { mut browser, .. })) = (book(), Tools::find()) else { return };
    let mut faults = Faults::default();
    browser.sit_at(Screen::DESK);
    open(&mut browser, &site, "ch02-unshare.html");
    start(&mut browser, "code.live");
    for attack in [
        "bomb() { bomb | bomb & }; bomb",
        "tail /dev/zero",
        "rm -rf --no-preserve-root / 2>/dev/null",
        "while :; do echo flood; done",
        "cat /dev/urandom",
        "kill -9 -1",
        "exec 0<&- 1>&- 2>&-",
    ] {
        enter(&mut browser, attack);
        std::thread::sleep(Duration::from_secs(4));
        let asked = Instant::now();
        browser.eval("document.title");
        let took = asked.elapsed();
        faults.unless(
            took < Duration::from_secs(1),
            format!("{attack}: the page answers after {took:?}"),
        );
        let back = reset(&mut browser);
        faults.unless(
            back.is_some(),
            format!("{attack}: no reset: {}", text(&mut browser, ".live-status")),
        );
        let answers = prints(&mut browser, "echo a''live", "alive");
        faults.unless(answers, format!("{attack}: {}", log(&mut browser)));
        println!("reset {:.2} s after {attack}", back.unwrap_or_default().as_secs_f32());
    }
    crate::none(faults.0);
}

/// A second tab has a machine of its own, and a tab that the browser has frozen goes on when it is back. A device with
/// 2 GB has room for both.
#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn tabs_do_not_meet_and_may_sleep() {
    let (Some(site), Some(Tools { mut browser, .. })) = (book(), Tools::find()) else { return };
    browser.sit_at(Screen::PHONE);
    open(&mut browser, &site, "ch02-unshare.html");
    assert!(start(&mut browser, "code.live"), "{}", text(&mut browser, ".live-status"));
    assert!(prints(&mut browser, "hostname here; echo fi''rst", "first"));
    let address = site.url("ch02-unshare.html?second");
    browser.call("Target.createTarget", json!({ "url": address }));
    let second = browser.windows("?second").pop().expect("a second tab");
    browser.in_window(&second, |tab| {
        assert!(becomes(tab, "document.querySelector('.live-run') !== null"));
        assert!(start(tab, "code.live"), "{}", text(tab, ".live-status"));
        assert!(prints(tab, "hostname", "lab"), "the second tab: {}", log(tab));
        let memory = renderers();
        println!("two tabs with a machine each take {memory} MB");
        assert!((1..1000).contains(&memory), "two machines take {memory} MB");
    });
    for state in ["frozen", "active"] {
        browser.call("Page.setWebLifecycleState", json!({ "state": state }));
        std::thread::sleep(Duration::from_secs(3));
    }
    assert!(prints(&mut browser, "hostname", "here"), "after its sleep: {}", log(&mut browser));
}

/// The table of the page *Costs*.
#[test]
#[ignore = "takes the machine of `cargo xtask live build`"]
fn speeds() {
    let (Some(site), Some(Tools { mut browser, .. })) = (book(), Tools::find()) else { return };
    browser.sit_at(Screen::DESK);
    browser.events();
    let row = |what: &str, value: &dyn Display| println!("| {what} | {value} |");
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f32());
    let timed = |browser: &mut Chromium| {
        let begin = Instant::now();
        assert!(start(browser, "code.live"), "{}", text(browser, ".live-status"));
        begin.elapsed()
    };
    open(&mut browser, &site, "ch02-unshare.html");
    browser.events();
    row("click to prompt, loaded from this machine", &seconds(timed(&mut browser)));
    let files = asked(&mut browser, "/live/").into_iter().filter_map(|url| site.file(&url));
    let bytes: u64 = files.map(|file| file.metadata().unwrap().len()).sum();
    row("bytes of a click, with the scripts", &bytes);
    open(&mut browser, &site, "ch03-clone.html");
    row("click to prompt, from the cache", &seconds(timed(&mut browser)));
    for (what, command) in [
        ("`echo`", "echo a''b"),
        ("`unshare --uts true`, the first time", "unshare --uts true; echo a''b"),
        ("`unshare --uts true`, again", "unshare --uts true; echo a''b"),
        ("`unshare --uts sh -c …`", "unshare --uts sh -c 'hostname otter; uname -n'; echo a''b"),
    ] {
        browser.eval("document.querySelector('.live-log').replaceChildren()");
        let begin = Instant::now();
        assert!(prints(&mut browser, command, "ab"), "{}", log(&mut browser));
        row(what, &seconds(begin.elapsed()));
        reset(&mut browser);
    }
    let memory = |browser: &mut Chromium| {
        browser.call("HeapProfiler.collectGarbage", json!({}));
        browser.eval("performance.memory.usedJSHeapSize").as_f64().unwrap_or_default() / 1e6
    };
    let mut resets = Vec::new();
    let before = (memory(&mut browser), renderers());
    for _ in 0..100 {
        resets.push(reset(&mut browser).expect("a reset"));
    }
    resets.sort();
    row("a reset, the median of 100", &seconds(resets[50]));
    row("a reset, the slowest", &seconds(resets[99]));
    let after = (memory(&mut browser), renderers());
    row(
        "heap of the page before and after 100 resets",
        &format!("{:.1} and {:.1} MB", before.0, after.0),
    );
    row("memory of the renderers, before and after", &format!("{} and {} MB", before.1, after.1));
}

/// The memory of all renderers of this test's browser in MB; what they share with others counts in part
/// (proc_pid_smaps(5)).
fn renderers() -> u64 {
    let mut kilobytes = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let arguments = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if arguments.contains("--type=renderer") && is_below(&name, std::process::id().into()) {
            kilobytes += member(&name, "smaps_rollup", "Pss:").unwrap_or_default();
        }
    }
    kilobytes / 1000
}

/// Whether a process descends from another one.
fn is_below(pid: &str, ancestor: u64) -> bool {
    match member(pid, "status", "PPid:") {
        None | Some(0) => false,
        Some(parent) => parent == ancestor || is_below(&parent.to_string(), ancestor),
    }
}

/// A number in one of a process's files in /proc.
fn member(pid: &str, file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

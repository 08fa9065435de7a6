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
        enter(&mut browser, "clear-nothing 2>/dev/null");
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

/// The resident memory of all renderers of this test's browser, in MB.
fn renderers() -> u64 {
    let mut kilobytes = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let read =
            |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let profile = std::env::temp_dir();
        let arguments = read("cmdline");
        if arguments.contains("--type=renderer")
            && read("environ").contains(&*profile.to_string_lossy())
        {
            let status = read("status");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kilobytes += number.unwrap_or_default();
        }
    }
    kilobytes / 1000
}

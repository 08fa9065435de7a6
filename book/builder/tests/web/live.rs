//! The machine in a page under a reader's hands. Here it is one that only speaks like it, `live/v86.mjs`, so that
//! everything around it is tried without an image.

use crate::chromium::Chromium;
use crate::firefox::Firefox;
use crate::fixture::Repo;
use crate::page;
use crate::reader::{Reader, Screen};
use crate::site::Site;
use crate::small_book;
use crate::tools::Tools;
use book::live::Live;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::time::{Duration, Instant};

const PAGE: &str = "lab.html";

/// How long the page may take for anything that a test waits for.
const SOON: Duration = Duration::from_secs(15);

/// The small book with a page of sessions and a challenge.
fn book() -> Repo {
    let repo = small_book();
    repo.write("book/src/lab.md", include_str!("live/live.md"));
    repo.write("book/src/other.md", &include_str!("live/live.md").replace("{{#challenges}}", ""));
    std::fs::create_dir_all(repo.path().join("exercises/lab")).unwrap();
    repo.write("exercises/lab/challenges.toml", include_str!("live/challenges.toml"));
    repo.edit("book/src/SUMMARY.md", "[Errors]", "[Lab](lab.md)\n\n[Other](other.md)\n\n[Errors]");
    repo
}

/// A folder as `cargo xtask live build` makes it.
fn machine(folder: &Path, state: &str) -> Live {
    let files: [(&str, &str, &[u8]); 3] = [
        ("libv86.mjs", "emulator", include_bytes!("live/v86.mjs")),
        ("v86.wasm", "wasm", b"\0asm\x01\0\0\0"),
        ("state.zst", "state", state.as_bytes()),
    ];
    let file = |(name, role, bytes): (&str, &str, &[u8])| {
        std::fs::write(folder.join(name), bytes).unwrap();
        let digest: String =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "name": name, "role": role, "bytes": bytes.len(), "sha256": digest })
    };
    let files = files.map(file);
    let manifest = json!({
        "version": "one", "kernel": "6.12.1", "tools": ["sh"], "packages": {}, "files": files,
        "machine": {},
    });
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    Live::find(folder).unwrap().unwrap()
}

fn site(repo: &Repo) -> Site {
    site_with(repo, "a saved state\n")
}

fn site_with(repo: &Repo, state: &str) -> Site {
    let folder = tempfile::tempdir().unwrap();
    Site::with(repo.path(), Some(machine(folder.path(), state)))
}

/// Waits until an expression is true; false if it does not become that.
fn becomes(reader: &mut impl Reader, condition: &str) -> bool {
    becomes_within(reader, condition, SOON)
}

pub(crate) fn becomes_within(
    reader: &mut impl Reader,
    condition: &str,
    patience: Duration,
) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience {
        if reader.eval(condition) == true {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

pub(crate) fn says(part: &str, text: &str) -> String {
    format!(
        "document.querySelector('.live-{part}')?.textContent.includes({}) === true",
        json!(text)
    )
}

/// The first fault ends a test: what comes after it would be waited for in vain.
fn ensure(good: bool, what: impl Into<String>) -> Result<(), String> {
    if good { Ok(()) } else { Err(what.into()) }
}

/// Whether the log has a line that is this text.
pub(crate) fn prints(line: &str) -> String {
    let lines = "[...document.querySelectorAll('.live-log > div')].map(line => line.textContent)";
    format!("{lines}.includes({})", json!(line))
}

pub(crate) fn text(reader: &mut impl Reader, selector: &str) -> String {
    let script = format!("document.querySelector({})?.innerText ?? ''", json!(selector));
    reader.eval(&script).as_str().unwrap_or_default().to_owned()
}

pub(crate) fn open(reader: &mut impl Reader, site: &Site, page: &str) {
    reader.load("about:blank");
    reader.load(&site.url(page));
}

/// Clicks on the button of a session; 0 is the first of the page.
fn start(reader: &mut impl Reader, place: usize) -> bool {
    reader.eval(&format!(
        "{{ document.querySelector('.live-status')?.replaceChildren();
            document.querySelector('#opener')?.removeAttribute('id');
            const button = document.querySelectorAll('.live-run')[{place}];
            button.id = 'opener'; button.scrollIntoView({{ block: 'center' }}); }}"
    ));
    reader.click("#opener");
    becomes(reader, &says("status", "Ready"))
}

pub(crate) fn enter(reader: &mut impl Reader, line: &str) {
    reader.eval("document.querySelector('.live-input').focus()");
    reader.insert(line);
    reader.press("Enter");
}

pub(crate) fn asked(reader: &mut Chromium, of: &str) -> Vec<String> {
    let events = reader.events();
    page::requests(&events).into_iter().filter(|url| url.contains(of)).map(str::to_owned).collect()
}

/// A page that is read, and the sessions that are run in it.
fn sessions(reader: &mut impl Reader, site: &Site) -> Result<(), String> {
    open(reader, site, PAGE);
    let early = "performance.getEntriesByType('resource').map(it => it.name).filter(it => it.includes('/live/'))";
    let early = reader.eval(early);
    ensure(early == json!([]), format!("asked for before a click: {early}"))?;
    let buttons = reader.eval("document.querySelectorAll('.live-run').length");
    ensure(buttons == 4, format!("{buttons} buttons, not one for each session that it runs"))?;

    let ready = start(reader, 0);
    ensure(ready, format!("not ready: {}", text(reader, ".live-status")))?;
    let focus = reader.eval("document.activeElement.className");
    ensure(focus == "live-input", format!("the focus is in {focus}"))?;
    reader.click(".live-all");
    let marks = "[...document.querySelectorAll('.live-mark')].map(mark => mark.textContent)";
    let same =
        becomes(reader, &format!("{marks}.join() === Array(3).fill('as on the page').join()"));
    ensure(same, format!("the session: {}", reader.eval(marks)))?;
    enter(reader, "echo more");
    let printed = becomes(reader, &prints("more"));
    ensure(printed, format!("a command: {}", text(reader, ".live-log")))?;
    reader.press("ArrowUp");
    let recalled = reader.eval("document.querySelector('.live-input').value");
    ensure(recalled == "echo more", format!("recalled {recalled}"))?;

    // Two sessions of one shell: the second goes on in it, and its list begins with the first.
    ensure(start(reader, 1), "the second session is not ready")?;
    let list = text(reader, ".live-commands ol");
    ensure(list.contains("id -u") && list.contains("echo two"), format!("a shared shell: {list}"))?;
    reader.click(".live-all");
    let marked =
        becomes(reader, &format!("{marks}.join() === 'as on the page,not as on the page'"));
    ensure(marked, format!("the second session: {}", reader.eval(marks)))?;
    start(reader, 2);
    ensure(reader.eval(&prints("1000")) == true, "another session of the shell began a new lab")?;
    seeds(reader)
}

/// Each lab's random numbers are its own, also after a reset, which puts the same state back.
fn seeds(reader: &mut impl Reader) -> Result<(), String> {
    let mut seen = Vec::new();
    reader.eval("document.querySelector('.live-input').value = ''");
    for _ in 0..2 {
        enter(reader, "random");
        let seed = "[...document.querySelectorAll('.live-log > div')].map(line => \
                    line.textContent.match(/^seeded with ([0-9a-f]{64})$/)?.[1]).find(seed => seed)";
        let seeded = becomes(reader, &format!("({seed}) !== undefined"));
        ensure(seeded, format!("no random numbers: {}", text(reader, ".live-log")))?;
        seen.push(reader.eval(seed));
        reader.eval("document.querySelector('.live-status').replaceChildren()");
        reader.click(".live-reset");
        ensure(becomes(reader, &says("status", "Ready")), "no reset after random numbers")?;
    }
    ensure(seen[0] != seen[1], format!("the random numbers of before: {seen:?}"))
}

/// The lab drawn beside the terminal, and a challenge failed and done.
fn challenge(reader: &mut impl Reader, site: &Site) -> Result<(), String> {
    open(reader, site, PAGE);
    reader.eval("localStorage.clear()");
    ensure(start(reader, 3), format!("not ready: {}", text(reader, ".live-status")))?;
    reader.eval("document.querySelector('.live-drawing').open = true");
    let picture = |name: &str| {
        format!("document.querySelector('.live-picture')?.textContent.includes('{name}') === true")
    };
    ensure(becomes(reader, &picture("lab")), "the lab is not drawn")?;
    let hint = "document.querySelector('.live-hints details')?.open === false";
    ensure(reader.eval(hint) == true, "the hint is not there, folded")?;
    for (command, verdict) in [
        ("echo otter", "Not yet."),
        ("hostname otter", "Not yet: The lab itself has been renamed."),
        ("unshare --uts sleep 60 &", "Done: the kernel shows what is asked."),
    ] {
        enter(reader, command);
        let found = becomes(reader, &says("verdict", verdict));
        ensure(found, format!("{command}: {}", text(reader, ".live-verdict")))?;
    }
    let table = text(reader, ".live-table");
    ensure(table.contains("sleep     B"), format!("the table is {table:?}"))?;
    ensure(becomes(reader, &picture("otter")), "the drawing did not change")?;
    open(reader, site, PAGE);
    start(reader, 3);
    let before = becomes(reader, &says("verdict", "before"));
    ensure(before, format!("it is forgotten: {}", text(reader, ".live-verdict")))?;
    Ok(())
}

/// What a lab prints that is more, longer or other than text.
fn torrents(reader: &mut impl Reader, site: &Site) -> Result<(), String> {
    open(reader, site, PAGE);
    start(reader, 0);
    enter(reader, "binary");
    // The escape sequence is left out, and what is no text is seen.
    let binary = becomes(reader, &prints("\u{2400}\u{2401}red\u{7f}\u{fffd}"));
    ensure(binary, format!("binary: {:?}", text(reader, ".live-log")))?;
    enter(reader, &format!("echo {}", "x".repeat(100_000)));
    let refused = becomes(reader, &says("note", "a line has 100,005 bytes"));
    ensure(refused, format!("a long command: {}", text(reader, ".live-note")))?;
    let left = reader.eval("document.querySelector('.live-input').value.length");
    ensure(left == 100_005, format!("{left} characters of it are left"))?;
    reader.eval("document.querySelector('.live-input').value = ''");
    enter(reader, "long 300000");
    let longest = "Math.max(...[...document.querySelectorAll('.live-log > div')].map(line => line.textContent.length))";
    ensure(becomes(reader, &format!("{longest} >= 4000")), "the long line is not there")?;
    let length = reader.eval(longest);
    ensure(length == 4000, format!("a line of {length} characters"))?;

    enter(reader, "flood");
    let flooded = becomes(reader, &prints("flood flood flood"));
    ensure(flooded, "the flood is not there")?;
    let announced = text(reader, ".live-announcer");
    ensure(!announced.contains("flood"), format!("announced in a flood: {announced}"))?;
    std::thread::sleep(Duration::from_secs(1));
    let lines = reader.eval("document.querySelectorAll('.live-log > div').length");
    ensure(lines.as_u64().is_some_and(|lines| lines <= 2000), format!("{lines} lines are kept"))?;
    // The page answers: a click far from the lab takes effect at once.
    let asked = Instant::now();
    reader.eval("document.title");
    let took = asked.elapsed();
    ensure(took < Duration::from_secs(1), format!("the page answers after {took:?}"))?;
    reader.click(".live-interrupt");
    let stopped = becomes(
        reader,
        "document.querySelector('.live-log').lastElementChild.textContent === '# '",
    );
    ensure(stopped, format!("after Ctrl-C: {:?}", text(reader, ".live-log > :last-child")))?;
    let announced = becomes(reader, &says("announcer", "lines, and then: "));
    ensure(announced, format!("announced: {:?}", text(reader, ".live-announcer")))?;
    Ok(())
}

/// What goes wrong between the server and the prompt is said, and Reset tries again.
fn accidents(reader: &mut Chromium, site: &Site) -> Result<(), String> {
    reader.sit_at(Screen::DESK);
    for (answer, said) in [
        (
            json!({ "responseCode": 200, "body": "YSBzYXZlZCBzdGF0ZT8=" }),
            "its digest is another one. Reset",
        ),
        (
            json!({ "responseCode": 200, "body": "YSBzYXY=" }),
            "broke off after 5 of 14 bytes. Reset",
        ),
        (json!({ "responseCode": 500 }), "broke off (500). Reset"),
    ] {
        open(reader, site, PAGE);
        reader.eval("caches.keys().then(keys => Promise.all(keys.map(key => caches.delete(key))))");
        let pattern = json!({ "patterns": [{ "urlPattern": "*state.zst*" }] });
        reader.call("Fetch.enable", pattern);
        reader.eval("document.querySelector('.live-run').click()");
        let paused = reader.wait_for_event("Fetch.requestPaused");
        let mut answer = answer.clone();
        answer["requestId"] = paused["params"]["requestId"].clone();
        reader.call("Fetch.fulfillRequest", answer);
        let found = becomes(reader, &says("status", said));
        ensure(found, format!("{said}: {}", text(reader, ".live-status")))?;
        reader.call("Fetch.disable", json!({}));
        reader.click(".live-reset");
        let ready = becomes(reader, &says("status", "Ready"));
        ensure(ready, format!("tried again: {}", text(reader, ".live-status")))?;
    }
    // A second page loads nothing but its own scripts and the list of files; and without a network neither.
    open(reader, site, "other.html");
    reader.events();
    start(reader, 0);
    let loaded = asked(reader, "?");
    ensure(loaded.is_empty(), format!("the second page loads {loaded:?}"))?;
    network(reader, false);
    let alone = without_network(reader);
    // Also after a fault: it would hide this one behind those of the tests that follow.
    network(reader, true);
    alone?;
    // The shell ends, and a reset brings another.
    reader.click(".live-eof");
    let over = becomes(reader, &says("status", "The shell has ended"));
    ensure(over, format!("after Ctrl-D: {}", text(reader, ".live-status")))?;
    reader.click(".live-reset");
    let again = becomes(reader, &says("status", "Ready"));
    ensure(again, format!("after a reset: {}", text(reader, ".live-status")))?;
    Ok(())
}

fn network(reader: &mut Chromium, is_there: bool) {
    let conditions = json!({
        "offline": !is_there, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    reader.call("Network.emulateNetworkConditions", conditions);
}

/// A lab goes on, and another one is started after the emulator has fallen over.
fn without_network(reader: &mut Chromium) -> Result<(), String> {
    reader.events();
    for line in ["echo alone", "crash"] {
        enter(reader, line);
    }
    let crashed = becomes(reader, &says("status", "The emulator stopped: "));
    ensure(crashed, format!("a crash: {}", text(reader, ".live-status")))?;
    reader.eval("document.querySelector('.live-close').click()");
    start(reader, 1);
    enter(reader, "echo offline");
    let alone = becomes(reader, &prints("offline"));
    ensure(alone, format!("without a network: {}", text(reader, ".live-status")))
}

/// Keyboard, screen reader, phone, paper.
fn access(reader: &mut Chromium, site: &Site, axe: &str) -> Result<(), String> {
    for screen in [
        Screen::DESK,
        Screen { dark: true, ..Screen::DESK },
        Screen { still: true, ..Screen::PHONE },
    ] {
        reader.sit_at(screen);
        open(reader, site, PAGE);
        start(reader, 3);
        enter(reader, "unshare --uts sleep 60 &");
        becomes(reader, &says("verdict", "Done"));
        reader.eval("document.querySelector('.live-drawing').open = true");
        becomes(reader, "document.querySelector('.live-picture svg') !== null");
        reader.settle();
        let barriers = page::barriers(reader, axe, screen);
        ensure(barriers.is_empty(), barriers.join("\n"))?;
        let wide = reader.eval("document.documentElement.scrollWidth > innerWidth || document.querySelector('#live').scrollWidth > document.querySelector('#live').clientWidth");
        ensure(wide == false, format!("{screen}: scrolls sideways"))?;
    }
    reader.sit_at(Screen::DESK);
    open(reader, site, PAGE);
    ensure(reader.tab_to(".live-run"), "Tab does not reach the button")?;
    reader.press("Enter");
    let ready = becomes(reader, &says("status", "Ready"));
    ensure(ready, "Enter does not open the lab")?;
    for key in ["ArrowRight", "ArrowLeft", "s", "/"] {
        reader.press(key);
        let left = reader.leaves_page();
        ensure(!left, format!("{key} in the terminal turned the page"))?;
    }
    let searched = reader.eval("document.activeElement.className");
    ensure(searched == "live-input", format!("the focus went to {searched}"))?;
    reader.press("Tab");
    let next = reader.eval("document.activeElement.className");
    ensure(next == "live-send", format!("Tab leads to {next}"))?;
    reader.eval("document.querySelector('.live-input').focus()");
    reader.press("Escape");
    let back = reader.eval("document.activeElement.className");
    ensure(back == "live-run", format!("Escape leads to {back}"))?;
    reader.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let printed = reader.eval("[...document.querySelectorAll('#live, .live-run')].filter(part => part.checkVisibility()).length");
    ensure(printed == 0, format!("{printed} parts are printed"))?;
    reader.sit_at(Screen::DESK);
    reader.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    reader.eval("document.querySelector('.live-close').click()");
    let gone =
        reader.eval("document.querySelector('#live') === null && document.activeElement.className");
    ensure(gone == "live-run", format!("after closing: {gone}"))?;
    Ok(())
}

/// A browser that cannot, says so at the click, and changes nothing else.
fn obstacles(reader: &mut Chromium, site: &Site) -> Result<(), String> {
    reader.sit_at(Screen::DESK);
    for (lacks, said) in [
        ("delete window.WebAssembly", "it has no WebAssembly"),
        (
            "Object.defineProperty(crypto, 'subtle', { value: undefined })",
            "neither https nor localhost",
        ),
    ] {
        let source = json!({ "source": lacks });
        let script = reader.call("Page.addScriptToEvaluateOnNewDocument", source);
        open(reader, site, PAGE);
        reader.eval("document.querySelector('.live-run').click()");
        let found = becomes(reader, &says("status", said));
        ensure(found, format!("{said}: {}", text(reader, ".live-status")))?;
        reader.call("Page.removeScriptToEvaluateOnNewDocument", script);
    }
    reader.load(&format!("file://{}", site.built().join(PAGE).display()));
    reader.eval("document.querySelector('.live-run').click()");
    let said = text(reader, "pre + [role=status]");
    ensure(said.contains("no machine from a file"), format!("from a file: {said:?}"))?;
    Ok(())
}

#[test]
fn a_machine_runs_beside_the_text() {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    let repo = book();
    let site = site(&repo);
    browser.sit_at(Screen::DESK);
    let all = [
        sessions(&mut browser, &site),
        challenge(&mut browser, &site),
        torrents(&mut browser, &site),
        accidents(&mut browser, &site),
        access(&mut browser, &site, &axe),
        obstacles(&mut browser, &site),
    ];
    crate::none(all.into_iter().filter_map(Result::err).collect());
}

#[test]
fn it_runs_in_another_browser() {
    let Some(mut browser) = Firefox::find() else { return };
    let repo = book();
    let site = site(&repo);
    let all = [
        sessions(&mut browser, &site),
        challenge(&mut browser, &site),
        torrents(&mut browser, &site),
    ];
    crate::none(all.into_iter().filter_map(Result::err).collect());
}

#[test]
fn a_state_of_another_version_is_said_to_be_one() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let repo = book();
    let site = site_with(&repo, "an older state\n");
    browser.sit_at(Screen::DESK);
    open(&mut browser, &site, PAGE);
    browser.eval("document.querySelector('.live-run').click()");
    let said = becomes(&mut browser, &says("status", "this state is of another version"));
    assert!(said, "{}", text(&mut browser, ".live-status"));
}

/// A page pays two kilobytes for a machine, and nothing where there is none.
#[test]
fn a_page_grows_little_and_only_with_a_machine() {
    let repo = book();
    let read = |site: &Site| std::fs::read_to_string(site.built().join(PAGE)).unwrap();
    let without = read(&Site::of(repo.path()));
    assert!(!without.contains("live"), "{without}");
    assert!(!repo.path().join("book/book/live").exists());
    let with = read(&site(&repo));
    let grown = with.len() - without.len();
    assert!((500..2048).contains(&grown), "{grown} bytes");
    let print = std::fs::read_to_string(repo.path().join("book/book/print.html")).unwrap();
    assert!(!print.contains("live-run"), "what is printed has a button");
}

/// A text of a script, what stands for it, and the fault that is found.
type Change = (
    &'static str,
    &'static str,
    &'static str,
    fn(&mut Chromium, &Site) -> Result<(), String>,
    &'static str,
);

const CHANGES: [Change; 9] = [
    ("live.js", "    this.agent.seed();\n", "", sessions, "no random numbers"),
    (
        "store.js",
        "if (await digest(bytes) !== file.sha256) {",
        "if (false) {",
        accidents,
        "its digest is another one",
    ),
    (
        "store.js",
        "await kept?.put(url, new Response(bytes)).catch(() => {});",
        "",
        accidents,
        "the second page loads",
    ),
    (
        "terminal.js",
        "while (this.log.childElementCount > MOST_LINES) {",
        "while (false) {",
        torrents,
        "lines are kept",
    ),
    ("terminal.js", "if (this.text.length >= MOST_WIDE) {", "if (false) {", torrents, "a line of"),
    (
        "terminal.js",
        "this.announce(), QUIET)",
        "this.announce(), 0)",
        torrents,
        "announced in a flood",
    ),
    ("panel.js", "on.run(this.commands)", "on.run([])", sessions, "the session"),
    ("panel.js", "numbers.small(lines", "(lines", sessions, "the session"),
    ("done.js", "localStorage.setItem(", "void (", challenge, "it is forgotten"),
];

#[test]
#[ignore = "builds a book for each fault, which takes minutes"]
fn a_fault_of_the_machine_in_a_page_is_found() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    for (file, old, new, look, fault) in CHANGES {
        let repo = book();
        repo.edit(&format!("book/theme/live/{file}"), old, new);
        browser.sit_at(Screen::DESK);
        let found = look(&mut browser, &site(&repo)).err().unwrap_or_default();
        assert!(found.contains(fault), "planted: {fault}\nfound: {found}");
    }
}

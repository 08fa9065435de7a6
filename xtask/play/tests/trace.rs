//! `trace`: a trace on the screen, as JSON Lines, as a page, and back from a file.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use assert_cmd::Command;
use harness::trace::Trace;

fn trace(words: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("play"));
    command.arg("trace").args(words).env_remove("NO_COLOR");
    command
}

fn stdout(words: &[&str]) -> String {
    let output = trace(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it says when it refuses, and its exit status.
fn refusal(words: &[&str]) -> (String, Option<i32>) {
    let output = trace(words).output().unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

/// A file that ends with the test.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, text: &str) -> Kept {
        let file = std::env::temp_dir().join(format!("trace-{}-{name}", std::process::id()));
        fs::write(&file, text).unwrap();
        Kept(file)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

const SCRIPT: [&str; 4] = ["--", "sh", "-c", "unshare -u hostname otter"];

#[test]
fn a_run_is_told_in_eighty_columns_without_colour() {
    let text = stdout(&SCRIPT);
    assert!(text.starts_with("the program starts\n"), "{text}");
    assert!(
        text.contains("unshare(CLONE_NEWUTS) = 0\n     new: uts B, owned by user A\n"),
        "{text}"
    );
    assert!(text.contains("the host name in uts B is \"otter\""), "{text}");
    let mut table = text.lines().filter(|line| line.trim_start().starts_with("sh [2]"));
    assert_eq!(table.next_back().unwrap().split_whitespace().nth(6), Some("A"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && !line.contains('\x1b'), "{line:?}");
    }
}

#[test]
fn the_output_of_the_program_goes_elsewhere() {
    let output = trace(&["--", "echo", "otter"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).lines().any(|line| line == "otter"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "otter\n");
}

#[test]
fn the_programs_status_is_passed_on() {
    assert_eq!(trace(&["--", "sh", "-c", "exit 7"]).output().unwrap().status.code(), Some(7));
    assert_eq!(trace(&["--", "sh", "-c", "kill -9 $$"]).output().unwrap().status.code(), Some(137));
}

#[test]
fn a_trace_that_is_kept_reads_the_same() {
    let json = stdout(&[&["--json"], &SCRIPT[..]].concat());
    let trace = Trace::from_json_lines(&json).unwrap();
    assert!(trace.complete && trace.events.len() > 3);
    let file = Kept::new("trace", &json);
    assert_eq!(stdout(&["--from", file.path()]), stdout(&SCRIPT));
    assert_eq!(stdout(&["--json", "--from", file.path()]), json);
}

#[test]
fn a_page_is_one_file_without_requests() {
    let page = Kept::new("page.html", "");
    let said = stdout(&[&["--html", page.path()], &SCRIPT[..]].concat());
    assert_eq!(said, format!("the trace is in {}\n", page.path()));
    let html = fs::read_to_string(&page.0).unwrap();
    assert!(html.contains("<svg") && html.contains("sethostname(&quot;otter&quot;)"), "{html}");
    for elsewhere in ["src=\"", "<link", "@import", "url(", "fetch("] {
        assert!(!html.contains(elsewhere), "{elsewhere}");
    }
    let (said, code) = refusal(&[&["--html", "/nowhere/page.html"], &SCRIPT[..]].concat());
    assert!(said.contains("could not write `/nowhere/page.html`") && code == Some(1), "{said}");
}

#[test]
fn a_trace_that_was_cut_off_says_so() {
    let json = stdout(&[&["--json"], &SCRIPT[..]].concat());
    let file = Kept::new("cut", &json[..json.len() / 2]);
    let output = trace(&["--from", file.path()]).output().unwrap();
    assert!(output.status.success());
    let note = "note: the trace ends in the middle: its last line is missing\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), note);
}

#[test]
fn what_is_no_trace_is_refused() {
    let other = Kept::new("other", "{\"schema\":\"namespaces-by-hand/story\",\"version\":9}\n");
    let (said, code) = refusal(&["--from", other.path()]);
    assert!(said.contains("version 9 of the schema, this program reads 1"), "{said}");
    assert!(said.contains("\nhelp: ") && code == Some(1), "{said}");
    let text = Kept::new("text", "hello\n");
    assert!(refusal(&["--from", text.path()]).0.contains("does not name the schema"));
    assert!(refusal(&["--from", "/nowhere"]).0.contains("could not read `/nowhere`"));
}

#[test]
fn bad_words_are_refused() {
    for (words, wanted, code) in [
        (&[][..], "`trace` needs a chapter or a program", 2),
        (&["--"], "`trace` needs a chapter or a program", 2),
        (&["ch99"], "there is no chapter", 2),
        (&["ch1", "ch2"], "`trace` does not take `ch2`", 2),
        (&["--from"], "`--from` needs a file", 2),
        (&["--from", "x", "--", "true"], "runs nothing", 2),
        (&["--fast", "ch1"], "`trace` has no option `--fast`", 2),
        (&["--", "no-such-program"], "could not run `no-such-program`: no such program", 1),
        (&["--", "/no/such/program"], "could not run `/no/such/program`: No such file", 1),
        (&["--", "/etc/passwd"], "it is not executable", 1),
        (&["--", "/etc"], "it is not executable", 1),
    ] {
        let (said, got) = refusal(words);
        assert!(said.contains(wanted), "{words:?} gave {said:?}");
        assert_eq!(got, Some(code), "{words:?}");
    }
}

/// Paths and arguments are bytes: what a shell passes on, the program gets.
#[test]
fn an_argument_may_be_any_bytes() {
    let bytes = OsStr::from_bytes(b"a\xff\xfe b\n");
    let mut command = trace(&["--", "sh", "-c", "printf %s \"$1\" >&2", "sh"]);
    let output = command.arg(bytes).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, bytes.as_bytes());
}

#[test]
fn a_program_of_this_machine_is_shown_inside() {
    let text = Kept::new("text", "#!/bin/sh\nexec unshare -i true\n");
    let script = Kept(text.0.with_extension("script"));
    // Another process writes it: as `Checkout::script` in `commands` says.
    Command::new("install").args([&text.0, &script.0]).assert().success();
    let text = stdout(&["--", script.path()]);
    assert!(text.contains("new: ipc B"), "{text}");
}

#[test]
fn an_ordinary_user_is_told_what_is_missing() {
    let output = trace(&["--as", "plain-user", "--", "unshare", "-u", "true"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("unshare(CLONE_NEWUTS) = EPERM"), "{text}");
    assert!(text.contains("EPERM: no CAP_SYS_ADMIN in user A, where you are"), "{text}");
}

/// A program chooses its own name.
#[test]
fn a_name_cannot_paint_the_screen() {
    let text = Kept::new("painter-text", "#!/bin/sh\nunshare -u hostname otter\n");
    let script = Kept::new("a\x1b[2J\x07\r\u{9b}\u{202e}b", "");
    fs::remove_file(&script.0).unwrap();
    Command::new("install").args([&text.0, &script.0]).assert().success();
    let words = ["--", script.path()];
    let page = Kept::new("painted.html", "");
    let said = [
        stdout(&words),
        stdout(&[&["--json"], &words[..]].concat()),
        stdout(&[&["--html", page.path()], &words[..]].concat()),
        fs::read_to_string(&page.0).unwrap(),
        refusal(&["--from", script.path()]).0,
        refusal(&["--from", &format!("{}/", script.path())]).0,
        refusal(&["--", &format!("{}/", script.path())]).0,
    ];
    assert!(said[0].contains("new: uts B") && said[1].contains("\\u001b[2J"), "{said:?}");
    for text in said {
        let acts = |c: char| c.is_control() && c != '\n';
        assert!(!text.chars().any(acts), "{text:?}");
    }
    assert!(!stdout(&words).contains('\u{202e}'));
    // Read again, the lines of JSON have the name unchanged.
    let json = stdout(&[&["--json"], &words[..]].concat());
    assert!(Trace::from_json_lines(&json).is_ok());
}

//! Command lines that make no sense, and what may be any bytes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;

fn play(words: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("play"));
    command.args(words);
    command
}

/// Exit status, standard output and standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn wrong_usage_says_what_is_right() {
    for (words, help) in [
        (&["run", "unsahre"][..], "help: did you mean `unshare`?"),
        (&["run"], "error: `run` needs a chapter\n"),
        (&["run", "ch1", "--as", "root"], "error: `--as` takes root-lab or plain-user, not `root`"),
        (&["run", "ch1", "--as"], "error: `--as` needs root-lab or plain-user"),
        (&["shell", "--solution"], "help: did you mean `--solutions`?"),
        (&["trace"], "error: `trace` needs a chapter or a program\n"),
        (&["trace", "ch1", "--from", "x"], "help: leave out one or the other"),
        (&["frobnicate"], "error: this program is started by `cargo xtask`"),
        (&[], "error: this program is started by `cargo xtask`"),
    ] {
        let (code, out, err) = said(&play(words).output().unwrap());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{words:?}");
        assert!(err.starts_with("error: ") && err.contains(help), "{words:?}: {err}");
    }
}

#[test]
fn an_option_takes_its_value_both_ways() {
    for words in [
        "run ch1 --as=root",
        "shell --as=root",
        "trace ch1 --as=root",
        "trace --from=/nowhere",
        "trace --html=/nowhere/page.html --from=/nowhere",
    ] {
        let run = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            said(&play(&words).output().unwrap())
        };
        let together = run(words);
        assert_eq!(together, run(&words.replace('=', " ")), "{words}");
        assert_ne!(together.0, Some(0), "{words}");
    }
}

#[test]
fn a_word_may_be_any_bytes() {
    let word = OsStr::from_bytes(b"ch\xff");
    let (code, _, err) = said(&play(&["run", "ch1", "--as"]).arg(word).output().unwrap());
    assert_eq!(code, Some(2));
    let wanted = "error: `--as` takes root-lab or plain-user, not `ch\u{fffd}`\n";
    assert!(err.starts_with(wanted), "{err}");
}

/// A cargo that is a script says that the reader's program is one that prints its arguments.
#[test]
fn what_follows_the_dashes_arrives_byte_for_byte() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashes");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let script = |name: &str, text: &str| {
        // Another process writes it: a child that another test has just forked may hold a descriptor of this one,
        // and a file that is open for writing cannot be executed (ETXTBSY).
        let file = folder.join(name);
        let mut shell = assert_cmd::Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&file);
        shell.write_stdin(text).assert().success();
        file
    };
    let program = script("program", "#!/bin/sh\nprintf '<%s>' \"$@\"\n");
    let built = format!(
        r#"{{"reason":"compiler-artifact","target":{{"kind":["bin"]}},"executable":"{}"}}"#,
        program.display()
    );
    let cargo = script("cargo", &format!("#!/bin/sh\ncat <<'END'\n{built}\nEND\n"));
    let bytes = OsStr::from_bytes(b"a\xff\xfe b\n");
    let mut run = play(&["run", "ch1", "--", "--as", "--"]);
    let output = run.arg(bytes).env("CARGO", cargo).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"<--as><--><a\xff\xfe b\n>", "{text}");
}

/// A copy of the course from `cargo xtask pack` has no solutions.
#[test]
fn a_workshops_copy_has_no_finished_programs() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workshop");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pack.toml"), "edition = \"2026-11-30-1a2b3c4\"\n").unwrap();
    let mut shell = play(&["shell", "--solutions"]);
    let (code, out, err) = said(&shell.env("NAMESPACES_BY_HAND_ROOT", &folder).output().unwrap());
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(
        err.starts_with("error: this copy of the course is a workshop's, and has no solutions\n"),
        "{err}"
    );
}

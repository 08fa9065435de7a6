//! The launcher between a reader and a cargo that is a script.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use nix::pty::{Winsize, openpty};

/// Checkouts and a target folder, made for one test.
struct Place {
    folder: PathBuf,
}

/// Builds the tool as cargo does: the program, the files that it was made from, and a line in `built`.
const CARGO: &str = r#"#!/bin/sh
echo "$*" >> "$PLACE/built"
cat "$PLACE/said" >&2
[ -e "$PLACE/fails" ] && exit 101
mkdir -p "$PLACE/target/debug"
rm -f "$PLACE/target/debug/xtask"
sed "s|CHECKOUT|$CHECKOUT|" "$PLACE/tool" > "$PLACE/target/debug/xtask"
chmod 755 "$PLACE/target/debug/xtask"
escaped=$(printf '%s' "$CHECKOUT" | sed 's/ /\\ /g')
echo "$PLACE/target/debug/xtask: $escaped/exercises/harness/src/lib.rs $escaped/xtask/src/main.rs" \
    > "$PLACE/target/debug/xtask.d"
"#;

/// Prints its arguments byte for byte, and the checkouts that it belongs to and works in.
const TOOL: &str = r#"#!/bin/sh
printf '<%s>' "$@"
echo "built for CHECKOUT, works in $NAMESPACES_BY_HAND_ROOT"
[ "$1" = signal ] && kill -TERM $$
[ "$1" = status ] && exit "$2"
exit 0
"#;

impl Place {
    fn new(test: &str) -> Place {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("launch {test}"));
        _ = fs::remove_dir_all(&folder);
        let place = Place { folder };
        place.checkout("one");
        place.write("said", "");
        place.write("tool", TOOL);
        place.script("cargo", CARGO);
        // The launcher finds the tool from where it lies itself.
        let own = place.folder.join("target/launch/launch");
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        Command::new("cp").arg(env!("CARGO_BIN_EXE_launch")).arg(own).status().unwrap();
        place
    }

    /// Makes a checkout whose files are a minute old.
    fn checkout(&self, name: &str) {
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            ".cargo/config.toml",
            "xtask/Cargo.toml",
            "xtask/src/main.rs",
            "exercises/harness/Cargo.toml",
            "exercises/harness/src/lib.rs",
        ] {
            let file = format!("{name}/{file}");
            self.write(&file, "");
            self.age(&file, 60);
        }
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Another process writes it, so that no descriptor for writing is left in a child of this one.
    fn script(&self, name: &str, text: &str) {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(self.folder.join(name));
        let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn age(&self, file: &str, seconds: u64) {
        let file = fs::File::options().append(true).open(self.folder.join(file)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    fn command(&self, checkout: &str) -> Command {
        let checkout = self.folder.join(checkout);
        let mut command = Command::new(self.folder.join("target/launch/launch"));
        command
            .env("CARGO", self.folder.join("cargo"))
            .env("CARGO_MANIFEST_DIR", checkout.join("xtask/launch"))
            .env("PLACE", &self.folder)
            .env("CHECKOUT", checkout)
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, checkout: &str, words: &[&str]) -> Output {
        self.command(checkout).args(words).output().unwrap()
    }

    /// How often cargo was asked.
    fn builds(&self) -> usize {
        fs::read_to_string(self.folder.join("built")).unwrap_or_default().lines().count()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_tool_is_built_once() {
    let place = Place::new("once");
    for _ in 0..3 {
        let output = place.run("one", &["check", "ch2"]);
        assert!(text(&output.stdout).starts_with("<check><ch2>built for "), "{output:?}");
        assert_eq!(text(&output.stderr), "");
    }
    assert_eq!(fs::read_to_string(place.folder.join("built")).unwrap(), "build --package xtask\n");
}

#[test]
fn what_is_newer_than_the_tool_is_built() {
    let place = Place::new("newer");
    place.run("one", &[]);
    let files = [
        "xtask/src/main.rs",
        "exercises/harness/src/lib.rs",
        "exercises/harness/Cargo.toml",
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        "rust-toolchain.toml",
    ];
    for (index, file) in files.into_iter().enumerate() {
        place.write(&format!("one/{file}"), "new");
        place.run("one", &[]);
        assert_eq!(place.builds(), index + 2, "{file}");
        place.age(&format!("one/{file}"), 60);
        place.run("one", &[]);
        assert_eq!(place.builds(), index + 2, "{file}");
    }
    // Nor can one that is gone be up to date.
    fs::remove_file(place.folder.join("one/exercises/harness/src/lib.rs")).unwrap();
    place.run("one", &[]);
    assert_eq!(place.builds(), files.len() + 2);
}

#[test]
fn a_file_that_is_saved_during_the_build_is_built_the_next_time() {
    let place = Place::new("during");
    place.script(
        "cargo",
        &CARGO.replacen(
            "\n",
            "\nsleep 0.1; echo new > \"$CHECKOUT/xtask/src/main.rs\"; sleep 0.1\n",
            1,
        ),
    );
    place.run("one", &[]);
    place.script("cargo", CARGO);
    place.run("one", &[]);
    place.age("one/xtask/src/main.rs", 60);
    place.run("one", &[]);
    assert_eq!(place.builds(), 2);
}

#[test]
fn two_checkouts_with_one_target_folder_each_get_their_own() {
    let place = Place::new("shared");
    place.checkout("another one");
    for checkout in ["one", "another one", "another one", "one"] {
        let path = place.folder.join(checkout).display().to_string();
        let output = text(&place.run(checkout, &[]).stdout);
        assert_eq!(output, format!("<>built for {path}, works in {path}\n"));
    }
    assert_eq!(place.builds(), 3);
}

#[test]
fn a_checkout_that_was_moved_works_in_its_new_place() {
    let place = Place::new("moved");
    place.run("one", &[]);
    fs::rename(place.folder.join("one"), place.folder.join("two")).unwrap();
    let path = place.folder.join("two").display().to_string();
    let output =
        place.command("two").env("NAMESPACES_BY_HAND_ROOT", "/elsewhere").output().unwrap();
    assert_eq!(text(&output.stdout), format!("<>built for {path}, works in {path}\n"));
    assert_eq!(place.builds(), 2);
}

#[test]
fn the_tools_end_and_its_arguments_are_passed_on() {
    let place = Place::new("end");
    assert_eq!(place.run("one", &["status", "7"]).status.code(), Some(7));
    assert_eq!(place.run("one", &["signal"]).status.signal(), Some(15));
    let bytes = OsString::from_vec(b"a\xff\n b".to_vec());
    let output = place.command("one").args([OsStr::new("--"), &bytes]).output().unwrap();
    assert!(output.stdout.starts_with(b"<--><a\xff\n b>built"), "{output:?}");
}

#[test]
fn a_build_that_fails_has_status_3_and_the_compilers_words() {
    let place = Place::new("fails");
    place.write("fails", "");
    let words =
        "\u{20}  Compiling xtask v0.0.0\nwarning: unused\n --> a.rs:1:2\n\nerror: no such thing\n";
    place.write("said", words);
    let output = place.run("one", &["check"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""));
    let complaints = words.split_once('\n').unwrap().1;
    let own = "error: xtask could not be built; cargo says why above\n";
    assert_eq!(text(&output.stderr), format!("{complaints}{own}"));
    let output = place.command("one").env("CARGO", "/nowhere/cargo").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).starts_with("error: could not start cargo: "), "{output:?}");
    let output = place.command("one").env_remove("CARGO_MANIFEST_DIR").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stderr), "error: call it as `cargo xtask COMMAND`\n");
}

#[test]
fn a_warning_does_not_stop_the_tool() {
    let place = Place::new("warning");
    place.write("said", "warning: unused\n --> a.rs:1:2\n\n");
    let output = place.run("one", &[]);
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "warning: unused\n --> a.rs:1:2\n\n");
}

/// Cargo says how far it is, and takes its time.
const BAR: &str = "    Updating crates.io index\n    Building [=> ] 3/57: libc\r    Building [==> ] 31/57: nix, libc(build.rs)\r";

#[test]
fn in_a_pipe_one_line_says_what_is_built() {
    let place = Place::new("pipe");
    place.write("said", BAR);
    place.script("cargo", &format!("{CARGO}sleep 2.5\n"));
    let output = place.run("one", &[]);
    assert_eq!(text(&output.stderr), "building xtask; the first time this takes about a minute\n");
    assert!(text(&output.stdout).starts_with("<>built"));
    assert_eq!(text(&place.run("one", &[]).stderr), "");
    // One crate after an edit is not worth it.
    place.write("said", "    Building [=> ] 56/57: xtask\r");
    place.write("one/xtask/src/main.rs", "new");
    assert_eq!(text(&place.run("one", &[]).stderr), "");
    assert_eq!(place.builds(), 2);
}

#[test]
fn another_cargo_is_waited_for_aloud() {
    let place = Place::new("lock");
    place.write("said", "    Blocking waiting for file lock on build directory\n");
    let output = place.run("one", &[]);
    let note = "note: another cargo is at work; waiting for file lock on build directory\n";
    assert_eq!(text(&output.stderr), note);
}

/// What a terminal of that width is sent, and its last line with what was taken away again.
fn on_terminal(place: &Place, columns: u16, change: impl FnOnce(&mut Command)) -> String {
    let size = Winsize { ws_row: 20, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).unwrap();
    let mut command = place.command("one");
    command.stdout(Stdio::null()).stderr(Stdio::from(pty.slave));
    change(&mut command);
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut reader, mut seen) = (fs::File::from(pty.master), Vec::new());
    // Without its other end a terminal cannot be read: EIO.
    _ = reader.read_to_end(&mut seen);
    assert!(child.wait().unwrap().success());
    text(&seen)
}

#[test]
fn a_terminal_shows_how_far_the_build_is() {
    let place = Place::new("terminal");
    place.write("said", BAR);
    place.script("cargo", &format!("{CARGO}sleep 1\n"));
    let first = on_terminal(&place, 100, |_| ());
    assert!(first.contains("\r\x1b[Kbuilding xtask: 31/57, about "), "{first:?}");
    assert!(first.contains(" left: nix, libc(build.rs)"), "{first:?}");
    assert!(first.ends_with("\r\x1b[K"), "nothing is left: {first:?}");
    // Later on there is nothing to see.
    assert_eq!(on_terminal(&place, 100, |_| ()), "");

    fs::remove_file(place.folder.join("target/debug/xtask.built")).unwrap();
    let narrow = on_terminal(&place, 40, |_| ());
    assert!(narrow.contains("building xtask: 31/57, about "), "{narrow:?}");
    for line in narrow.split("\r\x1b[K") {
        assert!(line.chars().count() < 40, "{line:?}");
    }
    // A terminal that cannot draw over a line is like a pipe.
    fs::remove_file(place.folder.join("target/debug/xtask.built")).unwrap();
    let dumb = on_terminal(&place, 100, |command| _ = command.env("TERM", "dumb"));
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
}

#[test]
fn colours_are_asked_for_where_they_are_wanted() {
    let place = Place::new("colours");
    place.script("cargo", &format!("{CARGO}echo \"colour $CARGO_TERM_COLOR\" >&2\n"));
    let colour = |change: fn(&mut Command)| {
        _ = fs::remove_file(place.folder.join("target/debug/xtask.built"));
        on_terminal(&place, 80, change).trim().to_owned()
    };
    assert_eq!(colour(|_| ()), "colour always");
    assert_eq!(colour(|command| _ = command.env("NO_COLOR", "1")), "colour never");
    _ = fs::remove_file(place.folder.join("target/debug/xtask.built"));
    assert_eq!(text(&place.run("one", &[]).stderr), "colour never\n");
}

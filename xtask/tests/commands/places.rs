//! Checkouts in unusual places, with the real cargo: each command acts on the checkout in which it is typed.
//!
//! A checkout has one chapter, whose check asks the program for one word.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use assert_cmd::cargo::cargo_bin;
use harness::verdict::Outcome;

use crate::checkout::verdict;

struct Place {
    folder: PathBuf,
}

const PACKAGE: &str = "[package]\nname = \"ch01-one\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";

/// What cargo itself says is of no interest; `print` is enough for a program.
fn program(word: &str) -> String {
    format!("fn main() {{\n    print!({word:?});\n}}\n")
}

/// A check that only knows the standard library: it writes the verdicts that it is given.
fn check() -> String {
    let json = |outcome| verdict(outcome).to_json();
    format!(
        r##"use std::process::{{Command, exit}};
#[test]
fn step1_it_says_right() {{
    let program = option_env!("CARGO_BIN_EXE_ch01-one").unwrap();
    let said = Command::new(program).output().unwrap().stdout;
    let (verdict, status) = match said == b"right" {{
        true => (r#"{}"#, 0),
        false => (r#"{}"#, 1),
    }};
    std::fs::write(std::env::var("NAMESPACES_BY_HAND_VERDICT").unwrap(), verdict).unwrap();
    if status != 0 {{
        exit(status);
    }}
}}
"##,
        json(Outcome::Passed),
        json(Outcome::Failed)
    )
}

impl Place {
    fn new(test: &str) -> Place {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("places {test}"));
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Place { folder }
    }

    /// Makes a checkout whose program says this word, and whose files are that old.
    fn checkout(&self, name: &str, word: &str, age: u64) -> PathBuf {
        let root = self.folder.join(name);
        let files = [
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n".to_owned(),
            ),
            ("xtask/Cargo.toml", String::new()),
            ("exercises/ch01-one/Cargo.toml", PACKAGE.to_owned()),
            ("exercises/ch01-one/src/main.rs", program(word)),
            ("exercises/ch01-one/stub.rs", program("stub")),
            ("exercises/ch01-one/tests/check.rs", check()),
        ];
        for (file, text) in files {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            let file = fs::File::options().append(true).open(file).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        root
    }

    /// A command of xtask's in that checkout. The tool lies in the target folder of them all.
    fn xtask(&self, root: &Path, words: &str) -> Command {
        let mut command = Command::new(self.tool());
        command
            .args(words.split_whitespace())
            .env_remove("NAMESPACES_BY_HAND_ROOT")
            .env_remove("CARGO_MANIFEST_DIR")
            .env("CARGO", env!("CARGO"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .current_dir(root);
        command
    }

    fn tool(&self) -> PathBuf {
        let tool = self.folder.join("target/debug/xtask");
        if !tool.exists() {
            fs::create_dir_all(tool.parent().unwrap()).unwrap();
            fs::hard_link(cargo_bin!("xtask"), &tool).unwrap();
        }
        tool
    }

    /// How its check ends, and what it says.
    fn check(&self, root: &Path) -> (Option<i32>, String) {
        ended(self.xtask(root, "check ch1"))
    }

    /// Whether its check passes.
    #[track_caller]
    fn passes(&self, root: &Path) -> bool {
        let (code, said) = self.check(root);
        assert!(matches!(code, Some(0 | 1)) && said.contains("step 1: it says right"), "{said}");
        code == Some(0)
    }
}

fn ended(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn with_one_target_folder_each_checkout_runs_its_own_program() {
    slow!();
    let place = Place::new("shared");
    // To cargo alone the first one would be up to date after the second: its files are older.
    let (wrong, right) =
        (place.checkout("wrong", "wrong", 200), place.checkout("right", "right", 100));
    for _ in 0..2 {
        assert!(!place.passes(&wrong));
        assert!(place.passes(&right));
    }
}

#[test]
fn a_checkout_is_copied_moved_and_linked_with_its_target_folder() {
    slow!();
    let place = Place::new("copied");
    let first = place.checkout("first", "right", 100);
    assert!(place.passes(&first));
    let copied = place.folder.join("a copy");
    assert!(Command::new("cp").arg("-a").args([&first, &copied]).status().unwrap().success());
    fs::write(copied.join("exercises/ch01-one/src/main.rs"), program("wrong")).unwrap();
    assert!(!place.passes(&copied) && place.passes(&first));

    let (code, said) = ended(place.xtask(&copied, "reset ch1"));
    assert_eq!(code, Some(0), "{said}");
    let text = |root: &Path| fs::read_to_string(root.join("exercises/ch01-one/src/main.rs"));
    assert_eq!(text(&copied).unwrap(), program("stub"));
    assert_eq!(text(&first).unwrap(), program("right"));

    let moved = place.folder.join("moved");
    fs::rename(&first, &moved).unwrap();
    assert!(place.passes(&moved) && !place.passes(&copied));
    let linked = place.folder.join("linked");
    symlink(&moved, &linked).unwrap();
    assert!(place.passes(&linked));
}

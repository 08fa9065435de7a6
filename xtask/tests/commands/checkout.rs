//! A throwaway checkout with two chapters.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use harness::report::Excerpt;
use harness::verdict::{Outcome, Verdict};

pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
}

const STUB: &str =
    "//! ch01-one: a stub.\nfn main() {\n    // TODO: do it. Man page: unshare(2).\n}\n";
const SOLUTION: &str =
    "//! ch01-one, solved.\n// ANCHOR: main\nfn main() {\n    do_it();\n}\n// ANCHOR_END: main\n";
const HINTS: &str = "## One?\n\nfirst\n\n## Two?\n\nsecond\n\n## Three?\n\nthird\n";
/// Says where the check is, as cargo does.
const CARGO: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "   Compiling ch01-one v0.0.0 ($here)" >&2
echo '{"target":{"kind":["test"]},"executable":"'"$here"'/check"}'
"#;

/// Lists its steps; gives the verdict that is laid out for a step, in the exercise's folder, and ends
/// with its exit status. A run with the recorder may have another one, `STEP-recorded`.
const SCRIPT: &str = r#"#!/bin/sh
if [ "$1" = --list ]; then
    printf '%s: test\n' step1_it_runs step2_it_leaves step3_its_status_is_passed_on
    exit 0
fi
verdict=$2
[ -n "$NAMESPACES_BY_HAND_TRACE" ] && [ -e "$2-recorded" ] && verdict=$2-recorded
[ -e "$verdict" ] || exit 0
cat "$verdict" > "$NAMESPACES_BY_HAND_VERDICT"
grep -q '"outcome":"passed"' "$verdict" && exit 0
grep -q '"outcome":"cannot"' "$verdict" && exit 3
exit 1
"#;

/// A verdict with this outcome and nothing else.
pub(crate) fn verdict(outcome: Outcome) -> Verdict {
    Verdict { outcome, ..Verdict::default() }
}

/// A failure: COMMAND is in the lab's UTS namespace, and should not be.
pub(crate) fn not_unshared() -> Verdict {
    const SAW: &str = "user  mnt  pid  net  uts  ipc  cgroup  time\n\
                       lab      A     A    A    A    A    A    A       A\n\
                       COMMAND  A     A    A    A    A    A    A       A";
    let wanted = SAW.replace("COMMAND  A     A    A    A    A", "COMMAND  A     A    A    A    B");
    let (saw, wanted) = (Excerpt::read(SAW), Excerpt::read(&wanted));
    Verdict { saw, wanted, ..verdict(Outcome::Failed) }
}

impl Checkout {
    /// All steps of both chapters pass.
    pub(crate) fn new(test: &str) -> Checkout {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        _ = fs::remove_dir_all(&root);
        let checkout = Checkout { root };
        for chapter in ["ch01-one", "ch02-two"] {
            checkout.write(&format!("exercises/{chapter}/src/main.rs"), STUB);
            checkout.write(&format!("exercises/{chapter}/stub.rs"), STUB);
            checkout.write(&format!("exercises/{chapter}/hints.md"), HINTS);
            checkout.write(&format!("solutions/{chapter}/src/main.rs"), SOLUTION);
            for step in ["step1_it_runs", "step2_it_leaves", "step3_its_status_is_passed_on"] {
                checkout.verdict(chapter, step, &verdict(Outcome::Passed));
            }
        }
        checkout.script("cargo", CARGO);
        checkout.script("check", SCRIPT);
        checkout
    }

    /// Lays out what a step will say.
    pub(crate) fn verdict(&self, chapter: &str, step: &str, verdict: &Verdict) {
        self.write(&format!("exercises/{chapter}/{step}"), &verdict.to_json());
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Another process writes it: while a descriptor for writing is open anywhere, and be it in a
    /// child that another test has just forked, nobody can execute the file (ETXTBSY).
    pub(crate) fn script(&self, name: &str, text: &str) {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(self.root.join(name));
        shell.write_stdin(text).assert().success();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The command, without a terminal, called from a folder that has nothing to do with it.
    pub(crate) fn xtask(&self, words: &str) -> Command {
        let mut command = Command::new(cargo_bin!("xtask"));
        command
            .args(words.split_whitespace())
            .env("NAMESPACES_BY_HAND_ROOT", &self.root)
            .env("CARGO", self.root.join("cargo"))
            .current_dir("/");
        command
    }

    /// Runs it, and says how it ended and what it printed: standard output, standard error.
    pub(crate) fn run(&self, words: &str) -> (i32, String, String) {
        let output = self.xtask(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

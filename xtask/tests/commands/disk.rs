//! Disks that are full or read-only, made in mount namespaces of their own. An error says what is wrong and
//! what to do, and no file of the reader's is lost.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use crate::checkout::Checkout;

const PROGRAM: &str = "exercises/ch01-one/src/main.rs";

/// What a command did on such a disk.
struct Ended {
    code: i32,
    said: String,
    /// The files beside the program afterwards, and the program.
    files: String,
    program: String,
}

/// Runs a command in a copy of the checkout, on a disk of its own that `prepare` has changed. `None` if no
/// disk can be mounted here.
fn on_a_disk(checkout: &Checkout, prepare: &str, words: &str) -> Option<Ended> {
    let script = format!(
        "mkdir disk && mount -t tmpfs -o size=1m none disk && cp -R cargo check exercises solutions disk \
         && cd disk && {prepare} || exit 77\n\
         NAMESPACES_BY_HAND_ROOT=$PWD CARGO=$PWD/cargo \"$0\" {words} >&2\n\
         echo $?; ls exercises/ch01-one/src; echo; cat {PROGRAM}"
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).arg(cargo_bin!("xtask"));
    let output = command.current_dir(&checkout.root).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() == Some(77) {
        skip!("no disk can be mounted here: {said}");
        return None;
    }
    let (code, rest) = out.split_once('\n').unwrap_or_else(|| panic!("{out}{said}"));
    let (files, program) = rest.split_once("\n\n").unwrap_or_else(|| panic!("{out}{said}"));
    Some(Ended {
        code: code.parse().unwrap(),
        said,
        files: files.to_owned(),
        program: program.to_owned(),
    })
}

/// Fills it to the last byte.
const FULL: &str = "{ cat /dev/zero > fill 2>/dev/null || true; }";
const READ_ONLY: &str = "mount -o remount,ro,bind .";

const OWN: &str = "fn main() { /* hours of work */ }\n";

fn checkout(test: &str) -> Checkout {
    let checkout = Checkout::new(test);
    checkout.write(PROGRAM, OWN);
    let mistake = "[[mistake]]\nname = \"n\"\nedit = [{ find = \"do_it\", replace = \"do\" }]\n\
                   when = { \"COMMAND\" = \"x\" }\ncause = \"c\"\nremedy = \"r\"\nsee = \"s\"\n";
    checkout.write("exercises/ch01-one/mistakes.toml", mistake);
    checkout
}

#[test]
fn a_program_that_cannot_be_replaced_stays() {
    for (name, prepare, why, help) in [
        ("full", FULL, "No space left on device", "help: make room: "),
        ("read-only", READ_ONLY, "Read-only file system", "help: work in a checkout of your own: "),
    ] {
        for words in ["reset ch1", "break ch1 1 --yes", "catch-up ch2 --yes"] {
            let checkout = checkout(&format!("disk {name} {words}"));
            let Some(ended) = on_a_disk(&checkout, prepare, words) else { return };
            let Ended { code, said, files, program } = ended;
            assert_eq!(code, 3, "{said}");
            assert!(said.contains(&format!("error: could not write `{PROGRAM}`: {why}")), "{said}");
            assert!(said.contains(help), "{said}");
            assert_eq!((files.as_str(), program.as_str()), ("main.rs", OWN), "{words}");
        }
    }
}

#[test]
fn a_verdict_does_not_need_a_disk() {
    for (name, prepare) in [("full", FULL), ("read-only", READ_ONLY)] {
        let checkout = checkout(&format!("disk {name} check"));
        let Some(Ended { code, said, .. }) = on_a_disk(&checkout, prepare, "check ch1") else {
            return;
        };
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("\nsolved; ") && said.contains("note: progress is not kept: "),
            "{said}"
        );
    }
}

#[test]
fn a_result_that_cannot_be_written_is_said() {
    let checkout = checkout("disk junit");
    let Some(ended) = on_a_disk(&checkout, READ_ONLY, "check ch1 --junit result.xml") else {
        return;
    };
    assert_eq!(ended.code, 3, "{}", ended.said);
    assert!(ended.said.contains("could not write `result.xml`: Read-only"), "{}", ended.said);
}

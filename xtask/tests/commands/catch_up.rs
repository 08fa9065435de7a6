//! `catch-up`: the reader goes on, and no file is lost.

use crate::checkout::Checkout;

const PROGRAM: &str = "exercises/ch01-one/src/main.rs";
const SOLVED: &str = "//! ch01-one, solved.\nfn main() {\n    do_it();\n}\n";
const OWN: &str = "fn main() { /* hours of work */ }\n";

fn state(checkout: &Checkout) -> String {
    checkout.run("list").1.lines().next().unwrap()[23..].to_owned()
}

#[test]
fn the_solution_comes_and_the_own_file_stays() {
    let checkout = Checkout::new("catch-up");
    checkout.write(PROGRAM, OWN);
    // Without a terminal only `--yes` is an answer.
    let (code, out, err) = checkout.run("catch-up ch2");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("ch1 is not solved") && err.contains("help: add `--yes` to"), "{err}");
    assert_eq!(checkout.read(PROGRAM), OWN);

    let (code, out, _) = checkout.run("catch-up ch2 --yes");
    let back = format!("your own file back: cp {PROGRAM}.1.bak {PROGRAM}\n");
    let said =
        format!("ch01-one: caught up, and not solved\n  {back}\nnext: `cargo xtask check ch2`\n");
    assert_eq!((code, out), (0, said));
    assert_eq!((checkout.read(PROGRAM).as_str(), state(&checkout)), (SOLVED, caught_up()));
    assert_eq!(checkout.read(&format!("{PROGRAM}.1.bak")), OWN);
    // `check` goes on with the next chapter, and the solution's check does not make it solved.
    assert!(checkout.run("check").1.starts_with("ch02-two\n"));
    let out = checkout.run("check ch1").1;
    assert!(
        out.contains("\nit passes, and it is the solution that") && out.ends_with(&back),
        "{out}"
    );
    assert_eq!(state(&checkout), caught_up());
    // Once more there is nothing to do, and no second backup.
    let again = checkout.run("catch-up ch2 --yes").1;
    assert_eq!(again, "nothing is left to do before ch02-two\nnext: `cargo xtask check ch2`\n");
    // With the own file back the reader is at work again, and may solve it.
    checkout.write(PROGRAM, OWN);
    assert_eq!(state(&checkout), "started");
    checkout.run("check ch1");
    assert_eq!(state(&checkout), "solved");
}

fn caught_up() -> String {
    "caught up, with the solution".to_owned()
}

#[test]
fn only_what_is_open_and_before_is_touched() {
    let checkout = Checkout::new("catch-up solved");
    checkout.write(PROGRAM, OWN);
    checkout.run("check ch1");
    assert!(checkout.run("catch-up ch2 --yes").1.starts_with("nothing is left to do"));
    assert!(checkout.run("catch-up ch1 --yes").1.starts_with("nothing is left to do"));
    assert_eq!((checkout.read(PROGRAM).as_str(), state(&checkout).as_str()), (OWN, "solved"));
    let (code, _, err) = checkout.run("catch-up");
    assert!(code == 2 && err.contains("`catch-up` needs a chapter"), "{err}");
}

#[test]
fn an_untouched_exercise_leaves_no_backup() {
    let checkout = Checkout::new("catch-up untouched");
    let out = checkout.run("catch-up two --yes").1;
    assert!(out.contains("  the solution is in the place of the exercise\n"), "{out}");
    assert!(!checkout.root.join(format!("{PROGRAM}.1.bak")).exists());
}

#[test]
fn an_archive_without_solutions_goes_on_as_well() {
    let checkout = Checkout::new("catch-up pack");
    std::fs::remove_dir_all(checkout.root.join("solutions")).unwrap();
    checkout.write(PROGRAM, OWN);
    let (code, _, err) = checkout.run("catch-up ch2");
    assert!(
        code == 2 && err.contains("ch1 is not solved, and there are no solutions in this copy"),
        "{err}"
    );
    let (code, out, _) = checkout.run("catch-up ch2 --yes");
    assert!(code == 0 && out.contains("there are no solutions here"), "{out}");
    assert_eq!(
        (checkout.read(PROGRAM).as_str(), state(&checkout).as_str()),
        (OWN, "caught up, without a solution")
    );
    assert!(checkout.run("check").1.starts_with("ch02-two\n"));
    // What passes is the reader's own, whoever was in a hurry.
    let out = checkout.run("check ch1").1;
    assert!(out.contains("\nsolved; `cargo xtask diff ch1`"), "{out}");
    assert_eq!(state(&checkout), "solved");
}

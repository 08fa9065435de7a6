//! Programs that use too much are stopped.

use lab::sandbox::{self, Excess, Wait};

use super::shell;

#[test]
fn a_program_that_hangs_meets_its_deadline() {
    // Long enough for the shell to start.
    let patience = sandbox::patience() / 25;
    let mut run = shell("sleep 1000").patience(Some(patience)).start().unwrap();
    assert_eq!(run.await_end(), Wait::TimedOut);
    assert!(run.program().waits_in().is_some());
}

#[test]
fn a_program_that_prints_forever_is_stopped() {
    let mut run = shell("yes").start().unwrap();
    assert_eq!(run.await_end(), Wait::TooMuchOutput);
    let kept = run.stdout();
    assert!(kept.starts_with("y\ny\n") && kept.len() <= 64 * 1024, "{} bytes", kept.len());
}

#[test]
fn a_program_that_forks_forever_is_stopped() {
    let mut run = shell("while :; do sleep 60 & done").start().unwrap();
    // For their number or for the memory that they use together, whichever PID 1 notices first.
    let wait = run.await_end();
    assert!(matches!(wait, Wait::Stopped(_)), "{wait:?}: {}", run.stderr());
}

#[test]
fn a_program_that_uses_much_memory_is_stopped() {
    let mut run = shell("dd bs=700M if=/dev/zero of=/dev/null").start().unwrap();
    assert_eq!(run.await_end(), Wait::Stopped(Excess::Memory));
}

#[test]
fn short_lived_children_do_not_hide_memory_use() {
    let script = "dd bs=700M if=/dev/zero of=/dev/null & while :; do (true &); done";
    let mut run = shell(script).start().unwrap();
    assert_eq!(run.await_end(), Wait::Stopped(Excess::Memory));
}

//! The promises of the sandbox.

use harness::sandbox::{Sandbox, State, Status, Wait};

#[test]
fn a_program_runs_and_its_status_and_output_come_back() {
    let mut run =
        Sandbox::command("/bin/sh").args(["-c", "echo out; echo err >&2; exit 7"]).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached);
    assert_eq!(run.ended().unwrap().status, Status::Exited(7));
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("out\n", "err\n"));
}

#[test]
fn who_one_is() {
    for (state, expected) in
        [(State::RootLab, "0 lab root\n"), (State::PlainUser, "1000 lab you\n")]
    {
        let script = "echo $(id -u) $(hostname) $(id -un)";
        let mut run =
            Sandbox::command("/bin/sh").state(state).args(["-c", script]).start().unwrap();
        run.await_end();
        assert_eq!(run.stdout(), expected, "{}", run.stderr());
    }
}

//! Stories are what happened.

use harness::record::Story;
use harness::sandbox::{Sandbox, State};

/// The story of a shell script.
fn story(state: State, script: &str) -> Story {
    let mut run =
        Sandbox::command("/bin/sh").args(["-c", script]).state(state).record().start().unwrap();
    run.await_end();
    eprintln!("{}{}", run.stdout(), run.stderr());
    run.story().unwrap()
}

#[test]
fn dump() {
    let story = story(
        State::PlainUser,
        "unshare -Urpf --mount-proc sh -c 'hostname x; true'; sleep 0.1 & wait",
    );
    print!("{}", story.to_json_lines());
}

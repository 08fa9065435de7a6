//! A recorder that does more than look.

use lab::sandbox::{IdMaps, Sandbox, State, Wait};

/// What a child finds in its map, which does not wait until its parent has written it, but sleeps.
fn found(id_maps: IdMaps) -> String {
    let script = "
        unshare --user sh -c 'sleep 0.4; cat /proc/self/uid_map; echo end' &
        while test $(readlink /proc/$!/ns/user) = $(readlink /proc/$$/ns/user); do :; done
        echo 0 1000 1 > /proc/$!/uid_map
        wait";
    let sandbox = Sandbox::command("/bin/sh").args(["-c", script]).state(State::PlainUser);
    let mut run = sandbox.id_maps(id_maps).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{}", run.stderr());
    run.stdout().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sleep_is_no_substitute_for_waiting() {
    assert_eq!(found(IdMaps::Written), "0 1000 1 end");
    assert_eq!(found(IdMaps::Held), "end");
}

#[test]
fn one_map_is_refused_and_not_the_other() {
    assert_eq!(found(IdMaps::Refused("uid_map".into())), "end");
    assert_eq!(found(IdMaps::Refused("gid_map".into())), "0 1000 1 end");
}

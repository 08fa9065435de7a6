//! Neighbors in a tree of user namespaces: what was asked for is what the kernel tells.

use lab::look::{Kind, Namespace, Namespaces};
use lab::sandbox::{Neighbor, Run, Sandbox, State, Status, Wait, has_many_ids};
use nix::errno::Errno;

fn start(sandbox: Sandbox, neighbor: Neighbor) -> (Run, Namespaces) {
    let run = sandbox.neighbor(neighbor).start().unwrap();
    let found = run.neighbor("one").expect("it is parked");
    let namespaces = Namespaces::of(&found).unwrap();
    (run, namespaces)
}

fn sleeping() -> Sandbox {
    Sandbox::command("/bin/sleep").arg("60")
}

/// From the bottom up to the lab's.
fn users(run: &Run, namespaces: &Namespaces) -> Vec<Namespace> {
    let lab = run.lab().get(Kind::User).unwrap();
    let mut users = vec![namespaces.get(Kind::User).unwrap().try_clone().unwrap()];
    while users.last().unwrap() != lab {
        let parent = users.last().unwrap().parent().unwrap();
        users.push(parent);
    }
    users
}

#[test]
fn each_user_namespace_owns_what_came_with_it() {
    let below = vec![libc::CLONE_NEWUTS | libc::CLONE_NEWNET, libc::CLONE_NEWNS, 0];
    let neighbor = Neighbor { name: "one".into(), below, ..Neighbor::default() };
    for state in [State::RootLab, State::PlainUser] {
        let (run, namespaces) = start(sleeping().state(state), neighbor.clone());
        let users = users(&run, &namespaces);
        assert_eq!(users.len(), 4);
        for (kind, level) in [(Kind::Mnt, 1), (Kind::Uts, 2), (Kind::Net, 2)] {
            let owner = namespaces.get(kind).unwrap().owner().unwrap();
            assert!(owner == users[level], "{kind}");
        }
        let ipc = namespaces.get(Kind::Ipc);
        assert!(ipc == run.lab().get(Kind::Ipc), "it came with none");
    }
}

#[test]
fn what_is_far_belongs_to_a_user_namespace_below() {
    let far = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
    for below in [vec![], vec![0, 0]] {
        let neighbor = Neighbor { name: "one".into(), below, far, ..Neighbor::default() };
        let (run, namespaces) = start(sleeping(), neighbor);
        let users = users(&run, &namespaces);
        for kind in [Kind::Uts, Kind::Ipc] {
            let owner = namespaces.get(kind).unwrap().owner().unwrap();
            assert!(!users.contains(&owner), "{kind}");
            assert!(owner.parent().unwrap() == users[0], "{kind}");
        }
        // The process that created the tree has ended.
        assert!(run.neighbor("one").unwrap().children().is_empty());
    }
}

#[test]
fn a_creator_has_the_uid_that_was_asked_for() {
    let (below, creator) = (vec![0, 0], Some(7));
    let neighbor = Neighbor { name: "one".into(), below, creator, ..Neighbor::default() };
    let (run, namespaces) = start(sleeping().many_ids(), neighbor);
    let root = run.ids().unwrap()[0];
    let creator = if has_many_ids() { root + 7 } else { root };
    let found = users(&run, &namespaces);
    let found: nix::Result<Vec<u32>> = found.iter().map(Namespace::creator).collect();
    assert_eq!(found, Ok(vec![creator, creator, root]));
}

#[test]
fn ioctls_of_one_type_are_unknown() {
    // Whether descriptor 0 is a terminal: TCGETS, 0x5401.
    for (unknown, status) in [(0x54, 1), (0x55, 0)] {
        let sandbox = Sandbox::command("/bin/sh").args(["-c", "test -t 0"]).terminal();
        let mut run = sandbox.unknown_ioctls(unknown).start().unwrap();
        assert_eq!(run.await_end(), Wait::Reached);
        assert_eq!(run.ended().unwrap().status, Status::Exited(status), "{unknown:#x}");
    }
}

#[test]
fn one_ioctl_fails() {
    // TCGETS, and its neighbor TCSETS.
    for (failing, status) in [(0x5401, 1), (0x5402, 0)] {
        let sandbox = Sandbox::command("/bin/sh").args(["-c", "test -t 0"]).terminal();
        let mut run = sandbox.failing_ioctl(failing, Errno::EOPNOTSUPP).start().unwrap();
        assert_eq!(run.await_end(), Wait::Reached);
        assert_eq!(run.ended().unwrap().status, Status::Exited(status), "{failing:#x}");
    }
}

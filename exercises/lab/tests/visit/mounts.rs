//! Looking, mounting and unmounting in a mount namespace of the lab.

use lab::look::{Kind, Mount, Namespace, Namespaces};
use lab::visit::{mount_at, mounts_in, root_covers_another, unmount_at};

use super::{await_that, shell};

#[test]
fn a_mount_reaches_the_lab_if_and_only_if_it_propagates() {
    for (propagation, leaks) in [("unchanged", true), ("slave", false), ("private", false)] {
        let unshare = format!("exec unshare --mount --propagation {propagation}");
        let run = shell(&format!("{unshare} sh -c 'mount -t tmpfs leak /mnt; exec sleep 60'"));
        let run = run.shared_mounts().start().unwrap();
        let inside = || Namespaces::of(run.program()).ok()?.get(Kind::Mnt)?.try_clone().ok();
        let on_mnt =
            |mnt: &Namespace| mounts_in(mnt).unwrap().iter().any(|one| one.point == "/mnt");
        await_that(|| inside().is_some_and(|inside| on_mnt(&inside)));
        let lab = run.lab().get(Kind::Mnt).unwrap();
        assert_eq!(on_mnt(lab), leaks, "{propagation}");
        assert!(!run.mounts().iter().any(|one| one.point == "/mnt"), "taken at the start");
    }
}

#[test]
fn a_visitor_mounts_and_unmounts_in_the_namespace_it_is_given() {
    let run = shell("unshare --mount --propagation slave sleep 60 & wait");
    let run = run.shared_mounts().start().unwrap();
    let mut children = Vec::new();
    await_that(|| {
        children = run.program().children();
        children.iter().any(|child| {
            Namespaces::of(child).is_ok_and(|of_child| {
                let mnt = of_child.get(Kind::Mnt);
                let slaves = |mounts: Vec<Mount>| {
                    mounts.iter().all(|one| one.propagation.to_string() == "slave")
                };
                mnt != run.lab().get(Kind::Mnt) && mounts_in(mnt.unwrap()).is_ok_and(slaves)
            })
        })
    });
    let of_child = Namespaces::of(&children[0]).unwrap();
    let (lab, slave) = (run.lab().get(Kind::Mnt).unwrap(), of_child.get(Kind::Mnt).unwrap());
    let there = |mnt: &Namespace| mounts_in(mnt).unwrap().iter().any(|one| one.point == "/run/on");
    mount_at(lab, "/run/on").unwrap();
    assert!(there(lab) && there(slave));
    unmount_at(lab, "/run/on").unwrap();
    assert!(!there(lab) && !there(slave));
    mount_at(slave, "/run/on").unwrap();
    assert!(!there(lab) && there(slave));
}

#[test]
fn a_tree_under_the_root_is_found_although_no_list_has_it() {
    for (mount, covers) in [("true", false), ("mount -t tmpfs over /", true)] {
        let run = shell(&format!("exec unshare --mount sh -c '{mount}; exec sleep 60'"));
        let run = run.start().unwrap();
        await_that(|| run.program().waits_for_a_time());
        let inside = Namespaces::of(run.program()).unwrap();
        let inside = inside.get(Kind::Mnt).unwrap();
        assert_eq!(root_covers_another(inside), Ok(covers), "{mount}");
        assert_eq!(mounts_in(inside).unwrap().len() == 1, covers, "{mount}");
    }
}

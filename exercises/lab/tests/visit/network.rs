//! What a visitor finds in network namespaces, and whether packets go from one to another.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use lab::look::{Kind, Namespace, Namespaces};
use lab::sandbox::{Neighbor, Run, Sandbox};
use lab::visit;
use nix::errno::Errno;

/// The lab, and a neighbor with a network namespace that is as the kernel made it.
fn lab_and_neighbor() -> (Run, Namespace, Namespace) {
    let neighbor =
        Neighbor { name: "other".into(), new: libc::CLONE_NEWNET, ..Neighbor::default() };
    let sandbox = Sandbox::command("/bin/sleep").arg("60").neighbor(neighbor);
    let run = sandbox.start().unwrap();
    let net = |all: &Namespaces| all.get(Kind::Net).unwrap().try_clone().unwrap();
    let lab = net(run.lab());
    let other = net(&Namespaces::of(&run.neighbor("other").unwrap()).unwrap());
    (run, lab, other)
}

#[test]
fn lo_is_up_in_the_lab_and_down_in_a_new_namespace() {
    let (_run, lab, other) = lab_and_neighbor();
    let lo = |net| {
        let links = visit::links_in(net).unwrap();
        links.into_iter().find(|link| link.name == "lo").unwrap()
    };
    let (here, there) = (lo(&lab), lo(&other));
    assert!(here.up && here.addresses.contains(&"127.0.0.1/8".to_owned()), "{here:?}");
    assert!(!there.up && there.addresses.is_empty(), "{there:?}");
    assert_eq!(visit::routes_in(&other).unwrap(), []);
}

#[test]
fn packets_go_where_a_route_goes() {
    let (_run, lab, other) = lab_and_neighbor();
    let localhost = Ipv4Addr::LOCALHOST;
    assert_eq!(visit::exchange(&lab, &lab, localhost), Ok(localhost.into()));
    // lo is down, so the address is not there, and no route leads to it.
    assert_eq!(visit::exchange(&other, &lab, localhost), Err(Errno::ENETUNREACH));
    if Path::new("/proc/net/if_inet6").exists() {
        let localhost = Ipv6Addr::LOCALHOST;
        assert_eq!(visit::exchange(&lab, &lab, localhost), Ok(localhost.into()));
    }
    let nobodys = Ipv4Addr::new(192, 0, 2, 1);
    assert_eq!(visit::exchange(&lab, &lab, nobodys), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(visit::words_on_port(&lab, 80, 1), Err(Errno::ECONNREFUSED));
    assert_eq!(visit::words_on_port(&other, 80, 1), Err(Errno::ENETUNREACH));
}

//! `ch13-veth NAME OUTER INNER -- COMMAND`: a network that is joined to the lab's.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::look::{Kind, Link, Namespace, Namespaces, Process};
use harness::sandbox::patience;
use harness::visit;
use harness::{Attempt, Report, Seen, assert_report, exercise, high_status, random, step, token};

/// The arguments of one run of the program.
#[derive(Clone)]
struct Pair {
    name: String,
    outer: IpAddr,
    inner: IpAddr,
}

impl Pair {
    /// In a network of its own. The name is as long as one may be.
    fn new([first, second]: [u8; 2]) -> Pair {
        let random = random().to_ne_bytes();
        // Three digits each, so that neither address is a prefix of the other.
        let address =
            |least: u8, any: u8| Ipv4Addr::new(first, second, random[0], least + any % 50);
        let (outer, inner) = (address(100, random[1]), address(200, random[2]));
        Pair { name: token("internet"), outer: outer.into(), inner: inner.into() }
    }

    /// The same with IPv6. The first byte is the network's own in a run.
    fn six(first: u8) -> Pair {
        let random = random().to_ne_bytes();
        let address = |last: u8| {
            let mut bytes = [0; 16];
            bytes[0] = first;
            bytes[1..8].copy_from_slice(&random[1..]);
            bytes[14..].copy_from_slice(&[last; 2]);
            IpAddr::from(bytes)
        };
        Pair { name: token("internet"), outer: address(0x11), inner: address(0x22) }
    }

    fn arguments(&self) -> [String; 3] {
        [self.name.clone(), self.outer.to_string(), self.inner.to_string()]
    }
}

fn net(all: &Namespaces) -> &Namespace {
    all.get(Kind::Net).expect("every kernel has network namespaces")
}

/// Another descriptor of the lab's network, for a look that is repeated.
fn lab_of(attempt: &Attempt) -> Namespace {
    net(attempt.run.lab()).try_clone().expect("another descriptor")
}

/// Runs the program once with IPv4 addresses, and looks at both networks while COMMAND is parked.
fn report() -> Report {
    report_of(&Pair::new([10, random() as u8]))
}

fn report_of(pair: &Pair) -> Report {
    let (arguments, six) = (pair.arguments(), pair.outer.is_ipv6());
    let mut attempt = Attempt::start(exercise!().args(&arguments).witness());
    for (word, role) in arguments.iter().zip(["NAME", "OUTER", "INNER"]) {
        attempt.report.role(word, role);
    }
    if let Some(command) = attempt.command() {
        // The packets first: an address that cannot be used at once is not to have the time to become one.
        let Pair { outer, inner, .. } = *pair;
        let lab = lab_of(&attempt);
        attempt.look("from the lab to INNER", &command, move |command| {
            reach(&lab, net(&command.namespaces), inner)
        });
        let lab = lab_of(&attempt);
        attempt.look("from COMMAND to OUTER", &command, move |command| {
            reach(net(&command.namespaces), &lab, outer)
        });
        attempt.look("from COMMAND to INNER", &command, move |command| {
            reach(net(&command.namespaces), net(&command.namespaces), inner)
        });
        for (key, look) in LINKS {
            let lab = lab_of(&attempt);
            attempt.look(key, &command, move |command| {
                let there = links_in(net(&command.namespaces), six);
                look(&there, &links_in(&lab, six))
            });
        }
        let lab = lab_of(&attempt);
        let wanted = arguments[0].clone();
        attempt.look("name in the lab", &command, move |command| {
            let there = links_in(net(&command.namespaces), six);
            match ends(&there, &links_in(&lab, six)).1 {
                Some(link) if link.name == wanted => "as asked",
                Some(_) => "another",
                None => "none",
            }
            .to_owned()
        });
        attempt.look("default route of COMMAND", &command, move |command| gateway(command, six));
    }
    attempt.release();
    attempt.finish()
}

/// The interfaces of a network, with their addresses of one family.
fn links_in(network: &Namespace, six: bool) -> Vec<Link> {
    let mut links = visit::links_in(network).unwrap_or_default();
    links.iter_mut().for_each(|link| link.addresses.retain(|address| address.contains(':') == six));
    links
}

/// What a look says about the interfaces of COMMAND's network and of the lab's.
type LookAtLinks = fn(&[Link], &[Link]) -> String;

const LINKS: [(&str, LookAtLinks); 4] = [
    ("COMMAND is joined to", joined),
    ("COMMAND's end", |there, here| state(ends(there, here).0)),
    ("the lab's end", |there, here| state(ends(there, here).1)),
    ("lo of COMMAND", |there, _| state(there.iter().find(|link| link.name == "lo"))),
];

/// The gateway of COMMAND's default route of one family.
fn gateway(command: &Seen, six: bool) -> String {
    let routes = visit::routes_in(net(&command.namespaces)).unwrap_or_default();
    let defaults = routes.into_iter().filter(|route| route.destination == "default");
    let gateways: Vec<Option<String>> = defaults.map(|route| route.gateway).collect();
    let found = gateways.iter().flatten().find(|gateway| gateway.contains(':') == six);
    match found {
        Some(gateway) => gateway.clone(),
        None if gateways.contains(&None) => "an interface, without a gateway".to_owned(),
        None => "none".to_owned(),
    }
}

/// What is left of the pair when the program has ended, and the check holds no reference to the network
/// that it has made.
fn afterwards() -> &'static str {
    let arguments = Pair::new([10, 203]).arguments();
    let mut attempt = Attempt::start(exercise!().args(arguments).args(["--", "/bin/true"]));
    attempt.run.await_end();
    let deadline = Instant::now() + patience();
    // The lab has `lo`.
    while visit::links_in(net(attempt.run.lab())).is_ok_and(|links| links.len() > 1) {
        if Instant::now() > deadline {
            return "an interface in the lab";
        }
        // The kernel destroys a network namespace in the background.
        sleep(Duration::from_millis(5));
    }
    "nothing"
}

fn is_veth(link: &Link) -> bool {
    link.kind.as_deref() == Some("veth")
}

/// The two ends of a veth pair between two networks.
fn ends<'a>(there: &'a [Link], here: &'a [Link]) -> (Option<&'a Link>, Option<&'a Link>) {
    let leads_out = |link: &&Link| is_veth(link) && link.peer_is_elsewhere;
    let end = there.iter().find(leads_out);
    let other = end.and_then(|end| {
        let mut others = here.iter().filter(leads_out);
        others.find(|link| end.peer == Some(link.index) && link.peer == Some(end.index))
    });
    (end, other)
}

fn joined(there: &[Link], here: &[Link]) -> String {
    let (end, other) = ends(there, here);
    let veths = there.iter().filter(|link| is_veth(link)).count();
    match (end, other, veths) {
        (Some(_), Some(other), 1) => other.name.clone(),
        (Some(_), None, 1) => "a network that is not the lab's".to_owned(),
        (None, _, 2) => "itself: both ends of the pair are there".to_owned(),
        (_, _, 0) if here.iter().any(|link| is_veth(link) && !link.peer_is_elsewhere) => {
            "nothing: both ends of a pair are in the lab".to_owned()
        }
        (_, _, 0) => "nothing: no end of a veth pair is there".to_owned(),
        (_, _, many) => format!("{many} ends of veth pairs"),
    }
}

/// Whether an interface is up, and its addresses.
fn state(link: Option<&Link>) -> String {
    let Some(link) = link else { return "there is none".to_owned() };
    let words = [if link.up { "up" } else { "down" }.to_owned()];
    words.into_iter().chain(link.addresses.iter().cloned()).collect::<Vec<_>>().join(", ")
}

/// Has one visitor listen in `to` and another connect to it from `from`.
fn reach(from: &Namespace, to: &Namespace, address: IpAddr) -> String {
    let reached = match visit::exchange(from, to, address) {
        Ok(_) => "packets go there and back",
        // It may be there, and be tentative.
        Err(nix::errno::Errno::EADDRNOTAVAIL) if address.is_ipv6() => {
            "this address cannot be used there, or not yet"
        }
        Err(nix::errno::Errno::EADDRNOTAVAIL) => "no interface has this address there",
        Err(nix::errno::Errno::ENETUNREACH) => "no route",
        Err(_) => "no answer",
    };
    reached.to_owned()
}

/// COMMAND is in a new network namespace. One end of a veth pair is there, and the other is in the lab
/// and is called NAME.
#[step]
fn step1_a_veth_pair_joins_command_to_the_lab() {
    assert_report!(report().table(&["COMMAND is joined"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    B    A    A    A       A
    COMMAND is joined to: NAME
    ");
}

/// The lab's end has the address OUTER and COMMAND's end has INNER, both with a prefix of 24 bits.
/// Packets go in both directions, and COMMAND reaches its own address, through `lo`.
#[step]
fn step2_packets_go_both_ways() {
    assert_report!(report().lines(&["COMMAND is joined", "COMMAND's end", "the lab's end", "from"]), @r"
    from the lab to INNER: packets go there and back
    from COMMAND to OUTER: packets go there and back
    from COMMAND to INNER: packets go there and back
    COMMAND is joined to: NAME
    COMMAND's end: up, INNER/24
    the lab's end: up, OUTER/24
    ");
}

/// COMMAND's default route leads to OUTER, and the lab forwards packets. So the COMMANDs of two runs of
/// your program reach each other, through the lab's network between them.
#[step]
fn step3_two_commands_reach_each_other_through_the_lab() {
    let mut report = report();
    through_the_lab(&mut report, &Pair::new([172, 16]), &Pair::new([192, 168]));
    assert_report!(report.lines(&["COMMAND is joined", "default route", "from one"]), @r"
    COMMAND is joined to: NAME
    default route of COMMAND: OUTER
    from one COMMAND to another: packets go there and back
    ");
}

/// Runs the program twice in one lab, and enters in the report whether one COMMAND reaches the other.
fn through_the_lab(report: &mut Report, one: &Pair, two: &Pair) {
    let [one_words, two_words] = [one, two].map(|pair| pair.arguments().join(" "));
    // One after the other: if two processes write to ip_forward at the same moment, each may find the
    // value already set (`devinet_sysctl_forward` in net/ipv4/devinet.c), and then the file contains 1
    // but no interface forwards. Once its COMMAND runs, the first one has written.
    let script = format!(
        r#""$0" {one_words} -- /bin/sh -c ': > /tmp/started; exec {{witness}}' &
n=0; until [ -e /tmp/started ] || [ $n = 500 ]; do n=$((n + 1)); sleep 0.01; done
"$0" {two_words} -- {{witness}} &
wait"#
    );
    let mut attempt = Attempt::start(exercise!().script(&script));
    let first = attempt.command();
    let second =
        attempt.run.await_nth_witness(1).1.and_then(|process: Process| Seen::of(process).ok());
    let outcome = "from one COMMAND to another";
    match (&first, second) {
        (Some(first), Some(second)) => {
            // Either of the two may have been parked first.
            let has_one = links_in(net(&second.namespaces), one.inner.is_ipv6())
                .iter()
                .flat_map(|link| &link.addresses)
                .any(|address| address.starts_with(&format!("{}/", one.inner)));
            let address = if has_one { one.inner } else { two.inner };
            attempt.look(outcome, first, move |first| {
                reach(net(&first.namespaces), net(&second.namespaces), address)
            });
        }
        _ => attempt.report.line(outcome, "there are not two of them"),
    }
    attempt.release();
    let finished = attempt.finish();
    report.of_run(outcome, finished.fact(outcome).unwrap_or_default(), &finished);
}

/// Your program exits with COMMAND's status and leaves no process. The pair is gone, because it ends when
/// the network namespace of either end does.
#[step]
fn step4_nothing_is_left_of_the_pair() {
    let mut report = report();
    high_status(&mut report, exercise!().args(Pair::new([10, 204]).arguments()));
    report.line("left of the pair", afterwards());
    assert_report!(report.lines(&["COMMAND is joined", "exit status", "left behind", "lab afterwards", "a COMMAND", "left of"]), @r"
    COMMAND is joined to: NAME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    left of the pair: nothing
    ");
}

/// OUTER and INNER may be IPv6 addresses, and then both have a prefix of 64 bits. As soon as COMMAND runs,
/// packets go in both directions. COMMAND's default route leads to OUTER, and the lab forwards.
#[step]
fn further5_the_addresses_may_be_those_of_ipv6() {
    if !Path::new("/proc/net/if_inet6").exists() {
        let mut report = report();
        report.skip("the same with IPv6", "this kernel has no IPv6, or it is switched off");
        return assert_report!(report.lines(&["COMMAND is joined"]), @"COMMAND is joined to: NAME");
    }
    let mut report = report_of(&Pair::six(0xfd));
    through_the_lab(&mut report, &Pair::six(0xfc), &Pair::six(0x26));
    let lines = ["COMMAND is joined", "COMMAND's end", "the lab's end", "default route", "from"];
    assert_report!(report.lines(&lines), @r"
    from the lab to INNER: packets go there and back
    from COMMAND to OUTER: packets go there and back
    from COMMAND to INNER: packets go there and back
    COMMAND is joined to: NAME
    COMMAND's end: up, INNER/64
    the lab's end: up, OUTER/64
    default route of COMMAND: OUTER
    from one COMMAND to another: packets go there and back
    ");
}

//! `ch12-net PORT OUTSIDE INSIDE -- COMMAND`: two servers on one port, in two network namespaces.

use harness::look::{Kind, Namespace};
use harness::visit;
use harness::{Attempt, Report, assert_report, exercise, random, step, token};

/// Runs the program once, and looks at both networks while COMMAND is parked.
fn report() -> Report {
    // Below the ports that the kernel assigns by itself (`ip_local_port_range`).
    let port = 10_000 + (random() % 20_000) as u16;
    let (outside, inside) = (token("otter"), token("heron"));
    let port_word = port.to_string();
    let mut attempt = Attempt::start(exercise!().args([&port_word, &outside, &inside]).witness());
    for (word, role) in [(&port_word, "PORT"), (&outside, "OUTSIDE"), (&inside, "INSIDE")] {
        attempt.report.role(word, role);
    }
    if let Some(command) = attempt.command() {
        let there = command.namespaces.get(Kind::Net).expect("every kernel has them");
        let lab = attempt.run.lab().get(Kind::Net).expect("every kernel has them");
        let report = &mut attempt.report;
        report.line("lo of COMMAND", loopback(there));
        report.line("PORT in COMMAND's network", answer(there, port));
        report.line("PORT in the lab", answer(lab, port));
        report.line("lo of the lab", loopback(lab));
    }
    attempt.release();
    attempt.finish()
}

/// The state of the loopback interface in `net`.
fn loopback(net: &Namespace) -> String {
    let links = match visit::links_in(net) {
        Ok(links) => links,
        Err(errno) => return format!("cannot be read ({errno})"),
    };
    match links.iter().find(|link| link.name == "lo") {
        Some(lo) if lo.up => "up".to_owned(),
        Some(_) => "down".to_owned(),
        None => "there is none".to_owned(),
    }
}

/// What a client in `net` reads on `port`.
fn answer(net: &Namespace, port: u16) -> String {
    match visit::words_on_port(net, port) {
        Ok(words) => format!("answers {words}"),
        Err(errno) => format!("no answer ({})", errno.desc()),
    }
}

/// COMMAND is in a new network namespace, and its loopback interface is up, although it is
/// down at first.
#[step]
fn step1_command_has_a_network_of_its_own_with_lo_up() {
    assert_report!(report().table(&["COMMAND", "lo of"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    B    A    A    A       A
    lo of COMMAND: up
    lo of the lab: up
    ");
}

/// When COMMAND starts, a server listens in its network, on PORT of 127.0.0.1. It sends INSIDE to every
/// client and closes the connection.
#[step]
fn step2_a_server_listens_in_its_network() {
    assert_report!(report().lines(&["lo of COMMAND", "PORT in COMMAND's"]), @r"
    lo of COMMAND: up
    PORT in COMMAND's network: answers INSIDE
    ");
}

/// At the same time, on the same port, another server listens in the lab, and sends OUTSIDE.
#[step]
fn step3_another_server_listens_on_the_same_port_in_the_lab() {
    assert_report!(report().lines(&["PORT"]), @r"
    PORT in COMMAND's network: answers INSIDE
    PORT in the lab: answers OUTSIDE
    ");
}

/// Your program runs until COMMAND ends, and exits with COMMAND's status. No process is left.
#[step]
fn step4_both_servers_end_with_command() {
    assert_report!(report().lines(&["PORT", "exit status", "left behind", "lab afterwards"]), @r"
    PORT in COMMAND's network: answers INSIDE
    PORT in the lab: answers OUTSIDE
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}

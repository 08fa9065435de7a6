//! `ch12-net PORT OUTSIDE INSIDE -- COMMAND`: two servers on one port, in two network namespaces.

use std::fs;
use std::ops::Range;

use harness::look::{Kind, Namespace, Namespaces, Process};
use harness::sandbox::{Neighbor, Sandbox};
use harness::visit;
use harness::{Attempt, Report, assert_report, exercise, high_status, random, step, token};
use nix::errno::Errno;

/// The program has run in this lab before, on the same port.
const AGAIN: &str = r#""$0" "$1" "$2" "$3" -- /bin/true; exec "$0" "$@""#;

/// Runs the program once, and looks at both networks while COMMAND is parked.
fn report() -> Report {
    report_of(exercise!(), 1024..32768)
}

/// The same with a port in this range. From 32768 on the kernel assigns some by itself
/// (`ip_local_port_range`).
fn report_of(sandbox: Sandbox, ports: Range<u16>) -> Report {
    let port = ports.start + (random() % ports.len() as u64) as u16;
    // How many clients connect to a server at the same time.
    let clients = 2 + (random() % 4) as u32;
    let (outside, inside) = (token("otter"), token("heron"));
    let port_word = port.to_string();
    let mut attempt = Attempt::start(sandbox.args([&port_word, &outside, &inside]).witness());
    // The port last: it may be a part of the words.
    for (word, role) in [(&outside, "OUTSIDE"), (&inside, "INSIDE"), (&port_word, "PORT")] {
        attempt.report.role(word, role);
    }
    if let Some(command) = attempt.command() {
        let lab = net(attempt.run.lab()).try_clone().expect("another descriptor");
        attempt.look("lo of COMMAND", &command, |command| loopback(net(&command.namespaces)));
        attempt.report.line("lo of the lab", loopback(&lab));
        attempt.look("PORT in COMMAND's network", &command, move |command| {
            answer(net(&command.namespaces), port, clients)
        });
        attempt.look("PORT in the lab", &command, move |_| answer(&lab, port, clients));
        let connections = connections(&command.process, port);
        attempt.report.aside("connections in COMMAND's network", connections);
        let other = if listens_elsewhere(&command.process, port) { "listens" } else { "is free" };
        attempt.report.aside("another port in COMMAND's network", other);
        let server = server(&command.process, port);
        attempt.report.aside("server on PORT in COMMAND's network", server);
    }
    attempt.release();
    attempt.finish()
}

fn net(all: &Namespaces) -> &Namespace {
    all.get(Kind::Net).expect("every kernel has network namespaces")
}

/// Runs the program twice more, and holds each process that could start the server later: the one that has
/// started COMMAND, or one that was made before.
fn report_start(report: &mut Report) {
    enter_start(report, "when COMMAND starts", exercise!().hold_parents());
    enter_start(report, "when COMMAND starts before a helper runs", exercise!().hold_children());
}

fn enter_start(report: &mut Report, when: &str, program: Sandbox) {
    let port = 1024 + (random() % 30_000) as u16;
    let mut attempt = Attempt::start(program.args([&port.to_string(), "otter", "heron"]).witness());
    let server = match attempt.command() {
        Some(command) if listens(&command.process, port) => "a server listens",
        _ => "no server listens",
    };
    attempt.release();
    report.of_run(when, server, &attempt.finish());
}

/// Whether a server listens on a port in the process's network.
fn listens(process: &Process, port: u16) -> bool {
    sockets(process).iter().any(|socket| socket.listens() && socket.port == port)
}

fn listens_elsewhere(process: &Process, port: u16) -> bool {
    sockets(process).iter().any(|socket| socket.listens() && socket.port != port)
}

/// Whether a server on a port is there for 127.0.0.1, or only for another address.
fn server(process: &Process, port: u16) -> &'static str {
    let mut sockets = sockets(process);
    sockets.retain(|socket| socket.listens() && socket.port == port);
    match sockets.iter().any(Socket::may_be_for_loopback) {
        _ if sockets.is_empty() => "none",
        true => "at 127.0.0.1 or at all addresses",
        false => "at another address",
    }
}

/// What has become of the connections to a port in the process's network.
fn connections(process: &Process, port: u16) -> &'static str {
    let mut sockets = sockets(process);
    sockets.retain(|socket| socket.port == port && !socket.listens() && !socket.is_closed());
    match sockets.iter().any(|socket| socket.inode == "0") {
        true => "are not accepted",
        false if sockets.is_empty() => "are closed",
        false => "stay open",
    }
}

/// A line of /proc/PID/net/tcp.
struct Socket {
    /// In hexadecimal.
    address: String,
    port: u16,
    /// A number of `include/net/tcp_states.h`.
    state: String,
    /// 0 as long as the socket has no descriptor.
    inode: String,
}

impl Socket {
    /// Whether it is bound to 127.0.0.1, or to all addresses. Those of IPv6 include it if the socket says so.
    fn may_be_for_loopback(&self) -> bool {
        let loopback = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        self.address == loopback || self.address.bytes().all(|digit| digit == b'0')
    }

    fn listens(&self) -> bool {
        self.state == "0A"
    }

    /// TIME_WAIT, or closed by this side.
    fn is_closed(&self) -> bool {
        ["04", "05", "06", "07", "09", "0B"].contains(&self.state.as_str())
    }
}

/// The sockets of the process's network: proc_pid_net(5).
fn sockets(process: &Process) -> Vec<Socket> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/net/{file}", process.pid()));
    let text = ["tcp", "tcp6"].map(|file| read(file).unwrap_or_default()).concat();
    let socket = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, address, _, state, _, _, _, _, _, inode, ..] = words[..] else { return None };
        let (address, port) = address.rsplit_once(':')?;
        let (address, port) = (address.to_owned(), u16::from_str_radix(port, 16).ok()?);
        Some(Socket { address, port, state: state.to_owned(), inode: inode.to_owned() })
    };
    text.lines().filter_map(socket).collect()
}

/// The state of the loopback interface in `net`.
fn loopback(net: &Namespace) -> String {
    let links = match visit::links_in(net) {
        Ok(links) => links,
        Err(errno) => return format!("cannot be read ({errno})"),
    };
    match links.iter().find(|link| link.name == "lo") {
        Some(lo) if lo.kind.is_some() => "not the loopback interface".to_owned(),
        Some(lo) if lo.up => "up".to_owned(),
        Some(_) => "down".to_owned(),
        None => "there is none".to_owned(),
    }
}

/// What a client in `net` reads on `port`, and then several at the same time.
fn answer(net: &Namespace, port: u16, clients: u32) -> String {
    match visit::words_on_port(net, port, 1) {
        Ok(words) if words.is_empty() => "closes the connection without an answer".to_owned(),
        Ok(words) if visit::words_on_port(net, port, clients) == Ok(words.clone()) => {
            format!("answers {words}")
        }
        Ok(words) => format!("answers {words}, but not to every client"),
        // Nothing has come, or the connection is still open.
        Err(Errno::EAGAIN) => "no complete answer in time".to_owned(),
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

/// When COMMAND starts, a server listens in its network, on PORT of 127.0.0.1. While COMMAND runs, it sends
/// INSIDE to every client and closes the connection.
#[step]
fn step2_a_server_listens_in_its_network() {
    let mut report = report();
    report_start(&mut report);
    assert_report!(report.lines(&["lo of COMMAND", "PORT in COMMAND's", "when COMMAND starts"]), @r"
    lo of COMMAND: up
    PORT in COMMAND's network: answers INSIDE
    when COMMAND starts: a server listens
    when COMMAND starts before a helper runs: a server listens
    ");
}

/// At the same time, on the same port, another server listens in the lab, and sends OUTSIDE to every
/// client.
#[step]
fn step3_another_server_listens_on_the_same_port_in_the_lab() {
    let report = report_of(exercise!().script(AGAIN), 1..1024);
    assert_report!(report.lines(&["PORT"]), @r"
    PORT in COMMAND's network: answers INSIDE
    PORT in the lab: answers OUTSIDE
    ");
}

/// Your program runs until COMMAND ends, and exits with COMMAND's status. No process is left.
#[step]
fn step4_both_servers_end_with_command() {
    let mut report = report();
    let program = || exercise!().args(["80", "otter", "heron"]);
    high_status(&mut report, program());
    let mut attempt = Attempt::start(program().witness());
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    let left = attempt.finish().fact("left behind").unwrap_or_default();
    report.line("left behind by a COMMAND that was killed", left);
    assert_report!(report.lines(&["PORT", "exit status", "left behind", "lab afterwards", "a COMMAND"]), @r"
    PORT in COMMAND's network: answers INSIDE
    PORT in the lab: answers OUTSIDE
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    left behind by a COMMAND that was killed: nothing
    ");
}

/// What descriptor 3 of the process is. `lab` is a process of the lab's network.
fn descriptor_3(process: &Process, lab: &Process) -> String {
    let Ok(link) = fs::read_link(format!("/proc/{}/fd/3", process.pid())) else {
        return "not open".to_owned();
    };
    let link = link.to_string_lossy();
    let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
    let is_it = |socket: &Socket| Some(socket.inode.as_str()) == inode && socket.listens();
    let listening = |process: &Process| sockets(process).into_iter().find(is_it);
    match listening(lab) {
        Some(socket) => format!("a socket that listens on {} in the lab", socket.port),
        None if listening(process).is_some() => "a socket of COMMAND's network".to_owned(),
        None => "no socket that listens".to_owned(),
    }
}

/// With `--activate`, COMMAND is in a new network namespace, and its descriptor 3 is a socket that listens on
/// PORT in the lab. Its environment says so in the way of a service manager: LISTEN_FDS is 1, and LISTEN_PID
/// is the pid of COMMAND. Your program exits with its status.
#[step]
fn further5_command_has_a_listening_socket_of_the_lab() {
    let port = 1024 + (random() % 30_000) as u16;
    let lab = Neighbor { name: "lab".into(), ..Neighbor::default() };
    let program = exercise!().args(["--activate", &port.to_string()]).witness().neighbor(lab);
    let mut attempt = Attempt::start(program);
    attempt.report.role(&port.to_string(), "PORT");
    let lab = attempt.run.neighbor("lab");
    if let Some((command, lab)) = attempt.command().zip(lab) {
        let process = &command.process;
        attempt.report.line("descriptor 3 of COMMAND", descriptor_3(process, &lab));
        let number = process.environment("LISTEN_FDS").unwrap_or("not set".into());
        attempt.report.line("LISTEN_FDS of COMMAND", number);
        let pid = match process.environment("LISTEN_PID") {
            Some(pid) if pid.parse().ok() == process.own_pid() => "its pid",
            Some(_) => "another number",
            None => "not set",
        };
        attempt.report.line("LISTEN_PID of COMMAND", pid);
    }
    attempt.release();
    let keys = ["COMMAND", "descriptor", "LISTEN", "exit status", "left behind", "lab afterwards"];
    assert_report!(attempt.finish().table(&keys), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    B    A    A    A       A
    descriptor 3 of COMMAND: a socket that listens on PORT in the lab
    LISTEN_FDS of COMMAND: 1
    LISTEN_PID of COMMAND: its pid
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}

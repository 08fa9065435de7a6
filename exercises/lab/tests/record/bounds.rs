//! A trace is bounded, and so is what it costs.

use std::time::{Duration, Instant};

use lab::sandbox::{NoTrace, Run, Sandbox, Status, Wait, patience};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trace::Trace;

use super::actors::{self, trace_of};
use super::{has_ip, sentences};

#[test]
fn a_trace_of_too_many_calls_counts_those_left_out() {
    let (trace, ended) = trace_of("many calls");
    assert_eq!(ended.status, Status::Exited(0));
    assert_eq!(trace.events.len() as u64 + trace.dropped, 5002, "with the start and the end");
    assert!(trace.dropped > 0 && trace.complete);
}

/// The process that traces the program.
fn recorder_of(run: &Run) -> Pid {
    Pid::from_raw(run.program().status("TracerPid").unwrap().parse().unwrap())
}

/// A line of a process's status file, in KiB.
fn memory(process: &str, line: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

/// The trace of an actor that tries to make it too long, and its cost: the length of the trace in
/// bytes, and the memory of the recorder and of this process in KiB.
fn trace_and_cost(actor: &str) -> (Trace, [u64; 3]) {
    let mut run = actors::start(actor);
    let recorder = recorder_of(&run).to_string();
    let watched = std::thread::spawn(move || {
        let mut most = 0;
        while let Some(now) = memory(&recorder, "VmHWM") {
            most = most.max(now);
            std::thread::sleep(Duration::from_millis(1));
        }
        most
    });
    let before = memory("self", "VmRSS").unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{actor}: {}", run.stderr());
    assert_eq!(run.ended().unwrap().status, Status::Exited(0), "{actor}: {}", run.stderr());
    let trace = run.trace().unwrap();
    let grown = memory("self", "VmRSS").unwrap().saturating_sub(before);
    assert!(trace.complete, "{actor}");
    let (length, recorder) = (trace.to_json_lines().len() as u64, watched.join().unwrap());
    assert!(recorder > 0, "{actor}: the recorder was not there to be measured");
    (trace, [length, recorder, grown])
}

#[test]
fn a_trace_of_too_many_mounts_is_short() {
    let started = Instant::now();
    let (trace, cost @ [length, recorder, check]) = trace_and_cost("many mounts");
    let took = started.elapsed();
    // Each bound is several times the usual value, and a small part of what it was without a bound.
    assert!(length < 5 << 20 && recorder < 64 << 10 && check < 64 << 10, "{cost:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let told = sentences(&trace);
    assert!(told.contains("mounts of mnt B: too many to be followed any further"), "{told}");
    assert!(told.contains("mounts of mnt C: too many to be followed any further"), "{told}");
    assert_eq!(trace.dropped, 0, "the calls themselves are few");
}

#[test]
fn a_trace_of_many_mounts_many_times_is_bounded() {
    let (trace, cost @ [length, recorder, check]) = trace_and_cost("many mounts with short paths");
    assert!(length < 5 << 20 && recorder < 64 << 10 && check < 64 << 10, "{cost:?}");
    // In each namespace by itself they are few enough.
    let starts = sentences(&trace).matches(" starts as a copy, with 2").count();
    assert!(starts > 1 && trace.dropped > 0, "{starts}, {}", trace.dropped);
}

#[test]
fn a_trace_of_too_many_interfaces_is_short() {
    if !has_ip() {
        return skip!("a trace of too many interfaces: there is no ip(8)");
    }
    let (trace, cost @ [length, recorder, check]) = trace_and_cost("many interfaces");
    assert!(length < 5 << 20 && recorder < 64 << 10 && check < 64 << 10, "{cost:?}");
    let told = sentences(&trace);
    assert!(told.contains("links of net A: too many to be followed any further"), "{told}");
}

#[test]
fn a_trace_of_many_networks_many_times_is_bounded() {
    let (trace, cost @ [length, recorder, check]) = trace_and_cost("a crowd in many networks");
    assert!(length < 5 << 20 && recorder < 64 << 10 && check < 64 << 10, "{cost:?}");
    assert!(trace.dropped > 0);
}

#[test]
fn a_recorder_that_does_not_finish_is_stopped() {
    let moment = Duration::from_millis(500);
    let sleep = Sandbox::command("/bin/sleep").arg("1000").patience(Some(moment));
    let mut run = sleep.record().start().unwrap();
    let recorder = recorder_of(&run);
    kill(recorder, Signal::SIGSTOP).unwrap();
    let started = Instant::now();
    assert_eq!(run.trace(), Err(NoTrace::Lost));
    let took = started.elapsed();
    assert!(took < patience() * 3, "{took:?}");
    // The supervisor ignores SIGCHLD, so the kernel reaps the recorder.
    let gone = || kill(recorder, None).is_err();
    while !gone() && started.elapsed() < patience() * 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(gone(), "the recorder is still there");
    let program = run.program();
    assert!(program.await_end(patience()), "the program outlives its recorder");
}

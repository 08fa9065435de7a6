//! The recorder: a trace is what happened, and the recorded program does not notice.

#[macro_use]
#[path = "../common/skip.rs"]
mod skip;

mod actors;
mod bounds;
mod content;
mod interference;
mod reasons;
mod transparency;

use std::path::Path;

use lab::sandbox::{Sandbox, State, Wait};
use trace::{NamespaceId, Trace, World};

/// The trace of a shell script.
fn trace(state: State, script: &str) -> Trace {
    let mut run =
        Sandbox::command("/bin/sh").args(["-c", script]).state(state).record().start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{script}: {}", run.stderr());
    run.trace().unwrap()
}

/// A line for each event but the first: the pids of the task, and its call.
fn lines(trace: &Trace) -> Vec<String> {
    let mut world = World::after(&trace.events[..1]);
    let each = trace.events[1..].iter().map(|event| {
        world.apply(event);
        let pids = world.tasks.get(&event.task).map(|task| task.pids_in_brackets());
        format!("{} {}", pids.unwrap_or_default(), event.line())
    });
    each.collect()
}

fn sentences(trace: &Trace) -> String {
    let mut world = World::default();
    let mut text = String::new();
    for event in &trace.events {
        for sentence in event.sentences(&world) {
            text += &format!("{sentence}\n");
        }
        world.apply(event);
    }
    text
}

fn end(trace: &Trace) -> World {
    World::after(&trace.events)
}

fn id(name: &str) -> NamespaceId {
    NamespaceId::parse(name).expect(name)
}

fn has_ip() -> bool {
    ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].into_iter().any(|ip| Path::new(ip).exists())
}

//! A recorded program does what it would have done alone, and all its tasks are followed.

use lab::look::Kind;
use lab::sandbox::Status;
use trace::Exit;

use super::actors::trace_of;
use super::{end, id, lines, sentences};

#[test]
fn a_thread_is_followed_alone() {
    let (trace, ended) = trace_of("a thread leaves alone");
    assert_eq!(ended.status, Status::Exited(0));
    let world = end(&trace);
    let (process, thread) = (&world.tasks[&1], &world.tasks[&2]);
    assert_eq!(thread.process, 1);
    assert_eq!(process.namespaces[&Kind::Uts], id("uts A"));
    assert_eq!(thread.namespaces[&Kind::Uts], id("uts B"));
}

#[test]
fn an_untraced_child_is_followed_and_works() {
    for actor in ["an untraced child", "an untraced child of clone3"] {
        let (trace, ended) = trace_of(actor);
        assert_eq!(ended.status, Status::Exited(0), "{actor}: {trace:?}");
        assert_eq!(end(&trace).tasks[&2].namespaces[&Kind::Uts], id("uts B"), "{actor}");
    }
}

/// The files in `/proc` of such a process belong to root.
#[test]
fn an_undumpable_program_is_followed() {
    let (trace, ended) = trace_of("undumpable");
    assert_eq!(ended.status, Status::Exited(0));
    let told = sentences(&trace);
    assert!(told.contains("leaves uts A for uts B\n"), "{told}");
    assert!(told.contains("the host name in uts B is \"otter\"\n"), "{told}");
}

#[test]
fn a_pid_1_ends_as_it_would_alone() {
    for (actor, tasks) in
        [("a PID 1 stops itself", 2), ("a PID 1 faults", 2), ("a PID 1 with children ends", 5)]
    {
        let (trace, ended) = trace_of(actor);
        assert_eq!(ended.status, Status::Exited(0), "{actor}");
        let world = end(&trace);
        let ended = world.tasks.values().filter(|task| task.ended.is_some());
        assert!(trace.complete);
        assert_eq!([ended.count(), world.tasks.len()], [tasks; 2], "{actor}");
    }
}

#[test]
fn signals_do_what_they_would_alone() {
    assert_eq!(trace_of("a stopped child goes on").1.status, Status::Exited(0));
    let (trace, ended) = trace_of("a real-time signal");
    let signal = libc::SIGRTMIN() + 3;
    assert_eq!(ended.status, Status::Killed(signal));
    let how = end(&trace).tasks[&1].ended.unwrap();
    assert_eq!(
        (how, how.to_string()),
        (Exit::Killed(signal), format!("killed by signal {signal}"))
    );
}

#[test]
fn a_seccomp_listener_of_the_program_still_answers() {
    let (trace, ended) = trace_of("a listener of its own");
    assert_eq!(ended.status, Status::Exited(0));
    let told = lines(&trace).join("\n");
    assert!(told.contains("SECCOMP_FILTER_FLAG_NEW_LISTENER"), "{told}");
    assert!(!told.contains("sethostname"), "its listener answered, not the kernel: {told}");
}

#[test]
fn a_thread_that_executes_becomes_the_process() {
    let (trace, ended) = trace_of("exec in a thread");
    assert_eq!(ended.status, Status::Exited(0));
    assert_eq!(end(&trace).tasks[&1].program, "true");
    assert!(trace.complete);
}

#[test]
fn a_parent_may_be_killed_while_it_forks() {
    let (trace, ended) = trace_of("a child is killed while it forks");
    assert_eq!(ended.status, Status::Exited(0));
    assert!(trace.complete);
    let world = end(&trace);
    assert_eq!(world.tasks[&2].ended, Some(Exit::Killed(libc::SIGKILL)));
    assert!(world.tasks.len() > 2 && world.tasks.values().all(|task| task.ended.is_some()));
}

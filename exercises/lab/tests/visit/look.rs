//! What is looked up from outside is what a process finds inside.

use std::time::{Duration, Instant};

use lab::look::{Mount, Proc, Process};
use lab::sandbox::{Run, Sandbox, WITNESS, patience};

/// The witness, started by a script in the root lab, and the run it lives in.
fn parked(script: &str) -> (Run, Process) {
    let script = format!("{script} {WITNESS}");
    let mut run = Sandbox::command("/bin/sh").args(["-c", &script]).start().unwrap();
    let (wait, witness) = run.await_witness();
    let witness = witness.unwrap_or_else(|| panic!("{script}: {wait:?}: {}", run.stderr()));
    (run, witness)
}

#[test]
fn a_proc_is_known_by_its_pid_namespace() {
    for (script, found) in [
        ("exec", Proc::Own),
        ("unshare --pid --fork --mount-proc", Proc::Own),
        ("unshare --pid --fork", Proc::Outer),
        ("unshare --mount mount -t proc proc /proc; exec unshare --pid --fork", Proc::Outer),
        ("unshare --pid --fork --mount-proc unshare --pid --fork", Proc::Outer),
        ("unshare --pid --fork --mount-proc unshare --pid --fork --mount-proc", Proc::Own),
        ("mount -t tmpfs none /proc; exec", Proc::Other),
    ] {
        let (_run, witness) = parked(script);
        assert_eq!(witness.proc(), found, "{script}");
    }
}

/// A `/proc` that the program has made itself neither blocks the check nor leads it out of the lab.
#[test]
fn a_proc_of_pipes_and_links_is_another_one() {
    let outside = std::env::temp_dir().join(format!("pipe-{}", std::process::id()));
    nix::unistd::mkfifo(&outside, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = format!("ln -s {} /proc/$$/status", outside.display());
    let own = "mount -t tmpfs none /proc && mkdir -p /proc/$$/ns";
    let over = "mkfifo /tmp/pipe && mount --bind /tmp/pipe /proc/$$";
    for script in [
        format!("{own} && mkfifo /proc/$$/status && exec"),
        format!("{own} && {link} && exec"),
        format!("{over}/status && exec"),
    ] {
        let (_run, witness) = parked(&script);
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || tell.send(witness.proc()));
        assert_eq!(told.recv_timeout(patience()), Ok(Proc::Other), "{script}");
    }
    std::fs::remove_file(outside).unwrap();
}

#[test]
fn mounts_are_those_of_the_process() {
    let (run, witness) = parked("unshare --mount sh -c 'mount -t tmpfs none /mnt; exec $0'");
    let on_mnt = |mounts: &[Mount]| mounts.iter().any(|mount| mount.point == "/mnt");
    assert!(on_mnt(&witness.mounts().unwrap()) && !on_mnt(run.mounts()));
}

#[test]
fn whose_next_child_is_pid_1() {
    // unshare(1) without --fork becomes the witness, in its old PID namespace.
    let (_run, witness) = parked("exec unshare --pid");
    assert!(witness.next_child_is_pid_1());
    let (_run, witness) = parked("exec");
    assert!(!witness.next_child_is_pid_1());
}

#[test]
fn a_stranger_is_the_programs_child_in_the_new_namespace() {
    let script = "unshare --pid sh -c '{witness} & exec sleep 60'";
    let script = format!("exec {script}");
    let mut run = Sandbox::command("/bin/sh").args(["-c", &script]).orphan().start().unwrap();
    let (_, pid_1) = run.await_witness();
    let pid_1 = pid_1.expect("it is parked");
    let deadline = Instant::now() + patience();
    let own_pids = || -> Vec<i32> {
        run.program()
            .children()
            .iter()
            .filter(|child| !child.has_ended())
            .filter_map(Process::own_pid)
            .collect()
    };
    while own_pids() != [1, 2] {
        assert!(Instant::now() < deadline, "{:?} beside {:?}", own_pids(), pid_1.own_pid());
        std::thread::sleep(Duration::from_millis(1));
    }
}

//! How a program's end is reported, and that nothing remains after it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use lab::look::Process;
use lab::sandbox::{self, Answer, State, Status, Wait};
use nix::unistd::Pid;

use super::{await_that, finished, shell, status};

#[test]
fn status_and_output_come_back() {
    let run = finished("echo out; echo err >&2; exit 7");
    assert_eq!(status(&run), Status::Exited(7));
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("out\n", "err\n"));
}

#[test]
fn death_by_a_signal_is_not_an_exit() {
    assert_eq!(status(&finished("kill -SEGV $$")), Status::Killed(libc::SIGSEGV));
    let real_time = libc::SIGRTMIN() + 1;
    assert_eq!(status(&finished(&format!("kill -{real_time} $$"))), Status::Killed(real_time));
}

#[test]
fn a_program_may_close_its_descriptors() {
    assert_eq!(status(&finished("exec 0<&- 1>&- 2>&-; exit 3")), Status::Exited(3));
}

#[test]
fn all_processes_are_listed_also_after_the_program() {
    let run =
        shell("sleep 60 & unshare --pid --fork --kill-child sleep 60 & wait").start().unwrap();
    await_that(|| run.processes().len() == 4);
    run.program().kill();
    // The shell's children have been reparented.
    await_that(|| run.processes().len() == 3);
    for process in run.processes() {
        process.kill();
        assert!(process.await_end(sandbox::patience()));
    }
    await_that(|| run.processes().is_empty());
}

#[test]
fn processes_left_behind_are_counted_and_then_killed() {
    let script = "sleep 1000 & setsid sleep 1001 & \
                  until [ $(cat /proc/[0-9]*/comm | grep -cx sleep) = 2 ]; do :; done";
    let mut run = shell(script).start().unwrap();
    // Later its parent could not be asked for: PID 1 reaps the program as soon as it ends.
    let init = run.program().parent().expect("the program has a parent");
    let init = Process::open(init).expect("PID 1 is running");
    assert_eq!(run.await_end(), Wait::Reached, "{}", run.stderr());
    let mut left = run.ended().unwrap().left_running.clone();
    left.sort();
    assert_eq!(left, ["sleep", "sleep"]);
    let mut all = run.processes();
    assert_eq!(all.len(), 2);
    all.push(init);
    assert!(all.iter().all(|process| !process.has_ended()), "they run until the run is dropped");
    drop(run);
    assert!(all.iter().all(Process::has_ended), "nothing outlives the run");
}

#[test]
fn a_child_that_was_not_waited_for_is_counted() {
    // The shell becomes a sleep that never waits; its child is dead by then.
    let run = finished("true & exec sleep 0.2");
    assert_eq!(run.ended().unwrap().orphaned, 1);
    assert_eq!(finished("true & wait").ended().unwrap().orphaned, 0);
}

/// The program's id is also that of PID 1, and prlimit(2) asks for no more than that.
#[test]
fn a_program_cannot_keep_pid_1_from_counting() {
    let script = "prlimit --pid 1 --nofile=0:0; renice 19 1; sleep 60 & exit 3";
    for state in [State::RootLab, State::PlainUser] {
        let mut run = shell(script).state(state).start().unwrap();
        assert_eq!(run.await_end(), Wait::Reached, "{state:?}");
        let ended = run.ended().unwrap();
        assert_eq!(ended.left_running.len(), 1, "{state:?}: {}", run.stderr());
        for refused in ["failed to set the NOFILE resource limit", "failed to set priority for 1"] {
            assert!(run.stderr().contains(refused), "{state:?}: {}", run.stderr());
        }
    }
}

#[test]
fn many_at_once() {
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || {
                let run = finished(&format!("exit {number}"));
                assert_eq!(status(&run), Status::Exited(number));
            });
        }
    });
}

#[test]
#[ignore = "runs until it is killed; `nothing_outlives_a_check_that_is_killed` starts it"]
fn a_check_that_never_ends() {
    let run = shell("trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000").start().unwrap();
    println!("inside {}", run.program().pid());
    std::thread::sleep(Duration::from_secs(1000));
    drop(run);
}

#[test]
fn nothing_outlives_a_check_that_is_killed() {
    let mut check = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "end::a_check_that_never_ends", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap()).lines();
    let inside = lines.find_map(|line| line.unwrap().strip_prefix("inside ")?.parse().ok());
    let program = Process::open(Pid::from_raw(inside.expect("the check names its program")));
    let program = program.unwrap();
    let init = Process::open(program.parent().expect("the program has a parent")).unwrap();
    assert!(!program.has_ended() && !init.has_ended());
    check.kill().unwrap();
    check.wait().unwrap();
    assert!(program.await_end(sandbox::patience()), "the program outlives the check");
    assert!(init.await_end(sandbox::patience()), "PID 1 outlives the check");
}

#[test]
fn a_witness_tries_calls_and_waits_on() {
    let mut run = shell("exec {witness}").start().unwrap();
    let (wait, witness) = run.await_witness();
    assert_eq!(wait, Wait::Reached, "{}", run.stderr());
    let witness = witness.expect("it has been reached");
    let answers = sandbox::try_calls(&witness, sandbox::patience()).expect("it answers");
    for (call, answer) in answers {
        // The lab's own filter answers these three like a kernel without keyrings.
        let is_keyring = ["add_key", "request_key", "keyctl"].contains(&call);
        let expected = if is_keyring { Answer::Enosys } else { Answer::Other };
        assert_eq!(answer, expected, "{call}");
    }
    run.release(9);
    assert_eq!(run.await_end(), Wait::Reached);
    assert_eq!(status(&run), Status::Exited(9));
}

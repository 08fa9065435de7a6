//! The promises of the sandbox: whatever runs in it, the check learns how it ended, and nothing of
//! it is left.

mod nested_users;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab::look::{Kind, Mount, Namespace, Namespaces, Process};
use lab::sandbox::{self, Excess, Run, Sandbox, State, Status, Thing, Wait};
use lab::visit::{mount_at, mounts_in, names_in, read_in, unmount_at};
use nix::unistd::Pid;

/// A shell in the root lab.
fn shell(script: &str) -> Sandbox {
    Sandbox::command("/bin/sh").args(["-c", script])
}

/// Runs a script to its end.
fn finished(script: &str) -> Run {
    let mut run = shell(script).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{script}: {}", run.stderr());
    run
}

fn status(run: &Run) -> Status {
    run.ended().unwrap().status
}

#[test]
fn status_and_output_come_back() {
    let run = finished("echo out; echo err >&2; exit 7");
    assert_eq!(status(&run), Status::Exited(7));
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("out\n", "err\n"));
}

#[test]
fn the_two_start_states() {
    for (state, who) in [(State::RootLab, "0 root"), (State::PlainUser, "1000 you")] {
        let script = "echo $(id -u) $(id -un) $(uname -n); grep CapEff /proc/self/status";
        let mut run = shell(script).state(state).start().unwrap();
        run.await_end();
        let out = run.stdout();
        assert!(out.starts_with(&format!("{who} lab\n")), "{out}{}", run.stderr());
        let none = out.contains("CapEff:\t0000000000000000");
        assert_eq!(none, state == State::PlainUser, "{out}");
    }
}

#[test]
fn without_no_new_privs_the_filters_stay_and_nothing_is_set_uid() {
    let script = "grep -e NoNewPrivs -e Seccomp: /proc/self/status; cat /proc/self/mountinfo";
    for state in [State::RootLab, State::PlainUser] {
        let start = |sandbox: Sandbox| {
            let mut run = sandbox.state(state).start().unwrap();
            run.await_end();
            run.stdout()
        };
        assert!(start(shell(script)).starts_with("NoNewPrivs:\t1\nSeccomp:\t2\n"));
        let without = start(shell(script).without_no_new_privs());
        let mounts = without.strip_prefix("NoNewPrivs:\t0\nSeccomp:\t2\n").expect(&without);
        // Of `/dev` there are device files, which nobody executes.
        let harmless = |mount: &str| mount.contains("nosuid") || mount.contains(" /dev/");
        let counted = mounts.lines().filter(|mount| !harmless(mount));
        assert_eq!(counted.collect::<Vec<_>>(), [""; 0]);
        let recorded = start(shell(script).without_no_new_privs().record());
        assert!(recorded.starts_with("NoNewPrivs:\t0\n"), "{recorded}");
    }
}

#[test]
fn everybody_who_is_left_is_found() {
    let run =
        shell("sleep 60 & unshare --pid --fork --kill-child sleep 60 & wait").start().unwrap();
    await_that(|| run.everybody().len() == 4);
    run.program().kill();
    // The shell's children have another parent now.
    await_that(|| run.everybody().len() == 3);
    for process in run.everybody() {
        process.kill();
        assert!(process.await_end(sandbox::patience()));
    }
    await_that(|| run.everybody().is_empty());
}

#[test]
fn root_inside_is_not_root_outside() {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    if map.split_ascii_whitespace().nth(2) == Some("1") {
        println!("skipped: this user namespace knows one id only");
        return;
    }
    let run = shell("sleep 60").start().unwrap();
    let outside = |name: &str| run.program().status(name).unwrap();
    let ids = outside("Uid") + " " + &outside("Gid");
    assert!(ids.split_ascii_whitespace().all(|id| id != "0"), "{ids}");
}

/// `setgroups` and `uid_map` of a program that asked for many ids, or did not.
fn ids_of(sandbox: Sandbox) -> Vec<String> {
    let mut run = sandbox.start().unwrap();
    run.await_end();
    run.stdout().split_ascii_whitespace().map(str::to_owned).collect()
}

#[test]
fn many_ids_are_for_who_asks_and_where_they_are_to_be_had() {
    let script = "cat /proc/self/setgroups /proc/self/uid_map";
    let of_one = ["deny", "0", "0", "1"];
    assert_eq!(ids_of(shell(script)), of_one, "nobody asked");
    let plain = || shell(script).state(State::PlainUser);
    assert_eq!(ids_of(plain()), ["deny", "1000", "0", "1"], "nobody asked");

    let (root, user) = (ids_of(shell(script).many_ids()), ids_of(plain().many_ids()));
    if sandbox::has_many_ids() {
        assert_eq!(root, ["allow", "0", "0", "4096"]);
        assert_eq!(user, ["allow", "1000", "0", "1"]);
    } else {
        println!("skipped: many ids: this user has one only");
        assert_eq!(root, of_one, "asking does no harm");
        assert_eq!(user, ["deny", "1000", "0", "1"], "asking does no harm");
    }
}

#[test]
fn none_of_many_ids_is_somebody_outside() {
    // No user that this machine knows has an id as high.
    let script = "chown 4095:4095 /tmp && exec setpriv --reuid=4095 --regid=4095 --clear-groups \
                  sleep 60";
    if !sandbox::has_many_ids() {
        println!("skipped: this user has one id only");
        return;
    }
    let run = shell(script).many_ids().start().unwrap();
    assert!(run.ids().unwrap().iter().all(|id| *id >= 0x7000_0000), "{:?}", run.ids());
    let deadline = Instant::now() + Duration::from_secs(5);
    // It changes one after the other.
    let before = run.ids().unwrap();
    let both = |now: [u32; 2]| now.iter().zip(before).all(|(now, before)| *now != before);
    while !run.program().ids().is_some_and(both) {
        assert!(Instant::now() < deadline, "it has not become another: {}", run.stderr());
        std::thread::sleep(Duration::from_millis(1));
    }
    let other = run.program().ids().unwrap();
    assert_eq!(Some(other.map(|id| id - 4095)), run.ids());
}

#[test]
fn no_namespace_is_shared_with_this_process_but_time() {
    let run = shell("sleep 60").start().unwrap();
    let ours = Namespaces::of(&Process::open(Pid::this()).unwrap()).unwrap();
    let theirs = Namespaces::of(run.program()).unwrap();
    for kind in Kind::ALL {
        assert_eq!(ours.get(kind) == theirs.get(kind), kind == Kind::Time, "{kind}");
    }
}

#[test]
fn a_signal_is_told_from_an_exit() {
    assert_eq!(status(&finished("kill -SEGV $$")), Status::Killed(libc::SIGSEGV));
    let real_time = libc::SIGRTMIN() + 1;
    assert_eq!(status(&finished(&format!("kill -{real_time} $$"))), Status::Killed(real_time));
}

#[test]
fn a_program_that_hangs_meets_its_deadline() {
    let mut run = shell("sleep 1000").patience(Some(Duration::from_millis(200))).start().unwrap();
    assert_eq!(run.await_end(), Wait::TimedOut);
    assert!(run.program().waits_in().is_some());
}

#[test]
fn a_program_that_prints_for_ever_is_stopped() {
    let mut run = shell("yes").start().unwrap();
    assert_eq!(run.await_end(), Wait::TooMuchOutput);
    assert!(run.stdout().len() <= 64 * 1024);
}

#[test]
fn a_program_that_forks_for_ever_is_stopped() {
    let mut run = shell("while :; do sleep 60 & done").start().unwrap();
    // By their number, or by what they need together, whichever is seen first.
    let wait = run.await_end();
    assert!(matches!(wait, Wait::Stopped(_)), "{wait:?}: {}", run.stderr());
}

#[test]
fn a_program_that_eats_memory_is_stopped() {
    let mut run = shell("dd bs=700M if=/dev/zero of=/dev/null").start().unwrap();
    assert_eq!(run.await_end(), Wait::Stopped(Excess::Memory));
}

#[test]
fn children_that_end_all_the_time_hide_nothing() {
    let script = "dd bs=700M if=/dev/zero of=/dev/null & while :; do (true &); done";
    let mut run = shell(script).start().unwrap();
    assert_eq!(run.await_end(), Wait::Stopped(Excess::Memory));
}

#[test]
fn a_program_may_close_its_descriptors() {
    assert_eq!(status(&finished("exec 0<&- 1>&- 2>&-; exit 3")), Status::Exited(3));
}

#[test]
fn what_is_left_behind_is_counted_and_killed() {
    let run =
        finished("sleep 1000 & setsid sleep 1001 & sleep 0.2; cat /proc/self/status > /dev/null");
    let mut left = run.ended().unwrap().left_running.clone();
    left.sort();
    assert_eq!(left, ["sleep", "sleep"]);
    let init = Process::open(run.program().parent().unwrap_or(Pid::from_raw(-1)));
    drop(run);
    assert!(init.is_err() || init.unwrap().has_ended());
}

#[test]
fn a_child_that_nobody_waited_for_is_counted() {
    // The shell becomes a sleep that never waits; its child is dead by then.
    let run = finished("true & exec sleep 0.2");
    assert_eq!(run.ended().unwrap().orphaned, 1);
    assert_eq!(finished("true & wait").ended().unwrap().orphaned, 0);
}

/// Every attack must fail, also from a lab that may have many ids.
fn all_fail(attacks: &[&str]) {
    for attack in attacks {
        let script = format!("{{ {attack}; }} >/dev/null 2>&1 && exit 0; exit 9");
        let shared = shell(&script).shared_mounts();
        for sandbox in [shell(&script), shell(&script).many_ids(), shared] {
            let mut run = sandbox.start().unwrap();
            assert_eq!(run.await_end(), Wait::Reached, "{attack}: {}", run.stderr());
            assert_eq!(status(&run), Status::Exited(9), "{attack}");
        }
    }
}

#[test]
fn what_is_shown_cannot_be_changed() {
    all_fail(&[
        "touch /usr/mine",
        "touch /lab/witness",
        "mount -o remount,bind,rw /usr && touch /usr/mine",
        "mount -o remount,rw / && touch /mine",
        "umount /usr",
        "umount /proc",
        "umount -l /tmp",
        "mknod /tmp/disk b 8 0",
        "ls /home /root /boot",
    ]);
}

#[test]
fn what_belongs_to_root_cannot_be_changed() {
    if sandbox::holds_the_machines_root() {
        println!("skipped: this user namespace knows no id but that of the machine's root");
        return;
    }
    all_fail(&[
        "echo 1 > /proc/sys/vm/drop_caches",
        "echo mine > /proc/sys/kernel/core_pattern",
        "mount -t cgroup2 none /mnt && mkdir /mnt/mine",
        "readlink /proc/1/fd/0",
    ]);
}

/// The numbers of the peer groups that the mounts of a mountinfo are in or follow.
fn groups(mountinfo: &str) -> BTreeSet<String> {
    let words = mountinfo.split_ascii_whitespace();
    let groups = words
        .filter_map(|word| word.strip_prefix("shared:").or_else(|| word.strip_prefix("master:")));
    groups.map(str::to_owned).collect()
}

#[test]
fn shared_mounts_are_shared_inside_and_with_nobody_else() {
    let script = "mount -t tmpfs mine /mnt && cat /proc/self/mountinfo && sleep 60";
    let ours = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = ours();
    let run = shell(script).shared_mounts().start().unwrap();
    let lab = run.lab().get(Kind::Mnt).unwrap();
    await_that(|| mounts_in(lab).unwrap().iter().any(|mount| mount.to_string() == "tmpfs on /mnt"));

    // Every mount is in a group and follows none: whatever comes, comes from inside.
    let mounts = mounts_in(lab).unwrap();
    for mount in &mounts {
        assert_eq!(mount.propagation.to_string(), "shared", "{mount}");
    }
    // The groups have no member here, nor with PID 1 of the sandbox, whose namespace is the one
    // between (its list can be read as root only).
    let inside: BTreeSet<_> = mounts.iter().filter_map(|mount| mount.propagation.shared).collect();
    let inside = inside.iter().map(u64::to_string).collect();
    assert!(groups(&ours()).is_disjoint(&inside));
    let init = run.program().parent().unwrap();
    match std::fs::read_to_string(format!("/proc/{init}/mountinfo")) {
        Ok(outer) => {
            assert!(groups(&outer).is_disjoint(&inside), "{outer}");
            assert!(!outer.contains(" /mnt "), "{outer}");
        }
        Err(error) => println!("skipped: the mounts of the outer level ({error})"),
    }
    assert_eq!(before, ours());
}

#[test]
fn a_leaked_mount_is_seen_and_so_is_one_that_is_not() {
    for (propagation, leaks) in [("unchanged", true), ("slave", false), ("private", false)] {
        let unshare = format!("exec unshare --mount --propagation {propagation}");
        let run = shell(&format!("{unshare} sh -c 'mount -t tmpfs leak /mnt; exec sleep 60'"));
        let run = run.shared_mounts().start().unwrap();
        let inside = || Namespaces::of(run.program()).ok()?.get(Kind::Mnt)?.again().ok();
        let on_mnt =
            |mnt: &Namespace| mounts_in(mnt).unwrap().iter().any(|one| one.point == "/mnt");
        await_that(|| inside().is_some_and(|inside| on_mnt(&inside)));
        let lab = run.lab().get(Kind::Mnt).unwrap();
        assert_eq!(on_mnt(lab), leaks, "{propagation}");
        assert!(!run.mounts().iter().any(|one| one.point == "/mnt"));
    }
}

#[test]
fn a_visitor_mounts_and_unmounts_where_it_is_sent() {
    let run = shell("unshare --mount --propagation slave sleep 60 & wait");
    let run = run.shared_mounts().start().unwrap();
    let mut children = Vec::new();
    await_that(|| {
        children = run.program().children();
        children.iter().any(|child| {
            Namespaces::of(child).is_ok_and(|theirs| {
                let mnt = theirs.get(Kind::Mnt);
                let slaves = |mounts: Vec<Mount>| {
                    mounts.iter().all(|one| one.propagation.to_string() == "slave")
                };
                mnt != run.lab().get(Kind::Mnt) && mounts_in(mnt.unwrap()).is_ok_and(slaves)
            })
        })
    });
    let theirs = Namespaces::of(&children[0]).unwrap();
    let (lab, slave) = (run.lab().get(Kind::Mnt).unwrap(), theirs.get(Kind::Mnt).unwrap());
    let there = |mnt: &Namespace| mounts_in(mnt).unwrap().iter().any(|one| one.point == "/run/on");
    mount_at(lab, "/run/on").unwrap();
    assert!(there(lab) && there(slave));
    unmount_at(lab, "/run/on").unwrap();
    assert!(!there(lab) && !there(slave));
    mount_at(slave, "/run/on").unwrap();
    assert!(!there(lab) && there(slave));
}

#[test]
fn things_are_put_where_they_were_asked_for() {
    let script = "cd /run/tree && pwd && cat name && test -x command && stat -c %u . && echo done";
    let run = shell(script)
        .thing("/run/tree", Thing::Folder)
        .thing("/run/tree/name", Thing::File("otter\n".into()))
        .thing("/run/tree/command", Thing::Witness)
        .folder("/tmp");
    let mut run = run.start().unwrap();
    run.await_end();
    assert_eq!(run.stdout(), "/run/tree\notter\n0\ndone\n", "{}", run.stderr());
    let mut run = shell("pwd").folder("/tmp").start().unwrap();
    run.await_end();
    assert_eq!(run.stdout(), "/tmp\n");
    let mnt = run.lab().get(Kind::Mnt).unwrap();
    assert_eq!(read_in(mnt, "/etc/hosts").unwrap().lines().next(), Some("127.0.0.1 localhost"));
    assert_eq!(names_in(mnt, "/dev/pts").unwrap(), Vec::<String>::new());
    assert_eq!(read_in(mnt, "/run/nowhere"), Err(nix::errno::Errno::ENOENT));
}

#[test]
fn cgroups_of_its_own_are_told_and_their_janitor_keeps_nobody_waiting() {
    if let Err(why) = sandbox::has_cgroups() {
        println!("skipped: {why}");
        return;
    }
    let script = "mkdir -p /sys/fs/cgroup/a/b && echo made && sleep 60";
    let mut run = shell(script).cgroups().start().unwrap();
    await_that(|| run.cgroups() == ["/a", "/a/b", "/lab"]);
    // Who reads what this process prints waits until nobody has its output any more.
    let us = Process::open(Pid::this()).unwrap();
    let supervisors = us.children();
    let everybody = supervisors.iter().flat_map(Process::children);
    let janitors = everybody.filter(|child| child.status("Name").as_deref() == Some("janitor"));
    let janitors: Vec<_> = janitors.collect();
    assert!(!janitors.is_empty());
    for janitor in janitors {
        for standard in 0..3 {
            let held = std::fs::read_link(format!("/proc/{}/fd/{standard}", janitor.pid()));
            assert_eq!(held.unwrap().to_str(), Some("/dev/null"));
        }
    }
    run.program().kill();
    assert_eq!(run.await_end(), Wait::Reached);
}

/// Waits for something that a program is on its way to.
fn await_that(mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + sandbox::patience();
    while !reached() {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn pid_1_can_neither_be_killed_nor_looked_at() {
    let attacks = [
        "kill -9 1",
        "kill -STOP 1",
        "kill -9 -1",
        "readlink /proc/1/ns/uts",
        "cat /proc/1/environ",
    ];
    let run = finished(&format!("{}; echo alive", attacks.join("; ")));
    assert_eq!(run.stdout(), "alive\n");
}

#[test]
fn only_what_was_meant_for_it_is_inherited() {
    let run = finished("ls /proc/$$/fd; env | cut -d= -f1 | sort");
    let words: Vec<_> = run.stdout().lines().map(str::to_owned).collect();
    assert_eq!(words, ["0", "1", "2", "200", "HOME", "LANG", "PATH", "PWD"]);
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
fn a_program_that_is_not_there_is_a_set_up_error() {
    let error = Sandbox::command("/lab/nowhere").start().err().unwrap();
    assert_eq!(
        error.to_string(),
        "execve(\"/lab/nowhere\"): No such file or directory (os error 2)"
    );
}

#[test]
fn arguments_that_are_too_long_are_refused() {
    let error = shell("true").arg("x".repeat(1 << 20)).start().err().unwrap();
    assert_eq!(error.to_string(), "sendmsg(the arguments): Argument list too long (os error 7)");
}

/// Not a test of its own: `nothing_outlives_a_check_that_is_killed` starts it.
#[test]
#[ignore = "runs for ever, on purpose"]
fn a_check_that_never_ends() {
    let run = shell("trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000").start().unwrap();
    println!("inside {}", run.program().pid());
    std::thread::sleep(Duration::from_secs(1000));
    drop(run);
}

#[test]
fn nothing_outlives_a_check_that_is_killed() {
    let mut check = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_check_that_never_ends", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap()).lines();
    let inside = lines.find_map(|line| line.unwrap().strip_prefix("inside ")?.parse().ok());
    let inside = Process::open(Pid::from_raw(inside.unwrap())).unwrap();
    assert!(!inside.has_ended());
    check.kill().unwrap();
    check.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while !inside.has_ended() {
        assert!(Instant::now() < deadline, "the program outlives the check");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[ignore = "a part of the next one"]
fn signals_end_a_program() {
    for (name, number) in [("HUP", 1), ("INT", 2), ("QUIT", 3), ("USR1", 10)] {
        let ended = status(&finished(&format!("kill -{name} $$")));
        assert_eq!(ended, Status::Killed(number), "{name}");
    }
}

/// A shell without a terminal starts with SIGINT and SIGQUIT ignored what it starts with `&`, and
/// nohup(1) does so with SIGHUP.
#[test]
fn what_is_ignored_outside_is_not_inside() {
    let ignoring = "trap '' HUP INT QUIT USR1; exec \"$0\" --exact signals_end_a_program --ignored";
    let output = Command::new("/bin/sh")
        .args(["-c", ignoring])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// prlimit(2) asks for the same ids only, and PID 1 has the program's.
#[test]
fn pid_1_looks_at_who_is_left_whatever_the_program_does() {
    let script = "prlimit --pid 1 --nofile=0:0; renice 19 1; sleep 60 & exit 3";
    for state in [State::RootLab, State::PlainUser] {
        let mut run = shell(script).state(state).start().unwrap();
        assert_eq!(run.await_end(), Wait::Reached, "{state:?}");
        let ended = run.ended().unwrap();
        assert_eq!(ended.left_running.len(), 1, "{state:?}: {}", run.stderr());
        assert!(run.stderr().contains("failed to set the NOFILE resource limit"), "{state:?}");
    }
}

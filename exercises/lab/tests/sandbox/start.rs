//! What a program finds when it starts.

use std::process::Command;
use std::time::{Duration, Instant};

use lab::look::Kind;
use lab::sandbox::{self, Fixture, Sandbox, State, Status};
use lab::visit::{names_in, read_in};
use nix::errno::Errno;

use super::{finished, shell, status};

/// What a program printed until it ended.
fn printed(sandbox: Sandbox) -> String {
    let mut run = sandbox.start().unwrap();
    run.await_end();
    run.stdout()
}

#[test]
fn the_two_start_states() {
    for (state, user) in [(State::RootLab, "0 root"), (State::PlainUser, "1000 you")] {
        let script = "echo $(id -u) $(id -un) $(uname -n); grep CapEff /proc/self/status";
        let out = printed(shell(script).state(state));
        assert!(out.starts_with(&format!("{user} lab\n")), "{out}");
        let none = out.contains("CapEff:\t0000000000000000");
        assert_eq!(none, state == State::PlainUser, "{out}");
    }
}

#[test]
fn a_plain_user_may_have_another_number_for_its_gid() {
    let plain =
        || shell("echo $(id -u) $(id -g) $(cat /proc/self/gid_map)").state(State::PlainUser);
    for sandbox in [plain(), plain().many_ids()] {
        assert_eq!(printed(sandbox.gid(100)), "1000 100 100 0 1\n");
    }
}

#[test]
fn without_no_new_privs_the_filters_stay_and_nothing_is_set_uid() {
    let script = "grep -e NoNewPrivs -e Seccomp: /proc/self/status; cat /proc/self/mountinfo";
    for state in [State::RootLab, State::PlainUser] {
        let start = |sandbox: Sandbox| printed(sandbox.state(state));
        assert!(start(shell(script)).starts_with("NoNewPrivs:\t1\nSeccomp:\t2\n"));
        let without = start(shell(script).without_no_new_privs());
        let mounts = without.strip_prefix("NoNewPrivs:\t0\nSeccomp:\t2\n").expect(&without);
        // The mounts in `/dev` are device files, which cannot be executed.
        let harmless = |mount: &&str| mount.contains("nosuid") || mount.contains(" /dev/");
        assert!(mounts.lines().any(|mount| mount.contains(" /usr ") && harmless(&mount)));
        let set_uid = mounts.lines().filter(|mount| !harmless(mount));
        assert_eq!(set_uid.collect::<Vec<_>>(), [""; 0]);
        let recorded = start(shell(script).without_no_new_privs().record());
        assert!(recorded.starts_with("NoNewPrivs:\t0\n"), "{recorded}");
    }
}

#[test]
fn many_ids_are_mapped_on_request_where_this_user_has_them() {
    let script = "cat /proc/self/setgroups /proc/self/uid_map";
    let words = |sandbox| -> Vec<String> {
        printed(sandbox).split_ascii_whitespace().map(str::to_owned).collect()
    };
    let one_id = ["deny", "0", "0", "1"];
    assert_eq!(words(shell(script)), one_id, "not asked for");
    let plain = || shell(script).state(State::PlainUser);
    assert_eq!(words(plain()), ["deny", "1000", "0", "1"], "not asked for");

    let (root, user) = (words(shell(script).many_ids()), words(plain().many_ids()));
    if sandbox::has_many_ids() {
        assert_eq!(root, ["allow", "0", "0", "4096"]);
        assert_eq!(user, ["allow", "1000", "0", "1"]);
    } else {
        assert_eq!(root, one_id, "asking does no harm");
        assert_eq!(user, ["deny", "1000", "0", "1"], "asking does no harm");
        skip!(NotRoot: "a lab with many ids: this user has one id");
    }
}

#[test]
fn many_ids_belong_to_no_user_outside() {
    if !sandbox::has_many_ids() {
        return skip!(NotRoot: "whether many ids are unused outside: this user has one id");
    }
    let script = "chown 4095:4095 /tmp && exec setpriv --reuid=4095 --regid=4095 --clear-groups \
                  sleep 60";
    let run = shell(script).many_ids().start().unwrap();
    // Higher than the id of any user of this machine.
    assert!(run.ids().unwrap().iter().all(|id| *id >= 0x7000_0000), "{:?}", run.ids());
    let deadline = Instant::now() + sandbox::patience();
    // setpriv(1) changes the group id first.
    let before = run.ids().unwrap();
    let both = |now: [u32; 2]| now.iter().zip(before).all(|(now, before)| *now != before);
    while !run.program().ids().is_some_and(both) {
        assert!(Instant::now() < deadline, "its ids do not change: {}", run.stderr());
        std::thread::sleep(Duration::from_millis(1));
    }
    let other = run.program().ids().unwrap();
    assert_eq!(Some(other.map(|id| id - 4095)), run.ids());
}

#[test]
fn fixtures_are_where_they_were_asked_for() {
    let script = "cd /run/tree && pwd && cat name && test -x command && stat -c %u . && echo done";
    let run = shell(script)
        .fixture("/run/tree", Fixture::Directory)
        .fixture("/run/tree/name", Fixture::File("otter\n".into()))
        .fixture("/run/tree/command", Fixture::Witness)
        .working_directory("/tmp");
    let mut run = run.start().unwrap();
    run.await_end();
    assert_eq!(run.stdout(), "/run/tree\notter\n0\ndone\n", "{}", run.stderr());
    let mut run = shell("pwd").working_directory("/tmp").start().unwrap();
    run.await_end();
    assert_eq!(run.stdout(), "/tmp\n");
    let mnt = run.lab().get(Kind::Mnt).unwrap();
    assert_eq!(read_in(mnt, "/etc/hosts").unwrap().lines().next(), Some("127.0.0.1 localhost"));
    assert_eq!(names_in(mnt, "/dev/pts").unwrap(), Vec::<String>::new());
    assert_eq!(read_in(mnt, "/run/nowhere"), Err(Errno::ENOENT));
}

#[test]
fn only_three_streams_and_four_variables_are_inherited() {
    let run = finished("ls /proc/$$/fd; env | cut -d= -f1 | sort");
    let words: Vec<_> = run.stdout().lines().map(str::to_owned).collect();
    assert_eq!(words, ["0", "1", "2", "HOME", "LANG", "PATH", "PWD"]);
}

/// As umask 077 leaves it. Root's program is that of another id in the sandbox.
#[test]
fn a_program_that_only_its_owner_may_execute_is_started() {
    let program = std::env::temp_dir().join(format!("closed-{}", std::process::id()));
    // Another process writes it: this one may fork while the file is open for writing.
    let made = Command::new("install").args(["-m", "700", "/bin/true"]).arg(&program).status();
    assert!(made.unwrap().success());
    let run = Sandbox::new(&program).start();
    std::fs::remove_file(&program).unwrap();
    let mut run = run.unwrap();
    run.await_end();
    assert_eq!(status(&run), Status::Exited(0));
}

#[test]
#[ignore = "part of `signals_ignored_outside_are_not_ignored_inside`"]
fn signals_end_a_program() {
    for (name, number) in [("HUP", 1), ("INT", 2), ("QUIT", 3), ("USR1", 10)] {
        let ended = status(&finished(&format!("kill -{name} $$")));
        assert_eq!(ended, Status::Killed(number), "{name}");
    }
}

/// A shell without job control ignores SIGINT and SIGQUIT in what it starts with `&`, and nohup(1)
/// ignores SIGHUP.
#[test]
fn signals_ignored_outside_are_not_ignored_inside() {
    let script =
        "trap '' HUP INT QUIT USR1; exec \"$0\" --exact start::signals_end_a_program --ignored";
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // A name that no test has would be a success as well.
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_program_that_does_not_exist_is_a_set_up_error() {
    let error = Sandbox::command("/lab/nowhere").start().err().unwrap();
    assert_eq!(
        error.to_string(),
        "execve(\"/lab/nowhere\"): No such file or directory (os error 2)"
    );
}

#[test]
fn arguments_that_are_too_long_are_a_set_up_error() {
    let error = shell("true").arg("x".repeat(1 << 20)).start().err().unwrap();
    assert_eq!(error.to_string(), "sendmsg(the arguments): Argument list too long (os error 7)");
}

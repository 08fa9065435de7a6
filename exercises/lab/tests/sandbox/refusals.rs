//! What a program in the sandbox is refused, and the same commands where they succeed.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;

use lab::look::{Kind, Namespaces, Process};
use lab::sandbox::{self, Status, Wait};
use nix::unistd::Pid;

use super::{finished, shell, skip, status};

/// A command that the sandbox refuses.
struct Refusal {
    command: &'static str,
    /// Where it succeeds, which shows that it could in the sandbox: the tool is there and the
    /// arguments are right.
    succeeds: Place,
}

enum Place {
    /// In a mount namespace whose mounts were all made by root of the same user namespace; after
    /// these words of the shell.
    OwnMounts(&'static str),
    /// As root of the machine, in a mount namespace.
    Machine,
}

use Place::{Machine, OwnMounts};

/// A root directory like that of the sandbox, but nothing in it is locked or read-only. Its `/usr` is
/// a tmpfs that shows the folders of this machine's `/usr`, so what is created there harms nothing.
const OWN_ROOT: &str = "\
    mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir usr proc dev tmp lab && : > lab/sh
    mount --bind usr usr
    for it in /usr/*; do [ -d $it ] && mkdir .$it && mount --rbind $it .$it; done
    for it in bin sbin lib lib32 lib64 libx32; do
        if [ -L /$it ]; then cp -P /$it .; elif [ -d /$it ]; then mkdir $it && mount --rbind /$it $it; fi
    done
    mount --rbind /dev dev && mount -t proc proc proc && mount -t tmpfs tmpfs tmp
    exec chroot . sh -c \"$0\"";

const REFUSALS: &[Refusal] = &[
    Refusal { command: ": > /usr/mine", succeeds: OwnMounts(":") },
    Refusal {
        command: "for it in /lab/*; do [ -e $it ] && : >> $it; done",
        succeeds: OwnMounts(":"),
    },
    Refusal {
        command: "mount -o remount,bind,rw /usr",
        succeeds: OwnMounts("mount -o remount,bind,ro /usr"),
    },
    Refusal {
        // With a source, mount(8) does not pass on the options that are there: among them is a `uid`
        // that has no meaning here, and would make the kernel refuse the call for that.
        command: "mount -o remount,rw none / && : > /mine",
        succeeds: OwnMounts("mount -o remount,ro none /"),
    },
    Refusal { command: "umount -l /usr", succeeds: OwnMounts(":") },
    Refusal { command: "umount /proc", succeeds: OwnMounts(":") },
    Refusal { command: "umount -l /tmp", succeeds: OwnMounts(":") },
    Refusal { command: "mknod /tmp/disk b 8 0", succeeds: Machine },
    Refusal { command: "readlink /proc/1/ns/uts", succeeds: OwnMounts(":") },
    Refusal { command: "cat /proc/1/environ", succeeds: OwnMounts(":") },
];

/// Refused because the program's id owns nothing outside, unless the machine's root is the only id
/// that the sandbox could give it.
const REFUSED_BY_ID: &[Refusal] = &[
    Refusal { command: ": > /proc/sys/vm/drop_caches", succeeds: Machine },
    Refusal { command: ": > /proc/sys/kernel/core_pattern", succeeds: Machine },
    Refusal {
        command: "mount -t cgroup2 none /mnt && mkdir /mnt/mine && rmdir /mnt/mine",
        succeeds: Machine,
    },
    Refusal { command: "readlink /proc/1/fd/0", succeeds: OwnMounts(":") },
];

const REFUSED: i32 = 9;
/// The shell has not found the tool, or could not execute it.
const NO_TOOL: i32 = 8;

/// Runs a command and exits with 0, [`REFUSED`] or [`NO_TOOL`].
fn script(command: &str) -> String {
    format!(
        "({command}) >/dev/null 2>&1; case $? in 0) ;; 126|127) exit {NO_TOOL};; *) exit {REFUSED}; esac"
    )
}

/// Each is refused, also in a lab that may have many ids and in one whose mounts are shared.
#[track_caller]
fn assert_refused(command: &str) {
    let script = &script(command);
    for sandbox in [shell(script), shell(script).many_ids(), shell(script).shared_mounts()] {
        let mut run = sandbox.start().unwrap();
        assert_eq!(run.await_end(), Wait::Reached, "{command}: {}", run.stderr());
        assert_eq!(status(&run), Status::Exited(REFUSED), "{command}");
    }
}

/// The positive control. `None` if this machine has no such place.
fn succeeds(refusal: &Refusal) -> Option<bool> {
    let mut unshare = Command::new("unshare");
    let unshare = match refusal.succeeds {
        OwnMounts(before) => {
            let script = format!("{before} && {}", script(refusal.command));
            unshare
                .args("-Urm --pid --fork --kill-child sh -c".split(' '))
                .args([OWN_ROOT, &script])
        }
        Machine => {
            if !skip::is_root_of_the_machine() {
                skip!(NotRoot: "whether root of the machine may `{}`", refusal.command);
                return None;
            }
            let script = format!("mount -t tmpfs tmpfs /tmp && {}", script(refusal.command));
            unshare.args("--mount --propagation private sh -c".split(' ')).arg(script)
        }
    };
    Some(unshare.process_group(0).stdin(Stdio::null()).status().unwrap().success())
}

fn all_are_refused_here_alone(refusals: &[Refusal]) {
    thread::scope(|scope| {
        for refusal in refusals {
            scope.spawn(|| {
                assert_refused(refusal.command);
                assert_ne!(
                    succeeds(refusal),
                    Some(false),
                    "refused everywhere: {}",
                    refusal.command
                );
            });
        }
    });
}

#[test]
fn what_is_shown_cannot_be_changed() {
    all_are_refused_here_alone(REFUSALS);
}

#[test]
fn what_belongs_to_root_cannot_be_changed() {
    if sandbox::holds_the_machines_root() {
        return skip!(OneId: "what belongs to the machine's root, whose id is the program's here");
    }
    all_are_refused_here_alone(REFUSED_BY_ID);
}

/// A command that is allowed, and one that does not exist, do not pass for refused ones.
#[test]
fn a_refusal_is_told_from_success_and_from_a_missing_tool() {
    assert_eq!(status(&finished(&script(": > /tmp/mine"))), Status::Exited(0));
    assert_eq!(status(&finished(&script("no-such-tool"))), Status::Exited(NO_TOOL));
    assert_eq!(status(&finished(&script(": > /no/such/folder"))), Status::Exited(REFUSED));
}

#[test]
fn pid_1_survives_the_signals_of_its_sandbox() {
    let run = finished("sleep 60 & kill -9 1; kill -STOP 1; kill -9 -1; wait $!; echo $?");
    // Only the shell and PID 1 are left: 137 is how the sleep ended.
    assert_eq!(run.stdout(), "137\n");
    assert!(run.ended().unwrap().left_running.is_empty());
}

#[test]
fn root_inside_is_not_root_outside() {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    if map.split_ascii_whitespace().nth(2) == Some("1") {
        return skip!(OneId: "whether the program has another id outside");
    }
    let run = shell("sleep 60").start().unwrap();
    let ids = ["Uid", "Gid"].map(|name| run.program().status(name).unwrap()).join(" ");
    let ids: Vec<&str> = ids.split_ascii_whitespace().collect();
    // Real, effective, saved and file system id.
    assert!(ids.len() == 8 && !ids.contains(&"0"), "{ids:?}");
}

#[test]
fn the_time_namespace_alone_is_shared_with_the_check() {
    let run = shell("sleep 60").start().unwrap();
    let outside = Namespaces::of(&Process::open(Pid::this()).unwrap()).unwrap();
    let inside = Namespaces::of(run.program()).unwrap();
    for kind in Kind::ALL {
        assert_eq!(outside.get(kind) == inside.get(kind), kind == Kind::Time, "{kind}");
    }
}

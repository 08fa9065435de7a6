//! Standard output and standard error that are no terminal.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::{folder, shell, text, xtask};

/// A program that has a file's descriptor can open the file again, without `O_APPEND`.
#[test]
fn a_log_keeps_what_was_in_it() {
    let log = folder("log").join("log");
    fs::write(&log, "before\n").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
    let attack = "true > /proc/self/fd/1; chmod 777 /proc/self/fd/1; truncate -s 0 /proc/self/fd/1\n\
                  echo after\n";
    let appended = fs::File::options().append(true).open(&log).unwrap();
    shell(attack, |command| _ = command.stdout(appended));
    assert_eq!(fs::read_to_string(&log).unwrap(), "before\nafter\n");
    assert_eq!(fs::metadata(&log).unwrap().mode() & 0o777, 0o666);
}

/// The size and flags of the reader's pipe belong to all of its users, and it can be opened again, too.
#[test]
fn only_new_pipes_are_inside() {
    let (from, to) = io::pipe().unwrap();
    let outside = fs::File::from(OwnedFd::from(to.try_clone().unwrap())).metadata().unwrap().ino();
    let mut command = xtask(&["trace", "--", "sh", "-c", "readlink /proc/$$/fd/[012] >&2"]);
    command.stdin(from).stdout(to.try_clone().unwrap());
    let said = text(&command.output().unwrap().stderr);
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines() {
        assert!(line.starts_with("pipe:[") && line != format!("pipe:[{outside}]"), "{line}");
    }
}

#[test]
fn a_program_whose_reader_goes_gets_sigpipe() {
    let mut command = xtask(&["shell"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"yes\necho status $? >&2\nexit 3\n").unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 2]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(3), "status 141\n"));
}

#[test]
fn all_of_the_output_arrives() {
    let (mut from, to) = io::pipe().unwrap();
    // Another user of the pipe may have set `O_NONBLOCK`.
    fcntl(&to, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let mut command = xtask(&["shell"]);
    let mut child = command.stdin(Stdio::piped()).stdout(to).spawn().unwrap();
    drop(command);
    child.stdin.take().unwrap().write_all(b"head -c 3000000 /dev/zero; echo end\n").unwrap();
    sleep(Duration::from_millis(100));
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(bytes.len(), 3_000_004);
    assert!(bytes.ends_with(b"\0end\n"));
}

#[test]
fn both_streams_in_one_file_stay_in_order() {
    let file = folder("both").join("file");
    let both = fs::File::create(&file).unwrap();
    shell("for n in 1 2 3 4 5 6; do echo out $n; echo err $n >&2; done\n", |command| {
        command.stdout(both.try_clone().unwrap()).stderr(both);
    });
    let wanted: String = (1..=6).map(|n| format!("out {n}\nerr {n}\n")).collect();
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted);
}

/// It prints forever, and holds the pipes.
#[test]
fn a_process_that_is_left_behind_is_not_waited_for() {
    let start = Instant::now();
    let output = shell("setsid yes & setsid sleep 60 & echo started; exit 4\n", |_| ());
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("started\n"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// An ordinary user's program may open its own pipes again, and read what it has printed.
#[test]
fn a_program_that_reads_its_own_output_is_not_waited_for() {
    let thief = "setsid cat /proc/$$/fd/1 > /dev/null 2>&1 &\n";
    let output = shell(&format!("{thief}{thief}sleep 0.1; seq 1000; exit 5\n"), |_| ());
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn output_that_is_cut_short_is_an_error() {
    let full = fs::File::create("/dev/full").unwrap();
    let output = shell("echo otter\n", |command| _ = command.stdout(full));
    let said = "error: could not write what it printed: No space left on device\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), said));
}

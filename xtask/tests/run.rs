//! `run` and `shell`: with a terminal and without, and nothing is left of either.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{Pid, setsid};

/// A shell of ours on a terminal that the test plays the reader at.
struct Session {
    shell: Child,
    reader: fs::File,
    /// Keeps the terminal there when the shell has gone.
    terminal: OwnedFd,
    seen: String,
}

impl Session {
    fn start() -> Session {
        let size = Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        for fd in [&pty.master, &pty.slave] {
            // The shells of other tests must not keep this terminal open.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = Command::new(cargo_bin!("xtask"));
        command.arg("shell").env("TERM", "vt100").stdin(end()).stdout(end()).stderr(end());
        // SAFETY: setsid and ioctl are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let shell = command.spawn().unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let reader = fs::File::from(pty.master);
        let mut session = Session { shell, reader, terminal: pty.slave, seen: String::new() };
        session.expect("lab# ");
        session
    }

    fn types(&mut self, keys: &str) {
        self.reader.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until `text` has been printed, and forgets everything up to it.
    fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            assert!(Instant::now() < deadline, "waited for {text:?} and saw {:?}", self.seen);
            let mut buffer = [0; 4096];
            match self.reader.read(&mut buffer) {
                Ok(length) => self.seen += &String::from_utf8_lossy(&buffer[..length]),
                Err(_) => sleep(Duration::from_millis(2)),
            }
        }
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.shell.id() as i32), signal).unwrap();
    }

    fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            // A terminal that nobody reads makes whoever closes it wait.
            _ = self.reader.read(&mut [0; 4096]);
            if let Some(status) = self.shell.try_wait().unwrap() {
                return status;
            }
            sleep(Duration::from_millis(2));
        }
        panic!("the shell is still there");
    }

    /// How long a sleep has to be, so that no other of this machine is as long.
    fn mark(&self) -> String {
        format!("9{}.{:09}", std::process::id(), self.reader.as_raw_fd())
    }

    /// Starts a process inside that can be recognised from outside.
    fn start_marked(&mut self) -> String {
        let mark = self.mark();
        self.types(&format!("setsid nohup sleep {mark} & echo start''ed\n"));
        self.expect("started");
        within_moments(|| is_running(&mark), "it runs");
        mark
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A test that fails ends its shell, too.
        _ = self.shell.kill();
    }
}

fn is_running(mark: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.split('\0').next().is_some_and(|name| name.ends_with("sleep")) && line.contains(mark)
    })
}

fn within_moments(reached: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_shell_on_a_terminal() {
    let mut session = Session::start();
    assert!(session.is_raw());
    session.types("stty size; echo $TERM; tty\n");
    session.expect("33 77");
    session.expect("vt100");
    session.expect("/dev/pts/0");
    // Ctrl-C is for the program inside.
    let mark = session.mark();
    session.types(&format!("sleep {mark}\n"));
    within_moments(|| is_running(&mark), "it runs");
    session.types("\x03");
    session.expect("lab# ");
    session.types("echo still he''re\n");
    session.expect("still here");
    session.types("exit 5\n");
    assert_eq!(session.ends().code(), Some(5));
    assert!(!session.is_raw(), "the terminal is as it was");
}

#[test]
fn the_terminal_inside_grows_with_ours() {
    let mut session = Session::start();
    let size = Winsize { ws_row: 11, ws_col: 44, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads one winsize.
    unsafe { libc::ioctl(session.terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    session.send(Signal::SIGWINCH);
    session.types("until [ \"$(stty size)\" = '11 44' ]; do :; done; echo gro''wn\n");
    session.expect("grown");
    session.types("exit\n");
    assert!(session.ends().success());
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_in_order() {
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let mut session = Session::start();
        let mark = session.start_marked();
        session.send(signal);
        assert_eq!(session.ends().code(), Some(status));
        assert!(!session.is_raw(), "the terminal is as it was");
        within_moments(|| !is_running(&mark), "nothing is left");
    }
}

#[test]
fn kill_9_leaves_nothing_running() {
    let mut session = Session::start();
    let mark = session.start_marked();
    session.send(Signal::SIGKILL);
    assert_eq!(session.ends().signal(), Some(9));
    within_moments(|| !is_running(&mark), "nothing is left");
}

#[test]
fn closing_the_terminal_leaves_nothing_running() {
    let mut session = Session::start();
    let mark = session.start_marked();
    let null = || fs::File::open("/dev/null").unwrap();
    (session.reader, session.terminal) = (null(), null().into());
    session.shell.wait().unwrap();
    within_moments(|| !is_running(&mark), "nothing is left");
}

#[test]
fn without_a_terminal_commands_come_from_standard_input() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let shell = shell.arg("shell").write_stdin("id -u; echo oops >&2; exit 7\n").assert();
    shell.code(7).stdout("0\n").stderr("oops\n");
}

/// With `> FILE` and the like. Whoever has the terminal itself can change its settings.
#[test]
fn a_terminal_at_one_end_stays_outside() {
    let pty = openpty(None, None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut shell = Command::new(cargo_bin!("xtask"));
    shell.arg("shell").stdin(end()).stdout(Stdio::piped()).stderr(end());
    let shell = shell.spawn().unwrap();
    let mut reader = fs::File::from(pty.master);
    reader.write_all(b"test -t 0 || test -t 2 || echo none\necho aside >&2\nexit 3\n").unwrap();
    let output = shell.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"none\n"[..]));
    let mut buffer = [0; 4096];
    let length = reader.read(&mut buffer).unwrap();
    let said = String::from_utf8_lossy(&buffer[..length]);
    assert!(said.contains("\naside"), "{said:?}");
}

/// The sessions of the pages call the solutions by the exercises' names.
#[test]
fn a_shell_with_the_solutions() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let session = "ch02-unshare otter -- uname -n; ls /lab | grep -c solution\n";
    shell.args(["shell", "--solutions"]).write_stdin(session).assert().stdout("otter\n0\n");
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let said = shell.args(["shell", "--solved"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("`shell` has no option `--solved`"));
}

#[test]
fn the_plain_user_is_not_root() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    shell.args(["shell", "--as", "plain-user"]).write_stdin("id -u").assert().stdout("1000\n");
}

#[test]
fn a_signal_inside_is_128_and_its_number() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    shell.arg("shell").write_stdin("kill -9 $$").assert().code(137);
}

/// The command without a terminal. One that hangs is ended, with status 137.
fn xtask(words: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "30"]).arg(cargo_bin!("xtask")).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A shell with these commands on its standard input.
fn shell(commands: &str, change: impl FnOnce(&mut Command)) -> Output {
    let (from, mut to) = io::pipe().unwrap();
    to.write_all(commands.as_bytes()).unwrap();
    drop(to);
    let mut command = xtask(&["shell"]);
    command.stdin(from);
    change(&mut command);
    command.output().unwrap()
}

/// A program that has something else on its standard input.
fn program(script: &str, stdin: impl Into<Stdio>) -> Output {
    xtask(&["trace", "--", "sh", "-c", script]).stdin(stdin).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An empty folder of this test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Who has the descriptor of a file opens the file again, and is not bound to append.
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

#[test]
fn no_way_leads_out_of_a_folder_on_standard_input() {
    let folder = folder("way-out");
    let below = folder.join("below");
    fs::create_dir(&below).unwrap();
    for folder in [&folder, &below] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let attack = "echo x > /proc/self/fd/0/inside; echo x > /proc/self/fd/0/../escaped; true";
    let output = program(attack, fs::File::open(&below).unwrap());
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("error: could not read the input: Is a directory\n"), "{said}");
    assert!(!folder.join("escaped").exists() && !below.join("inside").exists());
}

/// A pipe of the reader's has a size and flags that are everybody's, and can be opened again, too.
#[test]
fn nothing_but_our_pipes_is_inside() {
    let (from, to) = io::pipe().unwrap();
    let theirs = fs::File::from(OwnedFd::from(to.try_clone().unwrap())).metadata().unwrap().ino();
    let mut command = xtask(&["trace", "--", "sh", "-c", "readlink /proc/$$/fd/[012] >&2"]);
    command.stdin(from).stdout(to.try_clone().unwrap());
    let said = text(&command.output().unwrap().stderr);
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines() {
        assert!(line.starts_with("pipe:[") && line != format!("pipe:[{theirs}]"), "{line}");
    }
}

#[test]
fn all_of_the_input_arrives_and_then_its_end() {
    let big = folder("input").join("big");
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&big, &bytes).unwrap();
    let wanted = Command::new("cksum").stdin(fs::File::open(&big).unwrap()).output().unwrap();
    let output = program("cksum", fs::File::open(&big).unwrap());
    assert_eq!(text(&output.stderr), text(&wanted.stdout));
    assert_eq!(text(&program("wc -c", Stdio::null()).stderr).trim(), "0");
    let mut closed = xtask(&["trace", "--", "wc", "-c"]);
    // SAFETY: close is async-signal-safe.
    unsafe { closed.pre_exec(|| Ok(_ = libc::close(0))) };
    assert_eq!(text(&closed.output().unwrap().stderr).trim(), "0");
}

#[test]
fn an_input_that_cannot_be_read_is_said_to_be_none() {
    let file = folder("write-only").join("file");
    let output = program("wc -c", fs::File::create(file).unwrap());
    let said = text(&output.stderr);
    assert!(said.contains("error: could not read the input: Bad file"), "{said}");
    assert!(said.lines().any(|line| line.trim() == "0"), "{said}");
}

#[test]
fn nobody_waits_for_an_input_that_is_not_read() {
    // This one never ends.
    let (from, _to) = io::pipe().unwrap();
    assert!(program("true", from).status.success());
    // And this one is more than a pipe holds.
    assert!(program("true", fs::File::open("/dev/zero").unwrap()).status.success());
}

#[test]
fn a_reader_that_goes_ends_the_program() {
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
    // Whoever shares a pipe may have made it one that does not block.
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

/// It prints without end, and has the pipes.
#[test]
fn who_is_left_behind_does_not_keep_us() {
    let start = Instant::now();
    let output = shell("setsid yes & setsid sleep 60 & echo started; exit 4\n", |_| ());
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("started\n"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// An ordinary user's program may open its own pipes again, and read what it has printed before we do.
#[test]
fn who_reads_our_pipe_does_not_keep_us() {
    let thief = "setsid cat /proc/$$/fd/1 > /dev/null 2>&1 &\n";
    let output = shell(&format!("{thief}{thief}sleep 0.1; seq 1000; exit 5\n"), |_| ());
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn what_is_cut_short_does_not_look_whole() {
    let full = fs::File::create("/dev/full").unwrap();
    let output = shell("echo otter\n", |command| _ = command.stdout(full));
    let said = "error: could not write what it printed: No space left on device\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), said));
}

#[test]
fn a_program_that_is_stopped_is_told_why() {
    let output = shell("echo otter >&200; sleep 60\n", |_| ());
    let said = "stopped: it played COMMAND instead of starting it\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(137), said));
}

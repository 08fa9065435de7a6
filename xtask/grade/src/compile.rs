//! The compiler, in the sandbox in which programs are checked: a macro may read any file that the
//! compiler may, and a program can keep the compiler busy forever. There it finds the toolchain, the
//! crates of the course and one submission, without a network, and within the sandbox's limits.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use lab::sandbox::{Ended, Excess, OUTPUT, Refusal, Sandbox, State, Status, Wait};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use crate::course::{Compiler, Course};
use crate::result::Limit;

/// How long a compilation may take on a busy machine. The programs of the course take a second, and the
/// sandbox gives the compiler twenty seconds of processor time.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long an empty program takes on a machine that has no time for others: it is the tenth part of what they
/// take.
pub const TOO_SLOW: Duration = PATIENCE.checked_div(10).unwrap();

/// Bytes of the compiler's messages that are kept.
const KEPT: usize = 16 * 1024;

/// Bytes of a program. Those of the course have half a megabyte.
const PROGRAM: u64 = 16 << 20;

/// What the compiler made of a source.
#[derive(Debug)]
pub enum Built {
    Yes,
    /// What it said, and which limits it has reached.
    No {
        said: String,
        limits: Vec<Limit>,
    },
}

/// Why nothing can be said of a source.
#[derive(Debug)]
pub enum Trouble {
    /// The sandbox was refused.
    Refused(Refusal),
    /// The program could not be written here.
    NotWritten(io::Error),
}

/// Compiles the `main.rs` of a folder, as the program of a chapter, to `program`.
///
/// # Errors
///
/// The machine is the cause, and not the source.
pub fn compile(
    course: &Course,
    chapter: &str,
    sources: &Path,
    program: &Path,
) -> Result<Built, Trouble> {
    let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(|errno| Trouble::NotWritten(errno.into()));
    let ((out, stdout), (err, stderr)) = (pipe()?, pipe()?);
    let stdin = File::open("/dev/null").map_err(Trouble::NotWritten)?;
    let mut run = sandbox(&course.compiler, chapter, sources)
        .standard([stdin.into(), stdout, stderr])
        .start()
        .map_err(Trouble::Refused)?;
    let (wait, written, said) = thread::scope(|scope| {
        let write = scope.spawn(|| receive(out, program));
        let read = scope.spawn(|| listen(err));
        let wait = run.await_end();
        let ended = run.ended().cloned();
        // What is left inside holds the pipes open.
        drop(run);
        ((wait, ended), write.join(), read.join())
    });
    let written = written.expect("writing does not panic").map_err(Trouble::NotWritten)?;
    let (said, said_too_much) = said.expect("reading does not panic");
    let (wait, ended) = wait;

    let mut limits = Vec::new();
    match wait {
        Wait::TimedOut => limits.push(Limit::Time),
        Wait::Stopped(Excess::Memory) => limits.push(Limit::Memory),
        Wait::Stopped(Excess::Processes) => limits.push(Limit::Processes),
        _ => {}
    }
    if said_too_much {
        limits.push(Limit::Output);
    }
    if written > PROGRAM {
        limits.push(Limit::Size);
    }
    let is_good = matches!(ended, Some(Ended { status: Status::Exited(0), .. }));
    if is_good && limits.is_empty() && written > 0 {
        await_no_writer(program);
        return Ok(Built::Yes);
    }
    if limits.is_empty() {
        limits.extend(limits_in(&said, ended));
    }
    limits.sort();
    limits.dedup();
    Ok(Built::No { said, limits })
}

/// Whether the compiler can compile anything here, with the crates of a chapter. `work` is a folder for it. If
/// not, no program is to blame: there is no linker, the toolchain's files are closed to the id of the sandbox, or
/// a crate is damaged.
///
/// # Errors
///
/// As for [`compile`].
pub fn works(course: &Course, chapter: &str, work: &Path) -> Result<Built, Trouble> {
    let sources = work.join("src");
    let uses =
        course.compiler.externs(chapter).map(|(name, _)| format!("extern crate {name} as _;\n"));
    let text = uses.chain(["fn main() {}\n".to_owned()]).collect::<String>();
    let write = || {
        std::fs::create_dir_all(&sources)?;
        std::fs::set_permissions(&sources, Permissions::from_mode(0o755))?;
        let file = sources.join("main.rs");
        std::fs::write(&file, &text)?;
        std::fs::set_permissions(&file, Permissions::from_mode(0o644))
    };
    write().map_err(Trouble::NotWritten)?;
    compile(course, chapter, &sources, &work.join("program"))
}

/// What the compiler finds, and what it is asked to do. The script writes the program to its standard
/// output, because nothing that is written inside outlives the sandbox.
fn sandbox(compiler: &Compiler, chapter: &str, sources: &Path) -> Sandbox {
    let script = "/lab/toolchain/bin/rustc \"$@\" -o /tmp/program && exec cat /tmp/program";
    let mut sandbox = Sandbox::command("rustc")
        .script(script)
        .state(State::PlainUser)
        .show("toolchain", &compiler.toolchain)
        .show("crates", &compiler.crates)
        .show("src", sources)
        .working_directory("/lab")
        .patience(Some(PATIENCE))
        .args(["src/main.rs", "--crate-type=bin", "--sysroot=/lab/toolchain"])
        .arg(format!("--edition={}", compiler.edition))
        .arg(format!("--crate-name={}", chapter.replace('-', "_")))
        // A warning is for the one who writes the program. What is an error stays one.
        .args(["-Awarnings", "--color=never", "-Cstrip=debuginfo", "-Ldependency=/lab/crates"]);
    for (name, file) in compiler.externs(chapter) {
        sandbox = sandbox.arg(format!("--extern={name}=/lab/crates/{file}"));
    }
    sandbox
}

/// Writes what the sandbox sends to a file that can be executed. Returns how many bytes that were; a byte
/// more than [`PROGRAM`] if there were too many.
fn receive(from: OwnedFd, program: &Path) -> io::Result<u64> {
    // Executed by the id that a program of root has in a sandbox, too.
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o755).open(program)?;
    file.set_permissions(Permissions::from_mode(0o755))?;
    let written = io::copy(&mut File::from(from).take(PROGRAM + 1), &mut file)?;
    file.flush()?;
    Ok(written)
}

/// The first bytes of what the compiler says, and whether it says too much. The pipe is closed then, and
/// the compiler ends.
fn listen(from: OwnedFd) -> (String, bool) {
    let mut from = File::from(from).take(OUTPUT);
    let mut said = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let room = KEPT - said.len();
        said.extend_from_slice(&buffer[..length.min(room)]);
    }
    (String::from_utf8_lossy(&said).into_owned(), from.limit() == 0)
}

/// Limits that the kernel enforces and that only the compiler can tell of.
fn limits_in(said: &str, ended: Option<Ended>) -> impl Iterator<Item = Limit> {
    const SIGNS: [(&str, Limit); 7] = [
        ("memory allocation of", Limit::Memory),
        ("Cannot allocate memory", Limit::Memory),
        ("out of memory", Limit::Memory),
        ("No space left on device", Limit::Size),
        ("File too large", Limit::Size),
        ("SIGXFSZ", Limit::Size),
        ("SIGXCPU", Limit::Time),
    ];
    let killed = match ended.map(|ended| ended.status) {
        // The shell adds 128 to the signal that has ended the compiler.
        Some(Status::Exited(code)) if code > 128 => Some(code - 128),
        Some(Status::Killed(signal)) => Some(signal),
        _ => None,
    };
    let by_signal: &[Limit] = match killed {
        Some(libc::SIGXCPU) => &[Limit::Time],
        Some(libc::SIGXFSZ) => &[Limit::Size],
        // For one of them; which one, nobody says.
        Some(libc::SIGKILL) => &[Limit::Time, Limit::Memory],
        _ => &[],
    };
    // Other lines quote the program.
    let lines =
        said.lines().filter(|line| !line.starts_with(|c: char| c == ' ' || c.is_ascii_digit()));
    let signs = SIGNS.into_iter().filter(|(sign, _)| lines.clone().any(|line| line.contains(sign)));
    let signs: Vec<_> = signs.map(|(_, limit)| limit).collect();
    by_signal.iter().copied().chain(signs)
}

/// Waits until no process has the file open for writing, because it could not be executed before
/// (`ETXTBSY`, execve(2)). This process has closed it, but another of its threads may have forked
/// meanwhile, and the child has a copy until its exec. A lease tells (fcntl(2)).
fn await_no_writer(program: &Path) {
    let Ok(file) = File::open(program) else { return };
    let lease = |kind: i32| {
        // SAFETY: takes integers, and a descriptor that is open.
        let leased = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
        nix::errno::Errno::result(leased)
    };
    for _ in 0..1000 {
        match lease(libc::F_RDLCK) {
            Ok(_) => {
                _ = lease(libc::F_UNLCK);
                return;
            }
            Err(nix::errno::Errno::EAGAIN) => thread::sleep(Duration::from_millis(1)),
            // A file system without leases: a moment is enough in practice.
            Err(_) => return thread::sleep(Duration::from_millis(20)),
        }
    }
}

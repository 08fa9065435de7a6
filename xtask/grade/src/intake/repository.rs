//! A bare git repository. Its settings may name programs that git starts, so git runs in the sandbox.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use lab::sandbox::{Ended, Refusal, Sandbox, State, Status};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use super::archive::read_tar;
use super::files::{Files, trouble};
use crate::result::Trouble;

const PATIENCE: Duration = Duration::from_secs(60);
const GIT: &str = "/usr/bin/git";

/// Whether this folder is one: it has what git looks for.
pub(crate) fn is_repository(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// Whether git can be started in the sandbox.
///
/// # Errors
///
/// The sandbox is refused.
pub fn git_works() -> Result<bool, Refusal> {
    let mut run = Sandbox::command(GIT).arg("--version").state(State::PlainUser).start()?;
    run.await_end();
    Ok(matches!(run.ended(), Some(Ended { status: Status::Exited(0), .. })))
}

/// What may matter of the commit that HEAD names.
///
/// # Errors
///
/// There is too much, or git cannot read it.
pub(crate) fn read(folder: &Path) -> Result<Files, Trouble> {
    let refused = |error: &dyn std::fmt::Display| {
        trouble(format!("git cannot be started in the sandbox: {error}"), "hand in a folder")
    };
    let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(|errno| refused(&errno));
    let ((out, stdout), (err, stderr)) = (pipe()?, pipe()?);
    let stdin = File::open("/dev/null").map_err(|error| refused(&error))?;
    let mut run = Sandbox::command(GIT)
        .args(["--git-dir=/lab/repository", "-c", "safe.directory=*"])
        .args(["archive", "--format=tar", "HEAD"])
        .state(State::PlainUser)
        .show("repository", folder)
        .patience(Some(PATIENCE))
        .standard([stdin.into(), stdout, stderr])
        .start()
        .map_err(|refusal| refused(&refusal))?;
    let mut files = Files::default();
    let taken = thread::scope(|scope| {
        let take = scope.spawn(|| {
            let mut each = |path, kind, size, content: &mut dyn std::io::Read| {
                files.take(path, kind, size, content)
            };
            read_tar(File::from(out), &mut each)
        });
        run.await_end();
        // What is left inside holds the pipes open.
        drop(run);
        take.join().expect("reading does not panic")
    });
    drop(err);
    match taken {
        Ok(()) if files.entries.is_empty() => Err(trouble(
            "the repository has no commit with a source at HEAD",
            "push the branch that HEAD names",
        )),
        Ok(()) => Ok(files),
        Err(trouble) => Err(trouble),
    }
}

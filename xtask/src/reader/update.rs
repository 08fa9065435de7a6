//! `cargo xtask update`: the newest course, with the reader's exercises as they are.
//!
//! A plain `git pull` stops where the course has changed an exercise that the reader has changed as well, and
//! a merge would mix the two. Here the file `src/main.rs` of an exercise is the reader's: it stays, byte for
//! byte, whether it was committed or not, and the command says which exercises ask for something else now.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::chapter::{Chapter, root, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::{keep, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "update",
    forms: &[(
        "",
        "the newest course from where this clone comes from; your exercises stay as they are, and it says \
         which ones ask for something else now",
    )],
    options: &[],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    if let Some(argument) = arguments.next()? {
        return Err(USAGE.unexpected(argument));
    }
    let newest = newest()?;
    let before = text(&["rev-parse", "HEAD"])?;
    if git(&["merge-base", "--is-ancestor", &newest, "HEAD"])?.status.success() {
        screen::print("this is the newest course\n");
        return Ok(ExitCode::SUCCESS);
    }
    let changed = files(&["diff", "--name-only", "-z", "HEAD"])?;
    let (own, others): (Vec<PathBuf>, Vec<PathBuf>) =
        changed.into_iter().partition(|file| is_own(file));
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|file| file.display().to_string()).collect();
        return Err(Failure::new(format!(
            "files of the course were changed here, and not committed: {}",
            names.join(", ")
        ))
        .help(
            "`git stash` puts the changes away; after the update `git stash pop` brings them back",
        ));
    }
    // Put back where it was in any case, also if git fails.
    let aside = Aside::put(&own)?;
    let merged = merge(&newest);
    aside.put_back()?;
    merged?;
    screen::print(&what_is_new(&before)?);
    Ok(ExitCode::SUCCESS)
}

/// Fetches the branch that this one follows, and returns its name.
fn newest() -> Result<String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let is_here = fs::canonicalize(root()).ok() == fs::canonicalize(line(&top)).ok();
    if !top.status.success() || !is_here {
        return Err(Failure::usage("this checkout is no clone of a repository").help(
            "unpack the new archive elsewhere, and copy your `exercises/*/src/main.rs` into it",
        ));
    }
    let newest = git(&["rev-parse", "--abbrev-ref", "@{upstream}"])?;
    if !newest.status.success() {
        return Err(Failure::usage("this branch follows no branch of the course")
            .help("`git branch --set-upstream-to=origin/main` makes it follow the course's"));
    }
    let fetched = git(&["fetch"])?;
    match fetched.status.success() {
        true => Ok(line(&newest)),
        false => Err(Failure::machine(format!(
            "the newest course could not be fetched: {}",
            why(&fetched)
        ))),
    }
}

/// Whether a file belongs to the reader: `exercises/chNN-slug/src/main.rs`.
fn is_own(file: &Path) -> bool {
    let words: Vec<&OsStr> = file.iter().collect();
    let is_chapter = |name: &OsStr| name.as_encoded_bytes().starts_with(b"ch");
    matches!(words.as_slice(), [exercises, name, src, main]
        if *exercises == "exercises" && is_chapter(name) && *src == "src" && *main == "main.rs")
}

/// The reader's files that are not committed, beside their places while git works.
struct Aside(Vec<(PathBuf, PathBuf)>);

impl Aside {
    /// Puts them aside, and what is committed in their places.
    fn put(own: &[PathBuf]) -> Result<Aside> {
        let mut aside = Aside(Vec::new());
        for file in own {
            let place = root().join(file);
            let free =
                (1..).map(|number| keep::backup(&place, number)).find(|backup| !backup.exists());
            let backup = free.unwrap_or_default();
            let moved = match fs::rename(&place, &backup) {
                // The reader has removed it, and that stays so.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                other => other,
            };
            moved.map_err(|error| {
                Failure::file(format!("could not move `{}`", shown(&place)), &error)
            })?;
            aside.0.push((place, backup));
            run_git(&["checkout", "--quiet", "HEAD", "--"], &[file.as_path()])?;
        }
        Ok(aside)
    }

    fn put_back(mut self) -> Result<()> {
        for (place, backup) in std::mem::take(&mut self.0) {
            fs::rename(&backup, &place).map_err(|error| {
                Failure::file(format!("could not put `{}` back", shown(&place)), &error)
                    .help(format!("your file is `{}`", shown(&backup)))
            })?;
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Where something failed on the way.
        for (place, backup) in &self.0 {
            _ = fs::rename(backup, place);
        }
    }
}

/// Brings the newest course in. Exercises that the reader has committed stay as they are, as a whole.
fn merge(newest: &str) -> Result<()> {
    if git(&["merge-base", "--is-ancestor", "HEAD", newest])?.status.success() {
        return run_git(&["merge", "--quiet", "--ff-only", newest], &[]);
    }
    let base = text(&["merge-base", "HEAD", newest])?;
    let committed = files(&["diff", "--name-only", "-z", &base, "HEAD"])?;
    let own: Vec<&Path> =
        committed.iter().map(PathBuf::as_path).filter(|file| is_own(file)).collect();
    // A conflict is no failure yet: it may be in a file that stays.
    git(&["merge", "--no-commit", "--no-ff", newest])?;
    let done = (|| {
        if !own.is_empty() {
            run_git(&["checkout", "--quiet", "HEAD", "--"], &own)?;
        }
        let left = files(&["diff", "--name-only", "-z", "--diff-filter=U"])?;
        if !left.is_empty() {
            let names: Vec<String> = left.iter().map(|file| file.display().to_string()).collect();
            return Err(Failure::new(format!(
                "the course and you have changed the same lines of {}",
                names.join(", ")
            ))
            .help("nothing was changed here; `git pull` brings both together, and you decide"));
        }
        run_git(&["commit", "--quiet", "--no-edit"], &[])
    })();
    if done.is_err() {
        _ = git(&["merge", "--abort"]);
    }
    done
}

/// What has changed since that revision.
fn what_is_new(before: &str) -> Result<String> {
    let after = text(&["rev-parse", "HEAD"])?;
    let changed = files(&["diff", "--name-only", "-z", before, "HEAD"])?;
    let has_changed = |file: &Path| changed.iter().any(|changed| root().join(changed) == file);
    let was_there = |chapter: &Chapter| {
        let place = format!("{before}:exercises/{}/stub.rs", chapter.name);
        git(&["cat-file", "-e", &place]).is_ok_and(|found| found.status.success())
    };
    let (old, new) = (&before[..before.len().min(10)], &after[..after.len().min(10)]);
    let mut out =
        format!("the course is the newest; `git log --oneline {old}..{new}` lists what is new\n");
    for chapter in Chapter::all()? {
        let short = chapter.short();
        if !was_there(&chapter) {
            out += &format!("{}: a new chapter\n", chapter.name);
        } else if has_changed(&chapter.stub()) {
            out += &format!("{}: the exercise has changed\n", chapter.name);
            let stub = fs::read(chapter.stub()).unwrap_or_default();
            if fs::read(chapter.program()).is_ok_and(|program| program != stub) {
                out += &format!(
                    "  your file is as it was; what is new: git diff {old} {new} -- {}\n  \
                     to begin anew, with yours kept beside it: cargo xtask reset {short}\n",
                    shown(&chapter.stub())
                );
            }
        } else if has_changed(&chapter.exercise().join("tests/check.rs")) {
            out += &format!("{}: its check has changed: cargo xtask check {short}\n", chapter.name);
        }
    }
    Ok(out)
}

/// Runs git in this checkout, and lets it say what it says in English.
fn git(words: &[&str]) -> Result<Output> {
    let mut command = Command::new("git");
    command.args(words).current_dir(root()).env("LC_ALL", "C");
    command.output().map_err(|error| {
        Failure::machine(format!("could not start git: {error}"))
            .help("install it: `apt install git`")
    })
}

/// The same for what has to succeed.
fn run_git(words: &[&str], files: &[&Path]) -> Result<()> {
    let mut command = Command::new("git");
    command.args(words).args(files).current_dir(root()).env("LC_ALL", "C");
    let output = command.output();
    let output =
        output.map_err(|error| Failure::machine(format!("could not start git: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("`git {}` failed: {}", words[0], why(&output)))),
    }
}

fn text(words: &[&str]) -> Result<String> {
    let output = git(words)?;
    match output.status.success() {
        true => Ok(line(&output)),
        false => Err(Failure::new(format!("`git {}` failed: {}", words[0], why(&output)))),
    }
}

/// The names of files, relative to the top, which git ends with NUL.
fn files(words: &[&str]) -> Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStrExt as _;
    let output = git(words)?;
    if !output.status.success() {
        return Err(Failure::new(format!("`git {}` failed: {}", words[0], why(&output))));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect())
}

fn line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What git gives as its reason, on one line.
fn why(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! `book record`: runs what the pages show again, and writes what is new into the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::figure::{TRACES, figures};
use crate::needs::{Programs, Recording};
use crate::paths::has_extension;
use crate::session;

/// Records the sessions and figures of these pages again, or of all pages if none is named. Writes
/// the pages and the traces that change. Returns what was done, a line for each session that was
/// skipped and each file that was written.
///
/// # Errors
///
/// A name that no page has, a fence that is malformed, a run that fails, and a file that cannot be
/// read or written.
pub fn record(repo: &Path, names: &[&str]) -> Result<Vec<String>> {
    let programs = programs(repo)?;
    let mut done = Vec::new();
    for page in chosen(repo, names)? {
        let text = fs::read_to_string(&page).with_context(|| format!("read({page:?})"))?;
        let text = record_sessions(&page, text, &programs, &mut done)?;
        record_figures(repo, &page, &text, &programs, &mut done)?;
    }
    Ok(done)
}

/// Returns the text that the page has now.
fn record_sessions(
    page: &Path,
    text: String,
    programs: &Programs,
    done: &mut Vec<String>,
) -> Result<String> {
    let name = file_name(page);
    let mut all = Vec::new();
    for group in session::groups(&text).with_context(|| name.clone())? {
        match session::play(&group, programs).with_context(|| name.clone())? {
            Recording::Made(played) => all.extend(played),
            Recording::Skipped { reason, .. } => {
                done.push(format!("skipped {name}:{}: {reason}", group.line()));
            }
        }
    }
    let rewritten = session::rewritten(&text, &all);
    if rewritten != text {
        fs::write(page, &rewritten).with_context(|| format!("write({page:?})"))?;
        done.push(format!("recorded {name}"));
    }
    Ok(rewritten)
}

fn record_figures(
    repo: &Path,
    page: &Path,
    text: &str,
    programs: &Programs,
    done: &mut Vec<String>,
) -> Result<()> {
    let name = file_name(page);
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    for figure in figures(&stem, text).with_context(|| name.clone())? {
        let place = format!("{name}:{}", figure.line);
        let new = match figure.record(programs).with_context(|| place.clone())? {
            Recording::Made(trace) => trace,
            Recording::Skipped { reason, .. } => {
                done.push(format!("skipped {place}: {reason}"));
                continue;
            }
        };
        let old = figure.stored_trace(repo);
        let old = old.ok().filter(|old| old.complete && old.program == new.program);
        if old.is_some_and(|old| figure.is_same(&old, &new).is_ok_and(|same| same)) {
            continue;
        }
        let file = repo.join(figure.file());
        fs::create_dir_all(repo.join(TRACES)).with_context(|| format!("mkdir({TRACES:?})"))?;
        fs::write(&file, new.to_json_lines()).with_context(|| format!("write({file:?})"))?;
        done.push(format!("recorded {}", figure.file().display()));
    }
    Ok(())
}

/// The pages with these names, or all of them if there is no name.
fn chosen(repo: &Path, names: &[&str]) -> Result<Vec<PathBuf>> {
    let mut pages = pages(repo)?;
    let is_unknown = |name: &&&str| !pages.iter().any(|page| file_name(page) == **name);
    if let Some(name) = names.iter().find(is_unknown) {
        bail!("there is no page `{name}` in book/src");
    }
    pages.retain(|page| names.is_empty() || names.contains(&file_name(page).as_str()));
    Ok(pages)
}

/// The pages of the book.
///
/// # Errors
///
/// A folder that cannot be read.
pub fn pages(repo: &Path) -> Result<Vec<PathBuf>> {
    let folder = repo.join("book/src");
    let entries = fs::read_dir(&folder).with_context(|| format!("read({folder:?})"))?;
    let mut pages = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    pages.retain(|page| has_extension(page, "md"));
    pages.sort();
    Ok(pages)
}

fn file_name(page: &Path) -> String {
    page.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Builds the chapters' finished programs and worked examples, and returns them by the names that pages
/// call them by.
///
/// # Errors
///
/// A solution or an example that does not compile.
pub fn programs(repo: &Path) -> Result<Vec<(String, PathBuf)>> {
    let chapters = chapters(repo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| repo.join("target"), PathBuf::from).join("debug");

    let solution = |chapter: &String| format!("{chapter}-solution");
    let packages: Vec<String> = chapters.iter().map(solution).collect();
    build(repo, &packages, "--bins", "the solutions")?;
    let binary = |chapter: &String| (chapter.clone(), target.join(solution(chapter)));
    let mut programs: Vec<_> = chapters.iter().map(binary).collect();

    let with_examples: Vec<String> =
        chapters.into_iter().filter(|chapter| !examples(repo, chapter).is_empty()).collect();
    build(repo, &with_examples, "--examples", "the worked examples")?;
    let names = with_examples.iter().flat_map(|chapter| examples(repo, chapter));
    programs.extend(names.map(|name| (name.clone(), target.join("examples").join(name))));
    Ok(programs)
}

/// The folders below `solutions`.
fn chapters(repo: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(repo.join("solutions")).context("read(\"solutions\")")? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with("ch")));
    }
    names.sort();
    Ok(names)
}

/// The names of a chapter's worked examples, which are beside its exercise.
pub fn examples(repo: &Path, chapter: &str) -> Vec<String> {
    let folder = repo.join("exercises").join(chapter).join("examples");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned())).collect();
    names.sort();
    names
}

fn build(repo: &Path, packages: &[String], targets: &str, what: &str) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", targets]).current_dir(repo);
    cargo.args(packages.iter().flat_map(|package| ["-p", package]));
    if !packages.is_empty() && !cargo.status().context("could not start cargo")?.success() {
        bail!("{what} did not compile");
    }
    Ok(())
}

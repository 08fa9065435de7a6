//! The recorded sessions of the book, run in the machine that a page starts, and compared with what the page shows.
//!
//! The script and the comparison are those of the book's own test, so a session is either verbatim or not. Sessions
//! that are not stand in `xtask/live/differs.toml`, with the reason; a session that stands there although it is verbatim
//! is a failure as well.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use book::live::{Differing, differences};
use book::needs::Need;
use book::session::{Group, Played, groups};
use serde_json::{Value, json};

use crate::packages::Packages;
use crate::{emulator, equipment, state};

/// Whether a row of the list is about this session.
fn is_about(row: &Differing, page: &str, session: &Played) -> bool {
    row.page == page && session.shown.first().is_some_and(|line| *line == row.begins)
}

/// Runs the sessions of these pages, or of all of them, and says what differs.
///
/// # Errors
///
/// A session that differs and is not on the list, and one that is on it and does not.
pub(crate) fn run(checkout: &Path, packages: &Packages, pages: &[String]) -> Result<()> {
    let differs = differences(checkout)?;
    let mut machine = Machine::start(packages)?;
    let equipment = equipment::of(packages)?;
    let (mut same, mut known, mut without, mut faults) = (0, 0, 0, 0);
    for (page, text) in chosen(checkout, pages)? {
        for group in groups(&text).with_context(|| page.clone())? {
            // A page has no button for these.
            if let Some(why) = group.needs().iter().find_map(|need| equipment.lacks(need)) {
                for session in group.played("") {
                    without += 1;
                    println!("{page}:{} has no button: {why}", session.line);
                }
                continue;
            }
            let answer = machine.ask(&request(&group))?;
            let printed = answer["ok"]["printed"].as_str();
            let played = group.played(printed.unwrap_or_default());
            for session in &played {
                let place = format!("{page}:{}", session.line);
                let listed = differs.iter().find(|row| is_about(row, &page, session));
                match (printed.is_some() && session.ran == session.shown, listed) {
                    (true, None) => same += 1,
                    (false, Some(Differing { why, .. })) => {
                        known += 1;
                        println!("{place} differs, as it is known to: {why}");
                    }
                    // Said at once: a run takes long, and may be ended before its end.
                    (true, Some(_)) => {
                        faults += 1;
                        println!("{place} is on the list of those that differ, and does not");
                    }
                    (false, None) => {
                        faults += 1;
                        println!("{}", differing(&place, session, &answer));
                    }
                }
            }
            println!(
                "{page}:{}: {} ms; verbatim so far: {same}",
                group.line(),
                answer["milliseconds"]
            );
        }
    }
    println!(
        "{same} sessions are verbatim, {known} differ for a known reason, {without} have no button"
    );
    ensure!(faults == 0, "{faults} sessions are not as expected");
    Ok(())
}

fn request(group: &Group) -> Value {
    let needs = group.needs();
    let cgroups = [Need::Cgroups, Need::CgroupLimits].iter().any(|need| needs.contains(need));
    json!({
        "do": "run", "script": group.script(), "state": group.start().name(),
        "ids": needs.contains(&Need::ManyIds), "cgroups": cgroups,
    })
}

/// The first line that is another one, and the one that stands in the page.
fn differing(place: &str, session: &Played, answer: &Value) -> String {
    if let Some(error) = answer["error"].as_str() {
        return format!("{place} did not run: {error}");
    }
    let lines = session.shown.len().max(session.ran.len());
    let line = (0..lines).find(|line| session.shown.get(*line) != session.ran.get(*line));
    let show = |lines: &[String]| {
        line.and_then(|line| lines.get(line))
            .map_or("nothing".to_owned(), |line| format!("`{line}`"))
    };
    format!("{place} prints {}, and the page has {}", show(&session.ran), show(&session.shown))
}

/// The pages of these names, and their texts.
fn chosen(checkout: &Path, names: &[String]) -> Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    for path in book::record::pages(checkout)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if names.is_empty() || names.contains(&name) {
            pages.insert(name, std::fs::read_to_string(path)?);
        }
    }
    if let Some(unknown) = names.iter().find(|name| !pages.contains_key(*name)) {
        bail!("there is no page `{unknown}` in book/src");
    }
    Ok(pages)
}

/// A machine under node.
struct Machine {
    node: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Machine {
    fn start(packages: &Packages) -> Result<Machine> {
        let scripts: PathBuf = state::scripts(packages)?;
        let mut node = Command::new("node");
        node.arg(scripts.join("replay.mjs"))
            .arg(emulator::folder(packages))
            .arg(state::file(packages));
        let mut node =
            node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no node")?;
        let (requests, answers) = (node.stdin.take(), node.stdout.take());
        let (Some(requests), Some(answers)) = (requests, answers) else {
            bail!("node has no pipes")
        };
        Ok(Machine { node, requests, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}").context("the machine has ended")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).context("the machine has ended")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        _ = self.node.kill();
        _ = self.node.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The sessions of the pages, each with its page.
    fn sessions() -> Vec<(String, Played)> {
        let pages = chosen(&checkout(), &[]).unwrap();
        let of_page = |(page, text): (String, String)| {
            let groups = groups(&text).unwrap();
            let played: Vec<Played> = groups.iter().flat_map(|group| group.played("")).collect();
            played.into_iter().map(move |session| (page.clone(), session))
        };
        pages.into_iter().flat_map(of_page).collect()
    }

    #[test]
    fn each_row_of_the_list_is_about_a_session_and_has_a_reason() {
        let sessions = sessions();
        assert!(sessions.len() > 200, "{}", sessions.len());
        for row in differences(&checkout()).unwrap() {
            let about =
                sessions.iter().filter(|(page, session)| is_about(&row, page, session)).count();
            assert!(about > 0, "no session: {row:?}");
            assert!(row.why.len() > 20, "no reason: {row:?}");
        }
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        let row = "[[session]]\npage = \"ch01-look.md\"\nbegins = \"# id\"\n";
        let error = Differing::all(row).unwrap_err().to_string();
        assert!(error.starts_with("a row without `why`"), "{error}");
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let session =
            Played { line: 7, shown: lines("# id\nuid=0"), ran: lines("# id\nuid=1\nmore") };
        let said = differing("a.md:7", &session, &json!({ "ok": {} }));
        assert_eq!(said, "a.md:7 prints `uid=1`, and the page has `uid=0`");
    }
}

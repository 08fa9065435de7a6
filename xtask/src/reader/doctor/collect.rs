//! `cargo xtask doctor --collect FILES…`: what many laptops have answered, as one table.
//!
//! Each file is what `doctor --json` printed on a laptop. A file that cannot be used has a line with the
//! reason, and the rest is collected all the same.
//!
//! With `--json` there is one object on one line:
//!
//! ```json
//! {"schema":1,
//!  "laptops":[{"name":"ada","file":"ada.json","chapters":[{"chapter":"ch01-look","outcome":"ok"}]}],
//!  "cures":[{"cause":"…","remedy":"…","laptops":["ada"],"costs":[3],"skips":[14]}],
//!  "unusable":[{"file":"bob.json","reason":"…"}]}
//! ```
//!
//! `outcome` is `ok`, `part` (some steps are skipped) or `no`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::shared::chapter::Chapter;
use crate::shared::edition::edition;
use crate::shared::failure::{Failure, Result};
use crate::shared::json::object;
use crate::shared::screen::{self, Screen, plain};
use crate::shared::time::utc;

/// An answer is a few kilobytes. What is longer is another file.
const LONGEST: u64 = 1024 * 1024;

/// The course in this form is from 2026-11, so no answer can be older: 2026-11-01 in seconds since 1970.
const FIRST_DAY: u64 = 1_793_491_200;

/// Clocks of laptops differ that much without harm.
const TOLERANCE: Duration = Duration::from_secs(600);

/// Collects the files, prints what they say, and ends with 0 if every laptop can check every chapter, with 3
/// if one cannot, and with 1 if a file cannot be used.
pub(super) fn run(places: &[PathBuf], json: bool) -> Result {
    let chapters = Chapter::all()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let collection = Collection::read(&files(places)?, &chapters, &edition(), now);
    let screen = Screen::stdout();
    screen::print(&match json {
        true => collection.json(&chapters),
        false => collection.text(&chapters, screen),
    });
    Ok(ExitCode::from(collection.code()))
}

/// The files that are named, and those in folders that are named, in the order of their names.
fn files(places: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for place in places {
        if !place.is_dir() {
            files.push(place.clone());
            continue;
        }
        let entries = fs::read_dir(place).map_err(|error| {
            Failure::file(format!("could not read `{}`", place.display()), &error)
        })?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut inside: Vec<PathBuf> =
            paths.filter(|path| path.extension() == Some(OsStr::new("json"))).collect();
        inside.sort();
        if inside.is_empty() {
            return Err(Failure::usage(format!("`{}` has no file `*.json`", place.display()))
                .help("save what `cargo xtask doctor --json` prints on each laptop there"));
        }
        files.extend(inside);
    }
    Ok(files)
}

/// What all files say.
#[derive(Default)]
struct Collection {
    laptops: Vec<Laptop>,
    cures: Vec<Cure>,
    /// A file, and why it says nothing.
    unusable: Vec<(String, String)>,
}

/// What one laptop has answered.
struct Laptop {
    name: String,
    file: String,
    /// For each chapter of this checkout.
    chapters: Vec<Outcome>,
    cures: Vec<Cure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Can,
    /// Some steps are skipped.
    Part,
    Cannot,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Can => "ok",
            Outcome::Part => "part",
            Outcome::Cannot => "no",
        }
    }

    /// In a column of the table.
    fn mark(self) -> &'static str {
        match self {
            Outcome::Part => "~",
            other => other.word(),
        }
    }
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cure {
    cause: String,
    remedy: String,
    /// On which laptops, by name.
    laptops: Vec<String>,
    about: About,
    /// Chapters that cannot be checked before, and those with steps that are skipped.
    costs: Vec<u64>,
    skips: Vec<u64>,
}

/// What a laptop has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// What the kernel, or whoever has set it up, allows.
    Machine,
    Clock,
    /// The copy of the course.
    Edition,
}

impl Collection {
    fn read(files: &[PathBuf], chapters: &[Chapter], here: &str, now: Duration) -> Collection {
        let mut all = Collection::default();
        for path in files {
            let file = path.display().to_string();
            match laptop(path, chapters, here, now) {
                Ok(laptop) => {
                    match all.laptops.iter().find(|other| other.name == laptop.name) {
                        Some(other) => {
                            let reason = format!(
                                "a second answer of `{}`, whose first is `{}`; rename the file, or \
                                 answer with `doctor --json --name NAME`",
                                laptop.name, other.file
                            );
                            all.unusable.push((file, reason));
                        }
                        None => all.laptops.push(laptop),
                    };
                }
                Err(reason) => all.unusable.push((file, reason)),
            }
        }
        all.laptops.sort_by(|one, other| one.name.cmp(&other.name));
        for cure in all.laptops.iter().flat_map(|laptop| &laptop.cures) {
            add(&mut all.cures, cure.clone());
        }
        // What helps most laptops comes first, and what no chapter needs last.
        all.cures.sort_by_key(|cure| {
            let is_needed = !cure.costs.is_empty() || cure.is_needed_anyway();
            (!is_needed, cure.skips.is_empty(), std::cmp::Reverse(cure.laptops.len()))
        });
        all
    }

    fn code(&self) -> u8 {
        let can = |laptop: &Laptop| {
            let all = !laptop.chapters.contains(&Outcome::Cannot);
            all && !laptop.cures.iter().any(Cure::is_needed_anyway)
        };
        match (self.unusable.is_empty(), self.laptops.iter().all(can)) {
            (false, _) => 1,
            (true, false) => 3,
            (true, true) => 0,
        }
    }

    fn text(&self, chapters: &[Chapter], screen: Screen) -> String {
        let mut out = String::new();
        if !self.laptops.is_empty() {
            out += &self.table(chapters, screen);
        }
        for cure in &self.cures {
            let head = laptops(cure.laptops.len());
            let cure_text = if cure.remedy.is_empty() { &cure.cause } else { &cure.remedy };
            let text = super::text::unbroken(&format!("{head}: "), cure_text, screen);
            out += &format!("\n{}", text.replacen(&head, &screen.strong(&head), 1));
            if !cure.remedy.is_empty() {
                out += &screen.hanging("    because ", &cure.cause);
            }
            out += &screen.hanging("    ", &cure.cost());
            out += &screen.hanging("    on ", &cure.laptops.join(", "));
        }
        if !self.unusable.is_empty() {
            let what = match self.unusable.len() {
                1 => "1 file says nothing:".to_owned(),
                many => format!("{many} files say nothing:"),
            };
            out += &format!("\n{}\n", screen.strong(&what));
            for (file, reason) in &self.unusable {
                out += &screen.hanging(&format!("  {}: ", plain(file)), reason);
            }
        }
        out + "\n" + &screen.wrapped(&self.summary(), "")
    }

    fn table(&self, chapters: &[Chapter], screen: Screen) -> String {
        let names = self.laptops.iter().map(|laptop| plain(&laptop.name).chars().count());
        let width = names.max().unwrap_or(0).clamp("laptop".len(), 24);
        let row = |name: &str, cells: String| {
            let name: String = plain(name).chars().take(width).collect();
            format!("{name:width$} {cells}\n")
        };
        let numbers = chapters.iter().map(|chapter| format!(" {:>2}", chapter.number()));
        let mut out = row("laptop", numbers.collect());
        for laptop in &self.laptops {
            let cells = laptop.chapters.iter().map(|outcome| {
                let mark = format!(" {:>2}", outcome.mark());
                match outcome {
                    Outcome::Can => screen.good(&mark),
                    Outcome::Part => mark,
                    Outcome::Cannot => screen.bad(&mark),
                }
            });
            out += &row(&laptop.name, cells.collect());
        }
        out + &screen.wrapped("ok: can be checked there; ~: without some steps; no: cannot", "")
    }

    fn summary(&self) -> String {
        let all = self.laptops.len();
        let able = |laptop: &&Laptop| !laptop.chapters.contains(&Outcome::Cannot);
        let can = self.laptops.iter().filter(able).count();
        match (all, all - can) {
            (0, _) => "no laptop has answered".to_owned(),
            (1, 0) => "the one laptop can check every chapter".to_owned(),
            (_, 0) => format!("all {all} laptops can check every chapter"),
            (_, _) => format!("{can} of {} can check every chapter", laptops(all)),
        }
    }

    fn json(&self, chapters: &[Chapter]) -> String {
        let laptop = |laptop: &Laptop| {
            let outcomes = chapters.iter().zip(&laptop.chapters);
            let outcomes = outcomes.map(
                |(chapter, outcome)| json!({ "chapter": chapter.name, "outcome": outcome.word() }),
            );
            json!({
                "name": laptop.name, "file": laptop.file, "chapters": outcomes.collect::<Value>(),
            })
        };
        let cure = |cure: &Cure| {
            json!({
                "cause": cure.cause, "remedy": cure.remedy, "laptops": cure.laptops,
                "costs": cure.costs, "skips": cure.skips,
            })
        };
        let unusable = self.unusable.iter();
        let unusable = unusable.map(|(file, reason)| json!({ "file": file, "reason": reason }));
        object([
            ("schema", 1.into()),
            ("laptops", self.laptops.iter().map(laptop).collect()),
            ("cures", self.cures.iter().map(cure).collect()),
            ("unusable", unusable.collect()),
        ]) + "\n"
    }
}

const CLOCK: &str =
    "set the clock: `sudo timedatectl set-ntp true`, and after a few seconds `date`";

impl Cure {
    /// It has to be changed although it costs no chapter.
    fn is_needed_anyway(&self) -> bool {
        self.about != About::Machine
    }

    /// What it costs to change nothing.
    fn cost(&self) -> String {
        match (self.costs.as_slice(), self.skips.as_slice()) {
            ([], []) if self.about == About::Clock => {
                "with a wrong clock downloads are refused, because certificates seem invalid".into()
            }
            ([], []) if self.about == About::Edition => {
                "pages, exercises and checks of two editions may differ".into()
            }
            ([], []) => "it costs no chapter".to_owned(),
            ([], skips) => format!("it costs steps of {}", super::text::listed(&numbers(skips))),
            (costs, _) => format!("it costs {}", super::text::listed(&numbers(costs))),
        }
    }
}

fn numbers(chapters: &[u64]) -> Vec<u32> {
    chapters.iter().map(|number| u32::try_from(*number).unwrap_or(u32::MAX)).collect()
}

fn laptops(count: usize) -> String {
    if count == 1 { "1 laptop".to_owned() } else { format!("{count} laptops") }
}

/// Brings the same advice for several laptops together.
fn add(cures: &mut Vec<Cure>, cure: Cure) {
    let same = |known: &&mut Cure| known.cause == cure.cause && known.remedy == cure.remedy;
    match cures.iter_mut().find(same) {
        None => cures.push(cure),
        Some(known) => {
            for (all, more) in [(&mut known.costs, &cure.costs), (&mut known.skips, &cure.skips)] {
                all.extend(more);
                all.sort_unstable();
                all.dedup();
            }
            for name in cure.laptops {
                if !known.laptops.contains(&name) {
                    known.laptops.push(name);
                }
            }
        }
    }
}

/// What a file says, or why it says nothing.
fn laptop(
    path: &Path,
    chapters: &[Chapter],
    here: &str,
    now: Duration,
) -> std::result::Result<Laptop, String> {
    let mut bytes = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    opened.map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > LONGEST {
        return Err("it is longer than a megabyte, and so no answer of `doctor --json`".to_owned());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty; was the command interrupted?".to_owned());
    }
    let answer: Value = serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "it is not JSON ({error}); it has to be what `doctor --json` prints, and nothing else"
        )
    })?;
    if answer["probes"].as_array().is_none() || answer["chapters"].as_array().is_none() {
        return Err("it is JSON, but no answer of `doctor --json`".to_owned());
    }
    if answer["schema"] != 1 {
        return Err(format!(
            "its schema is {}, and this course reads 1: it is from another edition of the course",
            answer["schema"]
        ));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let given = answer["name"].as_str().map(str::trim).filter(|name| !name.is_empty());
    let name = given.map_or(stem, str::to_owned);
    let mut outcomes = outcomes(&answer, chapters)?;
    let mut cures = Vec::new();
    for probe in answer["probes"].as_array().into_iter().flatten() {
        if probe["outcome"] != "refused" {
            continue;
        }
        let text = |key: &str| probe[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| -> Vec<u64> {
            probe[key].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
        };
        let (costs, skips) = (list("costs"), list("skips"));
        for (chapter, outcome) in chapters.iter().zip(&mut outcomes) {
            if skips.contains(&u64::from(chapter.number())) && *outcome == Outcome::Can {
                *outcome = Outcome::Part;
            }
        }
        let (cause, remedy) = (text("cause"), text("remedy"));
        let laptops = vec![name.clone()];
        add(&mut cures, Cure { cause, remedy, laptops, about: About::Machine, costs, skips });
    }
    let mut change = |about, cause, remedy| {
        let laptops = vec![name.clone()];
        cures.push(Cure { cause, remedy, laptops, about, costs: Vec::new(), skips: Vec::new() });
    };
    if let Some(cause) = answer["time"].as_u64().and_then(|time| wrong_clock(time, now)) {
        change(About::Clock, cause, CLOCK.to_owned());
    }
    let there = answer["edition"].as_str().unwrap_or_default();
    if let Some((cause, remedy)) = another_edition(there, here) {
        change(About::Edition, cause, remedy);
    }
    let file = path.display().to_string();
    Ok(Laptop { name, file, chapters: outcomes, cures })
}

/// What an answer says of each chapter. It has to know the chapters that are here, and no other.
fn outcomes(answer: &Value, chapters: &[Chapter]) -> std::result::Result<Vec<Outcome>, String> {
    let rows: Vec<(&str, bool)> = answer["chapters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| Some((row["chapter"].as_str()?, row["can_check"].as_bool()?)))
        .collect();
    let other = rows.iter().find(|(name, _)| chapters.iter().all(|chapter| chapter.name != *name));
    if let Some((name, _)) = other {
        return Err(format!(
            "it has a chapter `{name}` that this course does not have: it is from another edition"
        ));
    }
    let outcome = |chapter: &Chapter| match rows.iter().find(|(name, _)| *name == chapter.name) {
        Some((_, true)) => Ok(Outcome::Can),
        Some((_, false)) => Ok(Outcome::Cannot),
        None => {
            Err(format!("it lacks `{}`: it is from another edition of the course", chapter.name))
        }
    };
    chapters.iter().map(outcome).collect()
}

/// What to do about a copy of the course whose edition is `there`, if it is another one than that of this checkout.
/// An edition that is not known is empty, and differs from none.
fn another_edition(there: &str, here: &str) -> Option<(String, String)> {
    if there.is_empty() || here.is_empty() || there == here {
        return None;
    }
    let cause = format!("its copy of the course is edition {there}, and this one is {here}");
    let remedy = format!(
        "get edition {here}: `cargo xtask update` in a clone, or unpack `namespaces-by-hand-{here}.tar.gz`"
    );
    Some((cause, remedy))
}

/// What is wrong with a clock that said `time`, in seconds since 1970, no later than `now`.
fn wrong_clock(time: u64, now: Duration) -> Option<String> {
    // A date far away is as wrong as one that no calendar has.
    let date = |seconds: u64| utc(UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799)));
    if time < FIRST_DAY {
        return Some(format!("its clock said {}, when this course was not there yet", date(time)));
    }
    // This machine's own clock may be the one that is wrong, so both are named.
    (time > now.as_secs() + TOLERANCE.as_secs()).then(|| {
        format!("its clock said {}, and this machine's says {}", date(time), date(now.as_secs()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_is_another_one_only_if_both_are_known() {
        for same in [("a", "a"), ("", "a"), ("a", ""), ("", "")] {
            assert_eq!(another_edition(same.0, same.1), None, "{same:?}");
        }
        let (cause, remedy) = another_edition("a", "b").unwrap();
        assert_eq!(cause, "its copy of the course is edition a, and this one is b");
        assert!(remedy.contains("unpack `namespaces-by-hand-b.tar.gz`"), "{remedy}");
    }

    #[test]
    fn a_clock_is_wrong_in_both_directions() {
        let now = Duration::from_secs(FIRST_DAY + 86_400);
        assert_eq!(wrong_clock(FIRST_DAY + 86_400 + 500, now), None);
        assert_eq!(wrong_clock(FIRST_DAY, now), None);
        let old = wrong_clock(1_000_000_000, now).unwrap();
        assert!(old.starts_with("its clock said 2001-09-09T01:46:40Z, when"), "{old}");
        let ahead = wrong_clock(FIRST_DAY + 2 * 86_400, now).unwrap();
        assert!(
            ahead.contains("2026-11-03T00:00:00Z, and this machine's says 2026-11-02"),
            "{ahead}"
        );
        // No number is too large for a date.
        assert!(wrong_clock(u64::MAX, now).is_some());
    }
}

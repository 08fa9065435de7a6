//! Variants: an exercise of a chapter and a program with a fault for each student, whose answers are on no page.
//!
//! A chapter's `variants.toml` lists *differences* from its exercise: other kinds of namespaces, another rule for
//! the host name, other words and another order on the command line, other exit statuses. A seed, which is a word
//! for a student, draws an option of each difference, and the values that stand in it as `@name@`. The same seed
//! always draws the same, on every machine, so nothing but seeds has to be kept.
//!
//! * What a check needs is [`harness::variant::Variant`]: how the arguments are changed before the program starts,
//!   and which values of the report are wanted instead. `tests/check.rs` asks for nothing and stays as it is.
//! * What a student needs is a folder: the sentences that differ (`README.md`), the stub (`main.rs`), and the
//!   variant for `cargo xtask check --variant`.
//! * What a teacher needs is the table of `grade --variants`: a key and a seed in each line. The variant is drawn
//!   again from the seed; nothing that a student hands in says which one it is.
//! * `solution` of an option is how the chapter's solution becomes one of the variant. Tests prove with it that
//!   each variant can be solved, and that the chapter's solution and another student's solve none.
//!
//! A program with a fault is the solution of a *second* variant, drawn from the same seed, with a mistake of the
//! chapter's table in it: one of `faults`, of which a test makes each. It is right when it passes the check of that
//! variant. No diagnosis names the mistake, because a check of a variant does not look into the chapter's table.
//!
//! ```toml
//! faults = ["the parent sets the name"]
//!
//! [[difference]]
//! pick = 2                            # so many options; otherwise one
//! draw = { end = { letters = 3 } }    # or { from = 64, to = 113 }, or { of = ["then", "do"] }
//!
//! [[difference.option]]
//! says = "The host name is NAME and then `-@end@`."
//! wanted = { "host name of COMMAND" = "NAME-@end@" }   # a line of the report, or a cell of its table
//! words = { "--" = "then" }           # instead of a word of the command line
//! order = [1, 0]                      # of the first arguments
//! failure = "71"                      # the exit status after a refused call
//! program = [{ find = "…", replace = "…" }]    # in the stub and in the solution
//! solution = [{ find = "…", replace = "…" }]
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::mistakes::{self, Edit};
use harness::variant::Variant;
use serde::Deserialize;
use xtask::shared::chapter::{Chapter, read, shown};
use xtask::shared::edit;
use xtask::shared::failure::{Failure, Result};

use crate::digest::Digest;
use crate::store::write_whole;

/// What is asked of a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// To write the program.
    Exercise,
    /// To repair one.
    Fault,
}

impl Task {
    pub const ALL: [Task; 2] = [Task::Exercise, Task::Fault];

    /// Its folder, and its part in what is drawn.
    fn word(self) -> &'static str {
        match self {
            Task::Exercise => "exercise",
            Task::Fault => "fault",
        }
    }
}

/// A chapter's `variants.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    faults: Vec<String>,
    difference: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    #[serde(default = "one")]
    pick: usize,
    #[serde(default)]
    draw: BTreeMap<String, Range>,
    option: Vec<Choice>,
}

fn one() -> usize {
    1
}

/// What a value is drawn from.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Range {
    Letters { letters: usize },
    Numbers { from: u64, to: u64 },
    Words { of: Vec<String> },
}

/// An option of a difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    says: String,
    #[serde(default)]
    wanted: BTreeMap<String, String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    order: Vec<usize>,
    failure: Option<String>,
    #[serde(default)]
    program: Vec<Change>,
    #[serde(default)]
    solution: Vec<Change>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    find: String,
    replace: String,
}

/// A variant of a chapter's exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// For the check.
    pub variant: Variant,
    /// What differs, in sentences.
    pub says: Vec<String>,
    /// From the stub to the student's, and from the solution to one of the variant.
    of_stub: Vec<Edit>,
    of_solution: Vec<Edit>,
}

/// A student's task: what is handed out, and what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handout {
    pub drawn: Drawn,
    /// The stub, or the program with the fault.
    pub program: String,
    /// A program that passes.
    pub solution: String,
    /// The name of the mistake in it.
    pub fault: Option<String>,
}

/// What a seed draws: a sequence of numbers.
struct Draws {
    seed: [u8; 16],
    drawn: u64,
}

impl Draws {
    fn new(parts: &[&str]) -> Draws {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.add(part));
        Draws { seed: digest.bytes(), drawn: 0 }
    }

    /// A number below this one.
    fn below(&mut self, count: usize) -> usize {
        let mut digest = Digest::default();
        digest.add(self.seed);
        digest.add(self.drawn.to_le_bytes());
        self.drawn += 1;
        let number = u128::from_le_bytes(digest.bytes());
        (number % count.max(1) as u128) as usize
    }

    fn value(&mut self, range: &Range) -> String {
        match range {
            Range::Letters { letters } => {
                (0..*letters).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
            }
            Range::Numbers { from, to } => {
                (from + self.below((to.saturating_sub(*from) + 1) as usize) as u64).to_string()
            }
            Range::Words { of } => of.get(self.below(of.len())).cloned().unwrap_or_default(),
        }
    }
}

impl Table {
    fn parse(text: &str) -> std::result::Result<Table, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        match table.difference.iter().position(|it| it.option.len() < it.pick || it.pick == 0) {
            Some(place) => Err(format!("difference {} has too few options", place + 1)),
            None => Ok(table),
        }
    }

    /// The table of a chapter; `None` if the chapter has no variants.
    fn of_chapter(chapter: &Chapter) -> Result<Option<Table>> {
        let file = chapter.exercise().join("variants.toml");
        if !file.exists() {
            return Ok(None);
        }
        let table = Table::parse(&read(&file)?);
        table.map(Some).map_err(|error| Failure::new(format!("`{}`: {error}", shown(&file))))
    }

    fn draw(&self, draws: &mut Draws) -> std::result::Result<Drawn, String> {
        let mut drawn = Drawn::default();
        for difference in &self.difference {
            let mut values = BTreeMap::new();
            for (name, range) in &difference.draw {
                values.insert(format!("@{name}@"), draws.value(range));
            }
            let filled = |text: &str| {
                let fill =
                    |text: String, (name, value): (&String, &String)| text.replace(name, value);
                values.iter().fold(text.to_owned(), fill)
            };
            let mut left: Vec<&Choice> = difference.option.iter().collect();
            for _ in 0..difference.pick {
                let choice = left.remove(draws.below(left.len()));
                let both = |texts: &BTreeMap<String, String>| {
                    texts.iter().map(|(key, text)| (filled(key), filled(text))).collect::<Vec<_>>()
                };
                let edits = |changes: &[Change]| {
                    let edit =
                        |it: &Change| Edit { find: filled(&it.find), replace: filled(&it.replace) };
                    changes.iter().map(edit).collect::<Vec<_>>()
                };
                drawn.says.push(filled(&choice.says));
                drawn.variant.wanted.extend(both(&choice.wanted));
                drawn.variant.words.extend(both(&choice.words));
                if !choice.order.is_empty() {
                    drawn.variant.order.clone_from(&choice.order);
                }
                if let Some(failure) = &choice.failure {
                    let status = filled(failure).parse();
                    drawn.variant.failure =
                        Some(status.map_err(|_| format!("`{failure}` is no exit status"))?);
                }
                drawn.of_stub.extend(edits(&choice.program));
                drawn.of_solution.extend(edits(&choice.program));
                drawn.of_solution.extend(edits(&choice.solution));
            }
        }
        Ok(drawn)
    }
}

/// Chapters that have variants.
///
/// # Errors
///
/// The checkout cannot be read.
pub fn chapters() -> Result<Vec<Chapter>> {
    let mut chapters = Chapter::all()?;
    chapters.retain(|chapter| chapter.exercise().join("variants.toml").exists());
    Ok(chapters)
}

/// Draws the task of a student.
///
/// # Errors
///
/// The chapter has no variants, or its table does not fit its programs.
pub fn draw(chapter: &Chapter, seed: &str, task: Task) -> Result<Handout> {
    let table = table_of(chapter)?;
    let of_table = |error: String| {
        Failure::new(format!("the variants of {}: {error}", chapter.name))
            .help("`cargo test -p grade --test variants` tries them")
    };
    let drawn = drawn(&table, chapter, seed, task).map_err(of_table)?;
    let solution = plain(&read(&chapter.solution().join("src/main.rs"))?);
    let solved = edit::apply(&solution, &drawn.of_solution).map_err(of_table)?;
    let head = |what: &str| format!("//! {}, a variant: {what}\n\n", chapter.name);
    match task {
        Task::Exercise => {
            let stub =
                edit::apply(&plain(&read(&chapter.stub())?), &drawn.of_stub).map_err(of_table)?;
            let what = "`README.md` says what this program has to do.";
            Ok(Handout { drawn, program: head(what) + &stub, solution: solved, fault: None })
        }
        Task::Fault => {
            let mut draws = Draws::new(&[&chapter.name, seed, "which fault"]);
            let name = &table.faults[draws.below(table.faults.len())];
            let program = faulty(chapter, &solution, &drawn, name)?;
            let what = "one thing is wrong here. Which step fails, and why?";
            let program = head(what) + &program;
            Ok(Handout { drawn, program, solution: solved, fault: Some(name.clone()) })
        }
    }
}

fn table_of(chapter: &Chapter) -> Result<Table> {
    Table::of_chapter(chapter)?.ok_or_else(|| {
        let names = chapters().unwrap_or_default();
        let names: Vec<_> = names.iter().map(|chapter| chapter.name.as_str()).collect();
        Failure::usage(format!("{} has no variants", chapter.name))
            .help(format!("there are those of {}", names.join(", ")))
    })
}

/// The two tasks of a student are never about the same variant, because the program with the fault shows how its
/// own is solved.
fn drawn(
    table: &Table,
    chapter: &Chapter,
    seed: &str,
    task: Task,
) -> std::result::Result<Drawn, String> {
    const TRIES: usize = 100;
    let exercise = table.draw(&mut Draws::new(&[&chapter.name, seed, Task::Exercise.word()]))?;
    if task == Task::Exercise {
        return Ok(exercise);
    }
    for number in 0..TRIES {
        let parts = [&chapter.name, seed, Task::Fault.word(), &number.to_string()];
        let other = table.draw(&mut Draws::new(&parts))?;
        if other.variant.wanted != exercise.variant.wanted {
            return Ok(other);
        }
    }
    Err("all are the same".to_owned())
}

/// The solution of a variant with a mistake. The mistake is made first, because its row is about the chapter's own
/// solution.
fn faulty(chapter: &Chapter, solution: &str, drawn: &Drawn, name: &str) -> Result<String> {
    let file = chapter.exercise().join("mistakes.toml");
    let rows = mistakes::of_chapter(&read(&file)?)
        .map_err(|error| Failure::new(format!("`{}`: {error}", shown(&file))))?;
    let row = rows.iter().find(|row| row.name == name && !row.further);
    let row = row.ok_or_else(|| Failure::new(format!("`{}` has no {name:?}", shown(&file))))?;
    let made = edit::apply(solution, &row.edits);
    made.and_then(|made| edit::apply(&made, &drawn.of_solution))
        .map_err(|error| Failure::new(format!("{} with {name:?}: {error}", chapter.name)))
}

/// Every fault of a chapter in the second variant of a seed: the name, and the program.
///
/// # Errors
///
/// As for [`draw`].
pub fn every_fault(chapter: &Chapter, seed: &str) -> Result<Vec<(String, String)>> {
    let table = table_of(chapter)?;
    let drawn = draw(chapter, seed, Task::Fault)?.drawn;
    let solution = plain(&read(&chapter.solution().join("src/main.rs"))?);
    let faults = table.faults.iter();
    faults.map(|name| Ok((name.clone(), faulty(chapter, &solution, &drawn, name)?))).collect()
}

/// A program without what its first lines say of the chapter, and without the anchors of the book.
fn plain(text: &str) -> String {
    let is_kept = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("//!") && !line.starts_with("// ANCHOR")
    };
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    format!("{}\n", kept.join("\n").trim())
}

impl Handout {
    /// Writes it to a folder. The solution is only for a teacher.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&self, chapter: &Chapter, task: Task, folder: &Path, solved: bool) -> Result<()> {
        let folder = folder.join(&chapter.name).join(task.word());
        let (text, json) = (self.text(chapter, task), self.drawn.variant.to_json());
        let files = [
            ("README.md", &text),
            ("main.rs", &self.program),
            ("variant.json", &json),
            ("solution.rs", &self.solution),
        ];
        for (name, text) in files.into_iter().filter(|(name, _)| solved || *name != "solution.rs") {
            let file = folder.join(name);
            write_whole(&file, text).map_err(|error| {
                Failure::file(format!("could not write `{}`", file.display()), &error)
            })?;
        }
        Ok(())
    }

    /// The task in words.
    fn text(&self, chapter: &Chapter, task: Task) -> String {
        let Chapter { name } = chapter;
        let asked = match task {
            Task::Exercise => format!(
                "Write the program of the chapter `{name}`, and let it do these things otherwise than the \
                 chapter's page and its check say:"
            ),
            Task::Fault => format!(
                "`main.rs` is the finished program of the chapter `{name}` for which these things are \
                 otherwise, and it has one mistake in it. Find it, repair it with as few changes as you can, \
                 and write down which step has failed, what the kernel showed, and why:"
            ),
        };
        let says: String = self.drawn.says.iter().map(|says| format!("* {says}\n")).collect();
        format!(
            "# {name}: your {}\n\n{asked}\n\n{says}\nPut `main.rs` in the place of \
             `exercises/{name}/src/main.rs` in your clone. With the path of the `variant.json` beside this \
             file,\n\n    cargo xtask check {} --variant variant.json\n\nchecks your variant. Hand in the \
             `main.rs`.\n",
            match task {
                Task::Exercise => "variant",
                Task::Fault => "program with a fault",
            },
            chapter.short()
        )
    }
}

/// Who has which variant.
#[derive(Clone, Debug)]
pub struct Variants {
    /// Seeds by the keys of submissions.
    seeds: BTreeMap<String, String>,
    pub task: Task,
}

impl Variants {
    /// Reads the table: lines of TOML with a key and its seed.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has something else in it.
    pub fn read(file: &Path, task: Task) -> Result<Variants> {
        let failure = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("`{}` is no table of variants: {error}", file.display()))
                .help("each line has a student's key and a seed: `\"ada\" = \"7f2a\"`")
        };
        let text = fs::read_to_string(file).map_err(|error| failure(&error))?;
        let seeds = toml::from_str(&text).map_err(|error| failure(&error))?;
        Ok(Variants { seeds, task })
    }

    /// The variant of a student; `None` if the table does not have the student.
    ///
    /// # Errors
    ///
    /// As for [`draw`].
    pub fn of(&self, key: &str, chapter: &Chapter) -> Result<Option<Variant>> {
        let Some(seed) = self.seeds.get(key) else { return Ok(None) };
        draw(chapter, seed, self.task).map(|handout| Some(handout.drawn.variant))
    }

    /// The keys and the seeds, in order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.seeds.iter().map(|(key, seed)| (key.as_str(), seed.as_str()))
    }

    /// Another table has another.
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        digest.add(self.task.word());
        self.seeds.iter().flat_map(|(key, seed)| [key, seed]).for_each(|part| digest.add(part));
        digest.text()
    }
}

/// The table of these students, each with the seed that is its key.
pub fn table(keys: &[String]) -> String {
    let lines = keys.iter().map(|key| {
        // A text of JSON is one of TOML.
        let key = serde_json::json!(key);
        format!("{key} = {key}\n")
    });
    format!(
        "# Who has which variant: the key of a submission, and the seed.\n{}",
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        faults = ["x"]
        [[difference]]
        pick = 2
        option = [{ says = "one" }, { says = "two" }, { says = "three" }]
        [[difference]]
        draw = { status = { from = 64, to = 66 }, word = { of = ["a", "b"] }, end = { letters = 2 } }
        [[difference.option]]
        says = "@status@ @word@ @end@"
        wanted = { "key @word@" = "@end@" }
        failure = "@status@"
    "#;

    #[test]
    fn a_seed_always_draws_the_same_and_seeds_draw_all_there_is() {
        let table = Table::parse(TABLE).unwrap();
        let draw = |seed: &str| table.draw(&mut Draws::new(&[seed])).unwrap();
        assert_eq!(draw("ada"), draw("ada"));
        let all: Vec<Drawn> = (0..200).map(|number| draw(&number.to_string())).collect();
        let pairs: std::collections::BTreeSet<_> =
            all.iter().map(|it| it.says[..2].to_vec()).collect();
        assert_eq!(pairs.len(), 6, "two of three, in either order: {pairs:?}");
        let statuses: std::collections::BTreeSet<_> =
            all.iter().map(|it| it.variant.failure.unwrap()).collect();
        assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [64, 65, 66]);
        for drawn in &all {
            let [key, value] = drawn.variant.wanted.iter().next().map(|(k, v)| [k, v]).unwrap();
            assert!(["key a", "key b"].contains(&key.as_str()) && value.len() == 2, "{drawn:?}");
            assert!(!drawn.says.concat().contains('@'), "{drawn:?}");
        }
    }

    #[test]
    fn a_broken_table_says_what_is_wrong() {
        for (text, wrong) in [
            ("faults = []", "missing field `difference`"),
            ("faults = []\n[[difference]]\noption = []", "difference 1 has too few options"),
            ("faults = []\n[[difference]]\npick = 0\noption = []", "too few options"),
            ("faults = []\n[[difference]]\noption = [{ say = '' }]", "unknown field `say`"),
            ("faults = []\n[[difference]]\ndraw = { x = 1 }\noption = []", "draw"),
        ] {
            let error = Table::parse(text).unwrap_err();
            assert!(error.contains(wrong), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn every_table_fits_the_programs_of_its_chapter() {
        let chapters = chapters().unwrap();
        assert!(chapters.len() >= 6, "{chapters:?}");
        for chapter in &chapters {
            let table = table_of(chapter).unwrap();
            assert!(table.faults.len() >= 3, "{}", chapter.name);
            let mut different = std::collections::BTreeSet::new();
            for number in 0..60 {
                let seed = number.to_string();
                let [exercise, fault] = Task::ALL.map(|task| draw(chapter, &seed, task).unwrap());
                assert_ne!(exercise.drawn.variant.wanted, fault.drawn.variant.wanted);
                let text = exercise.text(chapter, Task::Exercise) + &exercise.program;
                let text = (text + &exercise.solution).replace("args @ ..", "");
                assert!(!text.contains('@'), "{text}");
                let json = exercise.drawn.variant.to_json();
                assert_eq!(Variant::from_json(&json), Some(exercise.drawn.variant));
                different.insert(json);
                // Each draws all of them once more, so a few seeds are enough.
                if number < 5 {
                    assert_eq!(every_fault(chapter, &seed).unwrap().len(), table.faults.len());
                }
            }
            assert!(different.len() >= 20, "{} has {}", chapter.name, different.len());
        }
    }

    #[test]
    fn a_table_of_students_is_read_as_it_is_written() {
        let keys = ["ada", "bob \"b\" b", "jürgen.groß@x"].map(str::to_owned);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("variants.toml");
        fs::write(&file, table(&keys)).unwrap();
        let variants = Variants::read(&file, Task::Exercise).unwrap();
        assert_eq!(variants.all().map(|(key, _)| key).collect::<Vec<_>>(), keys);
        let other = Variants::read(&file, Task::Fault).unwrap();
        assert_ne!(variants.digest(), other.digest());
        let chapter = Chapter::find("ch2").unwrap();
        assert!(variants.of("ada", &chapter).unwrap().is_some());
        assert!(variants.of("eve", &chapter).unwrap().is_none());
        fs::write(&file, "ada = 1").unwrap();
        assert!(
            Variants::read(&file, Task::Exercise).unwrap_err().to_string().contains("no table")
        );
    }
}

//! The table of a chapter's promises (`exercises/chNN-slug/promises.toml`): which observation proves
//! each sentence that tells a learner what the program has to do.
//!
//! ```toml
//! [[promise]]
//! says = "COMMAND has a UTS namespace of its own"  # words of a step or of the page's exercise
//! step = 1                                         # the step that proves it
//! line = "COMMAND uts"                             # and by what: a line's key, or a cell of the table
//! without = [{ find = "…", replace = "…" }]        # the solution without it (for a step that goes
//!                                                  # further, the program that does), or
//! mistake = "a name in mistakes.toml"              # a mistake that breaks it, or
//! fake = "a file in fakes, without .rs"            # a fake that breaks it
//!
//! [[aside]]
//! says = "Try it in the sandbox with"              # words that promise nothing
//! ```
//!
//! Each sentence has to have such words in it, and each program that breaks a promise has to be refused
//! by the step, because of the line.

use harness::mistakes::Edit;
use toml::de::{DeTable, DeValue};

/// Words that promise something, and how that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) says: String,
    pub(super) step: u32,
    pub(super) line: String,
    pub(super) broken: Broken,
}

/// A program that breaks one promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The solution with these edits.
    Without(Vec<Edit>),
    /// The mistake of this name.
    Mistake(String),
    /// The fake in this file.
    Fake(String),
}

/// What a chapter's table holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) promises: Vec<Promise>,
    /// Words that promise nothing.
    pub(super) asides: Vec<String>,
}

/// Reads a table.
///
/// # Errors
///
/// What is not TOML, missing or unknown: the first of these.
pub(super) fn read(text: &str) -> Result<Table, String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let mut read = Table::default();
    for (name, rows) in table.get_ref() {
        let rows = rows.get_ref().as_array().ok_or_else(|| format!("`{}`", name.get_ref()))?;
        for (index, row) in rows.iter().enumerate() {
            let error = |what: &str| format!("{} {}: {what}", name.get_ref(), index + 1);
            let row = row.get_ref().as_table().ok_or_else(|| error("not a table"))?;
            match name.get_ref().as_ref() {
                "promise" => read.promises.push(promise(row).map_err(|what| error(&what))?),
                "aside" => {
                    only(row, &["says"]).map_err(|what| error(&what))?;
                    read.asides.push(words(row, "says").map_err(|what| error(&what))?);
                }
                _ => return Err(error("neither a promise nor an aside")),
            }
        }
    }
    Ok(read)
}

fn promise(row: &DeTable) -> Result<Promise, String> {
    only(row, &["says", "step", "line", "without", "mistake", "fake"])?;
    let step = row.get("step").and_then(|step| step.get_ref().as_integer());
    let step = step.and_then(|step| step.as_str().parse().ok()).ok_or("no number `step`")?;
    let without = row.get("without").map(|edits| edits.get_ref());
    let broken = match (without, row.get("mistake"), row.get("fake")) {
        (Some(DeValue::Array(edits)), None, None) => {
            let edits = edits.iter().map(|edit| {
                let edit = edit.get_ref().as_table().ok_or("an edit that is no table")?;
                let part = |key| Ok::<_, String>(text(edit, key)?.to_owned());
                Ok::<_, String>(Edit { find: part("find")?, replace: part("replace")? })
            });
            Broken::Without(edits.collect::<Result<_, _>>()?)
        }
        (None, Some(_), None) => Broken::Mistake(words(row, "mistake")?),
        (None, None, Some(_)) => Broken::Fake(words(row, "fake")?),
        _ => return Err("one of `without`, `mistake` and `fake`".into()),
    };
    Ok(Promise { says: words(row, "says")?, step, line: words(row, "line")?, broken })
}

fn only(row: &DeTable, keys: &[&str]) -> Result<(), String> {
    match row.iter().find(|(key, _)| !keys.contains(&key.get_ref().as_ref())) {
        Some((key, _)) => Err(format!("unknown key `{}`", key.get_ref())),
        None => Ok(()),
    }
}

fn text<'a>(row: &'a DeTable, key: &str) -> Result<&'a str, String> {
    let text = row.get(key).and_then(|value| value.get_ref().as_str());
    text.ok_or_else(|| format!("no text `{key}`"))
}

/// A text with one space between its words.
fn words(row: &DeTable, key: &str) -> Result<String, String> {
    let words = spaced(text(row, key)?);
    if words.is_empty() { Err(format!("`{key}` is empty")) } else { Ok(words) }
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Which sentences the table does not have, and which of its words no sentence has.
pub(super) fn gaps(table: &Table, check: &str, page: &str) -> Vec<String> {
    let mut sentences = sentences_of_steps(check);
    sentences.extend(sentences_of_exercise(page));
    let promises = table.promises.iter().map(|promise| &promise.says);
    let known: Vec<&String> = promises.chain(&table.asides).collect();
    // A question asks the reader, and not the program.
    let asks = sentences.iter().filter(|sentence| !sentence.ends_with('?'));
    let open = asks.filter(|sentence| !known.iter().any(|says| sentence.contains(*says)));
    let mut faults: Vec<String> =
        open.map(|sentence| format!("no promise and no aside for {sentence:?}")).collect();
    let stale =
        known.iter().filter(|says| !sentences.iter().any(|sentence| sentence.contains(**says)));
    faults.extend(stale.map(|says| format!("no sentence says {says:?}")));
    faults
}

/// The titles and doc comments of a check's steps.
fn sentences_of_steps(check: &str) -> Vec<String> {
    let (mut found, mut comment) = (Vec::new(), String::new());
    let mut is_step = false;
    for line in check.lines() {
        if let Some(more) = line.strip_prefix("///") {
            comment += more;
            continue;
        }
        if line == "#[step]" {
            is_step = true;
            continue;
        }
        if let Some(name) = line.strip_prefix("fn ").filter(|_| is_step) {
            found.extend(sentences(&comment));
            let title = name.trim_start_matches(|letter: char| letter != '_');
            let title = title.split('(').next().unwrap_or_default();
            found.push(spaced(&title.replace('_', " ")));
        }
        comment.clear();
        is_step = false;
    }
    found
}

/// The numbers of the steps without which a chapter is solved.
pub(super) fn further_steps(check: &str) -> Vec<u32> {
    let names = check.lines().filter_map(|line| line.strip_prefix("fn further"));
    names.filter_map(|name| name.split_once('_')?.0.parse().ok()).collect()
}

/// The text of the page's sections `## Exercise` and `## Further`, without code and what is included.
fn sentences_of_exercise(page: &str) -> Vec<String> {
    let (mut found, mut paragraph) = (Vec::new(), String::new());
    let (mut inside, mut code) = (false, false);
    for line in page.lines().chain([""]) {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            continue;
        } else if let Some(heading) = line.strip_prefix("## ") {
            inside = ["Exercise", "Further"].iter().any(|name| heading.starts_with(name));
        } else if inside {
            let text = line.trim();
            let text = if text.starts_with("{{#") || text.starts_with('<') { "" } else { text };
            if text.starts_with("|--") {
                // What came before is the head of a table.
                paragraph.clear();
                continue;
            }
            let item =
                ["- ", "* ", "1. ", "2. ", "3. ", "|"].iter().any(|mark| text.starts_with(mark));
            if text.is_empty() || item {
                found.extend(sentences(&paragraph));
                paragraph.clear();
            }
            paragraph += text;
            paragraph.push(' ');
        }
    }
    found
}

/// A sentence ends with its mark before a space.
fn sentences(text: &str) -> Vec<String> {
    let spaced = spaced(text);
    let mut found = Vec::new();
    let mut sentence = String::new();
    for word in spaced.split(' ').filter(|word| !word.is_empty()) {
        sentence += if sentence.is_empty() { "" } else { " " };
        sentence += word;
        if word.trim_end_matches([')', '*', '"', '_', '`']).ends_with(['.', '?', '!', ':']) {
            found.push(std::mem::take(&mut sentence));
        }
    }
    found.extend((!sentence.is_empty()).then_some(sentence));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &str = "/// Not a step.\nfn report() {}\n\n/// The name is set. What\n/// returned?\n#[step]\nfn step1_a_new_name() {\n";
    const PAGE: &str = "## Before\n\nNo.\n\n## Exercise\n\nRun it:\n\n```sh\nnot this.\n```\n\n| a | b |\n|---|---|\n| c | d |\n\n- Set a\n  name.\n- Wait.\n\n## After\n\nNo.\n";

    #[test]
    fn sentences_are_found_where_a_learner_is_told_what_to_do() {
        assert_eq!(sentences_of_steps(CHECK), ["The name is set.", "What returned?", "a new name"]);
        assert_eq!(
            sentences_of_exercise(PAGE),
            ["Run it:", "| c | d |", "- Set a name.", "- Wait."]
        );
        let more = format!("{CHECK}/// Two.\n#[step]\nfn further4_two_at_once() {{\n");
        assert_eq!(sentences_of_steps(&more)[3..], ["Two.", "two at once"]);
        assert_eq!(further_steps(&more), [4]);
    }

    #[test]
    fn a_sentence_without_a_row_and_a_row_without_a_sentence_are_faults() {
        let row = |says: &str| format!("[[aside]]\nsays = {says:?}\n");
        let all = ["name is set", "a new name", "Run it", "c | d", "Set a name", "Wait"];
        let table =
            |rows: &[&str]| read(&rows.iter().map(|says| row(says)).collect::<String>()).unwrap();
        assert!(gaps(&table(&all), CHECK, PAGE).is_empty());
        assert_eq!(
            gaps(&table(&all[1..]), CHECK, PAGE),
            ["no promise and no aside for \"The name is set.\""]
        );
        let more = [&all[..], &["Hurry"]].concat();
        assert_eq!(gaps(&table(&more), CHECK, PAGE), ["no sentence says \"Hurry\""]);
    }

    #[test]
    fn a_broken_table_says_what_is_wrong() {
        for (text, wrong) in [
            ("[[promise]]\nsays = 'x'", "promise 1: no number `step`"),
            (
                "[[promise]]\nsays = 'x'\nstep = 1\nline = 'y'",
                "one of `without`, `mistake` and `fake`",
            ),
            ("[[promise]]\nsais = 'x'", "unknown key `sais`"),
            ("[[aside]]\nsays = ' '", "`says` is empty"),
            ("[[row]]\nsays = 'x'", "neither a promise nor an aside"),
            ("[[promise", "TOML parse error"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(wrong), "{text:?} gave {error:?}");
        }
        let text = "[[promise]]\nsays = 'a  b'\nstep = 2\nline = 'exit status'\nfake = 'replay'";
        let promise = &read(text).unwrap().promises[0];
        assert_eq!((promise.says.as_str(), promise.step), ("a b", 2));
        assert_eq!(promise.broken, Broken::Fake("replay".into()));
    }
}

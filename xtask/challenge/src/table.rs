//! A chapter's challenges: `challenges.toml`.
//!
//! ```toml
//! [[challenge]]
//! name = "own-name"                    # unique in its chapter
//! title = "A name of its own"
//! ask = "Start a process that …"
//! hints = ["…"]                        # each says a little more
//! as = "plain-user"                    # root of the lab without it
//! setup = "sleep 1000 &"               # what the lab's shell does before it is the reader's
//! goal = [{ of = "process", namespaces = "uts", "host name" = "not lab" }]
//! solution = "unshare --uts …"         # reaches the goal; only the tests read it
//!
//! [[challenge.wrong]]
//! when = [{ of = "lab", "host name" = "not lab" }]
//! say = "…"
//! try = "hostname otter"               # gets there; only the tests read it
//! ```
//!
//! `of` is `lab`, `shell` or `process`; `many` is how many of them there must be (`>= 1` without it). All
//! other keys are facts (`look.rs` reads them) and the patterns that they match.

use std::fmt;

use toml::de::{DeTable, DeValue};

use crate::condition::{Condition, Subject};

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub name: String,
    pub title: String,
    pub ask: String,
    pub hints: Vec<String>,
    /// Whether the reader's shell has no privileges.
    pub as_plain_user: bool,
    pub setup: String,
    /// All of these hold when it is done.
    pub goal: Vec<Condition>,
    /// The first of these that fits is said, as long as it is not done.
    pub wrong: Vec<Wrong>,
    pub solution: String,
}

/// A way that leads past the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub when: Vec<Condition>,
    pub say: String,
    pub attempt: String,
}

impl Challenge {
    /// The facts that it asks about a subject, each once.
    pub fn facts(&self, of: Subject) -> Vec<&str> {
        let wrong = self.wrong.iter().flat_map(|wrong| &wrong.when);
        let conditions = self.goal.iter().chain(wrong).filter(|condition| condition.of == of);
        let mut facts = Vec::new();
        for (key, _) in conditions.flat_map(|condition| &condition.facts) {
            if !facts.contains(&key.as_str()) {
                facts.push(key);
            }
        }
        facts
    }
}

/// What is wrong with a table, and where.
#[derive(Debug)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

/// Reads a chapter's challenges.
///
/// # Errors
///
/// What is not TOML, missing, or unknown: the first of these.
pub fn of_chapter(text: &str) -> Result<Vec<Challenge>, TableError> {
    let table = DeTable::parse(text)
        .map_err(|error| TableError(error.to_string().trim_end().to_owned()))?;
    let rows = table.get_ref().get("challenge").and_then(|rows| rows.get_ref().as_array());
    let rows = rows.ok_or_else(|| TableError("no [[challenge]] in it".into()))?;
    let rows = rows.iter().enumerate();
    rows.map(|(number, row)| read(row.get_ref(), &format!("challenge {}", number + 1))).collect()
}

const KEYS: [&str; 9] =
    ["name", "title", "ask", "hints", "as", "setup", "goal", "solution", "wrong"];

fn read(row: &DeValue, place: &str) -> Result<Challenge, TableError> {
    let row = Row::new(row, place, &KEYS)?;
    let as_plain_user = match row.optional("as")?.as_str() {
        "" => false,
        "plain-user" => true,
        other => return Err(row.error(&format!("`as` is `{other}`, not plain-user"))),
    };
    let wrong = row.list("wrong").map_or(Ok(Vec::new()), |wrong| {
        wrong.iter().map(|wrong| read_wrong(wrong.get_ref(), place)).collect()
    })?;
    let hints = row.list("hints").into_iter().flatten();
    let hints = hints.map(|hint| hint.get_ref().as_str().map(str::to_owned));
    Ok(Challenge {
        name: row.text("name")?,
        title: row.text("title")?,
        ask: row.text("ask")?,
        hints: hints.collect::<Option<_>>().ok_or_else(|| row.error("a hint is no text"))?,
        as_plain_user,
        setup: row.optional("setup")?,
        goal: row.conditions("goal")?,
        wrong,
        solution: row.text("solution")?,
    })
}

fn read_wrong(row: &DeValue, place: &str) -> Result<Wrong, TableError> {
    let row = Row::new(row, place, &["when", "say", "try"])?;
    Ok(Wrong { when: row.conditions("when")?, say: row.text("say")?, attempt: row.text("try")? })
}

/// A table, and where it stands.
struct Row<'a> {
    table: &'a DeTable<'a>,
    place: &'a str,
}

impl<'a> Row<'a> {
    fn new(value: &'a DeValue<'a>, place: &'a str, keys: &[&str]) -> Result<Row<'a>, TableError> {
        let no_table = || TableError(format!("{place}: not a table"));
        let row = Row { table: value.as_table().ok_or_else(no_table)?, place };
        match row.table.iter().find(|(key, _)| !keys.contains(&key.get_ref().as_ref())) {
            Some((key, _)) => Err(row.error(&format!("unknown key `{}`", key.get_ref()))),
            None => Ok(row),
        }
    }

    fn error(&self, what: &str) -> TableError {
        TableError(format!("{}: {what}", self.place))
    }

    fn optional(&self, key: &str) -> Result<String, TableError> {
        match self.table.get(key).map(|value| value.get_ref().as_str()) {
            None => Ok(String::new()),
            Some(text) => text
                .map(|text| text.trim().to_owned())
                .ok_or_else(|| self.error(&format!("`{key}` is no text"))),
        }
    }

    fn text(&self, key: &str) -> Result<String, TableError> {
        let text = self.optional(key)?;
        if text.is_empty() { Err(self.error(&format!("no text `{key}`"))) } else { Ok(text) }
    }

    fn list(&self, key: &str) -> Option<&'a [toml::Spanned<DeValue<'a>>]> {
        Some(self.table.get(key)?.get_ref().as_array()?)
    }

    fn conditions(&self, key: &str) -> Result<Vec<Condition>, TableError> {
        let list = self.list(key).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| self.error(&format!("no list `{key}`")))?;
        list.iter().map(|condition| self.condition(condition.get_ref())).collect()
    }

    fn condition(&self, value: &DeValue) -> Result<Condition, TableError> {
        let table = value.as_table().ok_or_else(|| self.error("a condition is no table"))?;
        let mut condition =
            Condition { of: Subject::Process, facts: Vec::new(), many: ">= 1".into() };
        for (key, value) in table {
            let key = key.get_ref().as_ref();
            let value = value.get_ref().as_str();
            let value = value.ok_or_else(|| self.error(&format!("`{key}` is no text")))?;
            match key {
                "of" => {
                    let known = Subject::ALL.into_iter().find(|subject| subject.name() == value);
                    condition.of =
                        known.ok_or_else(|| self.error(&format!("`of` is `{value}`")))?;
                }
                "many" => condition.many = value.to_owned(),
                fact => condition.facts.push((fact.to_owned(), value.to_owned())),
            }
        }
        if condition.facts.is_empty() {
            return Err(self.error("a condition without a fact"));
        }
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        let row = "[[challenge]]\nname = \"a\"\ntitle = \"b\"\nask = \"c\"\nsolution = \"d\"\n";
        let goal = "goal = [{ of = \"lab\", \"host name\" = \"x\" }]\n";
        assert_eq!(of_chapter(&format!("{row}{goal}")).unwrap()[0].goal[0].of, Subject::Lab);
        for (more, wanted) in [
            ("", "challenge 1: no list `goal`"),
            ("goal = [{ of = \"moon\", x = \"y\" }]", "challenge 1: `of` is `moon`"),
            ("goal = [{ of = \"lab\" }]", "challenge 1: a condition without a fact"),
            ("goal = [{ x = 1 }]", "challenge 1: `x` is no text"),
            (&format!("{goal}as = \"root\""), "challenge 1: `as` is `root`, not plain-user"),
            (&format!("{goal}gaol = 1"), "challenge 1: unknown key `gaol`"),
            (&format!("{goal}hints = [1]"), "challenge 1: a hint is no text"),
            (&format!("{goal}[[challenge.wrong]]\nsay = \"x\""), "challenge 1: no list `when`"),
        ] {
            let error = of_chapter(&format!("{row}{more}")).unwrap_err().to_string();
            assert_eq!(error, wanted, "{more}");
        }
    }
}

//! How long the chapters take, by what their pages say: one sentence, and one table of them all.

use std::fmt::Write as _;
use std::path::Path;

use crate::fault::Problem;
use crate::paths::{files, has_extension};

/// A row for each chapter in `pages`, the sources of the book, and their sum.
pub(crate) fn table(pages: &Path) -> Result<String, Problem> {
    let mut rows = String::from("| chapter | reading | exercise |\n|---|---|---|\n");
    let (mut reading_sum, mut exercise_sum) = (0, 0);
    let mut chapters: Vec<_> = files(pages).into_iter().filter(|file| is_chapter(file)).collect();
    chapters.sort();
    for file in chapters {
        let text = std::fs::read_to_string(pages.join(&file))
            .map_err(|error| Problem::new(format!("cannot be read: {error}")).of(&file))?;
        let Some((reading, exercise)) = minutes(&text) else {
            let problem = Problem::new("this chapter does not say how long it takes");
            return Err(problem
                .help("write: Reading takes 15 minutes, the exercise 25.")
                .of(&file));
        };
        reading_sum += reading;
        exercise_sum += exercise.parse::<u32>().unwrap_or(0);
        let name = file.with_extension("").display().to_string();
        let slug = name.split_once('-').map_or(&*name, |(_, slug)| slug);
        writeln!(rows, "| [{slug}]({}) | {reading} | {exercise} |", file.display())
            .expect("a String takes all");
    }
    Ok(rows + &format!("| sum, of what is a number | {reading_sum} | {exercise_sum} |\n"))
}

fn is_chapter(file: &Path) -> bool {
    let name = file.to_string_lossy();
    let number = name.strip_prefix("ch").and_then(|rest| rest.split('-').next());
    has_extension(file, "md")
        && number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// The minutes of reading, and those of the exercise, which may be words.
fn minutes(text: &str) -> Option<(u32, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let (_, rest) = text.split_once("Reading takes ")?;
    let (reading, rest) = rest.split_once(" minutes, the exercise ")?;
    let (exercise, _) = rest.split_once('.')?;
    Some((reading.parse().ok()?, exercise.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_may_be_broken_anywhere() {
        let sentence =
            |text| minutes(text).map(|(reading, exercise)| format!("{reading}, {exercise}"));
        assert_eq!(
            sentence("Can.\nReading\ntakes 15 minutes, the\nexercise 25. So."),
            Some("15, 25".into())
        );
        assert_eq!(
            sentence("Reading takes 40 minutes, the exercise an evening or two."),
            Some("40, an evening or two".into())
        );
        assert_eq!(sentence("Reading takes long, the exercise 25."), None);
    }

    #[test]
    fn a_chapter_has_a_number() {
        let names = ["ch01-look.md", "changes.md", "chapter-1.md", "ch-x.md", "ch01-look.txt"];
        assert_eq!(
            names.map(|name| is_chapter(Path::new(name))),
            [true, false, false, false, false]
        );
    }

    #[test]
    fn a_chapter_without_the_sentence_is_named() {
        let pages = tempfile::tempdir().unwrap();
        std::fs::write(
            pages.path().join("ch01-look.md"),
            "Reading takes 15 minutes, the exercise 25.",
        )
        .unwrap();
        assert_eq!(
            table(pages.path()).ok().as_deref(),
            Some(
                "| chapter | reading | exercise |\n|---|---|---|\n| [look](ch01-look.md) | 15 | 25 |\n\
                 | sum, of what is a number | 15 | 25 |\n"
            )
        );
        std::fs::write(pages.path().join("ch02-unshare.md"), "It takes a while.").unwrap();
        let problem = table(pages.path()).unwrap_err();
        assert!(
            problem.at(Path::new("for-teachers.md"), 1).to_string().contains("ch02-unshare.md")
        );
    }
}

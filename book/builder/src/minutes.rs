//! How long the chapters take: the sentence of each page, one table of them all, and what is known of each figure.

use std::fmt::Write as _;

use crate::fault::Problem;
use crate::front::{FrontPage, Minutes};

/// A row for each activity of each page that has some, their sums, and how many of the figures are measured.
pub(crate) fn table(pages: &[FrontPage]) -> String {
    let mut rows = String::from(
        "| chapter | activity | estimate | rehearsed | measured |\n|---|---|---|---|---|\n",
    );
    let mut sums: Vec<(&str, u32)> = ACTIVITIES.iter().map(|activity| (*activity, 0)).collect();
    let mut all = Vec::new();
    for page in pages {
        let mut name = format!("[{}]({}.md)", label(page), page.name);
        for (activity, sum) in &mut sums {
            let Some(minutes) = page.front.minutes.get(*activity) else { continue };
            let minutes = minutes.get_ref();
            writeln!(rows, "| {name} | {activity} | {} |", minutes.cells())
                .expect("a String takes all");
            name.clear();
            *sum += minutes.estimate;
            all.push(minutes);
        }
    }
    let mut name = "sum of the estimates";
    for (activity, sum) in sums.iter().filter(|(_, sum)| *sum > 0) {
        writeln!(rows, "| {name} | {activity} | {sum} | | |").expect("a String takes all");
        name = "";
    }
    format!("{rows}\n{}\n", known(&all))
}

/// What there is to be timed, in the order of a lesson.
pub(crate) const ACTIVITIES: [&str; 4] = ["setup", "show", "reading", "exercise"];

/// How a page is called in a table: `look`, or its name.
pub(crate) fn label(page: &FrontPage) -> String {
    let is_of_chapter = page.number().is_some() || page.front.part_of.is_some();
    if is_of_chapter { page.slug().to_owned() } else { page.name.replace('-', " ") }
}

/// How many of these figures are more than an estimate.
pub(crate) fn known(all: &[&Minutes]) -> String {
    let count = |has: fn(&Minutes) -> bool| all.iter().filter(|minutes| has(minutes)).count();
    let measured = count(|minutes| minutes.measured.is_some());
    let rehearsed = count(|minutes| minutes.rehearsed.is_some());
    format!(
        "Of these {} figures {} measured with participants, and {} rehearsed.",
        all.len(),
        are(measured),
        are(rehearsed)
    )
}

fn are(count: usize) -> String {
    match count {
        0 => "none is".to_owned(),
        1 => "1 is".to_owned(),
        _ => format!("{count} are"),
    }
}

/// What is wrong with the sentence in which a chapter says how long it takes.
pub(crate) fn sentence_problem(page: &FrontPage, text: &str) -> Option<Problem> {
    let of = |activity: &str| page.front.minutes.get(activity).map(|minutes| minutes.get_ref());
    let sentence = match (of("reading"), of("exercise")) {
        (Some(reading), Some(exercise)) => {
            let words = exercise.words.clone().unwrap_or_else(|| exercise.estimate.to_string());
            format!("Reading takes {} minutes, the exercise {words}.", reading.estimate)
        }
        (Some(reading), None) if page.front.part_of.is_some() => {
            format!("Reading takes {} minutes.", reading.estimate)
        }
        _ => {
            let problem = Problem::new("this chapter does not say how long it takes");
            let help = "its front matter has `minutes.reading` and `minutes.exercise`";
            return Some(problem.help(help));
        }
    };
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!flat.contains(&sentence)).then(|| {
        Problem::new("the page and its front matter do not say the same number of minutes")
            .help(format!("write: {sentence}"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::front;

    fn page(name: &str, minutes: &str) -> FrontPage {
        let text = format!("<!-- front matter\n[minutes]\n{minutes}\n-->\n");
        front::parse(&Path::new(name).with_extension("md"), &text).unwrap()
    }

    #[test]
    fn the_sentence_may_be_broken_anywhere_and_says_what_the_front_matter_says() {
        let said = |minutes: &str, text: &str| {
            let page = page("ch01-look", minutes);
            sentence_problem(&page, text).map(|problem| problem.to_string())
        };
        let both = "reading = { estimate = 15 }\nexercise = { estimate = 25 }";
        assert_eq!(said(both, "Can.\nReading\ntakes 15 minutes, the\nexercise 25. So."), None);
        assert!(said(both, "Reading takes 15 minutes, the exercise 30.").is_some());
        let part = |text: &str| {
            let mut page = page("ch05-maps", "reading = { estimate = 15 }");
            page.front.part_of = Some(toml::Spanned::new(0..0, "ch05-user".to_owned()));
            sentence_problem(&page, text).map(|problem| problem.to_string())
        };
        assert_eq!(part("Reading takes 15 minutes. So."), None);
        assert!(part("Reading takes 10 minutes.").is_some());
        let words = "reading = { estimate = 40 }\nexercise = { estimate = 180, words = \"long\" }";
        assert_eq!(said(words, "Reading takes 40 minutes, the exercise long."), None);
        assert_eq!(
            said("reading = { estimate = 15 }", "").as_deref(),
            Some("this chapter does not say how long it takes")
        );
    }

    #[test]
    fn the_table_has_what_is_known() {
        let pages = [
            page("before-you-start", "setup = { estimate = 15 }"),
            page(
                "ch01-look",
                "show = { estimate = 10, rehearsed = 14 }\nreading = { estimate = 5 }",
            ),
        ];
        assert_eq!(
            table(&pages),
            "| chapter | activity | estimate | rehearsed | measured |\n|---|---|---|---|---|\n\
             | [before you start](before-you-start.md) | setup | 15 | – | – |\n\
             | [look](ch01-look.md) | show | 10 | 14 | – |\n\
             |  | reading | 5 | – | – |\n\
             | sum of the estimates | setup | 15 | | |\n|  | show | 10 | | |\n|  | reading | 5 | | |\n\n\
             Of these 3 figures none is measured with participants, and 1 is rehearsed.\n"
        );
    }
}

//! The parts of a page that are files of its exercise: `challenges.toml`, `mistakes.toml` and `hints.md`.

use crate::fault::{Fault, Problem};
use crate::page::{Page, inline_html, line_of};
use challenge::Challenge;
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;
use toml::Spanned;

#[derive(Deserialize)]
struct Catalogue {
    mistake: Vec<Mistake>,
}

/// The heading of the section that shows a chapter's solution.
const SOLUTION: &str = "The solution, explained";

/// What stands below it instead.
const INSTEAD: &str = "\n\nYour copy of the course is a workshop's, and has no solutions. They are in the course's \
                       repository, on this page and in `solutions`.\n\n";

/// What a page shows of a mistake. The other keys are for the check.
#[derive(Deserialize)]
struct Mistake {
    name: String,
    /// Whether it is in what the steps that go further ask for, which no page solves.
    #[serde(default)]
    further: bool,
    cause: String,
    remedy: String,
    see: Spanned<String>,
}

/// A mistake as a teacher meets it.
pub(crate) struct NamedMistake {
    pub(crate) name: String,
    pub(crate) cause: String,
    pub(crate) remedy: String,
}

/// The mistakes of a chapter, without those that would give away what no page solves.
pub(crate) fn named_mistakes(repo: &Path, chapter: &str) -> Result<Vec<NamedMistake>, Problem> {
    let file = Path::new("exercises").join(chapter).join("mistakes.toml");
    let text = std::fs::read_to_string(repo.join(&file))
        .map_err(|error| Problem::new(format!("cannot be read: {error}")).of(&file))?;
    let catalogue: Catalogue =
        toml::from_str(&text).map_err(|error| Problem::new(error.message()).of(&file))?;
    let mistakes = catalogue.mistake.into_iter().filter(|mistake| !mistake.further);
    let named =
        mistakes.map(|Mistake { name, cause, remedy, .. }| NamedMistake { name, cause, remedy });
    Ok(named.collect())
}

/// Renders a catalogue of mistakes, without those that would give away what no page solves; each points at
/// one of the page's `anchors`, or at one of another page of the chapter, whose anchors `other_page` gives.
pub(crate) fn mistakes(
    file: &Path,
    text: &str,
    anchors: &[String],
    other_page: impl Fn(&str) -> Option<Vec<String>>,
) -> (String, Vec<Fault>) {
    let catalogue: Catalogue = match toml::from_str(text) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            return (String::new(), vec![Problem::new(error.message()).at(file, line)]);
        }
    };
    let (mut html, mut faults) = (String::new(), Vec::new());
    for Mistake { name, further, cause, remedy, see } in catalogue.mistake {
        let mut body = format!("{}\n\n{}", cause.trim(), remedy.trim());
        let (place, at) = (see.get_ref(), line_of(text, see.span().start));
        match place_problem(place, anchors, &other_page) {
            Some(problem) => faults.push(problem.at(file, at)),
            None if place.contains('#') => {
                body += &format!("\n\n[The part of the chapter]({place})");
            }
            None => body += &format!("\n\n[The part of this page](#{place})"),
        }
        if !further {
            card(&mut html, "mistake", &inline_html(&name), &body);
        }
    }
    (html, faults)
}

/// What is wrong with a place in a chapter: one of its page's `anchors`, or `chNN-other.md#anchor`.
pub(crate) fn place_problem(
    place: &str,
    anchors: &[String],
    other_page: impl Fn(&str) -> Option<Vec<String>>,
) -> Option<Problem> {
    let of_other;
    let (anchor, anchors) = match place.split_once('#') {
        None => (place, anchors),
        Some((page, anchor)) => {
            let Some(anchors) = other_page(page) else {
                return Some(Problem::new(format!("the chapter has no other page `{page}`")));
            };
            of_other = anchors;
            (anchor, &*of_other)
        }
    };
    (!anchors.iter().any(|known| known == anchor)).then(|| {
        let problem = Problem::new(format!("the page has no heading `{anchor}`"));
        problem.help(format!("its headings are {}", anchors.join(", ")))
    })
}

/// Renders hints: one card for each section of the file.
pub(crate) fn hints(file: &Path, text: &str) -> (String, Vec<Fault>) {
    let sections = Page::parse(text).sections;
    if sections.is_empty() {
        let problem = Problem::new("no hint: a hint is a section with a `## ` heading");
        return (String::new(), vec![problem.at(file, 1)]);
    }
    let ends = sections.iter().skip(1).map(|(next, _)| next.start).chain([text.len()]);
    let mut html = String::new();
    for ((heading, title), end) in sections.iter().zip(ends) {
        card(&mut html, "hint", title, text[heading.end..end].trim());
    }
    (html, Vec::new())
}

/// Renders a chapter's challenges: what is asked, the command that opens the lab, and the hints.
/// Where a machine runs in the page, `is_live`, it can be tried there, too.
pub(crate) fn challenges(
    slug: &str,
    file: &Path,
    text: &str,
    is_live: bool,
) -> (String, Vec<Fault>) {
    let challenges = match challenge::of_chapter(text) {
        Ok(challenges) => challenges,
        Err(error) => return (String::new(), vec![Problem::new(error.to_string()).at(file, 1)]),
    };
    let chapter = slug.split('-').next().unwrap_or_default().replacen("ch0", "ch", 1);
    let mut html = String::new();
    for Challenge { name, title, ask, hints, .. } in challenges {
        let command = format!("$ cargo xtask challenge {chapter} {name}");
        let class = if is_live { format!(",live,challenge-{slug}/{name}") } else { String::new() };
        write!(html, "**{title}.** {ask}\n\n```console{class}\n{command}\n```\n\n")
            .expect("a String takes all");
        for (place, hint) in hints.iter().enumerate() {
            let summary =
                if hints.len() == 1 { "A hint".into() } else { format!("Hint {}", place + 1) };
            card(&mut html, "hint", &summary, hint);
        }
    }
    (html, Vec::new())
}

/// Takes the solution out of a chapter. Its heading stays, because other pages may link to it.
pub(crate) fn without_solution(source: &str) -> String {
    let sections = Page::parse(source).sections;
    let mut text = source.to_owned();
    if let Some(at) = sections.iter().position(|(_, title)| title == SOLUTION) {
        let end = sections.get(at + 1).map_or(source.len(), |(next, _)| next.start);
        text.replace_range(sections[at].0.end..end, INSTEAD);
    }
    text
}

/// Writes one `<details>`. Because of the blank lines its body is Markdown again.
fn card(html: &mut String, class: &str, summary: &str, body: &str) {
    let opening = format!("<details class=\"{class}\"><summary>{summary}</summary>");
    write!(html, "{opening}\n\n{body}\n\n</details>\n\n").expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_solution_is_taken_out() {
        let page = "# look\n\n## Exercise\n\nDo it.\n\n```text\n## The solution, explained\n```\n\n\
                    ## The solution, explained\n\n<details>\n\nSecret.\n\n</details>\n\n## Questions\n\nWhy?\n";
        let text = without_solution(page);
        assert!(!text.contains("Secret") && !text.contains("<details>"), "{text}");
        let (before, after) = page.split_once("\n\n<details>").unwrap();
        assert!(text.starts_with(before), "{text}");
        assert!(after.ends_with("## Questions\n\nWhy?\n"));
        assert!(text.ends_with("\n\n## Questions\n\nWhy?\n"), "{text}");
        assert_eq!(without_solution("# A page\n\n## Exercise\n"), "# A page\n\n## Exercise\n");
    }

    #[test]
    fn a_mistake_is_a_card_that_points_into_the_page() {
        let text = "[[mistake]]\nname = 'never `fork`ed'\ncause = 'a'\nremedy = 'b'\nsee = 'x'\n\
            edit = [1]\n";
        let none = |_: &str| None;
        let (html, faults) = mistakes(Path::new("m"), text, &["x".into()], none);
        assert_eq!(
            html,
            "<details class=\"mistake\"><summary>never <code>fork</code>ed</summary>\n\n\
             a\n\nb\n\n[The part of this page](#x)\n\n</details>\n\n"
        );
        assert_eq!(faults, []);
        let further = format!("{text}further = true\n");
        assert_eq!(
            mistakes(Path::new("m"), &further, &["x".into()], none),
            (String::new(), vec![])
        );
        let (_, faults) = mistakes(Path::new("m"), text, &["y".into()], none);
        assert_eq!(
            faults[0].to_string(),
            "m:5: the page has no heading `x`\nhelp: its headings are y"
        );
        let (_, faults) = mistakes(Path::new("m"), "[[mistake]]\nname = 1\n", &[], none);
        assert_eq!(faults[0].line, 2);
    }

    #[test]
    fn a_challenge_is_its_text_its_command_and_its_hints() {
        let text = "[[challenge]]\nname = 'own'\ntitle = 'Its own'\nask = 'Do.'\nhints = ['a']\n\
            goal = [{ name = 'sleep' }]\nsolution = 'sleep 1 &'\n";
        let (html, faults) = challenges("ch02-unshare", Path::new("c"), text, false);
        assert_eq!(
            html,
            "**Its own.** Do.\n\n```console\n$ cargo xtask challenge ch2 own\n```\n\n\
             <details class=\"hint\"><summary>A hint</summary>\n\na\n\n</details>\n\n"
        );
        assert_eq!(faults, []);
        let (_, faults) = challenges("ch02-unshare", Path::new("c"), "x = 1\n", false);
        assert_eq!(faults[0].to_string(), "c:1: no [[challenge]] in it");
    }

    #[test]
    fn a_mistake_may_point_into_another_page_of_the_chapter() {
        let other = |page: &str| (page == "ch05-maps.md").then(|| vec!["deny".to_owned()]);
        let seen = |see: &str, further: &str| {
            let row = "[[mistake]]\nname = 'a'\ncause = 'b'\nremedy = 'c'";
            let text = format!("{row}\nsee = '{see}'\n{further}");
            let (html, faults) = mistakes(Path::new("m"), &text, &["x".into()], other);
            (html, faults.iter().map(Fault::to_string).collect::<Vec<_>>())
        };
        let (html, faults) = seen("ch05-maps.md#deny", "");
        assert!(html.contains("[The part of the chapter](ch05-maps.md#deny)"), "{html}");
        assert!(faults.is_empty(), "{faults:?}");
        let no_heading = "m:5: the page has no heading `x`\nhelp: its headings are deny";
        // Also where the page does not show the row.
        assert_eq!(seen("ch05-maps.md#x", "").1, [no_heading]);
        assert_eq!(seen("ch05-maps.md#x", "further = true\n").1, [no_heading]);
        let no_page = "m:5: the chapter has no other page `ch06-owner.md`";
        assert_eq!(seen("ch06-owner.md#deny", "").1, [no_page]);
    }

    #[test]
    fn hints_are_split_at_their_headings() {
        let text = "# Hints\n\n## One\n\na\n\n```text\n## not a heading\n```\n\n## `two`\n\nb\n";
        let (html, _) = hints(Path::new("h"), text);
        assert_eq!(html.matches("<details").count(), 2);
        assert!(html.contains("<summary><code>two</code></summary>\n\nb\n\n</details>"), "{html}");
    }
}

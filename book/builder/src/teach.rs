//! What a teacher does with each chapter: the notes of its page's front matter, and the mistakes that they name.

use std::fmt::Write as _;
use std::path::Path;

use crate::exercise;
use crate::fault::{Fault, Problem};
use crate::front::{FrontPage, Teach};

/// How many questions a chapter has at least.
const QUESTIONS: usize = 2;

/// What is wrong with the notes of a page that has these anchors. `other_page` gives those of another page of
/// its chapter.
pub(crate) fn faults(
    repo: &Path,
    src: &Path,
    page: &FrontPage,
    anchors: &[String],
    other_page: impl Fn(&str) -> Option<Vec<String>>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for minutes in page.front.minutes.values() {
        if let Some(problem) = minutes.get_ref().problem() {
            faults.push(page.fault(src, problem, minutes.span().start));
        }
    }
    let Some(spanned) = &page.front.teach else { return faults };
    let teach = spanned.get_ref();
    let shown = teach.show.iter().map(|note| &note.at);
    for at in shown.chain(teach.ask.iter().map(|question| &question.at)) {
        if let Some(problem) = exercise::place_problem(at.get_ref(), anchors, &other_page) {
            faults.push(page.fault(src, problem, at.span().start));
        }
    }
    let mistakes = match exercise::named_mistakes(repo, &page.name) {
        Ok(mistakes) => mistakes,
        Err(problem) => {
            faults.push(page.fault(src, problem, spanned.span().start));
            return faults;
        }
    };
    for name in &teach.stuck {
        if !mistakes.iter().any(|mistake| mistake.name == *name.get_ref()) {
            let what = format!("the chapter's mistakes.toml has no row `{}`", name.get_ref());
            let problem = Problem::new(what).help("`stuck` has names of rows, without `further`");
            faults.push(page.fault(src, problem, name.span().start));
        }
    }
    if teach.ask.len() < QUESTIONS || teach.show.is_empty() || teach.stuck.is_empty() {
        let problem = Problem::new("the notes have too little for a lesson");
        let help = "at least one `show`, one row in `stuck`, and two questions in `ask`";
        faults.push(page.fault(src, problem.help(help), spanned.span().start));
    }
    faults
}

/// A section for each chapter among `pages`, and the chapters that have no notes.
pub(crate) fn sections(repo: &Path, src: &Path, pages: &[FrontPage]) -> (String, Vec<Fault>) {
    let (mut text, mut faults) = (String::new(), Vec::new());
    for page in pages {
        let Some(number) = page.number() else { continue };
        let Some(teach) = &page.front.teach else {
            let problem = Problem::new("this chapter has no notes for teachers");
            faults.push(page.fault(src, problem.help("its front matter has a table `teach`"), 0));
            continue;
        };
        text += &section(repo, number, page, pages, teach.get_ref());
    }
    (text, faults)
}

fn section(
    repo: &Path,
    number: u32,
    page: &FrontPage,
    pages: &[FrontPage],
    teach: &Teach,
) -> String {
    let (name, slug) = (&page.name, page.slug());
    let minutes: Vec<String> = crate::minutes::ACTIVITIES
        .iter()
        .filter_map(|activity| {
            Some(format!("{activity} {}", page.minutes_with_parts(pages, activity)?))
        })
        .collect();
    let mut text = format!(
        "## {number} {slug}\n\n[The page]({name}.md), minutes: {}.\n\n",
        minutes.join(", ")
    );
    text += "**Show live**\n\n";
    for note in &teach.show {
        let link = link_to(page, pages, note.at.get_ref());
        line(&mut text, &format!("{link}: {}", note.text.trim()));
    }
    text += "\n**Ask**\n\n";
    for question in &teach.ask {
        let link = link_to(page, pages, question.at.get_ref());
        let ask = format!("{link}: {}", question.question.trim());
        line(&mut text, &format!("{ask} *Answer:* {}", question.answer.trim()));
    }
    text += "\n**Where rooms get stuck**\n\n";
    let mistakes = exercise::named_mistakes(repo, name).unwrap_or_default();
    for stuck in &teach.stuck {
        let Some(mistake) = mistakes.iter().find(|mistake| mistake.name == *stuck.get_ref()) else {
            continue; // a fault of its page
        };
        line(&mut text, &format!("**{}**: {} {}", mistake.name, mistake.cause, mistake.remedy));
    }
    write!(text, "\n**Skip**: {}\n\n", teach.skip.trim()).expect("a String takes all");
    text
}

/// A link to a section of a chapter's page, or of another page of the chapter, by its heading.
fn link_to(page: &FrontPage, pages: &[FrontPage], at: &str) -> String {
    let Some((file, anchor)) = at.split_once('#') else {
        return format!("[{}]({}.md#{at})", page.heading(at), page.name);
    };
    let other = pages.iter().find(|page| file.strip_suffix(".md") == Some(&page.name));
    format!("[{}]({at})", other.map_or("", |other| other.heading(anchor)))
}

fn line(text: &mut String, item: &str) {
    let item = item.split_whitespace().collect::<Vec<_>>().join(" ");
    writeln!(text, "- {item}").expect("a String takes all");
}

//! What the speaker view loads, in the folder `present` beside the pages: its script, its stylesheet, and for each
//! page a script with the notes of its front matter. A page that is only read loads none of it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::exercise;
use crate::front::{self, FrontPage, Question};
use crate::page::inline_html;

const FOLDER: &str = "present";
const FILES: [&str; 2] = ["present.js", "present.css"];

/// Writes them into the directory `built`. Pages that cannot be read are faults already.
pub(crate) fn write(repo: &Path, src: &Path, built: &Path) -> Result<()> {
    let folder = built.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for file in FILES {
        let theme = repo.join("book/theme").join(file);
        fs::copy(&theme, folder.join(file))
            .with_context(|| format!("cannot copy {}", theme.display()))?;
    }
    let pages = front::read_all(repo, src).unwrap_or_default();
    for page in &pages {
        let file = folder.join(&page.name).with_extension("js");
        let text = format!("present_notes({});\n", notes(repo, page, &pages));
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The notes for a page as HTML, and the minutes that its chapter has in a plan. A page without an exercise has
/// those that its chapter's front matter places on it.
fn notes(repo: &Path, page: &FrontPage, pages: &[FrontPage]) -> Value {
    let part_of = page.front.part_of.as_ref().map(|name| name.get_ref());
    let chapter = part_of.and_then(|name| pages.iter().find(|other| other.name == *name));
    let chapter = chapter.unwrap_or(page);
    let minutes = chapter.front.minutes.get("show").map(|minutes| minutes.get_ref().known());
    let here = |at: &str| {
        let (file, anchor) = at.split_once(".md#").unwrap_or((&chapter.name, at));
        (file == page.name).then(|| anchor.to_owned())
    };
    let (mut show, mut ask, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(teach) = &chapter.front.teach {
        let teach = teach.get_ref();
        for note in &teach.show {
            let Some(at) = here(note.at.get_ref()) else { continue };
            show.push(json!({ "at": at, "text": inline_html(&note.text) }));
        }
        for Question { at, question, answer } in &teach.ask {
            let Some(at) = here(at.get_ref()) else { continue };
            let (question, answer) = (inline_html(question), inline_html(answer));
            ask.push(json!({ "at": at, "question": question, "answer": answer }));
        }
        let mistakes = exercise::named_mistakes(repo, &chapter.name).unwrap_or_default();
        for name in &teach.stuck {
            let mistake = mistakes.iter().find(|mistake| mistake.name == *name.get_ref());
            let text = mistake.map(|mistake| format!("**{}**: {}", mistake.name, mistake.remedy));
            stuck.extend(text.map(|text| inline_html(&text)));
        }
    }
    json!({ "minutes": minutes, "show": show, "ask": ask, "stuck": stuck })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_with_the_page_that_it_is_about() {
        let page = |name: &str, text: &str| {
            let text = format!("<!-- front matter\n{text}\n-->\n");
            front::parse(&Path::new(name).with_extension("md"), &text).unwrap()
        };
        let teach = "[minutes]\nshow = { estimate = 20 }\n[teach]\nstuck = []\nskip = ''\n\
            ask = [{ at = 'here', question = '`a`', answer = 'b' }]\n\
            show = [{ at = 'ch05-maps.md#there', text = 'c' }]\n";
        let pages = [page("ch05-user", teach), page("ch05-maps", "part_of = 'ch05-user'")];
        let notes = |page| notes(Path::new("/nowhere"), page, &pages);
        let ask = json!([{ "at": "here", "question": "<code>a</code>", "answer": "b" }]);
        assert_eq!(notes(&pages[0]), json!({ "minutes": 20, "show": [], "ask": ask, "stuck": [] }));
        let show = json!([{ "at": "there", "text": "c" }]);
        assert_eq!(
            notes(&pages[1]),
            json!({ "minutes": 20, "show": show, "ask": [], "stuck": [] })
        );
    }
}

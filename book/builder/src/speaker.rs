//! What the speaker view loads, in the folder `present` beside the pages: its script, its stylesheet, and for each
//! page a script with the notes of its front matter. A page that is only read loads none of it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::exercise;
use crate::front::{self, FrontPage};
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
    for page in front::read_all(repo, src).unwrap_or_default() {
        let file = folder.join(&page.name).with_extension("js");
        let text = format!("present_notes({});\n", notes(repo, &page));
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The notes of a page as HTML, and the minutes that it has in a plan.
fn notes(repo: &Path, page: &FrontPage) -> Value {
    let minutes = page.front.minutes.get("show").map(|minutes| minutes.get_ref().known());
    let (mut show, mut ask, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(teach) = &page.front.teach {
        let teach = teach.get_ref();
        for note in &teach.show {
            show.push(json!({ "at": note.at.get_ref(), "text": inline_html(&note.text) }));
        }
        for question in &teach.ask {
            ask.push(json!({
                "at": question.at.get_ref(),
                "question": inline_html(&question.question),
                "answer": inline_html(&question.answer),
            }));
        }
        let mistakes = exercise::named_mistakes(repo, &page.name).unwrap_or_default();
        for mistake in mistakes
            .iter()
            .filter(|mistake| teach.stuck.iter().any(|stuck| *stuck.get_ref() == mistake.name))
        {
            stuck.push(inline_html(&format!("**{}**: {}", mistake.name, mistake.remedy)));
        }
    }
    json!({ "minutes": minutes, "show": show, "ask": ask, "stuck": stuck })
}

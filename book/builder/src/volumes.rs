//! The book on paper has two volumes: the page of all pages, `print.html`, loses a part that is printed apart, which
//! becomes a page of its own, such as `print-teaching.html`.
//!
//! `printed-apart` in book.toml names the part as SUMMARY.md does.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;

use crate::directive::NAME;
use crate::page::escape;

/// What mdBook writes between two pages.
const BREAK: &str = "<div style=\"break-before: page; page-break-before: always;\"></div>";

/// The file of a part that is printed apart.
pub(crate) fn file_of(part: &str) -> String {
    format!("print-{}.html", part.to_lowercase().replace(' ', "-"))
}

/// Splits the page of all pages in the directory `built`.
pub(crate) fn split(book: &MDBook, built: &Path) -> Result<()> {
    let key = format!("preprocessor.{NAME}.printed-apart");
    let print = built.join("print.html");
    let Some(part) = book.config.get::<String>(&key)? else { return Ok(()) };
    if !print.is_file() {
        return Ok(()); // book.toml asks for no such page
    }
    let is_apart = are_in_part(book, &part);
    if !is_apart.contains(&true) {
        return Ok(());
    }
    let text = fs::read_to_string(&print).context("cannot read print.html")?;
    let main = text.split_once("<main>").zip(text.rsplit_once("</main>"));
    let ((head, _), (_, tail)) = main.context("print.html: no <main>")?;
    let pages: Vec<&str> = text
        [head.len() + "<main>".len()..text.len() - tail.len() - "</main>".len()]
        .split(BREAK)
        .collect();
    ensure!(
        pages.len() == is_apart.len(),
        "print.html has {} pages, and SUMMARY.md {}",
        pages.len(),
        is_apart.len()
    );
    let volume = |apart: bool| {
        let own = pages.iter().zip(&is_apart).filter(|(_, is_apart)| **is_apart == apart);
        own.map(|(page, _)| *page).collect::<Vec<_>>().join(BREAK)
    };
    let line = format!(
        "<h1 id=\"printed-apart\">{0}</h1>\n<p>This part is printed apart: <code>cargo xtask book --pdf FILE --part {1}</code>.</p>\n",
        escape(&part),
        escape(&part.to_lowercase())
    );
    let write = |file: &str, volume: &str| {
        let text = format!("{head}<main>{}</main>{tail}", without_dead_links(volume));
        fs::write(built.join(file), text).with_context(|| format!("cannot write {file}"))
    };
    write("print.html", &(volume(false) + &line))?;
    write(&file_of(&part), &volume(true))
}

/// For each page of the book, in order, whether it stands in this part of SUMMARY.md.
fn are_in_part(book: &MDBook, part: &str) -> Vec<bool> {
    let (mut inside, mut pages) = (false, Vec::new());
    for item in book.iter() {
        match item {
            BookItem::Chapter(chapter) if chapter.path.is_none() => inside = chapter.name == part,
            BookItem::Chapter(_) => pages.push(inside),
            BookItem::PartTitle(title) => inside = title == part,
            BookItem::Separator => {}
        }
    }
    pages
}

/// A link to a place in the other volume leads nowhere on paper: its text stays.
fn without_dead_links(volume: &str) -> String {
    const LINK: &str = "<a href=\"#";
    // The page is long, and all that counts here are its ids, which mdBook writes in one way.
    let after = |part: &str| part.split_once('"').map(|(id, _)| id.to_owned());
    let ids: HashSet<String> = volume.split(" id=\"").skip(1).filter_map(after).collect();
    let mut parts = volume.split(LINK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (id, rest) = part.split_once('"').unwrap_or((part, ""));
        match ids.contains(id) {
            true => text.extend([LINK, part]),
            false => text.extend(["<a", rest]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_other_volume_loses_its_target() {
        let volume =
            "<h1 id=\"a\">A</h1><a href=\"#a\">x</a> <a href=\"#b\">y</a> <a href=\"c.html\">z</a>";
        assert_eq!(
            without_dead_links(volume),
            "<h1 id=\"a\">A</h1><a href=\"#a\">x</a> <a>y</a> <a href=\"c.html\">z</a>"
        );
    }
}

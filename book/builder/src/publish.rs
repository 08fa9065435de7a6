//! The book as it is published: beside the pages stand the PDF and the EPUB that the index links, and each page
//! says where it stands and what it is about, for search engines and for the card that a chat shows of a link.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mdbook_driver::MDBook;
use mdbook_driver::book::{BookItem, Chapter};
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};

use crate::page::escape;
use crate::{browser, epub, links, pdf, volumes};

/// The part that has a PDF of its own.
const PRINTED_APART: &str = "teaching";

/// The picture on the card, and its size in pixels, which is what the readers of `og:image` ask for.
const CARD: &str = include_str!("../../theme/card.html");
const CARD_FILE: &str = "card.png";
const CARD_SIZE: (u32, u32) = (1200, 630);

/// Adds to the pages that were built into the directory `built` what they need at `address`, a URL that ends
/// in a slash.
///
/// # Errors
///
/// The address is no such URL, there is no browser, or a page has no place for its description.
pub fn write(repo: &Path, built: &Path, address: &str) -> Result<()> {
    ensure!(
        address.starts_with("https://") && address.ends_with('/') && !address.contains(['"', ' ']),
        "`{address}` is not an address\nhelp: https://HOST/PATH/, with a slash at its end"
    );
    // Both are made of the pages as they are for a reader without a network.
    let [as_pdf, as_epub, apart] = links::PUBLISHED.map(|name| built.join(name));
    pdf::write(built, None, &as_pdf)?;
    if built.join(volumes::file_of(PRINTED_APART)).is_file() {
        pdf::write(built, Some(PRINTED_APART), &apart)?;
    }
    epub::write(repo, built, &as_epub)?;
    card(built)?;

    let book = MDBook::load(repo.join("book"))?;
    let about = book.config.book.description.as_deref().unwrap_or_default();
    let mut sitemap = String::new();
    for item in book.iter() {
        let BookItem::Chapter(Chapter { name, content, path: Some(path), .. }) = item else {
            continue;
        };
        let file = path.with_extension("html");
        let is_front = path == Path::new("index.md");
        let url = match is_front {
            true => address.to_owned(),
            false => format!("{address}{}", file.display()),
        };
        let description = if is_front { about.to_owned() } else { opening(content) };
        writeln!(sitemap, "<url><loc>{}</loc></url>", escape(&url)).expect("a String takes all");

        let file = built.join(file);
        let page = fs::read_to_string(&file);
        let page = page.with_context(|| format!("cannot read {}", file.display()))?;
        let old = format!("<meta name=\"description\" content=\"{}\">", escape(about));
        ensure!(page.matches(&old).count() == 1, "{}: not one description", file.display());
        let new = head(name, &description, &url, address);
        fs::write(&file, page.replace(&old, &new))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let sitemap = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n{sitemap}</urlset>\n"
    );
    fs::write(built.join("sitemap.xml"), sitemap).context("cannot write sitemap.xml")
}

/// What the head of a page says of it, by the Open Graph protocol (ogp.me).
fn head(title: &str, description: &str, url: &str, address: &str) -> String {
    let (width, height) = CARD_SIZE;
    let [title, description, url, address] = [title, description, url, address].map(escape);
    format!(
        "<meta name=\"description\" content=\"{description}\">\n        \
         <link rel=\"canonical\" href=\"{url}\">\n        \
         <meta property=\"og:type\" content=\"article\">\n        \
         <meta property=\"og:title\" content=\"{title}\">\n        \
         <meta property=\"og:description\" content=\"{description}\">\n        \
         <meta property=\"og:url\" content=\"{url}\">\n        \
         <meta property=\"og:image\" content=\"{address}{CARD_FILE}\">\n        \
         <meta property=\"og:image:width\" content=\"{width}\">\n        \
         <meta property=\"og:image:height\" content=\"{height}\">\n        \
         <meta property=\"og:image:alt\" content=\"A lab with one process in a UTS namespace of its own\">\n        \
         <meta name=\"twitter:card\" content=\"summary_large_image\">"
    )
}

/// Draws the card.
fn card(built: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a directory for the card")?;
    let page = folder.path().join("card.html");
    fs::write(&page, CARD).context("cannot write the page of the card")?;
    let (width, height) = CARD_SIZE;
    let size = format!("--window-size={width},{height}");
    browser::write(&page, "--screenshot", &["--hide-scrollbars", &size], &built.join(CARD_FILE))
}

/// The first sentence of a page, without its markup. A short one says little, and takes the next one along.
fn opening(markdown: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for event in new_cmark_parser(markdown, &MarkdownOptions::default()) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) => break,
            Event::Text(part) | Event::Code(part) if inside => text += &part,
            Event::SoftBreak if inside => text.push(' '),
            _ => {}
        }
    }
    const SHORT: usize = 60;
    let end = text.match_indices(". ").map(|(end, _)| end).find(|end| *end >= SHORT);
    text.truncate(end.map_or(text.len(), |end| end + 1));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_described_by_its_opening() {
        let page = "# look: a title\n\n**After this chapter you can** read `/proc` and call\n\
                    [unshare(2)](x.md) by hand. More.\n\nAnd more.\n";
        assert_eq!(
            opening(page),
            "After this chapter you can read /proc and call unshare(2) by hand."
        );
        assert_eq!(opening("# Title\n\nShort. And a second.\n\nMore.\n"), "Short. And a second.");
        assert_eq!(opening("# Title\n"), "");
    }
}

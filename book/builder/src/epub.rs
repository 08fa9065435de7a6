//! The book as an EPUB 3: the rendered pages as XHTML, in a zip archive with their list and their contents.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use xtask::shared::time::utc;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, result::ZipResult};

use crate::light::light;
use crate::links;
use crate::page::escape;
use crate::xhtml::{self, Xhtml};

/// The name by which a reading system knows the book in each of its editions.
const IDENTIFIER: &str = "urn:uuid:32c6dbe4-6aae-4778-9aba-a910b04dc610";

/// A few rules for systems that have a stylesheet of their own for everything else.
const CSS: &str = include_str!("../../theme/css/epub.css");

const CONTAINER: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"#;

/// A variable of reproducible-builds.org: seconds since 1970, which stand for now in what a build writes.
const TIME: &str = "SOURCE_DATE_EPOCH";

/// A page, or the title of a part.
enum Entry {
    Page { title: String, file: String, page: Xhtml },
    Part(String),
}

/// Writes the pages that were built into the directory `built` to `file`.
///
/// # Errors
///
/// A page that is no XHTML, a link that leads to no page, and what the file system refuses.
pub fn write(repo: &Path, built: &Path, file: &Path) -> Result<()> {
    let book = MDBook::load(repo.join("book"))?;
    let entries = entries(&book, built)?;
    let config = &book.config.book;
    let title = config.title.as_deref().unwrap_or_default();
    let about = format!(
        "<dc:identifier id=\"id\">{IDENTIFIER}</dc:identifier>\n<dc:title>{}</dc:title>\n\
         <dc:language>{}</dc:language>\n<dc:creator>The authors of {}</dc:creator>\n\
         <dc:description>{}</dc:description>\n<dc:rights>MIT OR Apache-2.0</dc:rights>\n\
         <meta property=\"dcterms:modified\">{}</meta>",
        escape(title),
        escape(config.language.as_deref().unwrap_or("en")),
        escape(title),
        escape(config.description.as_deref().unwrap_or_default()),
        utc(now()),
    );
    let css = [CSS, &light(figures::CSS)].concat();
    let written = File::create(file)
        .map_err(anyhow::Error::from)
        .and_then(|archive| Ok(archive_of(archive, &entries, &about, title, &css)?));
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// Reads the pages in the order of SUMMARY.md.
fn entries(book: &MDBook, built: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for item in book.iter() {
        match item {
            BookItem::Chapter(chapter) => {
                let Some(path) = &chapter.path else {
                    // SUMMARY.md groups the pages after the chapters by titles without a page.
                    entries.push(Entry::Part(chapter.name.clone()));
                    continue;
                };
                let html = path.with_extension("html");
                // mdBook names the first page `index.html`, too.
                let text = fs::read_to_string(built.join(&html))
                    .with_context(|| format!("cannot read {}", html.display()))?;
                let main =
                    text.split_once("<main>").and_then(|(_, rest)| rest.split_once("</main>"));
                let (main, _) = main.with_context(|| format!("{}: no <main>", html.display()))?;
                let page = xhtml::of(main, link)
                    .map_err(|fault| anyhow!("{}: {fault}", html.display()))?;
                let title = match &chapter.number {
                    Some(number) => format!("{number} {}", chapter.name),
                    None => chapter.name.clone(),
                };
                let file = path.with_extension("xhtml").display().to_string();
                entries.push(Entry::Page { title, file, page });
            }
            BookItem::PartTitle(title) => entries.push(Entry::Part(title.clone())),
            BookItem::Separator => {}
        }
    }
    Ok(entries)
}

/// A link to another page leads to the same page in the EPUB. One to a file that is published beside the pages
/// leads to the contents.
fn link(url: &str) -> String {
    let (page, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    match page.strip_suffix(".html") {
        Some(page) if !page.contains("://") => format!("{page}.xhtml{fragment}"),
        None if links::is_published(Path::new(page)) => "contents.xhtml".to_owned(),
        _ => url.to_owned(),
    }
}

fn archive_of(
    file: impl Write + Seek,
    entries: &[Entry],
    about: &str,
    title: &str,
    css: &str,
) -> ZipResult<()> {
    let mut archive = ZipWriter::new(file);
    let mut add = |name: &str, text: &str, method: CompressionMethod| {
        archive.start_file(name, SimpleFileOptions::default().compression_method(method))?;
        archive.write_all(text.as_bytes()).map_err(zip::result::ZipError::from)
    };
    // It has to be the first, and as it is, so that a program knows the kind of the file by its first bytes.
    add("mimetype", "application/epub+zip", CompressionMethod::Stored)?;
    let mut add = |name: &str, text: &str| add(name, text, CompressionMethod::Deflated);
    add("META-INF/container.xml", CONTAINER)?;
    add("book.opf", &list(entries, about))?;
    add("contents.xhtml", &document("Contents", &contents(entries)))?;
    add("book.css", css)?;
    for entry in entries {
        if let Entry::Page { title: page_title, file, page } = entry {
            add(file, &document(&format!("{page_title} - {title}"), &page.text))?;
        }
    }
    archive.finish().map(drop)
}

fn document(title: &str, body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{}</title><link rel="stylesheet" href="book.css"/></head>
<body>
{body}
</body>
</html>
"#,
        escape(title)
    )
}

/// The table of contents. A part holds the pages that stand below its title.
fn contents(entries: &[Entry]) -> String {
    let mut lines = String::from("<nav epub:type=\"toc\"><h1>Contents</h1>\n<ol>\n");
    let mut in_part = false;
    for entry in entries {
        match entry {
            Entry::Page { title, file, .. } => {
                writeln!(lines, "<li><a href=\"{file}\">{}</a></li>", escape(title))
            }
            Entry::Part(title) => {
                let end = if in_part { "</ol></li>\n" } else { "" };
                in_part = true;
                writeln!(lines, "{end}<li><span>{}</span><ol>", escape(title))
            }
        }
        .expect("a String takes all");
    }
    lines + if in_part { "</ol></li>\n" } else { "" } + "</ol></nav>"
}

/// The package document: what the book is, which files it has, and their order.
fn list(entries: &[Entry], about: &str) -> String {
    let (mut files, mut order) = (String::new(), String::new());
    for (number, entry) in entries.iter().enumerate() {
        let Entry::Page { file, page, .. } = entry else { continue };
        let svg = if page.has_svg { " properties=\"svg\"" } else { "" };
        writeln!(
            files,
            "<item id=\"p{number}\" href=\"{file}\" media-type=\"application/xhtml+xml\"{svg}/>"
        )
        .and_then(|()| writeln!(order, "<itemref idref=\"p{number}\"/>"))
        .expect("a String takes all");
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
{about}
</metadata>
<manifest>
<item id="contents" href="contents.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="css" href="book.css" media-type="text/css"/>
{files}</manifest>
<spine>
<itemref idref="contents"/>
{order}</spine>
</package>
"#
    )
}

/// The time that is written into files.
pub(crate) fn now() -> SystemTime {
    let fixed = std::env::var(TIME).ok().and_then(|seconds| seconds.parse().ok());
    fixed.map_or_else(SystemTime::now, |seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_another_page_leads_to_its_file() {
        assert_eq!(link("ch05-user.html#deny"), "ch05-user.xhtml#deny");
        assert_eq!(link("#deny"), "#deny");
        assert_eq!(link("linux-namespaces-by-hand.pdf"), "contents.xhtml");
        assert_eq!(link("https://example.org/a.pdf"), "https://example.org/a.pdf");
        assert_eq!(link("https://example.org/a.html"), "https://example.org/a.html");
    }
}

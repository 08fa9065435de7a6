//! The book as one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;

use crate::fixture::Repo;

/// The files of an EPUB, and the name of the first.
fn unpacked(repo: &Repo) -> (String, BTreeMap<String, String>) {
    let file = repo.path().join("book.epub");
    book::epub::write(repo.path(), &repo.build(), &file).unwrap();
    let mut archive = zip::ZipArchive::new(fs::File::open(file).unwrap()).unwrap();
    let first = {
        let file = archive.by_index(0).unwrap();
        assert_eq!(file.compression(), zip::CompressionMethod::Stored);
        file.name().to_owned()
    };
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let text = |name: String| {
        let mut text = String::new();
        archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
        (name, text)
    };
    (first, names.into_iter().map(text).collect())
}

/// What stands between `before` and the next quotation mark, each time.
fn values<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap())
}

#[test]
fn an_epub_has_every_page_and_its_links_lead_to_places_in_it() {
    let repo = Repo::clean();
    let (first, files) = unpacked(&repo);
    assert_eq!(first, "mimetype");
    assert_eq!(files["mimetype"], "application/epub+zip");

    let pages: BTreeSet<&str> =
        files.keys().map(String::as_str).filter(|name| name.ends_with("xhtml")).collect();
    let listed: BTreeSet<&str> =
        values(&files["book.opf"], "href=\"").filter(|name| name.ends_with("xhtml")).collect();
    assert_eq!(listed, pages);
    assert_eq!(
        values(&files["contents.xhtml"], "href=\"")
            .filter(|name| name.ends_with("xhtml"))
            .collect::<Vec<_>>(),
        ["start.xhtml", "ch02-unshare.xhtml", "errors.xhtml"]
    );
    for page in &pages {
        let text = &files[*page];
        let has_svg = text.contains("<svg");
        assert_eq!(
            files["book.opf"].contains(&format!(
                "href=\"{page}\" media-type=\"application/xhtml+xml\" properties=\"svg\""
            )),
            has_svg
        );
        for link in values(text, "<a href=\"").chain(values(text, "class=\"header\" href=\"")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            if link.contains("://") {
                continue;
            }
            let target = if file.is_empty() { text } else { &files[file] };
            assert!(
                fragment.is_empty() || target.contains(&format!("id=\"{fragment}\"")),
                "{page}: {link} leads nowhere"
            );
        }
    }
}

#[test]
fn a_page_that_is_no_xhtml_is_named() {
    let repo = Repo::quick();
    repo.write(
        "book/theme/index.hbs",
        "<title>{{ title }}</title><main>{{{ content }}}</p></main>",
    );
    let error = book::epub::write(repo.path(), &repo.build(), &repo.path().join("book.epub"));
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.ends_with("</p> where nothing is open"), "{error}");
    assert!(error.contains(".html: "), "{error}");
}

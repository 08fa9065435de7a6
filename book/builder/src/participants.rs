//! The book as it is in the archive for a workshop's participants: a PDF and an EPUB lie beside the pages, and no
//! byte of them depends on the time or on the place of the build.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xtask::shared::time::utc;

use crate::paths::{files, has_extension};
use crate::{browser, epub, links, pdf};

/// Adds the EPUB to the pages that were built into the directory `built`, and the PDF if `print` says so and
/// there is a browser. Returns why there is none. The time in them is that of `SOURCE_DATE_EPOCH`.
///
/// # Errors
///
/// The browser wrote nothing or something else than before, or a file cannot be written.
pub fn write(repo: &Path, built: &Path, print: bool) -> Result<Option<String>> {
    let [as_pdf, as_epub, _] = links::PUBLISHED.map(|name| built.join(name));
    epub::write(repo, built, &as_epub)?;
    let none = match (print, browser::find()) {
        (true, Ok(_)) => None,
        (true, Err(none)) => Some(format!("{none:#}")),
        (false, _) => Some("it was not asked for".to_owned()),
    };
    for file in links::PUBLISHED {
        let is_there = built.join(file) == as_epub || none.is_none() && built.join(file) == as_pdf;
        for page in files(built).iter().filter(|page| has_extension(page, "html")) {
            // A PDF of the page that is printed would have the address of this machine's folder in it.
            let is_printed = page.to_string_lossy().starts_with("print");
            if is_printed || !is_there {
                unlink(&built.join(page), file)?;
            }
        }
    }
    if none.is_some() {
        return Ok(none);
    }
    pdf::write(built, None, &as_pdf)?;
    let read = fs::read(&as_pdf).with_context(|| format!("cannot read {}", as_pdf.display()))?;
    let same = reproducible(read, &utc(epub::now()))?;
    fs::write(&as_pdf, same).with_context(|| format!("cannot write {}", as_pdf.display()))?;
    Ok(None)
}

/// Takes the links to a file out of a page, and leaves their text.
fn unlink(page: &Path, file: &str) -> Result<()> {
    let text = fs::read_to_string(page);
    let text = text.with_context(|| format!("cannot read {}", page.display()))?;
    let new = unlinked(&text, file);
    if new != text {
        fs::write(page, new).with_context(|| format!("cannot write {}", page.display()))?;
    }
    Ok(())
}

fn unlinked(text: &str, file: &str) -> String {
    let opening = format!("<a href=\"{file}\">");
    let mut parts = text.split(&opening);
    let mut new = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        new += &part.replacen("</a>", "", 1);
    }
    new
}

/// Gives a PDF this time instead of that of its printing, and its parts the numbers 0, 1, 2, … in their order:
/// Chromium counts on from whatever it has counted before. Each new text is as long as the old one, because a PDF
/// names its places by their distance from the start of the file.
fn reproducible(mut file: Vec<u8>, time: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = time.bytes().filter(u8::is_ascii_digit).collect();
    for key in ["/CreationDate (D:", "/ModDate (D:"] {
        let places = after(&file, key);
        ensure!(places.len() == 1, "the PDF has {} times `{key}`, not one", places.len());
        file[places[0]..][..digits.len()].copy_from_slice(&digits);
    }
    const DIGITS: usize = 8;
    let is_number = |at: &usize| {
        let digits = file[*at..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.count() == DIGITS
    };
    let places: Vec<usize> = after(&file, "(node").into_iter().filter(is_number).collect();
    let number = |at: usize| file[at..at + DIGITS].to_vec();
    let known: BTreeSet<Vec<u8>> = places.iter().map(|at| number(*at)).collect();
    let new: BTreeMap<Vec<u8>, String> =
        known.into_iter().zip(0..).map(|(old, new)| (old, format!("{new:08}"))).collect();
    for at in places {
        let new = new[&file[at..at + DIGITS]].as_bytes();
        file[at..at + DIGITS].copy_from_slice(new);
    }
    Ok(file)
}

/// The places behind each `key`.
fn after(file: &[u8], key: &str) -> Vec<usize> {
    let places = file.windows(key.len()).enumerate();
    places.filter(|(_, bytes)| *bytes == key.as_bytes()).map(|(at, _)| at + key.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_what_is_not_there_becomes_text() {
        let page = "<p>A <a href=\"a.pdf\">PDF</a>, an <a href=\"a.epub\">EPUB</a> and <a href=\"a.pdf\">it</a>.";
        let wanted = "<p>A PDF, an <a href=\"a.epub\">EPUB</a> and it.";
        assert_eq!(unlinked(page, "a.pdf"), wanted);
        assert_eq!(unlinked(wanted, "a.pdf"), wanted);
    }

    #[test]
    fn two_prints_of_the_same_pages_become_equal() {
        let file = |time, [one, other]: [u32; 2]| {
            format!(
                "/CreationDate (D:{time}+00'00')\n/ModDate (D:{time}+00'00') /ID (node{one:08}) \
                 /ID (node{other:08}) [(node{one:08})] (node12)"
            )
        };
        let printed = |time, ids| {
            let same = reproducible(file(time, ids).into_bytes(), "2001-02-03T04:05:06Z");
            String::from_utf8(same.unwrap()).unwrap()
        };
        let wanted = file("20010203040506", [1, 0]);
        assert_eq!(printed("20261130185900", [326, 325]), wanted);
        assert_eq!(printed("20261130185959", [431, 420]), wanted);
        assert!(reproducible(b"%PDF-1.4".to_vec(), "2001-02-03T04:05:06Z").is_err());
    }
}

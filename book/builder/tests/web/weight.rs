//! What a page weighs on its way to the reader.

use crate::site::Site;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// With everything that it asks for, compressed, and without the figures in it.
const MOST: usize = 120 * 1024;

/// The fault of a page that asked for all of this. A page of many pages, for print, is free.
pub(crate) fn faults(asked: &[&str], site: &Site, page: &str) -> Option<String> {
    let weight = weight(asked, site);
    (weight > MOST && !page.starts_with("print"))
        .then(|| format!("weighs {weight} bytes, which is more than {MOST}"))
}

fn weight(asked: &[&str], site: &Site) -> usize {
    let files = asked.iter().filter_map(|url| site.file(url));
    files.map(|file| compressed(&without_figures(std::fs::read(file).unwrap()))).sum()
}

fn without_figures(mut file: Vec<u8>) -> Vec<u8> {
    let find = |text: &[u8], word: &[u8]| text.windows(word.len()).position(|part| part == word);
    let end = b"</figure>";
    while let Some(start) = find(&file, b"<figure class=\"steps\"") {
        let length = find(&file[start..], end).expect("every figure ends") + end.len();
        file.drain(start..start + length);
    }
    file
}

fn compressed(file: &[u8]) -> usize {
    let mut gzip = Command::new("gzip");
    let mut gzip = gzip.arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(file).unwrap());
        gzip.wait_with_output().unwrap().stdout.len()
    })
}

#[test]
fn figures_weigh_nothing() {
    let page =
        b"<p>a</p><figure class=\"steps\" id=\"fig-b\">b</figure><figure>c</figure>".to_vec();
    assert_eq!(without_figures(page), b"<p>a</p><figure>c</figure>");
}

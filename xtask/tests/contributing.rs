//! The files that README.md and CONTRIBUTING.md name are there.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_file_that_is_named_is_there() {
    for page in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        assert!(paths_in(&text).len() > 10, "{page} names files");
        assert_eq!(missing_in(&text), [""; 0], "{page}");
    }
}

#[test]
fn a_wrong_name_is_found() {
    let text = "`xtask/src/main.rs`, `exercises/chNN-slug/stub.rs`, `xtask/src/{main,mian}.rs` and \
                `exercises/lab/src/landlord.rs`, [one](book/src/ch00-none.md)";
    let wrong = ["xtask/src/mian.rs", "exercises/lab/src/landlord.rs", "book/src/ch00-none.md"];
    assert_eq!(missing_in(text), wrong);
}

/// The named paths of this checkout at which there is nothing.
fn missing_in(text: &str) -> Vec<String> {
    let paths = paths_in(text).into_iter();
    paths.filter(|path| !root().join(path.replace("chNN-slug", "ch02-unshare")).exists()).collect()
}

/// What is a link or stands in backticks, and begins with a folder of this checkout.
fn paths_in(text: &str) -> Vec<String> {
    const FOLDERS: [&str; 5] = ["exercises/", "solutions/", "xtask/", "book/", ".ci/"];
    // Outside of code blocks, whose own backticks are three.
    let prose = || text.split("```").step_by(2);
    let quoted = prose().flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let links = prose().flat_map(|prose| prose.split("](").skip(1));
    let links = links.filter_map(|link| Some(link.split_once(')')?.0));
    let is_path = |path: &&str| {
        let is_pattern = path.contains(' ') || path.contains("PAGE");
        FOLDERS.iter().any(|folder| path.starts_with(folder)) && !is_pattern
    };
    quoted.chain(links).filter(is_path).flat_map(expanded).collect()
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn expanded(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (names, after) = rest.split_once('}').expect("a brace is closed");
    names.split(',').map(|name| format!("{before}{name}{after}")).collect()
}

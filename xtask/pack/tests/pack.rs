//! The archive that `cargo xtask pack` makes of this checkout's newest commit. That it works without a network is
//! tried by `.ci/pack`.

#[macro_use]
#[path = "../../../exercises/lab/tests/common/skip.rs"]
mod skip;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aho_corasick::AhoCorasick;
use flate2::read::GzDecoder;
use xtask::shared::answer::{added, spaceless, stands_in};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Packs, in the folder `place`. The PDF takes a browser and half a minute, and has the same pages.
fn pack(root: &Path, place: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
    command.arg("--no-pdf").args(words).env("NAMESPACES_BY_HAND_ROOT", root).current_dir(place);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Whether this checkout is as its newest commit, which is what is packed.
fn is_committed() -> bool {
    let root = repository();
    let mut git = Command::new("git");
    git.args(["status", "--porcelain", "--untracked-files=no"]).current_dir(&root);
    let output = git.output().unwrap();
    output.status.success() && output.stdout.is_empty()
}

/// Path and content of each file. The paths begin below the archive's only folder.
fn files_of(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), 1_000_000_000);
        assert!(header.entry_type().is_file(), "{:?}", entry.path());
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let (top, path) = path.split_once('/').unwrap();
        assert!(top.starts_with("namespaces-by-hand-20"), "{top}");
        let mut content = Vec::new();
        let path = path.to_owned();
        entry.read_to_end(&mut content).unwrap();
        assert!(files.insert(path.clone(), content).is_none(), "{path} twice");
    }
    files
}

#[test]
fn two_packs_are_equal_and_have_no_answers() {
    slow!();
    if !is_committed() {
        skip!("this checkout has changes that are not committed, and a pack is made of a commit");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one.tar.gz", "other.tar.gz"].map(|name| folder.path().join(name));
    for out in [&one, &other] {
        let output = pack(&repository(), folder.path(), &["--out", out.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
        let sum = out.with_extension("gz.sha256");
        let mut check = Command::new("sha256sum");
        check.arg("--check").arg("--status").arg(&sum).current_dir(folder.path());
        assert!(check.status().unwrap().success(), "{}", fs::read_to_string(sum).unwrap());
    }
    assert!(fs::read(&one).unwrap() == fs::read(&other).unwrap(), "two packs of one commit differ");

    let files = files_of(&one);
    what_is_in_it(&files);
    let faults = answers_in(&files);
    assert_eq!(faults, [""; 0]);

    // The same look at a pack with a fault finds it.
    let mut planted = files.clone();
    let solution = fs::read(repository().join("solutions/ch02-unshare/src/main.rs")).unwrap();
    planted.insert("exercises/ch03-clone/examples/ch03-leak.rs".into(), solution.clone());
    let page = String::from_utf8(solution).unwrap().replace('<', "&lt;").replace('>', "&gt;");
    planted.get_mut("book/book/ch09-pid.html").unwrap().extend(page.as_bytes());
    let table = fs::read(repository().join("exercises/ch05-user/mistakes.toml")).unwrap();
    planted.insert("exercises/ch05-user/mistakes.toml".into(), table);
    let table = fs::read(repository().join("exercises/ch06-owner/challenges.toml")).unwrap();
    planted.insert("exercises/ch06-owner/challenges.toml".into(), table);
    let faults = answers_in(&planted);
    for name in
        ["ch06-owner/challenges.toml", "ch03-leak.rs", "ch09-pid.html", "ch05-user/mistakes.toml"]
    {
        assert!(faults.iter().any(|fault| fault.contains(name)), "{name}: {faults:?}");
    }
}

fn what_is_in_it(files: &BTreeMap<String, Vec<u8>>) {
    for file in [
        ".cargo/config.toml",
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-CC-BY",
        "LICENSE-MIT",
        "START.md",
        "book/book/ch17-box.html",
        "book/book/index.html",
        "book/book/linux-namespaces-by-hand.epub",
        "exercises/ch02-unshare/hints.md",
        "exercises/ch02-unshare/tests/check.rs",
        "pack.toml",
        "vendor/libc/LICENSE-MIT",
        "xtask/launch/src/main.rs",
    ] {
        assert!(files.contains_key(file), "{file}");
    }
    const NOT: [&str; 9] = [
        "solutions/",
        "promises.toml",
        "/cheats/",
        "/tries/",
        "/fakes/",
        "/others/",
        "further.rs",
        ".bak",
        ".progress",
    ];
    let own = || files.keys().filter(|file| !file.starts_with("vendor/"));
    for file in own() {
        assert!(!NOT.iter().any(|not| file.contains(not)), "{file}");
        let parts = file.split('/').collect::<Vec<_>>();
        if let ["exercises", chapter, "src", "main.rs"] = parts[..]
            && chapter.starts_with("ch")
        {
            assert_eq!(files[file], files[&format!("exercises/{chapter}/stub.rs")], "{file}");
        }
    }
    // No file names the folder in which it was packed.
    let place = repository().display().to_string();
    for file in own() {
        assert!(!String::from_utf8_lossy(&files[file]).contains(&place), "{file} names {place}");
    }
}

/// The files that have more than a third of the lines of an answer, of those
/// that no exercise has anyway. A page may give away a quarter, and the book in one file is many pages.
fn answers_in(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let text = |file: &str| String::from_utf8(files[file].clone()).unwrap();
    let stub_of = |chapter: &str| text(&format!("exercises/{chapter}/stub.rs"));
    let chapters: Vec<String> = fs::read_dir(repository().join("solutions"))
        .unwrap()
        .map(|chapter| chapter.unwrap().file_name().into_string().unwrap())
        .collect();
    let stubs: Vec<String> = chapters
        .iter()
        .flat_map(|chapter| stub_of(chapter).lines().map(spaceless).collect::<Vec<_>>())
        .collect();
    let mut answers = Vec::new();
    let mut faults = Vec::new();
    for chapter in &chapters {
        for answer in programs_in(&repository().join("solutions").join(chapter)) {
            let lines = added(&stub_of(chapter), &fs::read_to_string(&answer).unwrap());
            let lines: BTreeSet<String> =
                lines.into_iter().filter(|line| !stands_in(line, &stubs)).collect();
            assert!(lines.len() > 3, "{}", answer.display());
            answers.push((answer, lines));
        }
        let table = format!("exercises/{chapter}/mistakes.toml");
        let rows: toml::Table = text(&table).parse().unwrap();
        for row in rows["mistake"].as_array().unwrap() {
            if row["edit"].as_array().is_none_or(|edits| !edits.is_empty()) {
                faults.push(format!("{table} says how to make {}", row["name"]));
            }
        }
    }
    for (file, content) in files.iter().filter(|(file, _)| file.ends_with("/challenges.toml")) {
        let rows: toml::Table = String::from_utf8_lossy(content).parse().unwrap();
        for row in rows["challenge"].as_array().unwrap() {
            if row["solution"].as_str() != Some(":") {
                faults.push(format!("{file} solves {}", row["name"]));
            }
        }
    }
    assert!(answers.len() > 50, "{} answers", answers.len());
    // All lines are looked for at once, because there are thousands, in megabytes of text.
    let wanted: BTreeSet<&String> = answers.iter().flat_map(|(_, lines)| lines).collect();
    let wanted: Vec<&String> = wanted.into_iter().collect();
    let search = AhoCorasick::new(&wanted).unwrap();
    for (file, content) in files.iter().filter(|(file, _)| !file.starts_with("vendor/")) {
        let mut found = BTreeSet::new();
        for line in lines_of(file, content) {
            for hit in search.find_overlapping_iter(&line) {
                let wanted = wanted[hit.pattern().as_usize()];
                if !found.contains(wanted) && stands_in(wanted, std::slice::from_ref(&line)) {
                    found.insert(wanted);
                }
            }
        }
        for (answer, lines) in &answers {
            let given = lines.iter().filter(|line| found.contains(line)).count();
            if 3 * given > lines.len() {
                let answer = answer.strip_prefix(repository()).unwrap().display();
                faults.push(format!("{file} has {given} of the {} lines of {answer}", lines.len()));
            }
        }
    }
    faults
}

/// The programs that pass: the solution, what goes further, and the other right ones.
fn programs_in(chapter: &Path) -> Vec<PathBuf> {
    let mut programs = Vec::new();
    for folder in ["src", "others"] {
        for entry in fs::read_dir(chapter.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                programs.push(path);
            }
        }
    }
    programs.sort();
    programs
}

/// The text of a file as somebody reads it, in lines without white space.
fn lines_of(file: &str, content: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(content);
    let text = match file.rsplit('.').next().unwrap_or_default() {
        "html" => without_markup(&text),
        "epub" => {
            let mut book = zip::ZipArchive::new(Cursor::new(content)).unwrap();
            let mut text = String::new();
            for number in 0..book.len() {
                let mut page = book.by_index(number).unwrap();
                page.read_to_string(&mut text).unwrap();
            }
            without_markup(&text)
        }
        "js" => text.replace("\\n", "\n").replace("\\\"", "\""),
        _ => text.into_owned(),
    };
    text.lines().map(spaceless).collect()
}

fn without_markup(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in page.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    let escapes = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    escapes.iter().fold(text, |text, (escape, letter)| text.replace(escape, letter))
}

#[test]
fn a_place_that_cannot_be_written_is_refused_first() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    fs::write(place.join("there.tar.gz"), "old").unwrap();
    fs::write(place.join("half.tar.gz.sha256"), "old").unwrap();
    fs::create_dir(place.join("folder")).unwrap();
    if !is_committed() {
        skip!("this checkout has changes that are not committed, and a pack is made of a commit");
        return;
    }
    for (words, code, error) in [
        (
            &["--out", "folder"][..],
            2,
            "error: `folder` is a folder\nhelp: name a file: `--out folder/pack.tar.gz`\n",
        ),
        (
            &["--out", "there.tar.gz"],
            2,
            "error: `there.tar.gz` exists already\nhelp: remove it, or name another file\n",
        ),
        (
            &["--out", "half.tar.gz"],
            2,
            "error: `half.tar.gz.sha256` exists already\nhelp: remove it, or name another file\n",
        ),
        (
            &["--out", "none/a.tar.gz"],
            2,
            "error: there is no folder `none`\nhelp: make it, or name a file elsewhere\n",
        ),
        (&["--out"], 2, "error: `--out` needs a file\n"),
        (&["--pdf"], 2, "error: `pack` has no option `--pdf`\n"),
    ] {
        let output = pack(&repository(), place, words);
        assert!(said(&output).starts_with(error), "{words:?}: {}", said(&output));
        assert_eq!(output.status.code(), Some(code), "{words:?}");
    }
    assert_eq!(fs::read_to_string(place.join("there.tar.gz")).unwrap(), "old");
}

/// A small repository with these files, of which the first is committed.
fn small(place: &Path) -> PathBuf {
    let root = place.join("course");
    let script = "git init -q course && cd course && mkdir -p exercises/ch01-look/src && echo a >a \
                  && echo b >exercises/ch01-look/src/main.rs && git add . \
                  && git -c user.name=n -c user.email=e@example.org commit -qm m";
    let output = Command::new("sh").args(["-euc", script]).current_dir(place).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    root
}

#[test]
fn only_a_commit_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let output = pack(place, place, &[]);
    let error = "error: git cannot read this checkout: not a git repository";
    assert!(said(&output).starts_with(error), "{}", said(&output));
    assert!(said(&output).contains("\nhelp: work in a clone"), "{}", said(&output));

    let root = small(place);
    fs::write(root.join("a"), "changed").unwrap();
    let output = pack(&root, place, &["--out", "a.tar.gz"]);
    let error = "error: this checkout has changes that are not committed: `a`\nhelp: commit them";
    assert!(said(&output).starts_with(error), "{}", said(&output));
    assert_eq!(output.status.code(), Some(1));

    // Without git. The program is run by its path, so an empty PATH hides git alone.
    let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
    command.env("PATH", place).env("NAMESPACES_BY_HAND_ROOT", &root);
    let output = command.output().unwrap();
    assert!(said(&output).starts_with("error: could not start git: "), "{}", said(&output));
    assert!(said(&output).ends_with("help: install it: `apt install git`\n"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(3));
}

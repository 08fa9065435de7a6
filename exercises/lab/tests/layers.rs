//! A module imports only modules that are declared above it. The order of the `mod` lines in a
//! `lib.rs` or `mod.rs` is the order of the layers, and stands nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

/// Crates, and folders of modules inside them, that keep this order.
const LAYERED: [(&str, &str); 16] = [
    ("trace", ""),
    ("lab", ""),
    ("lab", "look"),
    ("lab", "record"),
    ("lab", "helper"),
    ("lab", "sandbox"),
    ("lab", "visit"),
    ("lab", "probe"),
    ("harness", ""),
    ("harness", "doctor"),
    ("../book/figures", ""),
    ("../book/builder", ""),
    ("../xtask/challenge", ""),
    ("../xtask/grade", ""),
    ("../xtask/grade", "intake"),
    ("../xtask/live/agent", ""),
];

#[test]
fn imports_run_upwards() {
    for (name, folder) in LAYERED {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        assert_eq!(running_back(&src, folder), [""; 0], "in {name}/src/{folder}");
    }
}

#[test]
fn an_import_that_runs_back_is_found() {
    let src = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layers");
    fs::create_dir_all(src.join("high")).unwrap();
    let plant = |file: &str, text: &str| fs::write(src.join(file), text).unwrap();
    plant("lib.rs", "mod low;\npub mod high;\npub use high::{High, two::Two};\npub fn item() {}\n");
    plant("low.rs", "use std::fs;\n// use crate::high;\n");
    plant("high/mod.rs", "mod one;\npub(crate) mod two;\nuse crate::low::Low;\nuse two::Two;\n");
    plant("high/one.rs", "struct One;\n#[cfg(test)]\nmod tests {\n    use super::two;\n}\n");
    plant("high/two.rs", "use super::one;\nuse crate::{high::one::One, low::{self, Low}};\n");
    assert_eq!((running_back(&src, ""), running_back(&src, "high")), (vec![], vec![]));
    for (text, wanted) in [
        ("use crate::{\n    low::{self, x},\n    high::two,\n};\n", "low imports high"),
        ("fn low() {\n    super::high::one();\n}\n", "low imports high"),
        ("use crate::Two;\n", "low imports high"),
        ("use crate::item;\n", "low imports item"),
    ] {
        plant("low.rs", text);
        assert_eq!(running_back(&src, ""), [wanted], "{text}");
    }
    plant("high/one.rs", "use super::two::Two;\n");
    assert_eq!(running_back(&src, "high"), ["one imports two"]);
}

/// The imports between modules of one folder that lead to a module declared later.
fn running_back(src: &Path, folder: &str) -> Vec<String> {
    let name = if folder.is_empty() { "lib.rs" } else { "mod.rs" };
    let index = fs::read_to_string(src.join(folder).join(name)).unwrap();
    let declared = |line: &'_ str| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_owned());
    let order: Vec<String> = index.lines().filter_map(declared).collect();
    let place = |name: &str| order.iter().position(|module| module == name);
    let exports: Vec<_> =
        index.split("\npub use ").skip(1).flat_map(|tree| expand(tree).0).collect();
    let depth = Path::new(folder).iter().count();
    let mut found = Vec::new();
    for file in files_below(&src.join(folder)) {
        let inside = file.strip_prefix(src).unwrap().with_extension("");
        let parts = inside.iter().map(|part| part.to_str().unwrap());
        let module: Vec<&str> = parts.filter(|part| !["lib", "mod"].contains(part)).collect();
        let Some(own) = module.get(depth) else { continue };
        for path in paths_in(&fs::read_to_string(&file).unwrap(), &module) {
            let Some(name) = path.get(depth).filter(|_| path[..depth] == module[..depth]) else {
                continue;
            };
            // What the index exports belongs to the module that has it.
            let export = exports.iter().find(|path| path.ends_with(&format!("::{name}")));
            let name = export.map_or(name.as_str(), |path| path.split("::").next().unwrap());
            // An item of a crate's root comes after every module. Elsewhere a child may complete
            // it.
            let back =
                place(name).map_or(depth == 0 && export.is_none(), |at| Some(at) > place(own));
            if back {
                found.push(format!("{own} imports {name}"));
            }
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The paths of this crate in a module's text, from the crate's root on. Its tests may import
/// anything.
fn paths_in(text: &str, module: &[&str]) -> Vec<Vec<String>> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let starts = code.match_indices("crate::").chain(code.match_indices("super::"));
    let starts = starts.filter(|(start, _)| !code[..*start].ends_with([':', '$', '_']));
    let paths = starts.flat_map(|(start, _)| expand(&code[start..]).0);
    let absolute = paths.map(|path| {
        let mut parts: Vec<String> = path.split("::").map(str::to_owned).collect();
        let up = parts.iter().take_while(|part| *part == "super").count();
        let kept = if parts[0] == "crate" { 0 } else { module.len() - up };
        parts.splice(..up.max(1), module[..kept].iter().map(|part| part.to_string()));
        parts
    });
    absolute.collect()
}

/// `a::{b, c::{self, d}}` as `a::b`, `a::c::self`, `a::c::d`, and the text after it.
fn expand(text: &str) -> (Vec<String>, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
    let (head, mut rest) = text.split_at(end.unwrap_or(text.len()));
    if !(head.ends_with("::") && rest.starts_with('{')) {
        return (vec![head.to_owned()], rest);
    }
    let mut all = Vec::new();
    while !rest.starts_with('}') {
        let (paths, after) = expand(rest[1..].trim_start());
        all.extend(
            paths.iter().filter(|path| !path.is_empty()).map(|path| format!("{head}{path}")),
        );
        rest = &after[after.find([',', '}']).expect("a list ends")..];
    }
    (all, &rest[1..])
}

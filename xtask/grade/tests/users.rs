//! Root and an ordinary user grade alike, to the byte: only times and provenance differ.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;
use common::{Course, graded, repository, said};
use grade::result::{Provenance, Seconds};

const USER: u32 = 1000;

/// Wrong programs, by chapter: rows of its table of mistakes, and files in the folder of its solution. Some have
/// another verdict where the lab has many ids, which only root's can have; some hang, some leave a process behind
/// that is about to end, and the diagnosis of some takes a trace.
const WRONG: [(&str, &[&str]); 2] = [
    (
        "ch02-unshare",
        &[
            "a name that is too long is cut",
            "the COMMANDs run one after the other",
            "fakes/named_too_late.rs",
        ],
    ),
    (
        "ch05-user",
        &[
            "an id outside that is not yours",
            "setgroups is not denied first",
            "the child waits for what never comes",
            "the gid is forgotten",
        ],
    ),
];

/// Becomes the user $1 and starts the words behind the first `--`. What stands before it are folders that must be
/// open to that user. Another path to the toolchain would be another course, so a closed folder above them is
/// covered by one in which nothing else is.
const AS_USER: &str = r#"
user=$1 shown=()
shift
while [ "$1" != -- ]; do shown+=("$1"); shift; done
shift
mount -t tmpfs none /mnt
for number in "${!shown[@]}"; do
  mkdir "/mnt/$number"
  mount --rbind "${shown[number]}" "/mnt/$number"
done
for number in "${!shown[@]}"; do
  above=/
  IFS=/ read -ra names <<<"${shown[number]#/}"
  for name in "${names[@]}"; do
    above=${above%/}/$name
    if [ -d "$above" ] && [ $((0$(stat -c %a "$above") & 1)) = 0 ]; then
      mount -t tmpfs -o mode=755 none "$above"
      break
    fi
  done
done
for number in "${!shown[@]}"; do
  [ -e "${shown[number]}" ] || mkdir -p "${shown[number]}"
  mount --rbind "/mnt/$number" "${shown[number]}"
done
[ "$user" != 0 ] || exec "$@"
exec setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --bounding-set=-all "$@"
"#;

/// The solution of a chapter with a mistake of its table, or a program in the folder of the solution.
fn program(chapter: &str, name: &str) -> String {
    let solution = repository().join("solutions").join(chapter);
    let read = |file: PathBuf| {
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    if name.ends_with(".rs") {
        return read(solution.join(name));
    }
    let table = read(repository().join("exercises").join(chapter).join("mistakes.toml"));
    let table: toml::Table = table.parse().unwrap();
    let mut rows = table["mistake"].as_array().unwrap().iter();
    let row = rows.find(|row| row["name"].as_str() == Some(name));
    let row = row.unwrap_or_else(|| panic!("{chapter} has no mistake `{name}`"));
    let is_further = row.get("further").is_some();
    let right = read(solution.join("src").join(if is_further { "further.rs" } else { "main.rs" }));
    let mut text = right.clone();
    for edit in row["edit"].as_array().unwrap() {
        text = text.replace(edit["find"].as_str().unwrap(), edit["replace"].as_str().unwrap());
    }
    assert_ne!(text, right, "{chapter}: {name}");
    text
}

/// All results, by file, without what may differ.
fn compared(course: &Course, out: &str) -> Vec<(String, String)> {
    let mut results = graded(&course.at(out));
    results.sort_by_key(|graded| (graded.key.clone(), graded.chapter.clone()));
    let text = |mut graded: grade::result::Graded| {
        graded.seconds = Seconds::default();
        graded.provenance = Provenance::default();
        graded.steps.iter_mut().for_each(|step| step.seconds = 0.0);
        (format!("{} {}", graded.key, graded.chapter), graded.to_json())
    };
    results.into_iter().map(text).collect()
}

#[test]
fn root_and_an_ordinary_user_grade_alike() {
    slow!();
    if !skip::is_root_of_the_machine() {
        return skip!(NotRoot: "it takes root to be two users");
    }
    let course = Course::new(&[]);
    for (chapter, names) in WRONG {
        let right = [("right".to_owned(), program(chapter, "src/main.rs"))];
        let wrong = names.iter().enumerate();
        let wrong = wrong.map(|(number, name)| (format!("wrong{number}"), program(chapter, name)));
        for (key, text) in right.into_iter().chain(wrong) {
            course.hand_in(&format!("{key}/exercises/{chapter}/src/main.rs"), &text);
        }
    }
    fs::write(course.at("secret"), [7; 32]).unwrap();
    fs::write(course.at("points.toml"), "further = 1\n").unwrap();
    fs::set_permissions(course.at(""), Permissions::from_mode(0o755)).unwrap();
    let home = std::env::var_os("HOME").map_or(PathBuf::from("/root"), PathBuf::from);
    let folder = |name: &str, below: &str| {
        std::env::var_os(name).map_or_else(|| home.join(below), PathBuf::from)
    };
    let (cargo, rustup) = (folder("CARGO_HOME", ".cargo"), folder("RUSTUP_HOME", ".rustup"));
    let grade = Command::cargo_bin("grade").unwrap();
    let target = Command::cargo_bin("grade").unwrap();
    let target = PathBuf::from(target.get_program()).parent().unwrap().parent().unwrap().to_owned();
    let chapters = WRONG.map(|(chapter, _)| chapter.split('-').next().unwrap()).join(",");
    let grade_as = |user: u32, out: &str| {
        fs::create_dir(course.at(out)).unwrap();
        chown(course.at(out), Some(user), Some(user)).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "bash", "-euc", AS_USER, "as-user"]);
        command.arg(user.to_string());
        let shown = [repository().canonicalize().unwrap(), target.clone(), course.at("")];
        let shown = shown.into_iter().chain([cargo.clone(), rustup.clone()]);
        command.args(shown.filter(|folder| folder.is_dir()).map(|it| it.canonicalize().unwrap()));
        command.arg("--").arg(grade.get_program()).arg(course.at("in")).arg("--out");
        command.arg(course.at(out)).arg("--seed").arg(course.at("secret")).arg("--points");
        command.arg(course.at("points.toml")).args(["--chapters", &chapters]);
        said(command.output().unwrap(), 0);
        compared(&course, out)
    };
    let programs: usize = WRONG.iter().map(|(_, names)| 1 + names.len()).sum();
    let of_program = |results: &[(String, String)]| {
        results.iter().filter(|(_, text)| !text.contains("\"outcome\": \"invalid\"")).count()
    };
    // What depends on the user differs in each round. What a race in a wrong program decides differs now and then.
    let mut differ: Option<BTreeMap<String, String>> = None;
    for round in 0..3 {
        let root = grade_as(0, &format!("root{round}"));
        let user = grade_as(USER, &format!("user{round}"));
        assert_eq!(of_program(&root), programs);
        assert_eq!(root.len(), user.len());
        let pairs =
            root.iter().zip(&user).filter(|((_, by_root), (_, by_user))| by_root != by_user);
        let mut now: BTreeMap<String, String> = pairs
            .map(|((name, by_root), (_, by_user))| {
                let lines = by_root.lines().zip(by_user.lines()).find(|(one, other)| one != other);
                (name.clone(), format!("{lines:?}"))
            })
            .collect();
        if let Some(before) = &differ {
            now.retain(|name, _| before.contains_key(name));
        }
        if now.is_empty() {
            return;
        }
        differ = Some(now);
    }
    panic!("root and uid {USER} get different results in each round: {differ:?}");
}

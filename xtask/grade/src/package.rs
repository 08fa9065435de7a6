//! `grade package`: what a teacher uploads to another system, so that it grades by itself. A package has the
//! course in it as it is committed, and the toolchain's version, so that it stays what it was tried with.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use xtask::shared::chapter::{Chapter, read, root};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::{self, plain};

use crate::course::{REVISION, ask_rustc};
use crate::export::keep;
use crate::texts::Level;
use crate::writers;

/// A system that takes packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Gradescope,
    Classroom50,
    PrairieLearn,
    Autolab,
}

impl System {
    pub const ALL: [System; 4] =
        [System::Gradescope, System::Classroom50, System::PrairieLearn, System::Autolab];

    /// As the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            System::Gradescope => "gradescope",
            System::Classroom50 => "classroom50",
            System::PrairieLearn => "prairielearn",
            System::Autolab => "autolab",
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Package<'a> {
    pub chapters: &'a [Chapter],
    /// The text of the scheme of points, if it is not the usual one.
    pub points: Option<&'a str>,
    pub level: Level,
    /// The name of the image that PrairieLearn is to pull.
    pub image: Option<&'a str>,
    /// Only says whether programs can be checked there.
    pub probe: bool,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub path: String,
    pub bytes: Vec<u8>,
    pub mode: u32,
}

impl Part {
    fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>, mode: u32) -> Part {
        Part { path: path.into(), bytes: bytes.into(), mode }
    }
}

impl Package<'_> {
    /// Makes a package: a zip file for Gradescope, otherwise a folder.
    ///
    /// # Errors
    ///
    /// The course is no git checkout, or the package cannot be written.
    pub fn make(&self, system: System, out: &Path) -> Result {
        let course = course()?;
        let toolchain = ask_rustc(&["--version"])?;
        let toolchain = toolchain.split(' ').nth(1).unwrap_or("stable").to_owned();
        let parts = self.parts(system, &course, &toolchain)?;
        if system == System::Gradescope {
            keep(out, &zipped(&parts))?;
        } else {
            let is_used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
            if is_used {
                return Err(Failure::usage(format!("`{}` has something in it", out.display()))
                    .help("name a new folder"));
            }
            for part in &parts {
                let file = out.join(&part.path);
                keep(&file, &part.bytes)?;
                let mode = fs::Permissions::from_mode(part.mode);
                fs::set_permissions(&file, mode).map_err(|error| {
                    Failure::file(format!("could not write `{}`", file.display()), &error)
                })?;
            }
        }
        for part in &parts {
            screen::print(&format!("{:9} {}\n", part.bytes.len(), plain(&part.path)));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The files of a package. `course` is the archive of the course.
    ///
    /// # Errors
    ///
    /// PrairieLearn needs an image; Classroom 50 has no probe; a page cannot be read.
    pub fn parts(&self, system: System, course: &[u8], toolchain: &str) -> Result<Vec<Part>> {
        let names: Vec<_> = self.chapters.iter().map(|chapter| chapter.name.as_str()).collect();
        let image = match (system, self.image) {
            (System::PrairieLearn, None) => {
                return Err(Failure::usage("PrairieLearn grades in an image").help(
                    "`--image NAME` is the name under which you push it, such as `me/namespaces`",
                ));
            }
            (_, image) => image.unwrap_or_default(),
        };
        let filled = |text: &str| {
            text.replace("@CHAPTERS@", &names.join(","))
                .replace("@FEEDBACK@", self.level.word())
                .replace("@RUST@", toolchain)
                .replace("@IMAGE@", image)
                .replace("@NOTHING@", &writers::autolab::nothing(&names).to_string())
        };
        let mut parts = match system {
            System::Gradescope => {
                let run = match self.probe {
                    true => include_str!("../packages/gradescope/probe"),
                    false => include_str!("../packages/gradescope/run_autograder"),
                };
                let setup = include_str!("../packages/gradescope/setup.sh");
                vec![
                    Part::new("setup.sh", filled(setup), 0o755),
                    Part::new("run_autograder", filled(run), 0o755),
                    Part::new("course.tar.gz", course, 0o644),
                ]
            }
            System::Classroom50 if self.probe => {
                return Err(Failure::usage("a runner of GitHub Actions needs no probe")
                    .help("its `autograder.py` says in its log what is refused"));
            }
            System::Classroom50 => {
                let run = include_str!("../packages/classroom50/autograder.py");
                vec![
                    Part::new("autograder.py", filled(run), 0o755),
                    Part::new("course.tar.gz", course, 0o644),
                ]
            }
            System::Autolab if self.probe => {
                return Err(Failure::usage("there is no probe for Autolab")
                    .help("run `cargo xtask doctor` in the image, started as Tango starts it"));
            }
            System::Autolab => {
                let makefile = include_str!("../packages/autolab/autograde-Makefile");
                let run = include_str!("../packages/autolab/grade");
                let image_file = include_str!("../packages/autolab/Dockerfile");
                let mut inside = vec![Part::new("grade", filled(run), 0o755)];
                inside.extend(self.points.map(|points| Part::new("points.toml", points, 0o644)));
                return Ok(vec![
                    Part::new("autograde-Makefile", makefile, 0o644),
                    Part::new("autograde.tar", tarred(&inside), 0o644),
                    Part::new("image/Dockerfile", filled(image_file), 0o644),
                    Part::new("image/course.tar.gz", course, 0o644),
                ]);
            }
            System::PrairieLearn => {
                let run = include_str!("../packages/prairielearn/run.sh");
                let image_file = include_str!("../packages/prairielearn/Dockerfile");
                let mut parts = vec![
                    Part::new("image/Dockerfile", filled(image_file), 0o644),
                    Part::new("image/course.tar.gz", course, 0o644),
                    Part::new("serverFilesCourse/namespaces/run.sh", filled(run), 0o755),
                ];
                if self.probe {
                    let asked =
                        "Hand in anything: the answer says which chapters can be checked here.";
                    parts.extend(question("probe", "A probe of the grader", asked, image));
                } else {
                    for chapter in self.chapters {
                        let asked = format!(
                            "Hand in your program of this chapter, <code>exercises/{}/src/main.rs</code>.",
                            chapter.name
                        );
                        parts.extend(question(&chapter.name, &title(chapter)?, &asked, image));
                    }
                }
                parts
            }
        };
        if let Some(points) = self.points {
            let folder = match system {
                System::PrairieLearn => "serverFilesCourse/namespaces/",
                _ => "",
            };
            parts.push(Part::new(format!("{folder}points.toml"), points, 0o644));
        }
        Ok(parts)
    }
}

/// A question of PrairieLearn: `info.json` and `question.html`.
fn question(name: &str, title: &str, asked: &str, image: &str) -> [Part; 2] {
    let info = json!({
        "uuid": uuid(name),
        "title": title,
        "topic": "Linux namespaces",
        "type": "v3",
        "singleVariant": true,
        "gradingMethod": "External",
        "externalGradingOptions": {
            "enabled": true,
            "image": image,
            "entrypoint": ["/grade/serverFilesCourse/namespaces/run.sh", name],
            "serverFilesCourse": ["namespaces/"],
            "timeout": 600,
            "enableNetworking": false,
        },
    });
    let html = include_str!("../packages/prairielearn/question.html").replace("@ASKED@", asked);
    let folder = format!("questions/namespaces-{name}");
    [
        Part::new(format!("{folder}/info.json"), format!("{info:#}\n"), 0o644),
        Part::new(format!("{folder}/question.html"), html, 0o644),
    ]
}

/// The same name has the same identifier, so that a new package replaces the questions of an old one: a UUID of
/// version 4, the only one that PrairieLearn takes, whose bits are a digest instead of random.
fn uuid(name: &str) -> String {
    let digest = Sha256::digest(format!("linux-namespaces-by-hand/{name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// The title of a chapter's page, without its markup.
fn title(chapter: &Chapter) -> Result<String> {
    let page = read(&chapter.page())?;
    let title = page.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(&chapter.name);
    Ok(title.replace('`', ""))
}

/// The course as it is committed, as a `tar.gz`, with the commit in the file `REVISION`. The same commit gives
/// the same bytes.
fn course() -> Result<Vec<u8>> {
    let git = |arguments: &[&str]| {
        let answer = Command::new("git").args(arguments).current_dir(root()).output();
        let answer =
            answer.map_err(|error| Failure::machine(format!("could not start git: {error}")))?;
        match answer.status.success() {
            true => Ok(answer.stdout),
            false => {
                Err(Failure::new("a package is made of a commit, and this is no git checkout")
                    .help("work in a clone of the repository"))
            }
        }
    };
    let commit = String::from_utf8_lossy(&git(&["rev-parse", "HEAD"])?).trim().to_owned();
    if !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty() {
        screen::warn("note: what is not committed is not in the package\n");
    }
    let archive = git(&["archive", "--format=tar", "HEAD"])?;
    archived(&archive, &commit)
        .map_err(|error| Failure::new(format!("git archive made no archive: {error}")))
}

/// The entries of an archive, and one more.
fn archived(archive: &[u8], commit: &str) -> std::io::Result<Vec<u8>> {
    let mut course = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for entry in tar::Archive::new(Cursor::new(archive)).entries()? {
        let mut entry = entry?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let path = entry.path()?.into_owned();
        let mut header = entry.header().clone();
        match entry.link_name()? {
            Some(target) => course.append_link(&mut header, path, target)?,
            None => course.append_data(&mut header, path, bytes.as_slice())?,
        }
    }
    let mut header = tar::Header::new_ustar();
    header.set_size(commit.len() as u64 + 1);
    header.set_mode(0o644);
    course.append_data(&mut header, REVISION, format!("{commit}\n").as_bytes())?;
    course.into_inner()?.finish()
}

fn tarred(parts: &[Part]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for part in parts {
        let mut header = tar::Header::new_ustar();
        header.set_size(part.bytes.len() as u64);
        header.set_mode(part.mode);
        let added = tar.append_data(&mut header, &part.path, part.bytes.as_slice());
        added.expect("a short name, and memory can be written to");
    }
    tar.into_inner().expect("memory can be written to")
}

fn zipped(parts: &[Part]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for part in parts {
        let options = zip::write::SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(part.mode);
        let written = writer.start_file(part.path.as_str(), options);
        written.expect("a short name and no other like it");
        writer.write_all(&part.bytes).expect("memory can be written to");
    }
    writer.finish().expect("memory can be written to").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(probe: bool) -> Package<'static> {
        let chapters =
            vec![Chapter { name: "ch02-unshare".into() }, Chapter { name: "ch03-clone".into() }];
        Package {
            chapters: chapters.leak(),
            points: Some("core = 2\n"),
            level: Level::Own,
            image: Some("me/namespaces"),
            probe,
        }
    }

    #[test]
    fn no_place_of_a_package_is_left_open() {
        for (system, probe) in [
            (System::Gradescope, false),
            (System::Gradescope, true),
            (System::Classroom50, false),
            (System::PrairieLearn, false),
            (System::PrairieLearn, true),
            (System::Autolab, false),
        ] {
            let parts = package(probe).parts(system, b"COURSE", "1.88.0").unwrap();
            let texts: Vec<_> = parts
                .iter()
                .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
                .collect();
            for (part, text) in parts.iter().zip(&texts) {
                for word in
                    ["@CHAPTERS@", "@FEEDBACK@", "@RUST@", "@IMAGE@", "@ASKED@", "@NOTHING@"]
                {
                    assert!(!text.contains(word), "{}: {word}", part.path);
                }
            }
            let all = texts.concat();
            assert!(all.contains("1.88.0") && all.contains("COURSE"), "{system:?}");
            assert!(all.contains("ch02-unshare"), "{system:?}");
        }
        assert!(package(true).parts(System::Classroom50, b"", "1").is_err());
        assert!(package(true).parts(System::Autolab, b"", "1").is_err());
        let without = Package { image: None, ..package(false) };
        assert!(without.parts(System::PrairieLearn, b"", "1").is_err());
    }

    #[test]
    fn gradescope_finds_its_files_at_the_root_of_the_zip() {
        let parts = package(false).parts(System::Gradescope, b"COURSE", "1.88.0").unwrap();
        let bytes = zipped(&parts);
        assert_eq!(bytes, zipped(&parts), "the same package has the same bytes");
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (name, mode) in [
            ("setup.sh", 0o755),
            ("run_autograder", 0o755),
            ("course.tar.gz", 0o644),
            ("points.toml", 0o644),
        ] {
            let file = zip.by_name(name).unwrap();
            assert_eq!(file.unix_mode().unwrap() & 0o777, mode, "{name}");
        }
    }

    #[test]
    fn autolab_finds_its_makefile_and_its_archive() {
        let parts = package(false).parts(System::Autolab, b"COURSE", "1.88.0").unwrap();
        let names: Vec<_> = parts.iter().map(|part| part.path.as_str()).collect();
        let wanted =
            ["autograde-Makefile", "autograde.tar", "image/Dockerfile", "image/course.tar.gz"];
        assert_eq!(names, wanted);
        let mut tar = tar::Archive::new(parts[1].bytes.as_slice());
        let files = tar.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap(), text)
        });
        let files: Vec<_> = files.collect();
        let [(run, 0o755, script), (points, 0o644, scheme)] = files.as_slice() else {
            panic!("{files:?}")
        };
        assert_eq!([run, points, scheme], ["grade", "points.toml", "core = 2\n"]);
        // What stands there if the grader does not get to its end leaves each problem ungraded.
        let nothing = r#"{"scores":{"ch02-unshare":null,"ch03-clone":null}}"#;
        assert!(script.contains(&format!("echo '{nothing}'")), "{script}");
        assert!(String::from_utf8_lossy(&parts[0].bytes).contains("./grade"));
    }

    #[test]
    fn a_question_has_what_prairielearn_asks_for() {
        let [info, html] = question("ch02-unshare", "One name", "Hand it in.", "me/namespaces");
        let info: serde_json::Value = serde_json::from_slice(&info.bytes).unwrap();
        let uuid = info["uuid"].as_str().unwrap();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert!(lengths == [8, 4, 4, 4, 12] && uuid.as_bytes()[14] == b'4', "{uuid}");
        assert_ne!(super::uuid("ch02-unshare"), super::uuid("ch03-clone"));
        assert_eq!(info["externalGradingOptions"]["entrypoint"][1], "ch02-unshare");
        assert!(info["externalGradingOptions"]["timeout"].as_u64().unwrap() <= 600);
        assert!(String::from_utf8(html.bytes).unwrap().contains("pl-file-upload"));
    }

    #[test]
    fn the_course_has_its_commit_with_it() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(2);
        header.set_mode(0o755);
        archive.append_data(&mut header, ".ci/run", &b"#!"[..]).unwrap();
        let archive = archive.into_inner().unwrap();
        let course = archived(&archive, "4f9f7a5").unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(course.as_slice()));
        let files = tar.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap(), text)
        });
        let wanted = [
            (".ci/run".into(), 0o755, "#!".into()),
            ("REVISION".into(), 0o644, "4f9f7a5\n".into()),
        ];
        assert_eq!(files.collect::<Vec<(String, u32, String)>>(), wanted);
    }
}

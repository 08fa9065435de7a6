//! The front matter of a page: TOML in a comment above its title, for the builder and for teachers.
//!
//! ````text
//! <!-- front matter
//! needs = ["ch02-unshare"]
//!
//! [minutes]
//! reading = { estimate = 20 }
//! -->
//! # clone: a child born in new namespaces
//! ````
//!
//! It is a comment, so that nothing of it shows where a page is read without this builder.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::fault::{Fault, Problem};
use crate::page::{Page, line_of};
use crate::paths::{files, has_extension};

const OPENING: &str = "<!-- front matter\n";
const CLOSING: &str = "\n-->\n";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    /// The chapter of which this is a page without an exercise, such as `ch05-user`. The other keys of such a
    /// page but `minutes.reading` are in the front matter of that one.
    pub(crate) part_of: Option<Spanned<String>>,
    /// The chapters that come before this one, by their names, without those that they need themselves.
    #[serde(default)]
    pub(crate) needs: Vec<Spanned<String>>,
    /// How long each activity takes: `setup`, `show`, `reading`, `exercise`.
    #[serde(default)]
    pub(crate) minutes: BTreeMap<String, Spanned<Minutes>>,
    pub(crate) teach: Option<Spanned<Teach>>,
}

/// How long something takes, in minutes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minutes {
    /// What its author thinks.
    pub(crate) estimate: u32,
    /// What it takes at least: one person went through it without a room. `book/src/plans.md` says how it is counted.
    pub(crate) rehearsed: Option<u32>,
    /// The median of `n` participants.
    pub(crate) measured: Option<u32>,
    pub(crate) n: Option<u32>,
    /// How the page says it to a reader, if not as the number.
    pub(crate) words: Option<String>,
}

/// What a teacher says and asks, and what may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Teach {
    pub(crate) show: Vec<Note>,
    pub(crate) ask: Vec<Question>,
    /// Names of rows of the chapter's `mistakes.toml`.
    pub(crate) stuck: Vec<Spanned<String>>,
    pub(crate) skip: String,
}

/// A note for the section of the page that has the anchor `at`, or of another page of the chapter:
/// `chNN-other.md#anchor`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    pub(crate) at: Spanned<String>,
    pub(crate) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) at: Spanned<String>,
    pub(crate) question: String,
    pub(crate) answer: String,
}

impl Minutes {
    /// What a plan counts. One person alone is quicker than a room, so a rehearsal can only show that an estimate is
    /// too short.
    pub(crate) fn known(&self) -> u32 {
        self.measured.unwrap_or(self.estimate.max(self.rehearsed.unwrap_or(0)))
    }

    /// The cells of a table: estimate, rehearsed, measured.
    pub(crate) fn cells(&self) -> String {
        let or_none = |minutes: Option<u32>| minutes.map_or("–".to_owned(), |n| n.to_string());
        let measured = match (self.measured, self.n) {
            (Some(minutes), Some(n)) => format!("{minutes} (n = {n})"),
            _ => or_none(None),
        };
        format!("{} | {} | {measured}", self.estimate, or_none(self.rehearsed))
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        let is_zero =
            [Some(self.estimate), self.rehearsed, self.measured, self.n].contains(&Some(0));
        if is_zero {
            return Some(Problem::new("a number of minutes, or of participants, is 0"));
        }
        (self.measured.is_some() != self.n.is_some()).then(|| {
            Problem::new(
                "`measured` and `n`, the number of participants, stand together or not at all",
            )
        })
    }
}

/// A page with its front matter.
pub(crate) struct FrontPage {
    /// `ch03-clone`.
    pub(crate) name: String,
    pub(crate) front: Front,
    /// The headings of the page: the level, the anchor, and the text.
    pub(crate) headings: Vec<(usize, String, String)>,
    /// Where each key of the front matter stands: the text up to it, from the top of the page.
    source: String,
    toml_start: usize,
}

impl FrontPage {
    /// `clone` of `ch03-clone`.
    pub(crate) fn slug(&self) -> &str {
        self.name.split_once('-').map_or(&*self.name, |(_, slug)| slug)
    }

    /// The text of the heading that has this anchor.
    pub(crate) fn heading(&self, anchor: &str) -> &str {
        let found = self.headings.iter().find(|(_, known, _)| known == anchor);
        found.map_or("", |(_, _, text)| text)
    }

    /// `3` of `ch03-clone`; `None` for a page that is no chapter, or a part of one.
    pub(crate) fn number(&self) -> Option<u32> {
        if self.front.part_of.is_some() { None } else { number(&self.name) }
    }

    fn is_part_of(&self, chapter: &FrontPage) -> bool {
        self.front.part_of.as_ref().is_some_and(|whole| *whole.get_ref() == chapter.name)
    }

    /// The best that is known of an activity's minutes, on this page and on its parts among `pages`.
    pub(crate) fn minutes_with_parts(&self, pages: &[FrontPage], activity: &str) -> Option<u32> {
        let parts = pages.iter().filter(|page| page.is_part_of(self));
        let minutes = iter::once(self).chain(parts).filter_map(|page| {
            page.front.minutes.get(activity).map(|minutes| minutes.get_ref().known())
        });
        minutes.reduce(|sum, more| sum + more)
    }

    /// What is wrong with the front matter of a part of a chapter, and where.
    pub(crate) fn part_problem(&self) -> Option<(Problem, usize)> {
        let part_of = self.front.part_of.as_ref()?;
        let (whole, at) = (part_of.get_ref(), part_of.span().start);
        if *whole == self.name || number(whole).is_none() || number(whole) != number(&self.name) {
            let what = format!("`part_of`: `{whole}` is no chapter with this page's number");
            return Some((Problem::new(what), at));
        }
        let front = &self.front;
        let more = front.minutes.keys().any(|activity| activity != "reading");
        (more || !front.needs.is_empty() || front.teach.is_some()).then(|| {
            let problem =
                Problem::new("a part of a chapter has `minutes.reading` and no other key");
            (problem.help(format!("the others stand in `{whole}.md`")), at)
        })
    }

    /// A fault at a place in the front matter.
    pub(crate) fn fault(&self, src: &Path, problem: Problem, at: usize) -> Fault {
        let line = line_of(&self.source, self.toml_start + at);
        problem.at(&src.join(&self.name).with_extension("md"), line)
    }
}

/// The number of a chapter by the name of its page.
pub(crate) fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("ch")?.split('-').next()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// All of a front matter, and the TOML in it.
type Place = (Range<usize>, Range<usize>);

/// Where the front matter of a page stands.
pub(crate) fn range(source: &str) -> Result<Option<Place>, Problem> {
    let Some(rest) = source.strip_prefix(OPENING) else {
        return match source.find(OPENING) {
            Some(_) => Err(Problem::new("the front matter is not at the top of the page")),
            None => Ok(None),
        };
    };
    let end = rest.find(CLOSING).ok_or_else(|| {
        Problem::new("the front matter is not closed").help("its last line is `-->`")
    })?;
    let toml = OPENING.len()..OPENING.len() + end + 1;
    Ok(Some((0..toml.end + CLOSING.len() - 1, toml)))
}

/// The page with blanks in place of its front matter: every other place stays where it is.
pub(crate) fn masked(source: &str) -> String {
    let Ok(Some((whole, _))) = range(source) else { return source.to_owned() };
    let blanks = source[whole.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    blanks.collect::<String>() + &source[whole.end..]
}

/// The front matter of a page, which is empty if it has none. `file` is its path from the root of the repository.
pub(crate) fn parse(file: &Path, source: &str) -> Result<FrontPage, Fault> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let toml = range(source).map_err(|problem| problem.at(file, 1))?.map_or(0..0, |(_, toml)| toml);
    let front = toml::from_str(&source[toml.clone()]).map_err(|error: toml::de::Error| {
        let at = toml.start + error.span().map_or(0, |span| span.start);
        Problem::new(format!("front matter: {}", error.message())).at(file, line_of(source, at))
    })?;
    let headings = Page::parse(&masked(source)).headings;
    Ok(FrontPage {
        name,
        front,
        headings,
        toml_start: toml.start,
        source: source[..toml.end].to_owned(),
    })
}

/// All pages in the folder `repo`/`src`, the chapters among them in their order.
pub(crate) fn read_all(repo: &Path, src: &Path) -> Result<Vec<FrontPage>, Vec<Fault>> {
    let folder = repo.join(src);
    let mut names: Vec<PathBuf> =
        files(&folder).into_iter().filter(|file| has_extension(file, "md")).collect();
    names.sort();
    let (mut pages, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        let file = src.join(&name);
        let page = match std::fs::read_to_string(folder.join(&name)) {
            Ok(text) => parse(&file, &text),
            Err(error) => Err(Problem::new(format!("cannot be read: {error}")).at(&file, 0)),
        };
        match page {
            Ok(page) => pages.push(page),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(pages) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!-- front matter\nneeds = [\"ch01-look\"]\n[minutes]\n\
                        show = { estimate = 10, measured = 12, n = 7 }\n-->\n# T `a`\n";

    #[test]
    fn a_page_is_the_same_without_its_front_matter() {
        let masked = masked(PAGE);
        assert_eq!((masked.len(), masked.trim()), (PAGE.len(), "# T `a`"));
        assert_eq!(masked.matches('\n').count(), PAGE.matches('\n').count());
        let (whole, _) = range(PAGE).unwrap().unwrap();
        assert_eq!(&PAGE[whole.end..], "# T `a`\n");
    }

    #[test]
    fn the_best_known_figure_counts() {
        let page = parse(Path::new("ch02-unshare.md"), PAGE).unwrap();
        assert_eq!((page.slug(), page.number()), ("unshare", Some(2)));
        let minutes = page.front.minutes["show"].get_ref();
        assert_eq!((minutes.known(), &*minutes.cells()), (12, "10 | – | 12 (n = 7)"));
        assert!(minutes.problem().is_none());
        let alone = PAGE.replace(", n = 7", "");
        let page = parse(Path::new("ch02-unshare.md"), &alone).unwrap();
        assert!(page.front.minutes["show"].get_ref().problem().is_some());
    }

    #[test]
    fn a_fault_has_its_line() {
        let wrong = |old: &str, new: &str| {
            let page = PAGE.replace(old, new);
            parse(Path::new("p.md"), &page).err().map(|fault| fault.to_string())
        };
        assert_eq!(wrong("", "").as_deref(), None);
        assert!(wrong("needs", "need").unwrap().starts_with("p.md:2: front matter: unknown field"));
        assert!(wrong("= 10", "= -1").unwrap().starts_with("p.md:4: front matter: "));
        assert!(wrong("-->", "").unwrap().contains("is not closed\nhelp: its last line is `-->`"));
        assert!(wrong("<!--", "\n<!--").unwrap().contains("not at the top"));
    }

    #[test]
    fn a_part_of_a_chapter_adds_to_what_there_is_to_read() {
        let page = |name: &str, text: &str| {
            let text = format!("<!-- front matter\n{text}\n-->\n# T\n");
            parse(&Path::new(name).with_extension("md"), &text).unwrap()
        };
        let reading = "[minutes]\nreading = { estimate = 20 }";
        let part =
            |more: &str| page("ch05-maps", &format!("part_of = 'ch05-user'\n{more}{reading}"));
        let pages = [part(""), page("ch05-user", reading), page("ch06-owner", reading)];
        assert_eq!([0, 1, 2].map(|place| pages[place].number()), [None, Some(5), Some(6)]);
        let minutes = |place: usize, of| pages[place].minutes_with_parts(&pages, of);
        assert_eq!([1, 2].map(|place| minutes(place, "reading")), [Some(40), Some(20)]);
        assert_eq!(minutes(1, "show"), None);

        assert!([0, 1].iter().all(|place| pages[*place].part_problem().is_none()));
        let problem = |page: FrontPage| page.part_problem().map(|(problem, _)| problem.to_string());
        let alone = Some("a part of a chapter has `minutes.reading` and no other key".to_owned());
        assert_eq!(problem(part("needs = ['ch04-setns']\n")), alone);
        let show = "part_of = 'ch05-user'\n[minutes]\nshow = { estimate = 1 }";
        assert_eq!(problem(page("ch05-maps", show)), alone);
        let other = page("ch06-maps", "part_of = 'ch05-user'");
        let what = "`part_of`: `ch05-user` is no chapter with this page's number";
        assert_eq!(problem(other).as_deref(), Some(what));
    }

    #[test]
    fn a_chapter_has_a_number() {
        let names = ["ch01-look", "changes", "chapter-1", "ch-x", "ch17-box"];
        assert_eq!(names.map(number), [Some(1), None, None, None, Some(17)]);
    }
}

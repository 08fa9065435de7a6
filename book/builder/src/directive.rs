//! The preprocessor: expands `{{#include}}`, `{{#challenges}}`, `{{#mistakes}}`, `{{#hints}}`, `{{#environments}}`, and for teachers
//! `{{#minutes}}`, `{{#plans}}`, `{{#prerequisites}}` and `{{#lessons}}`; takes out front matter; and makes sure that every listing, session and figure of a page comes from something that is tested.

use crate::console::{ConsoleFence, Session};
use crate::environments;
use crate::exercise;
use crate::fault::{Fault, Problem};
use crate::figure::Figure;
use crate::front::{self, FrontPage};
use crate::include::{Include, dedent};
use crate::live::Live;
use crate::page::{Fence, Page, escape, line_of};
use crate::paths::normalized;
use crate::{minutes, plans, prerequisites, teach};
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The preprocessor's name, which is also that of its table in book.toml.
pub const NAME: &str = "hand";

/// The preprocessor, as part of this process.
///
/// It collects faults in a list instead of stopping at the first, so that one build reports them all.
#[derive(Default)]
pub struct Hand {
    faults: Rc<RefCell<Vec<Fault>>>,
    audience: Audience,
    live: Option<Live>,
}

/// For whom a book is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// A reader of the repository.
    #[default]
    Readers,
    /// A workshop's participants, who get no solutions.
    Participants,
}

impl Hand {
    /// The preprocessor of such a book.
    pub fn of(audience: Audience) -> Hand {
        Hand { audience, ..Hand::default() }
    }

    /// The same, with what this machine runs in a page.
    pub fn with(self, live: Option<&Live>) -> Hand {
        Hand { live: live.cloned(), ..self }
    }

    /// The list in which it collects faults.
    pub fn faults(&self) -> Rc<RefCell<Vec<Fault>>> {
        self.faults.clone()
    }
}

impl Preprocessor for Hand {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&self, context: &PreprocessorContext, book: Book) -> Result<Book> {
        let (book, faults) = expand_book(context, book, self.audience, self.live.as_ref())?;
        self.faults.borrow_mut().extend(faults);
        Ok(book)
    }
}

/// Expands the directives of every page.
pub fn expand_book(
    context: &PreprocessorContext,
    mut book: Book,
    audience: Audience,
    live: Option<&Live>,
) -> Result<(Book, Vec<Fault>)> {
    let root = context.root.canonicalize()?;
    let repo = root.parent().unwrap_or(&root);
    let src = root.strip_prefix(repo)?.join(&context.config.book.src);
    let mut faults = Vec::new();
    book.for_each_chapter_mut(|chapter| {
        if let Some(path) = &chapter.source_path {
            if audience == Audience::Participants {
                chapter.content = exercise::without_solution(&chapter.content);
            }
            let (text, found) = expand(repo, &src.join(path), &chapter.content, live);
            chapter.content = text;
            faults.extend(found);
        }
    });
    Ok((book, faults))
}

/// Expands one page. `file` is its path from the root of the repository.
fn expand(repo: &Path, file: &Path, source: &str, live: Option<&Live>) -> (String, Vec<Fault>) {
    let mut expander = Expander { live, ..Expander::new(repo, file, source) };
    expander.front();
    expander.fences();
    expander.directives();
    expander.finish()
}

/// Checks a text that a page includes: its fences follow the rules, and it has no directives.
fn included(repo: &Path, file: &Path, source: &str) -> (String, Vec<Fault>) {
    let mut expander = Expander::new(repo, file, source);
    expander.fences();
    for (range, _) in directives(source) {
        if !expander.page.is_quoted(range.start) {
            let what = "left-over directive: a text that a page takes in is not expanded again";
            expander.reject(range, Problem::new(what));
        }
    }
    expander.finish()
}

struct Expander<'a> {
    repo: &'a Path,
    file: &'a Path,
    source: &'a str,
    live: Option<&'a Live>,
    page: Page,
    edits: Vec<(Range<usize>, String)>,
    faults: Vec<Fault>,
}

impl<'a> Expander<'a> {
    fn new(repo: &'a Path, file: &'a Path, source: &'a str) -> Self {
        let page = Page::parse(&front::masked(source));
        Self { repo, file, source, live: None, page, edits: Vec::new(), faults: Vec::new() }
    }

    /// Reports a directive and takes it out, so that the rendered page does not repeat the fault.
    fn reject(&mut self, range: Range<usize>, problem: Problem) {
        self.faults.push(problem.at(self.file, line_of(self.source, range.start)));
        self.edits.push((range, String::new()));
    }

    /// Applies the edits from the end, so that no edit moves the place of another.
    fn finish(mut self) -> (String, Vec<Fault>) {
        let mut text = self.source.to_owned();
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        for (range, new) in self.edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        (text, self.faults)
    }

    /// Takes the front matter out, and checks what it says of this page.
    fn front(&mut self) {
        let page = match front::parse(self.file, self.source) {
            Ok(page) => page,
            Err(fault) => return self.faults.push(fault),
        };
        let Ok(Some((whole, _))) = front::range(self.source) else { return };
        let src = self.file.parent().unwrap_or(Path::new(""));
        let other_page = |name: &str| self.anchors_of_chapter_page(name);
        let faults = teach::faults(self.repo, src, &page, &self.page.anchors, other_page);
        self.faults.extend(faults);
        if let Some((problem, at)) = page.part_problem() {
            self.faults.push(page.fault(src, problem, at));
        }
        if let Some(whole) = &page.front.part_of
            && !self.repo.join(src).join(whole.get_ref()).with_extension("md").is_file()
        {
            let problem = Problem::new(format!("the book has no page `{}`", whole.get_ref()));
            self.faults.push(page.fault(src, problem, whole.span().start));
        }
        if (page.number().is_some() || page.front.part_of.is_some())
            && let Some(problem) = minutes::sentence_problem(&page, &self.source[whole.end..])
        {
            self.faults.push(problem.at(self.file, 1));
        }
        self.edits.push((whole, String::new()));
    }

    /// A directive that is about several pages, and expands to what `make` gives of them.
    fn of_pages(
        &mut self,
        at: &Range<usize>,
        make: impl FnOnce(&Path, &Path, &[FrontPage]) -> (String, Vec<Fault>),
    ) -> Result<String, Problem> {
        self.stands_alone(at)?;
        let src = self.file.parent().unwrap_or(Path::new(""));
        let (text, faults) = match front::read_all(self.repo, src) {
            Ok(pages) => make(self.repo, src, &pages),
            Err(faults) => (String::new(), faults),
        };
        self.faults.extend(faults);
        Ok(text)
    }

    fn fences(&mut self) {
        for line in &self.page.swallowed_fences {
            let problem = Problem::new("a fence inside an HTML block is not a fence");
            let problem = problem.help("leave a blank line between the HTML tag and the fence");
            self.faults.push(problem.at(self.file, *line));
        }
        for line in &self.page.swallowed_code {
            let problem = Problem::new("a backtick inside an HTML block is shown as it stands");
            self.faults.push(problem.help("write <code>…</code>").at(self.file, *line));
        }
        for line in &self.page.broken_fences {
            let problem = Problem::new("a backtick in the first line of a fence: it is none");
            let problem = problem.help("write what stands behind the language without backticks");
            self.faults.push(problem.at(self.file, *line));
        }
        let fences = std::mem::take(&mut self.page.fences);
        let (mut shells, mut figures) = (HashMap::new(), HashSet::new());
        for fence in &fences {
            let checked = match fence.language() {
                "console" => ConsoleFence::parse(fence).and_then(|console| match console.session {
                    Session::Recorded { start, shell: Some(name), .. } => {
                        if *shells.entry(name.clone()).or_insert(start) == start {
                            return Ok(());
                        }
                        Err(Problem::new(format!(
                            "shell `{name}` already has the other start state"
                        )))
                    }
                    _ => Ok(()),
                }),
                "rust" => self.rust(fence),
                "figure" => {
                    if let Err(problem) = self.figure(fence, &mut figures) {
                        self.reject(fence.range.clone(), problem);
                    }
                    continue;
                }
                _ => continue,
            };
            // The renderer gets only the language, because it makes a class of each word.
            let info = fence.language().to_owned() + &self.live_classes(fence, &fences);
            self.edits.push((fence.info_range.clone(), info));
            if let Err(problem) = checked {
                self.faults.push(problem.at(self.file, fence.line));
            }
        }
        self.page.fences = fences;
    }

    /// The classes that tell a page's script which lab a session runs in; none if no machine runs it.
    fn live_classes(&self, fence: &Fence, all: &[Fence]) -> String {
        let Some(live) = self.live.filter(|_| fence.language() == "console") else {
            return String::new();
        };
        let recorded = |fence: &Fence| match ConsoleFence::parse(fence).ok()?.session {
            Session::Recorded { shell, needs, .. } => Some((shell, needs)),
            Session::Unrecorded(_) => None,
        };
        let Some((shell, mut needs)) = recorded(fence) else { return String::new() };
        let others = all.iter().filter(|other| other.language() == "console").filter_map(recorded);
        let same = others.filter(|(other, _)| shell.is_some() && *other == shell);
        needs.extend(same.flat_map(|(_, needs)| needs));
        let console = ConsoleFence::parse(fence);
        console.ok().and_then(|console| live.classes(&console, &needs)).unwrap_or_default()
    }

    /// A Rust listing is one include from a tested crate, or it says why it is not.
    fn rust(&mut self, fence: &Fence) -> Result<(), Problem> {
        let mut unchecked = false;
        for (name, value) in fence.attributes()? {
            match (name.as_str(), value) {
                ("unchecked", Some(reason)) if !reason.is_empty() => unchecked = true,
                (other, _) => {
                    return Err(Problem::new(format!("unknown rust attribute `{other}`")).help(
                        "there is only `unchecked=\"reason\"`; no listing is run from the page",
                    ));
                }
            }
        }
        let body = fence.body.trim();
        let path = match directives(body).next() {
            Some((range, Ok(("include", argument)))) if range == (0..body.len()) => {
                let include = Include::parse(argument);
                include.ok().and_then(|include| self.read(&include.path).ok()).map(|(path, _)| path)
            }
            _ if unchecked => return Ok(()),
            _ => {
                return Err(Problem::new("rust listing that no test compiles").help(
                    "include it: {{#include ../../solutions/chNN-slug/src/main.rs:ANCHOR}}; or \
                     say why not: ```rust,unchecked=\"reason\"",
                ));
            }
        };
        // Without a path the include itself is at fault, and is reported when it is expanded.
        let Some(path) = path else { return Ok(()) };
        if !unchecked && !path.starts_with("solutions") && !path.starts_with("exercises") {
            return Err(Problem::new("rust listing that no test compiles")
                .help("include it from solutions/ or exercises/"));
        }
        let at = fence.range.start;
        let indent = indentation(&self.source[at..fence.info_range.start]);
        let path = escape(&path.display().to_string());
        let caption = format!("{indent}<p class=\"listing\"><code>{path}</code></p>\n{indent}\n");
        self.edits.push((at..at, caption));
        Ok(())
    }

    /// Replaces a fence with the drawing of its recorded run.
    fn figure(&mut self, fence: &Fence, known: &mut HashSet<String>) -> Result<(), Problem> {
        if !indentation(&self.source[fence.range.start..fence.info_range.start]).is_empty() {
            return Err(Problem::new("a figure stands at the left edge, in no list and no quote"));
        }
        let page = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let figure = Figure::parse(&page, fence)?;
        if !known.insert(figure.id.clone()) {
            return Err(Problem::new("this page has a figure of that name already"));
        }
        self.edits.push((fence.range.clone(), figure.html(self.repo)?));
        Ok(())
    }

    fn directives(&mut self) {
        for (range, directive) in directives(self.source) {
            if self.page.is_quoted(range.start) {
                continue;
            }
            let expansion = directive.and_then(|(name, argument)| match (name, argument) {
                ("include", path) => self.include(range.clone(), path),
                ("challenges", "") => self.beside_exercise(&range, "challenges.toml"),
                ("mistakes", "") => self.beside_exercise(&range, "mistakes.toml"),
                ("hints", "") => self.beside_exercise(&range, "hints.md"),
                ("environments", "") => self
                    .stands_alone(&range)
                    .map(|()| environments::sections(&harness::doctor::environments())),
                ("minutes", "") => {
                    self.of_pages(&range, |_, _, pages| (minutes::table(pages), Vec::new()))
                }
                ("plans", "") => self.of_pages(&range, plans::sections_of),
                ("prerequisites", "") => {
                    self.of_pages(&range, |_, src, pages| prerequisites::graph(src, pages))
                }
                ("lessons", "") => self.of_pages(&range, teach::sections),
                (name, _) => Err(Problem::new(format!("unknown directive `{name}`")).help(
                    "there are {{#include PATH:ANCHOR}}, {{#challenges}}, {{#mistakes}}, {{#hints}}, {{#environments}}, \
                     {{#minutes}}, {{#plans}}, {{#prerequisites}} and {{#lessons}}",
                )),
            });
            match expansion {
                Ok(text) => self.edits.push((range, text)),
                Err(problem) => self.reject(range, problem),
            }
        }
    }

    fn include(&self, range: Range<usize>, argument: &str) -> Result<String, Problem> {
        let include = Include::parse(argument)?;
        let (path, text) = self.read(&include.path)?;
        let text = include.cut(&text).map_err(|problem| problem.of(&path))?;
        let Some(fence) = self.page.fence_at(range.start) else {
            let page = Page::parse(&text);
            let mut fences = page.fences.iter();
            if fences.any(|fence| matches!(fence.language(), "console" | "rust" | "figure"))
                || directives(&text).any(|(range, _)| !page.is_quoted(range.start))
            {
                let what =
                    "a text that a page takes in has no directives, sessions, listings or figures";
                return Err(Problem::new(what).of(&path));
            }
            return Ok(text);
        };
        let marker = self.source[..fence.info_range.start].trim_end_matches(['`', '~']).len();
        let marker = &self.source[marker..fence.info_range.start];
        if text.lines().any(|line| line.trim_start().starts_with(marker)) {
            return Err(Problem::new(format!("`{}` closes the fence", path.display()))
                .help("open and close the fence with one more backtick"));
        }
        let line_start = self.source[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = indentation(&self.source[line_start..range.start]);
        Ok(dedent(&text).trim_end().replace('\n', &format!("\n{indent}")))
    }

    /// Reads a file that the page names. The returned path starts at the root of the repository.
    fn read(&self, path: &str) -> Result<(PathBuf, String), Problem> {
        let named = normalized(&self.file.with_file_name(path));
        let missing = |error: std::io::Error| {
            Problem::new(format!("included file `{}` cannot be read: {error}", named.display()))
        };
        let whole = self.repo.join(&named).canonicalize().map_err(missing)?;
        let Ok(inside) = whole.strip_prefix(self.repo) else {
            let what = format!("included file `{}` is not in the repository", named.display());
            return Err(Problem::new(what));
        };
        let text = std::fs::read_to_string(&whole).map_err(missing)?;
        Ok((inside.to_owned(), text))
    }

    /// Checks that a directive which becomes several paragraphs is alone on its line.
    fn stands_alone(&self, at: &Range<usize>) -> Result<(), Problem> {
        let line_start = self.source[..at.start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.source[at.end..].find('\n').map_or(self.source.len(), |n| at.end + n);
        if self.source[line_start..line_end].trim_end() != &self.source[at.clone()]
            || self.page.fence_at(at.start).is_some()
        {
            return Err(Problem::new("this directive stands alone on its line, outside of fences"));
        }
        Ok(())
    }

    /// Renders a file of the exercise that has the page's name.
    fn beside_exercise(&mut self, at: &Range<usize>, name: &str) -> Result<String, Problem> {
        self.stands_alone(at)?;
        let slug = self.file.file_stem().unwrap_or_default();
        let file = Path::new("exercises").join(slug).join(name);
        let text = std::fs::read_to_string(self.repo.join(&file)).map_err(|error| {
            Problem::new(format!("`{}` cannot be read: {error}", file.display()))
        })?;
        let (html, faults) = match name {
            "hints.md" => {
                let (text, mut faults) = included(self.repo, &file, &text);
                let (html, more) = exercise::hints(&file, &text);
                faults.extend(more);
                (html, faults)
            }
            "challenges.toml" => {
                exercise::challenges(&slug.to_string_lossy(), &file, &text, self.live.is_some())
            }
            _ => {
                let other_page = |name: &str| self.anchors_of_chapter_page(name);
                exercise::mistakes(&file, &text, &self.page.anchors, other_page)
            }
        };
        self.faults.extend(faults);
        Ok(html)
    }

    /// The anchors of another page of the chapter, whose name begins with the same `chNN-`.
    fn anchors_of_chapter_page(&self, name: &str) -> Option<Vec<String>> {
        let own = self.file.file_name()?.to_str()?;
        let number = own.get(..5).filter(|number| number.ends_with('-'))?;
        let is_of_the_chapter = name.starts_with(number) && name != own && !name.contains('/');
        let file = self.repo.join(self.file.with_file_name(name));
        let text = is_of_the_chapter.then(|| std::fs::read_to_string(file).ok())??;
        Some(Page::parse(&front::masked(&text)).anchors)
    }
}

/// The directives of a text: the place, the name and the argument of each.
fn directives(text: &str) -> impl Iterator<Item = (Range<usize>, Result<(&str, &str), Problem>)> {
    text.match_indices("{{").filter_map(|(start, _)| {
        let inside = text[start + 2..].trim_start_matches(' ').strip_prefix('#')?;
        let line = inside.lines().next().unwrap_or_default();
        let at = text.len() - inside.len();
        match line.find("}}") {
            Some(end) => {
                let words = line[..end].trim();
                let (name, argument) = words.split_once([' ', '\t']).unwrap_or((words, ""));
                Some((start..at + end + 2, Ok((name, argument.trim()))))
            }
            None => {
                let problem = Problem::new("left-over directive: it is not closed on its line");
                Some((start..at + line.len(), Err(problem.help("close it with `}}`"))))
            }
        }
    })
}

/// The spaces and `>` at the start of a line. In a list or a quote the lines after it need them too.
fn indentation(line: &str) -> &str {
    &line[..line.find(|c| c != ' ' && c != '>').unwrap_or(line.len())]
}

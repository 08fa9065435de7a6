//! The rendered book: does every link lead somewhere, and is nothing fetched from elsewhere?

use crate::directive::normal;
use crate::fault::{Fault, Problem};
use crate::summary::files;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Checks the pages in `built`. Faults are placed in the sources under `repo`/`book`.
pub(crate) fn check(repo: &Path, book: &Path, src: &Path, built: &Path) -> Vec<Fault> {
    let files = files(built);
    let html = files.iter().filter(|file| file.extension().is_some_and(|e| e == "html"));
    let pages: BTreeMap<&Path, Html> = html
        .filter_map(|file| {
            let text = std::fs::read_to_string(built.join(file)).ok()?;
            Some((file.as_path(), Html::parse(&text)))
        })
        .collect();

    let mut faults = BTreeSet::new();
    for (path, page) in &pages {
        // These two repeat what other pages hold: the first page, and all of them.
        let repeats = [Path::new("index.html"), Path::new("print.html")].contains(path);
        let sources = Sources::of(repo, book, src, path);
        if repeats && !repo.join(&sources.page).exists() {
            continue;
        }
        if page.leftover {
            let problem = Problem::new("left-over directive in the rendered page");
            faults.insert(problem.at(&sources.page, 0));
        }
        for link in &page.links {
            let found = match link {
                Link::To(href) => target(path, href, &files, &pages),
                Link::Load(url) if is_external(url) => {
                    Err(Problem::new(format!("`{url}` is loaded from another host"))
                        .help("keep a copy in the repository, or link to it"))
                }
                Link::Load(url) => target(path, url, &files, &pages),
            };
            if let Err(problem) = found {
                faults.extend(sources.place(problem, link.url()));
            }
        }
    }
    faults.extend(stylesheets(repo, book));
    faults.into_iter().collect()
}

/// Finds the file and the fragment that a link on `page` leads to.
fn target(
    page: &Path,
    href: &str,
    files: &BTreeSet<PathBuf>,
    pages: &BTreeMap<&Path, Html>,
) -> Result<(), Problem> {
    if has_scheme(href) || href.starts_with("//") {
        return Ok(());
    }
    let (path, fragment) = href.split_once('#').unwrap_or((href, ""));
    let path = path.split('?').next().unwrap_or_default();
    let file = match path {
        "" => page.to_owned(),
        _ if path.starts_with('/') => {
            return Err(Problem::new(format!("`{href}` starts at the host's root"))
                .help("write a relative link: the book may be served from any directory"));
        }
        _ => normal(&page.with_file_name(crate::serve::decode(path))),
    };
    let file = if path.ends_with('/') { file.join("index.html") } else { file };
    if !files.contains(&file) {
        return Err(Problem::new(format!("dead link: there is no `{}`", source_name(path))));
    }
    if fragment.is_empty() {
        return Ok(());
    }
    let fragment = crate::serve::decode(fragment);
    // A file without an entry has no fragments: what was not looked at does not count as fine.
    if pages.get(file.as_path()).is_some_and(|page| page.ids.contains(&fragment)) {
        return Ok(());
    }
    let place =
        if path.is_empty() { "this page".into() } else { format!("`{}`", source_name(path)) };
    Err(Problem::new(format!("dead fragment: {place} has no `#{fragment}`")))
}

/// Stylesheets of the theme that load from another host.
fn stylesheets(repo: &Path, book: &Path) -> Vec<Fault> {
    let theme = book.join("theme");
    let mut faults = Vec::new();
    for file in files(&repo.join(&theme)) {
        if file.extension().is_none_or(|extension| extension != "css") {
            continue;
        }
        let text = std::fs::read_to_string(repo.join(&theme).join(&file)).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let urls = line.split("url(").skip(1).chain(line.split("@import").skip(1));
            let mut urls = urls.map(|url| url.trim_start_matches([' ', '"', '\'']));
            if urls.any(is_external) {
                let problem = Problem::new("stylesheet loads from another host");
                faults.push(problem.at(&theme.join(&file), number + 1));
            }
        }
    }
    faults
}

/// Where the content of a rendered page comes from, nearest first.
struct Sources<'a> {
    repo: &'a Path,
    page: PathBuf,
    others: Vec<PathBuf>,
}

impl<'a> Sources<'a> {
    fn of(repo: &'a Path, book: &Path, src: &Path, html: &Path) -> Self {
        let exercise = Path::new("exercises").join(html.file_stem().unwrap_or_default());
        let templates = files(&repo.join(book).join("theme")).into_iter();
        let templates = templates.filter(|file| file.extension().is_some_and(|e| e == "hbs"));
        let others = [exercise.join("hints.md"), exercise.join("mistakes.toml")];
        let templates = templates.map(|file| book.join("theme").join(file));
        let others = others.into_iter().chain(templates).collect();
        Sources { repo, page: src.join(html.with_extension("md")), others }
    }

    /// The problem at every line of the first source that holds the text; else at the page.
    fn place(&self, problem: Problem, text: &str) -> Vec<Fault> {
        let whole = problem.at(&self.page, 0);
        for file in [&self.page].into_iter().chain(&self.others) {
            let source = std::fs::read_to_string(self.repo.join(file)).unwrap_or_default();
            let lines = source.lines().zip(1..);
            let lines =
                lines.filter(|(line, _)| holds(line, text) || holds(line, &source_name(text)));
            let faults: Vec<Fault> = lines
                .map(|(_, line)| Fault { file: file.clone(), line, ..whole.clone() })
                .collect();
            if !faults.is_empty() {
                return faults;
            }
        }
        vec![whole]
    }
}

/// Whether a line holds the text as a whole link, not as the beginning of a longer one.
fn holds(line: &str, text: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || "-_./#".contains(c);
    line.match_indices(text).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + text.len()..].chars().next();
        !before.is_some_and(inner) && !after.is_some_and(inner)
    })
}

/// A link as the source writes it: mdBook turned `.md` into `.html`.
fn source_name(href: &str) -> String {
    match href.split_once('#') {
        Some((path, fragment)) => format!("{}#{fragment}", source_name(path)),
        None => href.strip_suffix(".html").map_or(href.into(), |stem| format!("{stem}.md")),
    }
}

fn has_scheme(url: &str) -> bool {
    let scheme =
        |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    url.split_once(':').is_some_and(|(before, _)| scheme(before))
}

fn is_external(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    url.starts_with("//") || url.starts_with("http:") || url.starts_with("https:")
}

/// What a page offers and what it refers to.
#[derive(Default)]
struct Html {
    ids: BTreeSet<String>,
    links: BTreeSet<Link>,
    /// A directive outside of code.
    leftover: bool,
    code_depth: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    /// The reader may go there.
    To(String),
    /// The browser fetches it without being asked.
    Load(String),
}

impl Link {
    fn url(&self) -> &str {
        let (Link::To(url) | Link::Load(url)) = self;
        url
    }
}

impl Html {
    fn parse(text: &str) -> Html {
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from(text));
        let tokenizer = Tokenizer::new(Collector::default(), TokenizerOpts::default());
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }

    fn tag(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if matches!(name, "code" | "script" | "style") {
            match tag.kind {
                TagKind::StartTag => self.code_depth += 1,
                TagKind::EndTag => self.code_depth = self.code_depth.saturating_sub(1),
            }
        }
        let attribute = |name: &str| {
            tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| a.value.to_string())
        };
        self.ids.extend(attribute("id"));
        if name == "a" {
            self.ids.extend(attribute("name"));
        }
        // These relations are about the page; all others fetch something.
        let relation = attribute("rel").unwrap_or_default();
        match name {
            "base" => {}
            "link" if matches!(&*relation, "canonical" | "next" | "prev") => {}
            "link" | "image" | "use" => self.links.extend(attribute("href").map(Link::Load)),
            _ => self.links.extend(attribute("href").map(Link::To)),
        }
        self.links.extend(attribute("src").map(Link::Load));
        self.links.extend(attribute("poster").map(Link::Load));
        self.links.extend(attribute("data").filter(|_| name == "object").map(Link::Load));
        for candidate in attribute("srcset").unwrap_or_default().split(',') {
            let url = candidate.split_whitespace().next();
            self.links.extend(url.map(|url| Link::Load(url.to_owned())));
        }
    }
}

#[derive(Default)]
struct Collector(RefCell<Html>);

impl TokenSink for Collector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut html = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                html.tag(&tag);
                return match (tag.kind, &*tag.name) {
                    (TagKind::StartTag, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
                    (TagKind::StartTag, "style") => TokenSinkResult::RawData(RawKind::Rawtext),
                    _ => TokenSinkResult::Continue,
                };
            }
            Token::CharacterTokens(text) if html.code_depth == 0 && text.contains("{{#") => {
                html.leftover = true;
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

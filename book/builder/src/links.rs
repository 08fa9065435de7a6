//! The rendered book: does every link lead somewhere, and is nothing loaded from another host?

use crate::fault::{Fault, Problem};
use crate::html::{Html, Link};
use crate::paths::{files, has_extension, normalized, percent_decoded};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

/// What is published beside the pages: a PDF, an EPUB, and the PDF of the part that is printed apart.
pub(crate) const PUBLISHED: [&str; 3] = [
    "linux-namespaces-by-hand.pdf",
    "linux-namespaces-by-hand.epub",
    "linux-namespaces-by-hand-teaching.pdf",
];

/// Whether a path from the root of the book is that of a file which is published beside the pages.
pub(crate) fn is_published(path: &Path) -> bool {
    PUBLISHED.iter().any(|name| path == Path::new(name))
}

/// Checks the pages in `built`. Faults are placed in the sources under `repo`/`book`.
pub(crate) fn check(repo: &Path, book: &Path, src: &Path, built: &Path) -> Vec<Fault> {
    let rendered = Rendered::read(built);
    // index.html repeats the first page, and print.html and the like many pages.
    let repeats = |path: &Path| {
        let name = path.to_string_lossy();
        (name == "index.html" || name.starts_with("print"))
            && !repo.join(src).join(path.with_extension("md")).exists()
    };
    let pages: Vec<&PathBuf> = rendered.pages.keys().filter(|path| !repeats(path)).collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut faults: BTreeSet<Fault> = thread::scope(|scope| {
        let share = pages.len().div_ceil(workers).max(1);
        let workers: Vec<_> = pages
            .chunks(share)
            .map(|pages| {
                let rendered = &rendered;
                let check = move |path: &&PathBuf| page_faults(rendered, repo, book, src, path);
                scope.spawn(move || pages.iter().flat_map(check).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect()
    });
    faults.extend(stylesheets(repo, book));
    faults.into_iter().collect()
}

/// The files of the rendered book. A page is parsed when it is first asked for: the book in one
/// page, for print, is as long as all the others and no link leads into it.
struct Rendered {
    root: PathBuf,
    files: BTreeSet<PathBuf>,
    pages: BTreeMap<PathBuf, OnceLock<Html>>,
}

impl Rendered {
    fn read(root: &Path) -> Rendered {
        let files = files(root);
        let pages = files.iter().filter(|file| has_extension(file, "html"));
        let pages = pages.map(|page| (page.clone(), OnceLock::new())).collect();
        Rendered { root: root.to_owned(), files, pages }
    }

    /// A page; an empty one if it cannot be read. `None` for a file that is no page.
    fn page(&self, path: &Path) -> Option<&Html> {
        Some(self.pages.get(path)?.get_or_init(|| {
            let text = std::fs::read_to_string(self.root.join(path)).unwrap_or_default();
            Html::parse(&text)
        }))
    }

    /// Finds the file and the fragment that a link on `page` leads to.
    fn target(&self, page: &Path, href: &str) -> Result<(), Problem> {
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
            _ => normalized(&page.with_file_name(percent_decoded(path))),
        };
        let file = if path.ends_with('/') { file.join("index.html") } else { file };
        if is_published(&file) {
            return Ok(());
        }
        if !self.files.contains(&file) {
            return Err(Problem::new(format!("dead link: there is no `{}`", source_name(path))));
        }
        if fragment.is_empty() {
            return Ok(());
        }
        let fragment = percent_decoded(fragment);
        // A file that is not a page has no known fragments, so a link to one is a fault.
        if self.page(&file).is_some_and(|page| page.ids.contains(&fragment)) {
            return Ok(());
        }
        let place =
            if path.is_empty() { "this page".into() } else { format!("`{}`", source_name(path)) };
        Err(Problem::new(format!("dead fragment: {place} has no `#{fragment}`")))
    }
}

fn page_faults(
    rendered: &Rendered,
    repo: &Path,
    book: &Path,
    src: &Path,
    path: &Path,
) -> Vec<Fault> {
    let Some(page) = rendered.page(path) else { return Vec::new() };
    let sources = Sources { repo, book, page: src.join(path.with_extension("md")) };
    let mut faults = Vec::new();
    if page.leftover {
        let problem = Problem::new("left-over directive in the rendered page");
        faults.push(problem.at(&sources.page, 0));
    }
    for link in &page.links {
        let found = match link {
            Link::Load(url) if is_external(url) => {
                Err(Problem::new(format!("`{url}` is loaded from another host"))
                    .help("keep a copy in the repository, or link to it"))
            }
            Link::To(url) | Link::Load(url) => rendered.target(path, url),
        };
        if let Err(problem) = found {
            faults.extend(sources.place(problem, link.url()));
        }
    }
    faults
}

/// Stylesheets of the theme that load from another host.
fn stylesheets(repo: &Path, book: &Path) -> Vec<Fault> {
    let theme = book.join("theme");
    let mut faults = Vec::new();
    for file in files(&repo.join(&theme)).iter().filter(|file| has_extension(file, "css")) {
        let text = std::fs::read_to_string(repo.join(&theme).join(file)).unwrap_or_default();
        for (line, number) in text.lines().zip(1..) {
            let urls = line.split("url(").skip(1).chain(line.split("@import").skip(1));
            let mut urls = urls.map(|url| url.trim_start_matches([' ', '"', '\'']));
            if urls.any(is_external) {
                let problem = Problem::new("stylesheet loads from another host");
                faults.push(problem.at(&theme.join(file), number));
            }
        }
    }
    faults
}

/// Where the content of a rendered page comes from: the page, its exercise and the theme.
struct Sources<'a> {
    repo: &'a Path,
    book: &'a Path,
    page: PathBuf,
}

impl Sources<'_> {
    /// The problem at every line of the first source that holds the text; else at the page.
    fn place(&self, problem: Problem, text: &str) -> Vec<Fault> {
        let whole = problem.at(&self.page, 0);
        let exercise = Path::new("exercises").join(self.page.file_stem().unwrap_or_default());
        let theme = self.book.join("theme");
        let templates = files(&self.repo.join(&theme)).into_iter();
        let templates = templates.filter(|file| has_extension(file, "hbs"));
        let mut sources =
            vec![self.page.clone(), exercise.join("hints.md"), exercise.join("mistakes.toml")];
        sources.extend(templates.map(|file| theme.join(file)));
        for file in sources {
            let source = std::fs::read_to_string(self.repo.join(&file)).unwrap_or_default();
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

//! What a page's Markdown holds: its fences, its heading anchors, and where directives stand.

use crate::fault::Problem;
use anyhow::{Result, anyhow};
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use std::collections::HashSet;
use std::ops::Range;

/// The state in which the shell of a recorded session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartState {
    /// Root in a throwaway user namespace.
    RootLab,
    /// An ordinary user without capabilities.
    PlainUser,
}

/// Whether a console fence is produced by a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// A run produces it, and a test asserts it.
    Recorded {
        /// How its shell starts.
        start: StartState,
        /// `in=NAME`: the fences of one page with the same name share one shell.
        shell: Option<String>,
        /// `needs=TOOL`, in the order written: where one is missing, the session is not run. What
        /// else may be needed than a tool is told by [`crate::session`].
        needs: Vec<String>,
    },
    /// It cannot be recorded, for this reason.
    Unrecorded(String),
}

/// A fence tagged `console`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleFence {
    /// The line of the page on which the body starts, counted from 1.
    pub line: usize,
    /// Where the body comes from.
    pub session: Session,
    /// The lines of the body, without line ends.
    pub body: Vec<String>,
}

/// Returns the console fences of a page in order, or the first one's fault.
///
/// ```
/// let page = "```console,root-lab,in=web\n# hostname\nthrowaway\n```\n";
/// let fences = book::page::console_fences(page).unwrap();
/// assert_eq!(fences[0].line, 2);
/// assert_eq!(fences[0].body, ["# hostname", "throwaway"]);
/// ```
pub fn console_fences(markdown: &str) -> Result<Vec<ConsoleFence>> {
    let fences = Page::parse(markdown).fences;
    let console = fences.iter().filter(|fence| fence.language() == "console");
    console
        .map(|fence| fence.console().map_err(|problem| anyhow!("line {}: {problem}", fence.line)))
        .collect()
}

/// The anchors of a page's headings and defined terms, as mdBook makes them.
///
/// ```
/// assert_eq!(book::page::anchors("# unshare(2)\n"), ["unshare2"]);
/// ```
pub fn anchors(markdown: &str) -> Vec<String> {
    Page::parse(markdown).anchors
}

/// A fenced code block.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    /// The whole block in the page, from the start of the opening fence's line.
    pub(crate) range: Range<usize>,
    /// The info string in the page.
    pub(crate) info_range: Range<usize>,
    /// The info string.
    pub(crate) info: String,
    /// The body, without the indentation of the fence.
    pub(crate) body: String,
}

impl Fence {
    /// The first word of the info string.
    pub(crate) fn language(&self) -> &str {
        self.info.split([',', ' ', '\t']).next().unwrap_or_default()
    }

    /// The rest of the info string: `name`, `name=value` or `name="value"`, separated by commas.
    pub(crate) fn attributes(&self) -> Result<Vec<(String, Option<String>)>, Problem> {
        let mut rest = self.info[self.language().len()..].trim();
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            if name.is_empty() || name.contains([' ', '\t', '"']) {
                return Err(Problem::new(format!("malformed info string `{}`", self.info))
                    .help("write the attributes with commas between them: `console,root-lab`"));
            }
            let mut value = None;
            rest = &rest[end..];
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let Some((inside, after)) = quoted.split_once('"') else {
                    return Err(Problem::new(format!("unclosed quote in `{}`", self.info)));
                };
                (value, rest) = (Some(inside), after.trim_start());
            } else if let Some(bare) = rest.strip_prefix('=') {
                let end = bare.find(',').unwrap_or(bare.len());
                (value, rest) = (Some(bare[..end].trim()), &bare[end..]);
            }
            attributes.push((name.to_owned(), value.map(str::to_owned)));
        }
        Ok(attributes)
    }

    /// Reads the fence as a console session.
    pub(crate) fn console(&self) -> Result<ConsoleFence, Problem> {
        let (mut start, mut shell, mut needs, mut reason) = (None, None, Vec::new(), None);
        for (name, value) in self.attributes()? {
            let twice = match (name.as_str(), value) {
                ("root-lab", None) => start.replace(StartState::RootLab).is_some(),
                ("plain-user", None) => start.replace(StartState::PlainUser).is_some(),
                ("in", Some(name)) if !name.is_empty() => shell.replace(name).is_some(),
                ("unrecorded", Some(why)) if !why.is_empty() => reason.replace(why).is_some(),
                ("needs", Some(tool)) if !tool.is_empty() => {
                    needs.push(tool);
                    false
                }
                (other, _) => {
                    let problem = Problem::new(format!("unknown console attribute `{other}`"));
                    return Err(problem.help(
                        "there are `root-lab`, `plain-user`, `in=NAME`, `needs=TOOL` and \
                         `unrecorded=\"reason\"`",
                    ));
                }
            };
            if twice {
                return Err(Problem::new(format!("`{name}` contradicts an attribute before it")));
            }
        }
        let session = match (start, reason) {
            (Some(start), None) => Session::Recorded { start, shell, needs },
            (None, Some(reason)) if shell.is_none() && needs.is_empty() => {
                Session::Unrecorded(reason)
            }
            (None, None) => {
                return Err(Problem::new("console fence without a start state").help(
                    "write ```console,root-lab or ```console,plain-user; what cannot be recorded \
                     says why: ```console,unrecorded=\"reason\"",
                ));
            }
            _ => {
                return Err(Problem::new(
                    "`unrecorded` stands alone: nothing is run, so nothing else applies",
                ));
            }
        };
        let body = self.body.lines().map(str::to_owned).collect();
        Ok(ConsoleFence { line: self.line + 1, session, body })
    }
}

/// A page, parsed as mdBook parses it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) fences: Vec<Fence>,
    /// The anchors of headings and defined terms, as mdBook makes them.
    pub(crate) anchors: Vec<String>,
    /// The second-level headings: where they stand, and their text as HTML.
    pub(crate) sections: Vec<(Range<usize>, String)>,
    /// Inline code spans.
    pub(crate) code_spans: Vec<Range<usize>>,
    /// Lines that look like an opening fence but are part of an HTML block.
    pub(crate) swallowed_fences: Vec<usize>,
    /// Lines of an HTML block with a backtick in them, which a browser shows as it stands.
    pub(crate) swallowed_code: Vec<usize>,
}

impl Page {
    pub(crate) fn parse(source: &str) -> Page {
        let mut page = Page::default();
        let mut used = HashSet::new();
        let mut heading: Option<(Option<String>, String)> = None;
        let events = new_cmark_parser(source, &MarkdownOptions::default()).into_offset_iter();
        let mut in_fence = false;
        for (event, range) in events {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                    in_fence = true;
                    page.fences.push(opening_fence(source, range));
                }
                Event::End(TagEnd::CodeBlock) => in_fence = false,
                Event::Text(text) if in_fence => {
                    page.fences.last_mut().expect("inside a fence").body.push_str(&text);
                }
                Event::Start(Tag::Heading { id, .. }) => {
                    heading = Some((id.map(|id| id.to_string()), String::new()));
                }
                Event::Start(Tag::DefinitionListTitle) => heading = Some((None, String::new())),
                Event::End(end @ (TagEnd::Heading(_) | TagEnd::DefinitionListTitle)) => {
                    let (id, text) = heading.take().expect("inside a heading");
                    page.anchors.push(id.unwrap_or_else(|| unique(id_of(&text), &mut used)));
                    if matches!(end, TagEnd::Heading(level) if level as usize == 2) {
                        let title = source[range.clone()].trim().trim_start_matches("##");
                        page.sections.push((range, inline_html(title.trim())));
                    }
                }
                Event::Code(text) => {
                    page.code_spans.push(range);
                    if let Some((_, heading)) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Text(text) => {
                    if let Some((_, heading)) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Html(html) if html.trim().len() > 3 && html.trim().starts_with("```") => {
                    page.swallowed_fences.push(line_of(source, range.start));
                }
                Event::Html(html) if html.contains('`') && !html.trim().starts_with("```") => {
                    page.swallowed_code.push(line_of(source, range.start));
                }
                _ => {}
            }
        }
        page
    }

    /// Whether a place in the page is quoted text: an inline code span, a `text` or a `figure` fence.
    pub(crate) fn is_quoted(&self, at: usize) -> bool {
        self.code_spans.iter().any(|span| span.contains(&at))
            || self.fence_at(at).is_some_and(|fence| matches!(fence.language(), "text" | "figure"))
    }

    /// The fence that holds a place in the page.
    pub(crate) fn fence_at(&self, at: usize) -> Option<&Fence> {
        self.fences.iter().find(|fence| fence.range.contains(&at))
    }
}

/// Renders Markdown without block structure, for places where HTML admits only inline content.
pub(crate) fn inline_html(markdown: &str) -> String {
    let mut html = String::new();
    for event in new_cmark_parser(markdown, &MarkdownOptions::default()) {
        match event {
            Event::Text(text) => html.push_str(&escape(&text)),
            Event::Code(text) => {
                html.extend(["<code>", &escape(&text), "</code>"]);
            }
            Event::SoftBreak | Event::HardBreak => html.push(' '),
            Event::Start(Tag::Emphasis) => html.push_str("<em>"),
            Event::End(TagEnd::Emphasis) => html.push_str("</em>"),
            Event::Start(Tag::Strong) => html.push_str("<strong>"),
            Event::End(TagEnd::Strong) => html.push_str("</strong>"),
            _ => {}
        }
    }
    html
}

/// The line of a place in a text, counted from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Escapes text for HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn opening_fence(source: &str, block: Range<usize>) -> Fence {
    let start = source[..block.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = source[block.start..].find('\n').map_or(source.len(), |length| block.start + length);
    let opening = source[block.start..end].trim_end();
    let info = opening.trim_start_matches([' ', '`', '~']);
    let info_range = block.start + opening.len() - info.len()..block.start + opening.len();
    Fence {
        line: line_of(source, block.start),
        range: start..block.end,
        info_range,
        info: info.to_owned(),
        body: String::new(),
    }
}

/// A heading's anchor, by the same rule as mdBook.
fn id_of(heading: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let lower = heading.trim().to_lowercase();
    lower
        .chars()
        .filter_map(|c| if c.is_whitespace() { Some('-') } else { kept(c).then_some(c) })
        .collect()
}

fn unique(id: String, used: &mut HashSet<String>) -> String {
    if used.insert(id.clone()) {
        return id;
    }
    let mut numbered = (1..).map(|n| format!("{id}-{n}"));
    numbered.find(|id| used.insert(id.clone())).expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(markdown: &str) -> Result<ConsoleFence, String> {
        console_fences(markdown).map(|mut f| f.remove(0)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_console_fence_has_its_attributes() {
        let fence = only(
            "one\n\n```console,root-lab, in=web,needs=util-linux-2.38.1,needs=python3\n# id\n\n```\n",
        )
        .unwrap();
        assert_eq!(fence.line, 4);
        assert_eq!(fence.body, ["# id", ""]);
        let needs = vec!["util-linux-2.38.1".into(), "python3".into()];
        let shell = Some("web".into());
        assert_eq!(fence.session, Session::Recorded { start: StartState::RootLab, shell, needs });
    }

    #[test]
    fn a_reason_may_hold_commas() {
        let fence = only("```console,unrecorded=\"a laptop, asleep\"\n$ date\n```\n").unwrap();
        assert_eq!(fence.session, Session::Unrecorded("a laptop, asleep".into()));
    }

    #[test]
    fn a_fence_in_a_list_loses_its_indentation() {
        let fence = only("- item\n\n  ```console,plain-user\n  $ id\n    two\n  ```\n").unwrap();
        assert_eq!((fence.line, fence.body), (4, vec!["$ id".to_owned(), "  two".to_owned()]));
    }

    #[test]
    fn wrong_attributes_are_named() {
        let start = "line 1: console fence without a start state";
        assert_eq!(only("```console\n```\n").unwrap_err(), start);
        assert_eq!(only("```console,needs=x\n```\n").unwrap_err(), start);
        for (info, what) in [
            ("console,rootlab", "unknown console attribute `rootlab`"),
            ("console,root-lab,in=", "unknown console attribute `in`"),
            ("console,root-lab,plain-user", "`plain-user` contradicts an attribute before it"),
            ("console,root-lab plain-user", "malformed info string `console,root-lab plain-user`"),
            ("console,unrecorded=\"x", "unclosed quote in `console,unrecorded=\"x`"),
            (
                "console,root-lab,unrecorded=\"x\"",
                "`unrecorded` stands alone: nothing is run, so nothing else applies",
            ),
        ] {
            let fault = only(&format!("```{info}\n```\n")).unwrap_err();
            assert_eq!(fault, format!("line 1: {what}"));
        }
    }

    #[test]
    fn anchors_are_numbered_when_they_repeat() {
        let page = Page::parse("# `unshare(2)`: one\n## A b\n## A b\n## C {#own}\nterm\n: text\n");
        assert_eq!(page.anchors, ["unshare2-one", "a-b", "a-b-1", "own", "term"]);
    }
}

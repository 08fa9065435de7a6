//! The Markdown of a page: its fences, the anchors of its headings, and which text is quoted.

use crate::fault::Problem;
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use std::collections::HashSet;
use std::ops::Range;

/// The anchors of a page's headings and defined terms, as mdBook makes them.
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
}

/// A page, parsed as mdBook parses it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) fences: Vec<Fence>,
    /// The anchors of headings and defined terms, as mdBook makes them.
    pub(crate) anchors: Vec<String>,
    /// The headings: the level, the anchor, and the text without its markup.
    pub(crate) headings: Vec<(usize, String, String)>,
    /// The second-level headings: where they stand, and their text as HTML.
    pub(crate) sections: Vec<(Range<usize>, String)>,
    /// Inline code spans.
    pub(crate) code_spans: Vec<Range<usize>>,
    /// Lines that look like an opening fence but are part of an HTML block.
    pub(crate) swallowed_fences: Vec<usize>,
    /// Lines of an HTML block with a backtick in them, which a browser shows as it stands.
    pub(crate) swallowed_code: Vec<usize>,
    /// Lines that look like an opening fence and are none, because their info string has a backtick.
    pub(crate) broken_fences: Vec<usize>,
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
                    let anchor = id.unwrap_or_else(|| unique(id_of(&text), &mut used));
                    if let TagEnd::Heading(level) = end {
                        page.headings.push((level as usize, anchor.clone(), text));
                    }
                    page.anchors.push(anchor);
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
        page.broken_fences = page.find_broken_fences(source);
        page
    }

    fn find_broken_fences(&self, source: &str) -> Vec<usize> {
        let mut start = 0;
        let mut lines = Vec::new();
        for (at, line) in source.split_inclusive('\n').enumerate() {
            let info =
                line.trim_start().strip_prefix("```").map(|rest| rest.trim_start_matches('`'));
            if info.is_some_and(|info| info.contains('`')) && self.fence_at(start).is_none() {
                lines.push(at + 1);
            }
            start += line.len();
        }
        lines
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

    #[test]
    fn anchors_are_numbered_when_they_repeat() {
        let page = Page::parse("# `unshare(2)`: one\n## A b\n## A b\n## C {#own}\nterm\n: text\n");
        assert_eq!(page.anchors, ["unshare2-one", "a-b", "a-b-1", "own", "term"]);
        assert_eq!(anchors("# unshare(2)\n"), ["unshare2"]);
    }
}

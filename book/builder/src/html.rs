//! One rendered page: what can be linked to in it, and what it links to and loads.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The parts of a page that the check of its links is about.
#[derive(Default)]
pub(crate) struct Html {
    /// The fragments that a link can name.
    pub(crate) ids: BTreeSet<String>,
    pub(crate) links: BTreeSet<Link>,
    /// Whether a directive is left over outside of code.
    pub(crate) leftover: bool,
    code_depth: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// The reader can follow it.
    To(String),
    /// The browser loads it by itself.
    Load(String),
}

impl Link {
    pub(crate) fn url(&self) -> &str {
        let (Link::To(url) | Link::Load(url)) = self;
        url
    }
}

impl Html {
    pub(crate) fn parse(text: &str) -> Html {
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from(text));
        let tokenizer = Tokenizer::new(Collector::default(), TokenizerOpts::default());
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }

    fn tag(&mut self, tag: &Tag) {
        let element = &*tag.name;
        if matches!(element, "code" | "script" | "style") {
            match tag.kind {
                TagKind::StartTag => self.code_depth += 1,
                TagKind::EndTag => self.code_depth = self.code_depth.saturating_sub(1),
            }
        }
        // A <link> of one of these relations is about the page; any other one loads something.
        let names_a_page = tag.attrs.iter().any(|attribute| {
            &*attribute.name.local == "rel"
                && matches!(&*attribute.value, "canonical" | "next" | "prev")
        });
        for attribute in &tag.attrs {
            let value = || attribute.value.to_string();
            match (element, &*attribute.name.local) {
                (_, "id") | ("a", "name") => _ = self.ids.insert(value()),
                ("base", "href") => {}
                ("link", "href") if names_a_page => {}
                ("link" | "image" | "use", "href") | (_, "src" | "poster") | ("object", "data") => {
                    self.links.insert(Link::Load(value()));
                }
                (_, "href") => _ = self.links.insert(Link::To(value())),
                (_, "srcset") => {
                    let urls = attribute.value.split(',').filter_map(|candidate| {
                        candidate.split_whitespace().next().map(str::to_owned)
                    });
                    self.links.extend(urls.map(Link::Load));
                }
                _ => {}
            }
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

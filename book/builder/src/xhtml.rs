//! Rendered HTML as XHTML, which is what an EPUB holds.

use std::cell::RefCell;
use std::fmt::Write as _;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::page::escape;

/// The elements that have no end tag in HTML.
const VOID: [&str; 8] = ["br", "col", "hr", "img", "input", "link", "meta", "wbr"];

/// Writes a part of a page as XHTML. `link` says where each link leads in the EPUB.
///
/// # Errors
///
/// An end tag that does not belong to the element that is open: XHTML forgives nothing.
pub(crate) fn of(html: &str, link: impl Fn(&str) -> String) -> Result<Xhtml, String> {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let writer = Writer { link, state: RefCell::default() };
    let tokenizer = Tokenizer::new(writer, TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let State { text, open, fault, has_svg } = tokenizer.sink.state.into_inner();
    match (fault, open.last()) {
        (Some(fault), _) => Err(fault),
        (None, Some(element)) => Err(format!("<{element}> is not closed")),
        (None, None) => Ok(Xhtml { text, has_svg }),
    }
}

pub(crate) struct Xhtml {
    pub(crate) text: String,
    /// The list of an EPUB's files says which of them hold pictures.
    pub(crate) has_svg: bool,
}

struct Writer<L> {
    link: L,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    text: String,
    open: Vec<String>,
    fault: Option<String>,
    has_svg: bool,
}

impl<L: Fn(&str) -> String> Writer<L> {
    fn start(&self, tag: &Tag, state: &mut State) {
        let element = &*tag.name;
        write!(state.text, "<{element}").expect("a String takes all");
        if element == "svg" {
            state.has_svg = true;
            state.text += " xmlns=\"http://www.w3.org/2000/svg\"";
        }
        for attribute in &tag.attrs {
            // HTML has one case for all names, and SVG has not.
            let name = match &*attribute.name.local {
                "viewbox" => "viewBox",
                name => name,
            };
            let value = match (element, name) {
                ("a", "href") => (self.link)(&attribute.value),
                _ => attribute.value.to_string(),
            };
            write!(state.text, " {name}=\"{}\"", escape(&value)).expect("a String takes all");
        }
        if tag.self_closing || VOID.contains(&element) {
            state.text += "/>";
        } else {
            state.text += ">";
            state.open.push(element.to_owned());
        }
    }

    fn end(tag: &Tag, state: &mut State) {
        let element = &*tag.name;
        match state.open.pop() {
            Some(open) if open == element => {
                write!(state.text, "</{element}>").expect("a String takes all");
            }
            open => {
                let open = open.unwrap_or_else(|| "nothing".to_owned());
                state.fault.get_or_insert(format!("</{element}> where {open} is open"));
            }
        }
    }
}

impl<L: Fn(&str) -> String> TokenSink for Writer<L> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => self.start(&tag, &mut state),
            Token::TagToken(tag) => Self::end(&tag, &mut state),
            Token::CharacterTokens(text) => state.text += &escape(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn void_elements_are_closed_and_names_of_svg_keep_their_case() {
        let html =
            "<p>a &amp; b<br><a href='x.html#y'>z</a></p><svg viewbox=\"0 0 1 1\"><rect/></svg>";
        let xhtml = of(html, |link| link.replace(".html", ".xhtml")).unwrap();
        assert_eq!(
            xhtml.text,
            "<p>a &amp; b<br/><a href=\"x.xhtml#y\">z</a></p>\
             <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><rect/></svg>"
        );
        assert!(xhtml.has_svg);
    }

    #[test]
    fn what_is_not_closed_is_a_fault() {
        for (html, fault) in [
            ("<p><em>a</p>", "</p> where em is open"),
            ("<ul><li>a", "<li> is not closed"),
            ("</p>", "</p> where nothing is open"),
        ] {
            assert_eq!(of(html, str::to_owned).err().as_deref(), Some(fault));
        }
    }
}

//! The attribute of a check's steps.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Makes a function a step: a test that puts its doc comment and its line into its verdict, so that
/// `cargo xtask check` need not read them from the source.
///
/// The function is called `stepN_title_in_words`, or `furtherN_title_in_words` if a chapter is solved
/// without it, and its doc comment says what it asks.
#[proc_macro_attribute]
pub fn step(_: TokenStream, function: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = function.into_iter().collect();
    expand(tokens).unwrap_or_else(|wrong| {
        format!("::core::compile_error!({wrong:?});").parse().expect("it is one macro call")
    })
}

fn expand(mut tokens: Vec<TokenTree>) -> Result<TokenStream, &'static str> {
    let docs: Vec<String> = tokens.iter().filter_map(doc_comment).collect();
    if docs.is_empty() {
        return Err("a step has a doc comment, which says what it asks");
    }
    let is_fn = |token: &TokenTree| token.to_string() == "fn";
    let name = tokens.iter().skip_while(|token| !is_fn(token)).nth(1);
    let name = name.filter(|name| is_step(&name.to_string()));
    let name = name.ok_or("a step is a function `stepN_title_in_words` or `furtherN_…`")?;
    let (line, further) = (name.span().line(), name.to_string().starts_with(FURTHER));
    let Some(TokenTree::Group(body)) = tokens.pop() else { return Err("a step has a body") };

    let opening = format!(
        "::harness::verdict::step(::core::concat!({}), {line}, {further});",
        docs.join(", ")
    );
    let mut statements: TokenStream = opening.parse().expect("it is one call of string literals");
    statements.extend(body.stream());
    let mut body_with_opening = Group::new(Delimiter::Brace, statements);
    body_with_opening.set_span(body.span());
    tokens.push(body_with_opening.into());
    let mut test: TokenStream = "#[::core::prelude::v1::test]".parse().expect("it is an attribute");
    test.extend(tokens);
    Ok(test)
}

/// The string literal of `[doc = "…"]`, which is what the compiler makes of a line of a doc comment.
fn doc_comment(token: &TokenTree) -> Option<String> {
    let TokenTree::Group(attribute) = token else { return None };
    let parts: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match parts.as_slice() {
        [doc, _, text] if doc.to_string() == "doc" => Some(text.to_string()),
        _ => None,
    }
}

/// How the name of a step begins that a chapter is solved without.
const FURTHER: &str = "further";

fn is_step(name: &str) -> bool {
    let rest = name.strip_prefix("step").or_else(|| name.strip_prefix(FURTHER));
    let number = rest.and_then(|rest| Some(rest.split_once('_')?.0));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

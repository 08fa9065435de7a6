//! `theme/index.hbs`: mdBook's own template with its accessibility repaired.
//!
//! The template is made from the mdBook this crate is built with. Every replacement has to match
//! exactly once, so an upgrade that changes one of these places fails here instead of losing a
//! repair; a test compares the result with the committed file.

use anyhow::{Context as _, Result, ensure};
use mdbook_driver::MDBook;
use std::path::Path;

/// A file of mdBook's built-in theme, for instance `index.hbs`.
pub fn stock(name: impl AsRef<Path>) -> Result<String> {
    let directory = tempfile::tempdir()?;
    MDBook::init(directory.path()).copy_theme(true).build()?;
    let name = name.as_ref();
    let file = directory.path().join("theme").join(name);
    std::fs::read_to_string(&file).with_context(|| format!("mdBook has no {}", name.display()))
}

/// The template of this book.
pub fn index() -> Result<String> {
    let mut template = stock("index.hbs")?;
    for (old, new) in REPAIRS {
        let hits = template.matches(old).count();
        ensure!(hits == 1, "mdBook's index.hbs has changed: {hits} times, not once:\n{old}");
        template = template.replace(old, new);
    }
    Ok(format!("{NOTICE}{template}"))
}

const NOTICE: &str = "\
{{!-- mdBook's index.hbs, under the Mozilla Public License 2.0, with accessibility repairs.
      Written by `cargo run -p book -- theme`: change book/builder/src/theme.rs, not this file. --}}
";

const REPAIRS: &[(&str, &str)] = &[
    // Keyboard users can skip the sidebar and the menu.
    (
        "    <body>\n",
        "    <body>\n    <a class=\"skip-link\" href=\"#mdbook-content\">Skip to the text</a>\n",
    ),
    (
        r#"<div id="mdbook-help-popup">"#,
        r#"<div id="mdbook-help-popup" role="dialog" aria-label="Keyboard shortcuts">"#,
    ),
    // Without JavaScript the sidebar cannot be opened; the menu bar links to toc.html instead.
    (
        r#"            <noscript>
                <iframe class="sidebar-iframe-outer" src="{{ path_to_root }}toc.html"></iframe>
            </noscript>
"#,
        "",
    ),
    // A button can be reached and pressed with the keyboard, a label cannot.
    (
        r#"<label id="mdbook-sidebar-toggle" class="icon-button" for="mdbook-sidebar-toggle-anchor" title="#,
        r#"<button id="mdbook-sidebar-toggle" class="icon-button" type="button" title="#,
    ),
    (
        r#"                        </label>
"#,
        r#"                        </button>
                        <noscript><a class="contents-link" href="{{ path_to_root }}toc.html">Contents</a></noscript>
"#,
    ),
    // Landmarks for screen readers: the menu bar is the header, the search box a search.
    (
        r#"<div id="mdbook-menu-bar" class="menu-bar sticky">"#,
        r#"<header id="mdbook-menu-bar" class="menu-bar sticky">"#,
    ),
    (
        r#"                </div>

                {{#if search_enabled}}
                <div id="mdbook-search-wrapper" class="hidden">"#,
        r#"                </header>

                {{#if search_enabled}}
                <div id="mdbook-search-wrapper" class="hidden" role="search">"#,
    ),
    (
        r#"aria-describedby="searchresults-header""#,
        r#"aria-label="Search this book" aria-describedby="mdbook-searchresults-header""#,
    ),
    // The page's own title is its only first-level heading.
    (
        r#"<h1 class="menu-title">{{ book_title }}</h1>"#,
        r#"<p class="menu-title">{{ book_title }}</p>"#,
    ),
    // Two themes, both with enough contrast.
    (
        r#"                            <li role="none"><button role="menuitem" class="theme" id="mdbook-theme-rust">Rust</button></li>
                            <li role="none"><button role="menuitem" class="theme" id="mdbook-theme-coal">Coal</button></li>
"#,
        "",
    ),
    (
        r#"                            <li role="none"><button role="menuitem" class="theme" id="mdbook-theme-ayu">Ayu</button></li>
"#,
        "",
    ),
];

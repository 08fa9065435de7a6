//! Figures of several frames, of which a reader sees one at a time and steps through them.
//!
//! A figure is this HTML, in the page itself:
//!
//! ```html
//! <figure class="steps" id="fig-ID" aria-labelledby="fig-ID-caption">
//!   <ol class="frames">
//!     <li class="frame" id="fig-ID-1"><p class="frame-text">unshare(CLONE_NEWUTS)</p><svg role="img" …>…</svg></li>
//!     …
//!   </ol>
//!   <figcaption id="fig-ID-caption">…</figcaption>
//! </figure>
//! ```
//!
//! Without [`JS`] its frames stand one below the other, with numbers, and on paper two or three side by side. A
//! figure of one frame stays like that. With [`JS`], at the end of the page or deferred, there are buttons, and
//! the arrow keys, Home and End work while the focus is in the figure. It starts at its last frame, or at the one
//! that has the class `opening`. A link to the id of a frame
//! shows it.
//! If the reader prefers reduced motion, there is no Play, and one frame replaces another at once.
//!
//! [`CSS`] takes its colours from mdBook's variables. A page without them gets a light or a dark
//! set, whichever its `color-scheme` says: `:root { color-scheme: light dark }` follows the reader.

/// The script, for the end of a page. It defines no global name.
pub const JS: &str = include_str!("stepper.js");

/// The stylesheet.
pub const CSS: &str = include_str!("stepper.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_can_stand_inside_a_page() {
        assert!(!JS.contains("</") && !JS.contains("<!--"), "it would end the <script>");
        assert!(!CSS.contains("</"), "it would end the <style>");
    }

    #[test]
    fn nothing_is_asked_from_elsewhere() {
        for text in [JS, CSS] {
            assert!(!["http:", "https:", "url(", "@import"].iter().any(|word| text.contains(word)));
        }
    }

    /// mdBook replaces `{{ resource "NAME" }}` in its files.
    #[test]
    fn mdbook_finds_nothing_to_expand() {
        assert!(!JS.contains("{{") && !CSS.contains("{{"));
    }
}

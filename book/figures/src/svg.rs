//! A picture: shapes and texts of an SVG that is 360 units wide, and where the texts are.
//!
//! The fonts of the reader are not known. So a text is given room for the widest of the usual ones,
//! and what does not fit its room is shortened.

use std::fmt::Write as _;

use trace::NamespaceId;

/// The stylesheet of the pictures.
pub const CSS: &str = include_str!("figures.css");

/// The width of every picture. A phone shows it one to one.
pub(crate) const WIDTH: i32 = 360;

/// How a text is set. The sizes are those of `figures.css`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Font {
    /// What is typed or shown by the kernel, monospaced, 12 units.
    Name,
    /// The same, bold: what the picture is about.
    Strong,
    /// A remark, 11 units.
    Note,
    /// A remark that is about what a step changed, bold.
    Mark,
}

impl Font {
    fn class(self) -> &'static str {
        match self {
            Font::Name => "name",
            Font::Strong => "name strong",
            Font::Note => "note",
            Font::Mark => "note mark",
        }
    }

    /// The width of a column, in tenths of a unit.
    fn column(self) -> i32 {
        match self {
            Font::Name | Font::Strong => 73,
            Font::Note => 66,
            Font::Mark => 70,
        }
    }

    pub(crate) fn width(self, text: &str) -> i32 {
        (columns(text) * self.column() + 9) / 10
    }

    /// The text, or its beginning and `…`.
    pub(crate) fn shortened(self, text: &str, room: i32) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let mut kept = String::new();
        for c in text.chars() {
            kept.push(c);
            if self.width(&kept) + self.width("…") > room {
                kept.pop();
                break;
            }
        }
        kept.trim_end_matches([' ', ',', ':']).to_owned() + "…"
    }
}

/// East Asian characters and pictures are two columns wide.
fn columns(text: &str) -> i32 {
    text.chars()
        .map(|c| if c >= '\u{1100}' && !('\u{2000}'..'\u{2e80}').contains(&c) { 2 } else { 1 })
        .sum()
}

/// A rectangle, in units from the left and from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Area {
    pub(crate) fn new(x: i32, y: i32, width: i32, height: i32) -> Area {
        Area { x, y, width, height }
    }

    pub(crate) fn right(&self) -> i32 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> i32 {
        self.y + self.height
    }

    pub(crate) fn middle(&self) -> i32 {
        self.y + self.height / 2
    }

    pub(crate) fn centre(&self) -> i32 {
        self.x + self.width / 2
    }
}

/// What is drawn of one frame.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    body: String,
    /// The texts and the room that each takes.
    pub(crate) labels: Vec<(Area, String)>,
    /// The outlines of the shapes.
    pub(crate) shapes: Vec<Area>,
    pub(crate) height: i32,
}

impl Picture {
    /// A picture of this height. All frames of a figure have the same: nothing jumps.
    pub(crate) fn new(height: i32) -> Picture {
        Picture { height, ..Picture::default() }
    }

    pub(crate) fn rect(&mut self, area: Area, class: &str) {
        let Area { x, y, width, height } = area;
        self.shapes.push(area);
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\"/>"
        ));
    }

    pub(crate) fn line(&mut self, from: (i32, i32), to: (i32, i32), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.path(&format!("M{x1} {y1}L{x2} {y2}"), &[from, to], class);
    }

    /// A curve that leaves and arrives vertically.
    pub(crate) fn cable(&mut self, from: (i32, i32), to: (i32, i32), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let y = (y1 + y2) / 2;
        self.path(&format!("M{x1} {y1}C{x1} {y} {x2} {y} {x2} {y2}"), &[from, to], class);
    }

    /// A path through these points; a curve's controls lie between them.
    pub(crate) fn path(&mut self, path: &str, points: &[(i32, i32)], class: &str) {
        let xs = || points.iter().map(|(x, _)| *x);
        let ys = || points.iter().map(|(_, y)| *y);
        let (left, top) = (xs().min().unwrap_or(0), ys().min().unwrap_or(0));
        let (right, bottom) = (xs().max().unwrap_or(0), ys().max().unwrap_or(0));
        self.shapes.push(Area::new(left, top, right - left, bottom - top));
        self.add(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// An arrow to the right, or to the left.
    pub(crate) fn arrow(&mut self, from: (i32, i32), to: (i32, i32)) {
        let back = if to.0 >= from.0 { -6 } else { 6 };
        self.line(from, (to.0 + back, to.1), "move");
        let (x, y) = to;
        let points = [(x, y), (x + back, y - 4), (x + back, y + 4)];
        let path = format!("M{x} {y}l{back} -4v8z");
        self.path(&path, &points, "move-head");
    }

    /// A text whose base line is at `y`, shortened to the room there is.
    pub(crate) fn text(&mut self, x: i32, y: i32, room: i32, font: Font, text: &str) {
        self.set(x, y, room, font, text, "");
    }

    /// A text in the middle of its room, which begins at `x`.
    pub(crate) fn centred(&mut self, x: i32, y: i32, room: i32, font: Font, text: &str) {
        self.set(x, y, room, font, text, " middle");
    }

    /// A small filled label with its right edge at `right`. Returns its left edge.
    pub(crate) fn badge(&mut self, right: i32, y: i32, text: &str, class: &str) -> i32 {
        let width = Font::Mark.width(text) + 8;
        self.rect(Area::new(right - width, y, width, 16), class);
        self.set(right - width + 4, y + 12, width - 8, Font::Mark, text, " middle on-badge");
        right - width
    }

    /// A rectangle in the tint of a namespace, so that the same letter has the same tint everywhere.
    pub(crate) fn tinted(&mut self, area: Area, class: &str, id: NamespaceId) {
        self.rect(area, &format!("{class} {}", identity(id).0));
    }

    /// The sign of a namespace, 10 units wide and high: a tint alone does not reach every eye, or paper.
    /// Returns the x at which a text may begin.
    pub(crate) fn sign(&mut self, x: i32, y: i32, id: NamespaceId) -> i32 {
        let (class, path) = identity(id);
        let points = [(x, y), (x + 10, y + 10)];
        self.path(&format!("M{x} {y}{path}"), &points, &format!("sign {class}"));
        x + 15
    }

    /// The box of a namespace with its name. `class` is that of one that is not new.
    pub(crate) fn namespace(&mut self, area: Area, class: &str, id: NamespaceId, is_new: bool) {
        self.tinted(area, if is_new { "space new" } else { class }, id);
        let mut right = area.right() - 8;
        if is_new {
            right = self.badge(area.right() - 5, area.y + 5, "new", "badge") - 4;
        }
        let x = self.sign(area.x + 8, area.y + 9, id);
        self.text(x, area.y + 18, right - x, Font::Strong, &id.to_string());
    }

    /// A box with two lines of text, 36 units high.
    pub(crate) fn chip(&mut self, area: Area, class: &str, lines: [(Font, &str); 2]) {
        self.rect(area, class);
        for ((font, text), y) in lines.into_iter().zip([15, 29]) {
            self.text(area.x + 6, area.y + y, area.width - 10, font, text);
        }
    }

    /// A line from a row of a tree to one of its children: down, and to the right.
    pub(crate) fn branch(&mut self, from: (i32, i32), to: (i32, i32)) {
        let ((x, top), (right, y)) = (from, to);
        self.path(&format!("M{x} {top}V{y}H{right}"), &[from, to], "branch");
    }

    fn set(&mut self, x: i32, y: i32, room: i32, font: Font, text: &str, more: &str) {
        let text = font.shortened(text, room);
        let width = font.width(&text);
        let left = if more.contains("middle") { x + (room - width) / 2 } else { x };
        let at = if more.contains("middle") { x + room / 2 } else { x };
        self.labels.push((Area::new(left, y - 10, width, 13), text.clone()));
        let class = font.class();
        self.add(format_args!(
            "<text class=\"{class}{more}\" x=\"{at}\" y=\"{y}\">{}</text>",
            escape(&text)
        ));
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        writeln!(self.body, "{element}").expect("a String takes all");
    }

    /// The whole element. Its ids begin with `id`.
    pub(crate) fn svg(&self, id: &str, title: &str, description: &str) -> String {
        format!(
            "<svg class=\"picture\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             viewBox=\"0 0 {WIDTH} {}\">\n<title id=\"{id}-title\">{}</title>\n\
             <desc id=\"{id}-desc\">{}</desc>\n{}</svg>\n",
            self.height,
            escape(title),
            escape(description),
            self.body
        )
    }
}

/// What tells a namespace from the others of its kind: a class for its tint, and the outline of its sign
/// from the sign's upper left corner. Six of each are enough to follow; then they repeat.
fn identity(id: NamespaceId) -> (&'static str, &'static str) {
    const IDENTITIES: [(&str, &str); 6] = [
        ("of-a", "m5 0a5 5 0 1 1 0 10a5 5 0 1 1 0 -10z"),
        ("of-b", "h10v10h-10z"),
        ("of-c", "m5 0l5 10h-10z"),
        ("of-d", "m5 0l5 5l-5 5l-5 -5z"),
        ("of-e", "m0 3h10v4h-10z"),
        ("of-f", "m3 0h4v3h3v4h-3v3h-4v-3h-3v-4h3z"),
    ];
    IDENTITIES[(id.index as usize + IDENTITIES.len() - 1) % IDENTITIES.len()]
}

/// A text as it stands in XML. What XML cannot hold at all becomes U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A blank line would end the HTML block in Markdown.
            '\n' | '\t' | '\r' => escaped.push(' '),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_is_shortened() {
        assert_eq!(Font::Name.shortened("otter", 40), "otter");
        assert_eq!(Font::Name.shortened("ch02-unshare", 60), "ch02-un…");
        assert_eq!(Font::Name.shortened("pid, one", 40), "pid…");
        assert!(Font::Name.width("水獭水獭") > Font::Name.width("otte"));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escape("<a b=\"&\">\u{1b}[1m\n\nx"),
            "&lt;a b=&quot;&amp;&quot;&gt;\u{fffd}[1m  x"
        );
    }
}

//! Id maps as pairs of number lines: the ids inside a user namespace above, those outside below,
//! and each range joined with its other end (user_namespaces(7)).

use trace::{Kind, NamespaceId, World};

use crate::figure::{self, Part};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    spaces: Vec<Space>,
}

#[derive(Clone, Debug, PartialEq)]
struct Space {
    id: NamespaceId,
    parent: NamespaceId,
    uids: Vec<Range>,
    gids: Vec<Range>,
    setgroups: Option<String>,
}

/// A line of `uid_map` or `gid_map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    inside: u64,
    outside: u64,
    length: u64,
}

/// A panel: its head, the line inside, the joints, the line outside, the last remark.
const PANEL: i32 = 130;
const SPACE: i32 = 26;

impl figure::Scene for Scene {
    fn of(world: &World, _: &Part) -> Scene {
        let inner = world.namespaces.iter().filter_map(|namespace| {
            let parent = namespace.parent?;
            let map = |file: &str| ranges(namespace.settings.get(file).map_or("", String::as_str));
            (namespace.id.kind == Kind::User).then(|| Space {
                id: namespace.id,
                parent,
                uids: map("uid_map"),
                gids: map("gid_map"),
                setgroups: namespace.settings.get("setgroups").map(|text| text.trim().to_owned()),
            })
        });
        Scene { spaces: inner.collect() }
    }

    /// A namespace that was mapped before the trace began is not part of it, unless it is the only one.
    fn thin_out(scenes: &mut [Scene], _: &Part) {
        let Some(first) = scenes.first().cloned() else { return };
        let is_new = |id: NamespaceId| !first.spaces.iter().any(|space| space.id == id);
        if scenes.iter().flat_map(|scene| &scene.spaces).any(|space| is_new(space.id)) {
            for scene in scenes {
                scene.spaces.retain(|space| is_new(space.id));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn draw(scenes: &[Scene], at: usize) -> Picture {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let most = scenes.iter().map(|scene| scene.spaces.len()).max().unwrap_or(0) as i32;
        let mut picture = Picture::new(most.max(1) * (SPACE + 2 * PANEL + 12));
        if scene.spaces.is_empty() {
            picture.text(8, 18, WIDTH - 16, Font::Note, "no user namespace of its own yet");
        }
        for (number, space) in (0..).zip(&scene.spaces) {
            let y = number * (SPACE + 2 * PANEL + 12);
            let old = before.map(|before| before.spaces.iter().find(|old| old.id == space.id));
            let whole = Area::new(2, y + 2, WIDTH - 4, SPACE + 2 * PANEL + 4);
            picture.rect(whole, if old == Some(None) { "space new" } else { "space" });
            let mut right = whole.right() - 8;
            if old == Some(None) {
                right = picture.badge(whole.right() - 6, y + 8, "new", "badge") - 6;
            }
            let setgroups = space
                .setgroups
                .as_ref()
                .map(|text| format!("setgroups: {text}"))
                .unwrap_or_default();
            let changed = old.flatten().is_some_and(|old| old.setgroups != space.setgroups);
            let font = if changed { Font::Mark } else { Font::Note };
            let room = font.width(&setgroups).min(120);
            picture.text(right - room, y + 20, room, font, &setgroups);
            picture.text(12, y + 20, right - room - 20, Font::Strong, &space.id.to_string());
            let old_map = |of: fn(&Space) -> &Vec<Range>| old.flatten().map(of);
            panel(&mut picture, y + SPACE, "uids", space, &space.uids, old_map(|old| &old.uids));
            panel(
                &mut picture,
                y + SPACE + PANEL,
                "gids",
                space,
                &space.gids,
                old_map(|old| &old.gids),
            );
        }
        picture
    }

    fn describe(scenes: &[Scene], at: usize) -> String {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        if scene.spaces.is_empty() {
            return "There is no user namespace of its own yet.".to_owned();
        }
        let mut words = Vec::new();
        for space in &scene.spaces {
            let old = before.map(|before| before.spaces.iter().find(|old| old.id == space.id));
            let map = |what: &str, ranges: &[Range], old: Option<&Vec<Range>>| {
                let pairs = ranges.iter().map(|range| {
                    format!(
                        "{} inside is {} outside",
                        shown(range.inside, range.length),
                        shown(range.outside, range.length)
                    )
                });
                let news =
                    if old.is_some_and(|old| old != ranges) { ", since this step" } else { "" };
                format!("{what} {}{news}", list(pairs, "are not mapped"))
            };
            let is_new = if old == Some(None) { ", new" } else { "" };
            let groups = space
                .setgroups
                .as_ref()
                .map(|text| format!("; setgroups is {text}"))
                .unwrap_or_default();
            words.push(sentence(&format!(
                "{} in {}{is_new}: {}; {}{groups}",
                space.id,
                space.parent,
                map("uids", &space.uids, old.flatten().map(|old| &old.uids)),
                map("gids", &space.gids, old.flatten().map(|old| &old.gids)),
            )));
        }
        words.join(" ")
    }
}

fn panel(
    picture: &mut Picture,
    y: i32,
    what: &str,
    space: &Space,
    ranges: &[Range],
    old: Option<&Vec<Range>>,
) {
    let (left, right) = (12, WIDTH - 12);
    let (inside, outside) = (y + 22, y + 76);
    picture.text(left, y + 14, 160, Font::Note, &format!("{what} in {}", space.id));
    picture.text(left, outside + 36, 200, Font::Note, &format!("{what} in {}", space.parent));
    picture.line((left, inside + 20), (right, inside + 20), "axis");
    picture.line((left, outside), (right, outside), "axis");
    if ranges.is_empty() {
        let text = "no map: every id is shown as 65534";
        picture.centred(left, inside + 46, right - left, Font::Note, text);
        return;
    }
    let count = ranges.len() as i32;
    let width = ((right - left) / count - 8).min(130);
    let place = |slot: usize| left + 4 + slot as i32 * ((right - left) / count);
    // Above in the order of the ids inside, below in that of the ids outside: ranges may cross.
    let rank = |of: fn(&Range) -> u64, range: &Range| {
        ranges.iter().filter(|other| of(other) < of(range)).count()
    };
    for range in ranges {
        let (above, below) =
            (place(rank(|range| range.inside, range)), place(rank(|range| range.outside, range)));
        let is_new = old.is_some_and(|old| !old.contains(range));
        let path = format!(
            "M{above} {}H{}L{} {outside}H{below}z",
            inside + 20,
            above + width,
            below + width
        );
        let points = [
            (above, inside + 20),
            (above + width, inside + 20),
            (below + width, outside),
            (below, outside),
        ];
        picture.path(&path, &points, if is_new { "joint new" } else { "joint" });
    }
    for range in ranges {
        let (above, below) =
            (place(rank(|range| range.inside, range)), place(rank(|range| range.outside, range)));
        let is_new = old.is_some_and(|old| !old.contains(range));
        let (class, font) =
            if is_new { ("task changed", Font::Strong) } else { ("task", Font::Name) };
        for (x, y, id) in [(above, inside, range.inside), (below, outside, range.outside)] {
            picture.rect(Area::new(x, y, width, 20), class);
            picture.centred(x + 2, y + 14, width - 4, font, &shown(id, range.length));
        }
    }
}

/// `0`, or `100000–165535`.
fn shown(first: u64, length: u64) -> String {
    match length {
        0 | 1 => first.to_string(),
        _ => format!("{first}–{}", first.saturating_add(length - 1)),
    }
}

/// A map as the kernel shows it: three numbers to a line.
fn ranges(text: &str) -> Vec<Range> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        Some(Range {
            inside: numbers.next()??,
            outside: numbers.next()??,
            length: numbers.next()??,
        })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_the_kernel_shows_it() {
        assert_eq!(
            ranges("0 1000 1\n1 100000 65536"),
            [
                Range { inside: 0, outside: 1000, length: 1 },
                Range { inside: 1, outside: 100_000, length: 65536 },
            ]
        );
        assert_eq!(ranges("0 x 1\n"), []);
        assert_eq!(shown(100_000, 65536), "100000–165535");
        assert_eq!(shown(0, 1), "0");
    }
}

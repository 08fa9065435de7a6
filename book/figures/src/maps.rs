//! Id maps as pairs of number lines: the ids inside a user namespace above, those outside below,
//! and each range joined with its other end (user_namespaces(7)).

use trace::{Kind, NamespaceId, World};

use crate::scene::{self, Selection, is_new, new_in_words};
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
    /// What the processes in it execute.
    programs: Vec<String>,
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
/// From one user namespace to the next.
const PITCH: i32 = SPACE + 2 * PANEL + 12;

impl scene::Scene for Scene {
    /// The most user namespaces that a frame has.
    type Layout = i32;

    fn of(world: &World, selection: &Selection) -> Scene {
        let inner = world.namespaces.iter().filter_map(|namespace| {
            let parent = namespace.parent?;
            let map = |file: &str| ranges(namespace.settings.get(file).map_or("", String::as_str));
            let members = world.members(namespace.id).filter(|number| selection.has_task(*number));
            let members = members.filter_map(|number| world.tasks.get(&number));
            (namespace.id.kind == Kind::User).then(|| Space {
                id: namespace.id,
                parent,
                uids: map("uid_map"),
                gids: map("gid_map"),
                setgroups: namespace.settings.get("setgroups").map(|text| text.trim().to_owned()),
                programs: members.map(|task| task.program.clone()).collect(),
            })
        });
        Scene { spaces: inner.collect() }
    }

    /// A namespace that was mapped before the trace began is not part of it, unless it is the only one.
    fn thin_out(scenes: &mut [Scene], _: &Selection) {
        let Some(first) = scenes.first().cloned() else { return };
        let is_new = |id: NamespaceId| first.space(id).is_none();
        if scenes.iter().flat_map(|scene| &scene.spaces).any(|space| is_new(space.id)) {
            for scene in scenes {
                scene.spaces.retain(|space| is_new(space.id));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn layout(scenes: &[Scene]) -> i32 {
        scenes.iter().map(|scene| scene.spaces.len()).max().unwrap_or(0) as i32
    }

    fn draw(&self, before: Option<&Scene>, most: &i32) -> Picture {
        let mut picture = Picture::new((*most).max(1) * PITCH);
        if self.spaces.is_empty() {
            picture.text(8, 18, WIDTH - 16, Font::Note, "no user namespace of its own yet");
        }
        for (number, space) in (0..).zip(&self.spaces) {
            let y = number * PITCH;
            let old = before.map(|before| before.space(space.id));
            let whole = Area::new(2, y + 2, WIDTH - 4, SPACE + 2 * PANEL + 4);
            picture.tinted(whole, if is_new(old) { "space new" } else { "space" }, space.id);
            let mut right = whole.right() - 8;
            if is_new(old) {
                right = picture.badge(whole.right() - 6, y + 8, "new", "badge") - 6;
            }
            let setgroups = space.setgroups.as_ref();
            let setgroups = setgroups.map(|text| format!("setgroups: {text}")).unwrap_or_default();
            let changed = old.flatten().is_some_and(|old| old.setgroups != space.setgroups);
            let font = if changed { Font::Mark } else { Font::Note };
            let room = font.width(&setgroups).min(120);
            picture.text(right - room, y + 20, room, font, &setgroups);
            let x = picture.sign(12, y + 11, space.id);
            let name = space.id.to_string();
            let end = right - room - 8;
            picture.text(x, y + 20, end - x, Font::Strong, &name);
            let x = x + Font::Strong.width(&name) + 10;
            let changed = old.flatten().is_some_and(|old| old.programs != space.programs);
            let font = if changed { Font::Mark } else { Font::Name };
            picture.text(x, y + 20, end - x, font, &space.programs.join(", "));
            for (what, y, of) in [
                ("uids", y + SPACE, Space::uids as fn(&Space) -> &Vec<Range>),
                ("gids", y + SPACE + PANEL, Space::gids),
            ] {
                panel(&mut picture, y, what, space, of(space), old.flatten().map(of));
            }
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &i32) -> String {
        if self.spaces.is_empty() {
            return "There is no user namespace of its own yet.".to_owned();
        }
        let sentences = self.spaces.iter().map(|space| {
            let old = before.map(|before| before.space(space.id));
            let map = |what: &str, of: fn(&Space) -> &Vec<Range>| {
                let ranges = of(space);
                let pairs = ranges.iter().map(|range| {
                    let inside = shown(range.inside, range.length);
                    let outside = shown(range.outside, range.length);
                    format!("{inside} inside is {outside} outside")
                });
                let has_changed = old.flatten().is_some_and(|old| of(old) != ranges);
                let news = if has_changed { ", since this step" } else { "" };
                format!("{what} {}{news}", list(pairs, "are not mapped"))
            };
            let setgroups = space.setgroups.as_ref();
            let setgroups =
                setgroups.map(|text| format!("; setgroups is {text}")).unwrap_or_default();
            let executed = match old.flatten() {
                Some(old) if old.programs != space.programs => ", since this step",
                _ => "",
            };
            let programs = list(space.programs.iter().cloned(), "none");
            sentence(&format!(
                "{} in {}{}: {}; {}{setgroups}; programs in it: {programs}{executed}",
                space.id,
                space.parent,
                new_in_words(old),
                map("uids", Space::uids),
                map("gids", Space::gids),
            ))
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

impl Scene {
    fn space(&self, id: NamespaceId) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }
}

impl Space {
    fn uids(&self) -> &Vec<Range> {
        &self.uids
    }

    fn gids(&self) -> &Vec<Range> {
        &self.gids
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
    let columns = |range: &Range| {
        (place(rank(|range| range.inside, range)), place(rank(|range| range.outside, range)))
    };
    let is_new = |range: &Range| old.is_some_and(|old| !old.contains(range));
    for range in ranges {
        let (above, below) = columns(range);
        let points = [
            (above, inside + 20),
            (above + width, inside + 20),
            (below + width, outside),
            (below, outside),
        ];
        let [(_, top), (above_end, _), (below_end, _), _] = points;
        let path = format!("M{above} {top}H{above_end}L{below_end} {outside}H{below}z");
        picture.path(&path, &points, if is_new(range) { "joint new" } else { "joint" });
    }
    for range in ranges {
        let (above, below) = columns(range);
        let (class, font) =
            if is_new(range) { ("task changed", Font::Strong) } else { ("task", Font::Name) };
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

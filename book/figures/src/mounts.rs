//! The mounts of each mount namespace as trees, with their propagation: a shared mount shows the
//! number of its peer group, and so does one that receives from it (mount_namespaces(7)).

use std::collections::BTreeMap;

use trace::{Kind, Mount, NamespaceId, World};

use crate::scene::{self, Before, News, Selection, distinct, is_new, new_in_words};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    spaces: Vec<Space>,
}

#[derive(Clone, Debug, PartialEq)]
struct Space {
    id: NamespaceId,
    mounts: BTreeMap<u32, Mount>,
}

const HEAD: i32 = 28;
const ROW: i32 = 40;
const GAP: i32 = 8;

impl scene::Scene for Scene {
    type Layout = Vec<Line>;

    fn of(world: &World, selection: &Selection) -> Scene {
        let spaces = world.namespaces.iter().filter(|namespace| namespace.id.kind == Kind::Mnt);
        let spaces = spaces.map(|namespace| Space {
            id: namespace.id,
            mounts: namespace
                .mounts
                .values()
                .filter(|mount| selection.has_mount_on(&mount.point))
                .map(|mount| (mount.id, mount.clone()))
                .collect(),
        });
        Scene { spaces: spaces.filter(|space| !space.mounts.is_empty()).collect() }
    }

    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn layout(scenes: &[Scene]) -> Vec<Line> {
        let spaces = scenes.iter().flat_map(|scene| &scene.spaces);
        let ids = distinct(spaces.map(|space| space.id));
        let rows = |id: &NamespaceId| {
            let spaces = scenes.iter().filter_map(|scene| scene.space(*id));
            spaces.map(|space| space.mounts.len()).max().unwrap_or(0) as i32
        };
        let columns = if ids.len() == 1 { 1 } else { 2 };
        let lines = ids.chunks(columns).map(|ids| Line {
            height: ids.iter().map(rows).max().unwrap_or(0) * ROW + HEAD + 6,
            width: (WIDTH - 4 - GAP * (columns as i32 - 1)) / columns as i32,
            ids: ids.to_vec(),
        });
        lines.collect()
    }

    fn draw(&self, before: Option<&Scene>, lines: &Vec<Line>) -> Picture {
        let heights = lines.iter().map(|line| line.height + GAP);
        let mut picture = Picture::new(heights.sum::<i32>() + 4 - GAP);
        let mut y = 2;
        for Line { ids, width, height } in lines {
            for (column, id) in (0..).zip(ids) {
                if let Some(space) = self.space(*id) {
                    let area = Area::new(2 + column * (width + GAP), y, *width, *height);
                    draw_space(&mut picture, area, space, before.map(|before| before.space(*id)));
                }
            }
            y += height + GAP;
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &Vec<Line>) -> String {
        let sentences = self.spaces.iter().map(|space| {
            let old = before.map(|before| before.space(space.id));
            let mounts = space.tree().into_iter().map(|(mount, _)| {
                let news = news(old, mount).in_words();
                let read_only = if mount.read_only { ", read-only" } else { "" };
                let propagation = match tags(mount).as_slice() {
                    [] => "private".to_owned(),
                    tags => list(tags.iter().map(Tag::in_words), ""),
                };
                format!("{} ({}, {propagation}{read_only}{news})", mount.point, mount.kind)
            });
            let mounts = list(mounts, "nothing");
            let gone = old.flatten().into_iter().flat_map(|old| old.mounts.values());
            let gone: Vec<String> = gone
                .filter(|mount| !space.mounts.contains_key(&mount.id))
                .map(|mount| mount.point.clone())
                .collect();
            let gone = match gone.is_empty() {
                true => String::new(),
                false => format!("; no longer there: {}", list(gone, "")),
            };
            sentence(&format!("{}{}: {mounts}{gone}", space.id, new_in_words(old)))
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

/// Mount namespaces that stand beside each other.
pub(crate) struct Line {
    ids: Vec<NamespaceId>,
    /// Of each.
    width: i32,
    height: i32,
}

impl Scene {
    fn space(&self, id: NamespaceId) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }
}

impl Space {
    /// The mounts with their depths, each below the one that it is mounted on.
    fn tree(&self) -> Vec<(&Mount, i32)> {
        let parent = |mount: &Mount| {
            mount.parent.filter(|parent| *parent != mount.id && self.mounts.contains_key(parent))
        };
        let mut tree = Vec::new();
        let mut open: Vec<(&Mount, i32)> = Vec::new();
        let sorted = |of: Option<u32>, depth: i32| {
            let mut children: Vec<(&Mount, i32)> = self
                .mounts
                .values()
                .filter(|mount| parent(mount) == of)
                .map(|mount| (mount, depth))
                .collect();
            children.sort_by(|(one, _), (other, _)| {
                (&other.point, other.id).cmp(&(&one.point, one.id))
            });
            children
        };
        open.extend(sorted(None, 0));
        while let Some((mount, depth)) = open.pop() {
            tree.push((mount, depth));
            open.extend(sorted(Some(mount.id), depth + 1));
        }
        tree
    }
}

fn draw_space(picture: &mut Picture, area: Area, space: &Space, old: Before<Space>) {
    picture.namespace(area, "space", space.id, is_new(old));
    for (row, (mount, depth)) in (0..).zip(space.tree()) {
        let x = area.x + 5 + depth.min(5) * 10;
        let chip = Area::new(x, area.y + HEAD + row * ROW, area.right() - 5 - x, ROW - 4);
        let news = news(old, mount);
        if depth > 0 {
            picture.branch((x - 5, chip.y - 4), (x, chip.middle()));
        }
        picture.rect(chip, news.pick("task", "task changed"));
        let tags = tags(mount);
        let mut right = chip.right() - 4;
        if !tags.is_empty() {
            let is_peer = tags.iter().any(|tag| matches!(tag, Tag::Shared(_)));
            let class = if is_peer { "peers" } else { "peers one-way" };
            let label = tags.iter().map(Tag::mark).collect::<Vec<_>>().join(" ");
            right = picture.badge(right, chip.y + 18, &label, class) - 4;
        }
        let (x, room) = (chip.x + 6, chip.width - 10);
        let point = tail(&mount.point, news.name_font(), room);
        picture.text(x, chip.y + 14, room, news.name_font(), &point);
        let kind = format!("{}{}", mount.kind, news.in_words());
        picture.text(x, chip.y + 29, right - x, news.note_font(), &kind);
    }
}

/// What is new about a mount. In a new namespace all of them are, and none is marked.
fn news(old: Before<Space>, mount: &Mount) -> News {
    News::of(old.flatten().map(|old| old.mounts.get(&mount.id)), mount)
}

/// An optional field of mountinfo (proc_pid_mountinfo(5)).
enum Tag<'a> {
    /// A peer of this group.
    Shared(&'a str),
    /// It receives from this group.
    Master(&'a str),
    Other(&'a str),
}

fn tags(mount: &Mount) -> Vec<Tag<'_>> {
    let tags = mount.propagation.split_whitespace().map(|tag| match tag.split_once(':') {
        Some(("shared", group)) => Tag::Shared(group),
        Some(("master", group)) => Tag::Master(group),
        _ => Tag::Other(tag),
    });
    tags.collect()
}

impl Tag<'_> {
    fn in_words(&self) -> String {
        match self {
            Tag::Shared(group) => format!("shared with peer group {group}"),
            Tag::Master(group) => format!("receiving from peer group {group}"),
            Tag::Other(tag) => tag.to_string(),
        }
    }

    /// The same on a badge: a double arrow for peers, a single one for a mount that only receives.
    fn mark(&self) -> String {
        match self {
            Tag::Shared(group) => format!("↔ {group}"),
            Tag::Master(group) => format!("← {group}"),
            Tag::Other(tag) => tag.to_string(),
        }
    }
}

/// The path, or `…` and its end, which says more than its beginning.
fn tail(path: &str, font: Font, room: i32) -> String {
    if font.width(path) <= room {
        return path.to_owned();
    }
    let starts = path.char_indices().map(|(at, _)| &path[at..]);
    let fits = starts.map(|end| format!("…{end}")).find(|end| font.width(end) <= room);
    fits.unwrap_or_else(|| "…".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shortened_at_its_beginning() {
        assert_eq!(tail("/mnt", Font::Name, 60), "/mnt");
        assert_eq!(tail("/proc/sys/fs/binfmt_misc", Font::Name, 90), "…binfmt_misc");
    }
}

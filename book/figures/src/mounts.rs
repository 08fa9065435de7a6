//! The mounts of each mount namespace as trees, with their propagation: a shared mount shows the
//! number of its peer group, and so does one that receives from it (mount_namespaces(7)).

use std::collections::BTreeMap;

use trace::{Kind, Mount, NamespaceId, World};

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
    mounts: BTreeMap<u32, Mount>,
}

const HEAD: i32 = 28;
const ROW: i32 = 40;
const GAP: i32 = 8;

impl figure::Scene for Scene {
    fn of(world: &World, part: &Part) -> Scene {
        let spaces = world.namespaces.iter().filter(|namespace| namespace.id.kind == Kind::Mnt);
        let spaces = spaces.map(|namespace| Space {
            id: namespace.id,
            mounts: namespace
                .mounts
                .values()
                .filter(|mount| part.has_mount_on(&mount.point))
                .map(|mount| (mount.id, mount.clone()))
                .collect(),
        });
        Scene { spaces: spaces.filter(|space| !space.mounts.is_empty()).collect() }
    }

    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn draw(scenes: &[Scene], at: usize) -> Picture {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let mut all: Vec<NamespaceId> = Vec::new();
        for space in scenes.iter().flat_map(|scene| &scene.spaces) {
            if !all.contains(&space.id) {
                all.push(space.id);
            }
        }
        let columns = if all.len() == 1 { 1 } else { 2 };
        let width = (WIDTH - 4 - GAP * (columns - 1)) / columns;
        let rows = |id: &NamespaceId| {
            let counts =
                scenes.iter().filter_map(|scene| scene.space(*id)).map(|space| space.mounts.len());
            counts.max().unwrap_or(0) as i32
        };
        let lines: Vec<i32> = all
            .chunks(columns as usize)
            .map(|line| line.iter().map(rows).max().unwrap_or(0) * ROW + HEAD + 6)
            .collect();
        let mut picture =
            Picture::new(lines.iter().map(|height| height + GAP).sum::<i32>() + 4 - GAP);
        let mut y = 2;
        for (line, height) in all.chunks(columns as usize).zip(lines) {
            for (column, id) in (0..).zip(line) {
                if let Some(space) = scene.space(*id) {
                    let area = Area::new(2 + column * (width + GAP), y, width, height);
                    draw_space(&mut picture, area, space, before.map(|before| before.space(*id)));
                }
            }
            y += height + GAP;
        }
        picture
    }

    fn describe(scenes: &[Scene], at: usize) -> String {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let words = scene.spaces.iter().map(|space| {
            let old = before.map(|before| before.space(space.id));
            let is_new = if old == Some(None) { ", new" } else { "" };
            let mounts = space.tree().into_iter().map(|(mount, _)| {
                let news = match news(old, mount) {
                    "" => String::new(),
                    word => format!(", {word}"),
                };
                let read_only = if mount.read_only { ", read-only" } else { "" };
                format!("{} ({}, {}{read_only}{news})", mount.point, mount.kind, propagation(mount))
            });
            let gone = old.flatten().into_iter().flat_map(|old| old.mounts.values());
            let gone: Vec<String> = gone
                .filter(|mount| !space.mounts.contains_key(&mount.id))
                .map(|mount| mount.point.clone())
                .collect();
            let gone = if gone.is_empty() {
                String::new()
            } else {
                format!("; no longer there: {}", list(gone, ""))
            };
            sentence(&format!("{}{is_new}: {}{gone}", space.id, list(mounts, "nothing")))
        });
        words.collect::<Vec<_>>().join(" ")
    }
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

fn draw_space(picture: &mut Picture, area: Area, space: &Space, old: Option<Option<&Space>>) {
    let is_new = old == Some(None);
    picture.rect(area, if is_new { "space new" } else { "space" });
    let mut right = area.right() - 8;
    if is_new {
        right = picture.badge(area.right() - 5, area.y + 5, "new", "badge") - 4;
    }
    picture.text(area.x + 8, area.y + 18, right - area.x - 8, Font::Strong, &space.id.to_string());
    for (row, (mount, depth)) in (0..).zip(space.tree()) {
        let x = area.x + 5 + depth.min(5) * 10;
        let chip = Area::new(x, area.y + HEAD + row * ROW, area.right() - 5 - x, ROW - 4);
        let news = news(old, mount);
        if depth > 0 {
            let down = x - 5;
            picture.path(
                &format!("M{down} {}V{}H{x}", chip.y - 4, chip.middle()),
                &[(down, chip.y - 4), (x, chip.middle())],
                "branch",
            );
        }
        picture.rect(chip, if news.is_empty() { "task" } else { "task changed" });
        let mut right = chip.right() - 4;
        let label = match mount.propagation.as_str() {
            "" => String::new(),
            _ => short(mount),
        };
        if !label.is_empty() {
            right = picture.badge(
                right,
                chip.y + 18,
                &label,
                if mount.propagation.contains("shared") { "peers" } else { "peers one-way" },
            ) - 4;
        }
        let font = if news.is_empty() { Font::Name } else { Font::Strong };
        picture.text(
            chip.x + 6,
            chip.y + 14,
            chip.width - 10,
            font,
            &tail(&mount.point, font, chip.width - 10),
        );
        let (font, kind) = if news.is_empty() {
            (Font::Note, mount.kind.clone())
        } else {
            (Font::Mark, format!("{}, {news}", mount.kind))
        };
        picture.text(chip.x + 6, chip.y + 29, right - chip.x - 6, font, &kind);
    }
}

/// What is new about a mount, in a word. In a new namespace all of them are, and none is said.
fn news(old: Option<Option<&Space>>, mount: &Mount) -> &'static str {
    match old.flatten().map(|old| old.mounts.get(&mount.id)) {
        Some(None) => "new",
        Some(Some(old)) if old != mount => "changed",
        _ => "",
    }
}

/// `shared:1` and the like, in words.
fn propagation(mount: &Mount) -> String {
    match mount.propagation.as_str() {
        "" => "private".to_owned(),
        tags => list(
            tags.split_whitespace().map(|tag| match tag.split_once(':') {
                Some(("shared", group)) => format!("shared with peer group {group}"),
                Some(("master", group)) => format!("receiving from peer group {group}"),
                _ => tag.to_owned(),
            }),
            "",
        ),
    }
}

/// The same on a badge: a double arrow for peers, a single one for a mount that only receives.
fn short(mount: &Mount) -> String {
    let tags = mount.propagation.split_whitespace().map(|tag| match tag.split_once(':') {
        Some(("shared", group)) => format!("↔ {group}"),
        Some(("master", group)) => format!("← {group}"),
        _ => tag.to_owned(),
    });
    tags.collect::<Vec<_>>().join(" ")
}

/// The end of a path says more than its beginning.
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

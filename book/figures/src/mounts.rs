//! The mounts of each mount namespace as trees, with their propagation: a shared mount shows the
//! number of its peer group, and so does one that receives from it (mount_namespaces(7)). Where a figure
//! selects processes, their root directories are marked with `/` and their working directories with `.`.

use std::collections::BTreeMap;

use trace::{Kind, Mount, NamespaceId, Place, World};

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
    /// The root and the working directories of selected processes, by their paths and mounts: `/` and `.`.
    places: BTreeMap<(String, u32), Vec<&'static str>>,
}

/// A line of the tree: a mount, or a directory in one that is marked.
enum Row<'a> {
    Mount(&'a Mount),
    Directory(&'a str, u32),
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
            places: places(world, selection, namespace.id),
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
            spaces.map(|space| space.tree().len()).max().unwrap_or(0) as i32
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
            let mounts = space.tree().into_iter().map(|(row, _)| {
                let (at, marks) = (row.place(), space.marks(&row));
                let moved = if is_moved(old, &at, marks) { ", changed" } else { "" };
                let marks: String =
                    marks.iter().map(|mark| format!(", {}", in_words(mark))).collect();
                let Row::Mount(mount) = row else {
                    return format!("the directory {}{marks}{moved}", at.0);
                };
                let news = news(old, mount).in_words();
                let read_only = if mount.read_only { ", read-only" } else { "" };
                let propagation = match tags(mount).as_slice() {
                    [] => "private".to_owned(),
                    tags => list(tags.iter().map(Tag::in_words), ""),
                };
                let on_top = if space.is_on_top(mount) { ", on top of the one before" } else { "" };
                format!(
                    "{} ({}{on_top}, {propagation}{read_only}{news}{marks}{moved})",
                    mount.point,
                    what(mount)
                )
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
    /// What is marked there.
    fn marks(&self, row: &Row) -> &[&'static str] {
        self.places.get(&row.place()).map_or(&[], Vec::as_slice)
    }

    /// Whether a mount covers another one in the same place.
    fn is_on_top(&self, mount: &Mount) -> bool {
        let below = mount.parent.and_then(|parent| self.mounts.get(&parent));
        below.is_some_and(|below| below.id != mount.id && below.point == mount.point)
    }

    /// The mounts with their depths, each below the one that it is mounted on, and marked directories in them.
    fn tree(&self) -> Vec<(Row<'_>, i32)> {
        let rows = self.mounts_in_order().into_iter().flat_map(|(mount, depth)| {
            let marked =
                self.places.keys().filter(|(path, id)| *id == mount.id && *path != mount.point);
            let marked: Vec<&str> = marked.map(|(path, _)| path.as_str()).collect();
            let mut rows = vec![(Row::Mount(mount), depth)];
            rows.extend(marked.iter().map(|path| {
                let is_above = |other: &&&str| {
                    path.strip_prefix(**other).is_some_and(|rest| rest.starts_with('/'))
                };
                let above = marked.iter().filter(is_above).count() as i32;
                (Row::Directory(path, mount.id), depth + 1 + above)
            }));
            rows
        });
        rows.collect()
    }

    fn mounts_in_order(&self) -> Vec<(&Mount, i32)> {
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

impl Row<'_> {
    fn place(&self) -> (String, u32) {
        match self {
            Row::Mount(mount) => (mount.point.clone(), mount.id),
            Row::Directory(path, mount) => ((*path).to_owned(), *mount),
        }
    }
}

/// The places of the processes that are selected and in this mount namespace.
fn places(
    world: &World,
    selection: &Selection,
    id: NamespaceId,
) -> BTreeMap<(String, u32), Vec<&'static str>> {
    let mut places: BTreeMap<_, Vec<&'static str>> = BTreeMap::new();
    let here = |number: &u32| selection.tasks.contains(number);
    for task in world.members(id).filter(here).map(|number| &world.tasks[&number]) {
        for (mark, place) in [("/", &task.root), (".", &task.directory)] {
            if let Some(Place { path, mount: Some(mount) }) = place {
                places.entry((path.clone(), *mount)).or_default().push(mark);
            }
        }
    }
    places
}

/// A mark for a reader who does not see it.
fn in_words(mark: &str) -> &'static str {
    if mark == "/" { "the root directory" } else { "the working directory" }
}

/// Whether one of the marks was elsewhere in the frame before.
fn is_moved(old: Before<Space>, at: &(String, u32), marks: &[&str]) -> bool {
    let before = old.flatten().filter(|old| !old.places.is_empty());
    let before = before.map(|old| old.places.get(at).map_or(&[][..], Vec::as_slice));
    before.is_some_and(|before| marks.iter().any(|mark| !before.contains(mark)))
}

fn draw_space(picture: &mut Picture, area: Area, space: &Space, old: Before<Space>) {
    picture.namespace(area, "space", space.id, is_new(old));
    for (number, (row, depth)) in (0..).zip(space.tree()) {
        let x = area.x + 5 + depth.min(5) * 10;
        let chip = Area::new(x, area.y + HEAD + number * ROW, area.right() - 5 - x, ROW - 4);
        if depth > 0 {
            picture.branch((x - 5, chip.y - 4), (x, chip.middle()));
        }
        let (at, marks) = (row.place(), space.marks(&row));
        let moved = is_moved(old, &at, marks);
        let news = match row {
            Row::Mount(mount) => news(old, mount),
            Row::Directory(..) => News::Nothing,
        };
        let is_marked = news != News::Nothing || moved;
        picture.rect(chip, if is_marked { "task changed" } else { "task" });
        let mut end = chip.right() - 4;
        for mark in marks.iter().rev() {
            end = picture.badge(end, chip.y + 2, mark, if moved { "badge" } else { "place" }) - 4;
        }
        let (x, room) = (chip.x + 6, end - chip.x - 8);
        let point = tail(&at.0, news.name_font(), room);
        picture.text(x, chip.y + 14, room, news.name_font(), &point);
        let Row::Mount(mount) = row else {
            picture.text(x, chip.y + 29, chip.width - 10, Font::Note, "directory");
            continue;
        };
        let tags = tags(mount);
        let mut right = chip.right() - 4;
        if !tags.is_empty() {
            let is_peer = tags.iter().any(|tag| matches!(tag, Tag::Shared(_)));
            let class = if is_peer { "peers" } else { "peers one-way" };
            let label = tags.iter().map(Tag::mark).collect::<Vec<_>>().join(" ");
            right = picture.badge(right, chip.y + 18, &label, class) - 4;
        }
        // The outline says as well that it is new or has changed, and there is no room for both.
        let note = if space.is_on_top(mount) { ", on top" } else { news.in_words() };
        let kind = format!("{}{note}", what(mount));
        picture.text(x, chip.y + 29, right - x, news.note_font(), &kind);
    }
}

/// The type of the file system, and the directory of it that is shown if that is not the top. Of a disk
/// of the machine, that directory is another one on each machine.
fn what(mount: &Mount) -> String {
    match mount.root.as_str() {
        root if root == "/" || mount.kind == "disk" => mount.kind.clone(),
        root => format!("{} {root}", mount.kind),
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
    fn a_mount_that_covers_another_one_says_so() {
        let mount = |id, parent, point: &str| Mount {
            id,
            parent,
            point: point.to_owned(),
            root: "/".to_owned(),
            kind: "tmpfs".to_owned(),
            propagation: String::new(),
            read_only: false,
        };
        let id = NamespaceId { kind: Kind::Mnt, index: 1 };
        let mounts = [mount(1, None, "/"), mount(2, Some(1), "/"), mount(3, Some(1), "/proc")];
        let mounts: BTreeMap<u32, Mount> =
            mounts.into_iter().map(|mount| (mount.id, mount)).collect();
        let scene = Scene { spaces: vec![Space { id, mounts, places: BTreeMap::new() }] };
        let on_top = |id| scene.spaces[0].is_on_top(&scene.spaces[0].mounts[&id]);
        assert_eq!([1, 2, 3].map(on_top), [false, true, false]);
        let scenes = [scene];
        let lines = scene::Scene::layout(&scenes);
        let said = scene::Scene::describe(&scenes[0], None, &lines);
        assert_eq!(said.matches("/ (tmpfs, on top of the one before").count(), 1, "{said}");
    }

    #[test]
    fn a_path_is_shortened_at_its_beginning() {
        assert_eq!(tail("/mnt", Font::Name, 60), "/mnt");
        assert_eq!(tail("/proc/sys/fs/binfmt_misc", Font::Name, 90), "…binfmt_misc");
    }
}

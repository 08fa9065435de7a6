//! The tree of cgroups, and two things that make something else of it: the root of a cgroup namespace,
//! which begins the paths that a reader in it is shown, and a mount, which shows a part of the tree.

use std::collections::BTreeMap;

use trace::{Kind, NamespaceId, World};

use crate::scene::{self, Selection, TaskLabel, distinct};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// The processes in each cgroup, by its path from the top of the lab's tree.
    cgroups: BTreeMap<String, BTreeMap<u32, TaskLabel>>,
    /// The root of each cgroup namespace that a process is in.
    roots: BTreeMap<NamespaceId, String>,
    /// What the uppermost mount of cgroup2 shows in each mount namespace that a process is in.
    shown: BTreeMap<NamespaceId, Option<String>>,
}

const HEAD: i32 = 44;
/// The line of a cgroup, and that of a process in it.
const FOLDER: i32 = 24;
const CHIP: i32 = 40;
const COLUMN: i32 = 66;
const INDENT: i32 = 8;

impl scene::Scene for Scene {
    type Layout = Table;

    fn of(world: &World, selection: &Selection) -> Scene {
        let mut scene =
            Scene { cgroups: BTreeMap::new(), roots: BTreeMap::new(), shown: BTreeMap::new() };
        for (number, task) in &world.tasks {
            let (Some(path), None) = (&task.cgroup, task.ended) else { continue };
            if !selection.has_task(*number) {
                continue;
            }
            for above in with_those_above(path) {
                scene.cgroups.entry(above).or_default();
            }
            let here = scene.cgroups.entry(path.clone()).or_default();
            here.insert(*number, TaskLabel::of(*number, task));
            let of_kind = |kind| world.namespace(*task.namespaces.get(&kind)?);
            if let Some(namespace) = of_kind(Kind::Cgroup)
                && let Some(root) = namespace.settings.get("root")
            {
                scene.roots.insert(namespace.id, root.clone());
            }
            if let Some(namespace) = of_kind(Kind::Mnt) {
                let mounts = namespace.mounts.values().filter(|mount| mount.kind == "cgroup2");
                let last = mounts.max_by_key(|mount| mount.id).map(|mount| mount.root.clone());
                scene.shown.insert(namespace.id, last);
            }
        }
        scene
    }

    fn is_empty(&self) -> bool {
        self.cgroups.is_empty()
    }

    fn layout(scenes: &[Scene]) -> Table {
        let cgroups = scenes.iter().flat_map(|scene| &scene.cgroups);
        let mut rows = Vec::new();
        for (path, members) in cgroups {
            rows.push((in_order(path), None));
            rows.extend(members.keys().map(|task| (in_order(path), Some(*task))));
        }
        rows.sort();
        rows.dedup();
        let mut top = HEAD;
        let rows = rows.into_iter().map(|(path, task)| {
            let row = Line { path: path.concat(), task, top };
            top += if task.is_none() { FOLDER } else { CHIP };
            row
        });
        let rows = rows.collect();
        let mut columns = distinct(scenes.iter().flat_map(|scene| scene.roots.keys().copied()));
        columns.extend(distinct(scenes.iter().flat_map(|scene| scene.shown.keys().copied())));
        columns.truncate(4);
        Table { rows, columns, height: top + 4 }
    }

    fn draw(&self, before: Option<&Scene>, table: &Table) -> Picture {
        let mut picture = Picture::new(table.height);
        let edge = WIDTH - 2 - COLUMN * table.columns.len() as i32;
        for (column, id) in (0..).zip(&table.columns) {
            let x = edge + COLUMN * column + 2;
            self.draw_column(&mut picture, before, table, (x, *id));
        }
        for Line { path, task, top } in &table.rows {
            let depth = path.matches('/').count().min(6) as i32 - i32::from(path == "/");
            let Some(members) = self.cgroups.get(path) else { continue };
            let x = 2 + INDENT * depth;
            let Some(task) = task else {
                if let Some(above) = above(path)
                    && let Some(row) = table.rows.iter().find(|row| row.path == above)
                {
                    picture.branch((x - INDENT + 2, row.top + 19), (x, top + 12));
                }
                let is_new = before.is_some_and(|before| !before.cgroups.contains_key(path));
                let font = if is_new { Font::Strong } else { Font::Name };
                let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/");
                picture.text(x + 2, top + 16, edge - x - 6, font, name);
                continue;
            };
            let Some(label) = members.get(task) else { continue };
            let past = before.map(|before| before.cgroup_of(*task));
            let (mark, class) = match past {
                Some(None) => ("born", "task changed"),
                Some(Some(was)) if was != path => ("moved", "task changed"),
                _ => ("", "task"),
            };
            let chip = Area::new(x + 4, top + 1, edge - x - 8, 36);
            let (font, note) = match mark {
                "" => (Font::Note, label.pid.as_str()),
                mark => (Font::Mark, mark),
            };
            picture.chip(chip, class, [(Font::Name, &label.program), (font, note)]);
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &Table) -> String {
        let mut sentences = Vec::new();
        for (path, members) in &self.cgroups {
            let members = members.iter().map(|(task, label)| {
                let moved = match before.map(|before| before.cgroup_of(*task)) {
                    Some(None) => ", just born",
                    Some(Some(was)) if was != path => ", just moved here",
                    _ => "",
                };
                format!("{}{moved}", label.in_words())
            });
            let members = list(members, "none of the processes shown");
            sentences.push(sentence(&format!("The cgroup {path}: {members}")));
        }
        for (id, root) in &self.roots {
            let paths =
                self.cgroups.keys().map(|path| format!("{path} is {}", relative(path, root)));
            let new = if before.is_some_and(|before| !before.roots.contains_key(id)) {
                ", new,"
            } else {
                ""
            };
            sentences
                .push(sentence(&format!("{id}{new} has the root {root}: {}", list(paths, ""))));
        }
        for (id, shown) in &self.shown {
            let changed = before.is_some_and(|before| before.shown.get(id) != Some(shown));
            let what = match shown {
                Some(root) => format!("a mount shows {root} and what is below"),
                None => "no mount shows cgroups".to_owned(),
            };
            let changed = if changed { ", since this step" } else { "" };
            sentences.push(sentence(&format!("In {id} {what}{changed}")));
        }
        sentences.join(" ")
    }
}

/// The lines and the columns of all frames.
pub(crate) struct Table {
    rows: Vec<Line>,
    /// Cgroup namespaces, and mount namespaces after them.
    columns: Vec<NamespaceId>,
    height: i32,
}

/// A cgroup, or a process in it.
struct Line {
    path: String,
    task: Option<u32>,
    /// Its upper edge.
    top: i32,
}

impl Scene {
    fn cgroup_of(&self, task: u32) -> Option<&String> {
        self.cgroups.iter().find(|(_, members)| members.contains_key(&task)).map(|(path, _)| path)
    }

    /// What a reader in a namespace finds: the path of each cgroup, or where a mount shows it.
    fn draw_column(
        &self,
        picture: &mut Picture,
        before: Option<&Scene>,
        table: &Table,
        (x, id): (i32, NamespaceId),
    ) {
        let now = (self.roots.get(&id), self.shown.get(&id));
        if now == (None, None) {
            return;
        }
        let was = before.map(|before| (before.roots.get(&id), before.shown.get(&id)));
        let is_changed = was.is_some_and(|was| was != now);
        let area = Area::new(x, 2, COLUMN - 4, table.height - 4);
        picture.tinted(area, if is_changed { "space new" } else { "space" }, id);
        let sign = picture.sign(x + 5, 9, id);
        let letter = id.to_string();
        let letter = letter.rsplit(' ').next().unwrap_or_default();
        picture.text(sign, 18, area.right() - sign - 2, Font::Strong, letter);
        let (word, root) = match now {
            (Some(root), _) => ("cgroup", Some(root)),
            (_, shown) => ("mount", shown.and_then(Option::as_ref)),
        };
        picture.text(x + 5, 34, area.width - 8, Font::Note, word);
        let Some(root) = root else { return };
        for row in table.rows.iter().filter(|row| row.task.is_none()) {
            let path = match word {
                "cgroup" => Some(relative(&row.path, root)),
                _ => below(&row.path, root).map(|rest| format!(".{rest}")),
            };
            if let Some(path) = path.filter(|_| self.cgroups.contains_key(&row.path)) {
                let font = if row.path == *root { Font::Strong } else { Font::Name };
                picture.text(x + 5, row.top + 16, area.width - 8, font, &path);
            }
        }
    }
}

/// A path in a form that sorts a cgroup before those below it, and those before its neighbors.
fn in_order(path: &str) -> Vec<String> {
    match path {
        "/" => vec!["/".to_owned()],
        path => path.split('/').skip(1).map(|name| format!("/{name}")).collect(),
    }
}

fn above(path: &str) -> Option<&str> {
    let (above, name) = path.rsplit_once('/')?;
    if name.is_empty() { None } else { Some(if above.is_empty() { "/" } else { above }) }
}

fn with_those_above(path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    let mut at = path;
    while let Some(next) = above(at) {
        all.push(next.to_owned());
        at = next;
    }
    all
}

/// The rest of a path below a root: empty for the root itself. `None` if it lies elsewhere.
fn below<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_end_matches('/'))
}

/// The path that a process reads whose cgroup namespace has this root (cgroup_namespaces(7)).
fn relative(path: &str, root: &str) -> String {
    let (mut at, mut up) = (root, String::new());
    loop {
        if let Some(rest) = below(path, at) {
            let whole = format!("{up}{rest}");
            return if whole.is_empty() { "/".to_owned() } else { whole };
        }
        up.push_str("/..");
        at = above(at).unwrap_or("/");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_root_of_its_reader() {
        let seen =
            [("/otter", "/otter"), ("/lab", "/otter"), ("/", "/otter"), ("/otter/a", "/otter")];
        let seen = seen.map(|(path, root)| relative(path, root));
        assert_eq!(seen, ["/", "/../lab", "/..", "/a"]);
        assert_eq!(["/", "/lab", "/a/b"].map(|path| relative(path, "/")), ["/", "/lab", "/a/b"]);
        assert_eq!(relative("/otters", "/otter"), "/../otters");
    }

    #[test]
    fn a_mount_shows_what_is_below_its_root() {
        let shown = ["/", "/otter", "/otter/a", "/otters"].map(|path| below(path, "/otter"));
        assert_eq!(shown, [None, Some(""), Some("/a"), None]);
    }
}

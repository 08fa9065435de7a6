//! The pointers of each process: a column for each, a row for each kind of namespace. What
//! neighboring processes share is one bar through their columns.

use std::collections::BTreeMap;

use trace::{Kind, NamespaceId, World};

use crate::scene::{self, Selection, TaskLabel, distinct};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    tasks: BTreeMap<u32, (TaskLabel, BTreeMap<Kind, NamespaceId>)>,
    kinds: Vec<Kind>,
}

const LEFT: i32 = 62;
const HEAD: i32 = 44;
const ROW: i32 = 34;
/// More columns than this would be too narrow for their heads.
const COLUMNS: usize = 4;

impl scene::Scene for Scene {
    /// The tasks, a column for each.
    type Layout = Vec<u32>;

    fn of(world: &World, selection: &Selection) -> Scene {
        let seen = world.tasks.iter().filter(|(number, task)| {
            selection.has_task(**number) && task.ended.is_none() && !task.namespaces.is_empty()
        });
        let tasks = seen.map(|(number, task)| {
            let of_kind = |kind: &Kind| Some((*kind, *task.namespaces.get(kind)?));
            (
                *number,
                (
                    TaskLabel::of(*number, task),
                    selection.kinds.iter().filter_map(of_kind).collect(),
                ),
            )
        });
        Scene { tasks: tasks.collect(), kinds: selection.kinds.clone() }
    }

    /// Keeps the first tasks, as many as there is room for.
    fn thin_out(scenes: &mut [Scene], _: &Selection) {
        let all = Scene::layout(scenes);
        let shown = &all[..all.len().min(COLUMNS)];
        for scene in scenes {
            scene.tasks.retain(|task, _| shown.contains(task));
        }
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty() || self.kinds.is_empty()
    }

    fn layout(scenes: &[Scene]) -> Vec<u32> {
        let mut tasks = distinct(scenes.iter().flat_map(|scene| scene.tasks.keys().copied()));
        tasks.sort();
        tasks
    }

    fn draw(&self, before: Option<&Scene>, columns: &Vec<u32>) -> Picture {
        let width = (WIDTH - LEFT - 2) / columns.len().max(2) as i32;
        let mut picture = Picture::new(HEAD + ROW * self.kinds.len() as i32 + 2);
        let x_of = |task: &u32| {
            LEFT + width * columns.iter().position(|column| column == task).unwrap_or(0) as i32
        };
        for (task, (label, _)) in &self.tasks {
            let is_new = before.is_some_and(|before| !before.tasks.contains_key(task));
            let (x, room) = (x_of(task), width - 6);
            let font = if is_new { Font::Strong } else { Font::Name };
            picture.centred(x, 15, room, font, &label.program);
            let (font, more) = if is_new { (Font::Mark, ", born") } else { (Font::Note, "") };
            picture.centred(x, 31, room, font, &format!("{}{more}", label.pid));
        }
        for (row, kind) in (0..).zip(&self.kinds) {
            let y = HEAD + ROW * row;
            picture.text(2, y + 19, LEFT - 6, Font::Name, kind.name());
            for (id, first, last) in self.bars(*kind, columns) {
                let x = LEFT + width * first as i32;
                let bar = Area::new(x, y + 2, width * (last - first + 1) as i32 - 6, ROW - 8);
                let moved = before.is_some_and(|before| {
                    columns[first..=last].iter().any(|task| before.points_elsewhere(*task, id))
                });
                let is_new = before.is_some_and(|before| !before.has(id));
                picture.tinted(bar, if is_new || moved { "space new" } else { "space" }, id);
                let text = match (is_new, moved) {
                    (true, _) => format!("{id}, new"),
                    (_, true) => format!("{id}, joined"),
                    _ => id.to_string(),
                };
                let font = if is_new || moved { Font::Strong } else { Font::Name };
                let x = picture.sign(bar.x + 7, bar.y + 8, id);
                picture.centred(x, bar.y + 17, bar.right() - x - 4, font, &text);
            }
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &Vec<u32>) -> String {
        let mut sentences = Vec::new();
        for (task, (label, namespaces)) in &self.tasks {
            let past = match before.map(|before| before.tasks.contains_key(task)) {
                Some(false) => ", just born,",
                _ => "",
            };
            let points = namespaces.values().map(|id| {
                let moved = before.is_some_and(|before| before.points_elsewhere(*task, *id));
                format!("{id}{}", if moved { " since this step" } else { "" })
            });
            sentences.push(sentence(&format!(
                "{}{past} is in {}",
                label.in_words(),
                list(points, "no namespace")
            )));
        }
        sentences.join(" ")
    }
}

impl Scene {
    fn has(&self, id: NamespaceId) -> bool {
        self.tasks.values().any(|(_, namespaces)| namespaces.values().any(|other| *other == id))
    }

    /// Whether a task is there and in another namespace of this kind.
    fn points_elsewhere(&self, task: u32, id: NamespaceId) -> bool {
        let was = self.tasks.get(&task).and_then(|(_, namespaces)| namespaces.get(&id.kind));
        was.is_some_and(|was| *was != id)
    }

    /// Runs of columns in the same namespace: its id, the first and the last column.
    fn bars(&self, kind: Kind, columns: &[u32]) -> Vec<(NamespaceId, usize, usize)> {
        let mut bars: Vec<(NamespaceId, usize, usize)> = Vec::new();
        for (at, task) in columns.iter().enumerate() {
            let Some(id) = self.tasks.get(task).and_then(|(_, namespaces)| namespaces.get(&kind))
            else {
                continue;
            };
            match bars.last_mut() {
                Some((last, _, to)) if last == id && *to + 1 == at => *to = at,
                _ => bars.push((*id, at, at)),
            }
        }
        bars
    }
}

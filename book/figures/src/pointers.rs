//! The pointers of each process: a column for each, a row for each kind of namespace. What
//! neighbours share is one bar through their columns.

use std::collections::BTreeMap;

use trace::Kind;
use trace::World;

use crate::figure::{self, Part};
use crate::membership::Who;
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    tasks: BTreeMap<u32, (Who, BTreeMap<Kind, String>)>,
    kinds: Vec<Kind>,
}

const LEFT: i32 = 62;
const HEAD: i32 = 44;
const ROW: i32 = 34;
/// More columns than this would be too narrow for their heads.
const COLUMNS: usize = 4;

impl figure::Scene for Scene {
    fn of(world: &World, part: &Part) -> Scene {
        let seen = world.tasks.iter().filter(|(number, task)| {
            part.has_task(**number) && task.ended.is_none() && !task.namespaces.is_empty()
        });
        let tasks = seen.map(|(number, task)| {
            let of_kind = |kind: &Kind| Some((*kind, task.namespaces.get(kind)?.clone()));
            (*number, (Who::of(*number, task), part.kinds.iter().filter_map(of_kind).collect()))
        });
        Scene { tasks: tasks.collect(), kinds: part.kinds.clone() }
    }

    /// The first tasks, as many as there is room for.
    fn thin_out(scenes: &mut [Scene], _: &Part) {
        let mut all: Vec<u32> =
            scenes.iter().flat_map(|scene| scene.tasks.keys().copied()).collect();
        all.sort();
        all.dedup();
        let shown = &all[..all.len().min(COLUMNS)];
        for scene in scenes {
            scene.tasks.retain(|task, _| shown.contains(task));
        }
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty() || self.kinds.is_empty()
    }

    fn draw(scenes: &[Scene], at: usize) -> Picture {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let mut columns: Vec<u32> =
            scenes.iter().flat_map(|scene| scene.tasks.keys().copied()).collect();
        columns.sort();
        columns.dedup();
        let width = (WIDTH - LEFT - 2) / columns.len().max(2) as i32;
        let mut picture = Picture::new(HEAD + ROW * scene.kinds.len() as i32 + 2);
        let x_of = |task: &u32| {
            LEFT + width * columns.iter().position(|column| column == task).unwrap_or(0) as i32
        };
        for (task, (who, _)) in &scene.tasks {
            let is_new = before.is_some_and(|before| !before.tasks.contains_key(task));
            let (x, room) = (x_of(task), width - 6);
            let font = if is_new { Font::Strong } else { Font::Name };
            picture.centred(x, 15, room, font, &who.program);
            let (font, more) = if is_new { (Font::Mark, ", born") } else { (Font::Note, "") };
            picture.centred(x, 31, room, font, &format!("{}{more}", who.pid));
        }
        for (row, kind) in (0..).zip(&scene.kinds) {
            let y = HEAD + ROW * row;
            picture.text(2, y + 19, LEFT - 6, Font::Name, kind.name());
            for (names, first, last) in scene.bars(*kind, &columns) {
                let x = LEFT + width * first as i32;
                let bar = Area::new(x, y + 2, width * (last - first + 1) as i32 - 6, ROW - 8);
                let known = |name: &String| before.is_some_and(|before| before.has(name));
                let moved = before.is_some_and(|before| {
                    columns[first..=last]
                        .iter()
                        .any(|task| before.points_elsewhere(*task, *kind, &names))
                });
                let is_new = before.is_some() && !known(&names);
                picture.rect(bar, if is_new || moved { "space new" } else { "space" });
                let text = match (is_new, moved) {
                    (true, _) => format!("{names}, new"),
                    (_, true) => format!("{names}, joined"),
                    _ => names,
                };
                let font = if is_new || moved { Font::Strong } else { Font::Name };
                picture.centred(bar.x + 4, bar.y + 17, bar.width - 8, font, &text);
            }
        }
        picture
    }

    fn describe(scenes: &[Scene], at: usize) -> String {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let mut words = Vec::new();
        for (task, (who, namespaces)) in &scene.tasks {
            let past = match before.map(|before| before.tasks.contains_key(task)) {
                Some(false) => ", just born,",
                _ => "",
            };
            let points = namespaces.iter().map(|(kind, name)| {
                let moved =
                    before.is_some_and(|before| before.points_elsewhere(*task, *kind, name));
                if moved { format!("{name} since this step") } else { name.clone() }
            });
            words.push(sentence(&format!(
                "{}{past} is in {}",
                who.words(),
                list(points, "no namespace")
            )));
        }
        words.join(" ")
    }
}

impl Scene {
    fn has(&self, name: &String) -> bool {
        self.tasks.values().any(|(_, namespaces)| namespaces.values().any(|other| other == name))
    }

    /// Whether a task is there and in another namespace of this kind.
    fn points_elsewhere(&self, task: u32, kind: Kind, name: &str) -> bool {
        let was = self.tasks.get(&task).and_then(|(_, namespaces)| namespaces.get(&kind));
        was.is_some_and(|was| was != name)
    }

    /// Runs of neighbours in the same namespace: its name, the first and the last column.
    fn bars(&self, kind: Kind, columns: &[u32]) -> Vec<(String, usize, usize)> {
        let mut bars: Vec<(String, usize, usize)> = Vec::new();
        for (at, task) in columns.iter().enumerate() {
            let Some(name) = self.tasks.get(task).and_then(|(_, names)| names.get(&kind)) else {
                continue;
            };
            match bars.last_mut() {
                Some((last, _, to)) if last == name && *to + 1 == at => *to = at,
                _ => bars.push((name.clone(), at, at)),
            }
        }
        bars
    }
}

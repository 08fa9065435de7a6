//! Which process is in which namespace: a box for each namespace, and in it a chip for each process.
//!
//! Everything has one place for the whole figure, so that from frame to frame only what changed
//! moves. A process that has just left is still there as an outline.

use std::collections::BTreeMap;

use trace::{NamespaceId, World};

use crate::scene::{self, Selection, TaskLabel, distinct, is_new, new_in_words};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// By kind, and in order of first sight.
    spaces: Vec<Space>,
    /// Selected tasks whose namespaces the kernel does not show.
    unseen: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Space {
    id: NamespaceId,
    host_name: Option<String>,
    members: BTreeMap<u32, TaskLabel>,
    /// The pids of the tasks whose next children will be here.
    awaits: Vec<String>,
}

impl scene::Scene for Scene {
    type Layout = Grid;

    fn of(world: &World, selection: &Selection) -> Scene {
        let alive = || {
            world
                .tasks
                .iter()
                .filter(|(number, task)| selection.has_task(**number) && task.ended.is_none())
        };
        let mut spaces = Vec::new();
        for kind in &selection.kinds {
            for namespace in world.namespaces.iter().filter(|namespace| namespace.id.kind == *kind)
            {
                let here = world.members(namespace.id).filter(|number| selection.has_task(*number));
                let awaits =
                    alive().filter(|(_, task)| task.children.get(kind) == Some(&namespace.id));
                spaces.push(Space {
                    id: namespace.id,
                    host_name: namespace.host_name.clone(),
                    members: here
                        .map(|number| (number, TaskLabel::of(number, &world.tasks[&number])))
                        .collect(),
                    awaits: awaits.map(|(number, task)| TaskLabel::of(*number, task).pid).collect(),
                });
            }
        }
        let unseen = alive().filter(|(_, task)| task.namespaces.is_empty());
        let unseen = unseen.map(|(number, task)| TaskLabel::of(*number, task).in_words()).collect();
        Scene { spaces, unseen }
    }

    /// A namespace that never has a process to show is not part of the figure.
    fn thin_out(scenes: &mut [Scene], _: &Selection) {
        let mut used: Vec<NamespaceId> = Vec::new();
        for space in scenes.iter().flat_map(|scene| &scene.spaces) {
            if !space.members.is_empty() || !space.awaits.is_empty() {
                used.push(space.id);
            }
        }
        for scene in scenes {
            scene.spaces.retain(|space| used.contains(&space.id));
        }
    }

    fn is_empty(&self) -> bool {
        self.spaces.iter().all(|space| space.members.is_empty())
    }

    fn layout(scenes: &[Scene]) -> Grid {
        Grid::of(scenes)
    }

    fn draw(&self, before: Option<&Scene>, grid: &Grid) -> Picture {
        let mut picture = Picture::new(grid.height);
        for space in &self.spaces {
            grid.draw(&mut picture, self, before, space);
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &Grid) -> String {
        let mut sentences = Vec::new();
        for space in &self.spaces {
            let host_name = space.host_name.as_ref();
            let host = host_name.map(|name| format!(", host name {name}")).unwrap_or_default();
            let new = new_in_words(before.map(|before| before.space(space.id)));
            let members = space.members.iter().map(|(number, task)| {
                let past = self.past_of(before, *number, space).in_words();
                format!("{}{past}", task.in_words())
            });
            let mut inside = list(members, "none of the processes shown");
            if !space.awaits.is_empty() {
                inside += &format!(
                    "; the next children of {} will be here",
                    list(space.awaits.iter().cloned(), "")
                );
            }
            sentences.push(sentence(&format!("{}{host}{new}: {inside}", space.id)));
        }
        if !self.unseen.is_empty() {
            sentences.push(sentence(&format!(
                "Not shown, as the kernel does not say where: {}",
                list(self.unseen.iter().cloned(), "")
            )));
        }
        sentences.join(" ")
    }
}

/// What a process did since the frame before.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    Same,
    Moved,
    Born,
    Program,
}

impl Past {
    fn in_words(self) -> &'static str {
        match self {
            Past::Same => "",
            Past::Moved => " just moved here",
            Past::Born => " just born here",
            Past::Program => " now executes this program",
        }
    }

    /// The same on a chip.
    fn mark(self) -> &'static str {
        match self {
            Past::Same => "",
            Past::Moved => ", moved",
            Past::Born => ", born",
            Past::Program => ", exec",
        }
    }
}

impl Scene {
    fn space(&self, id: NamespaceId) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }

    fn past_of(&self, before: Option<&Scene>, task: u32, space: &Space) -> Past {
        let Some(before) = before else { return Past::Same };
        let mut of_kind = before.spaces.iter().filter(|other| other.id.kind == space.id.kind);
        match of_kind.find_map(|other| Some((other, other.members.get(&task)?))) {
            None => Past::Born,
            Some((other, _)) if other.id != space.id => Past::Moved,
            Some((_, label)) if label.program != space.members[&task].program => Past::Program,
            Some(_) => Past::Same,
        }
    }
}

const GAP: i32 = 20;
const ROW: i32 = 14;
const CHIP: i32 = 36;

/// The places of namespaces and tasks in all frames.
pub(crate) struct Grid {
    boxes: BTreeMap<NamespaceId, Area>,
    /// The row of a chip in its namespace, by namespace and task.
    slots: BTreeMap<(NamespaceId, u32), i32>,
    heads: BTreeMap<NamespaceId, i32>,
    height: i32,
}

impl Grid {
    fn of(scenes: &[Scene]) -> Grid {
        let spaces = scenes.iter().flat_map(|scene| &scene.spaces);
        let ids = distinct(spaces.map(|space| space.id));
        let mut rows: Vec<Vec<NamespaceId>> = Vec::new();
        for id in ids {
            match rows.iter_mut().find(|row| row[0].kind == id.kind && row.len() < 3) {
                Some(row) => row.push(id),
                None => rows.push(vec![id]),
            }
        }
        let columns = rows.iter().map(Vec::len).max().unwrap_or(1).max(2) as i32;
        let width = (WIDTH - 4 - GAP * (columns - 1)) / columns;
        let mut grid = Grid {
            boxes: BTreeMap::new(),
            slots: BTreeMap::new(),
            heads: BTreeMap::new(),
            height: 2,
        };
        for row in rows {
            let named = |id: &NamespaceId| {
                scenes
                    .iter()
                    .any(|scene| scene.space(*id).is_some_and(|space| space.host_name.is_some()))
            };
            let head = if row.iter().any(named) { 42 } else { 26 };
            let slots = row.iter().map(|id| grid.place(scenes, *id)).max().unwrap_or(1).max(1);
            let height = head + slots * (CHIP + 6) + 2;
            for (column, id) in (0..).zip(row) {
                let x = 2 + column * (width + GAP);
                grid.boxes.insert(id, Area::new(x, grid.height, width, height));
                grid.heads.insert(id, head);
            }
            grid.height += height + ROW;
        }
        grid.height += 2 - ROW;
        grid
    }

    /// Gives every task that is ever in a namespace a row there. Returns the number of rows.
    fn place(&mut self, scenes: &[Scene], id: NamespaceId) -> i32 {
        // The first frame and the last, and one more for the outline of a task that has left.
        let mut stays: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        let mut awaited = 0;
        for (at, scene) in scenes.iter().enumerate() {
            let Some(space) = scene.space(id) else { continue };
            for task in space.members.keys() {
                stays.entry(*task).or_insert((at, at)).1 = at + 1;
            }
            awaited = awaited.max(space.awaits.len().min(1) as i32);
        }
        let mut taken: Vec<(i32, (usize, usize))> = Vec::new();
        for (task, stay) in stays {
            let is_free = |slot: &i32| {
                let mut in_it = taken.iter().filter(|(other, _)| other == slot);
                in_it.all(|(_, (from, to))| *to < stay.0 || stay.1 < *from)
            };
            let slot = (0..).find(is_free).expect("some slot is free");
            taken.push((slot, stay));
            self.slots.insert((id, task), slot);
        }
        taken.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0) + awaited
    }

    fn chip(&self, id: NamespaceId, task: u32) -> Option<Area> {
        let slot = self.slots.get(&(id, task))?;
        Some(self.slot(id, *slot))
    }

    fn slot(&self, id: NamespaceId, slot: i32) -> Area {
        let space = self.boxes[&id];
        Area::new(
            space.x + 5,
            space.y + self.heads[&id] + slot * (CHIP + 6),
            space.width - 10,
            CHIP,
        )
    }

    fn draw(&self, picture: &mut Picture, scene: &Scene, before: Option<&Scene>, space: &Space) {
        let area = self.boxes[&space.id];
        let earlier = before.map(|before| before.space(space.id));
        let is_empty = space.members.is_empty() && space.awaits.is_empty();
        let class = if is_empty { "space empty" } else { "space" };
        picture.namespace(area, class, space.id, is_new(earlier));
        let earlier = earlier.flatten();
        if let Some(host) = &space.host_name {
            let renamed = earlier.is_some_and(|earlier| earlier.host_name != space.host_name);
            let font = if renamed { Font::Mark } else { Font::Note };
            let text = format!("{}“{host}”", if renamed { "now " } else { "" });
            picture.text(area.x + 8, area.y + 34, area.width - 16, font, &text);
        }
        let mut last = -1;
        for (task, label) in &space.members {
            let Some(chip) = self.chip(space.id, *task) else { continue };
            let past = scene.past_of(before, *task, space);
            last = last.max(self.slots[&(space.id, *task)]);
            if past == Past::Moved {
                self.arrow(picture, before, space, *task, chip);
            }
            let note = format!("{}{}", label.pid, past.mark());
            let (class, font) = match past {
                Past::Same => ("task", Font::Note),
                _ => ("task changed", Font::Mark),
            };
            picture.chip(chip, class, [(Font::Name, &label.program), (font, &note)]);
        }
        let left = earlier.into_iter().flat_map(|earlier| &earlier.members);
        for (task, label) in left.filter(|(task, _)| !space.members.contains_key(task)) {
            let Some(chip) = self.chip(space.id, *task) else { continue };
            last = last.max(self.slots[&(space.id, *task)]);
            let moved = scene
                .spaces
                .iter()
                .any(|other| other.id.kind == space.id.kind && other.members.contains_key(task));
            let how = if moved { "left" } else { "ended" };
            let note = format!("{}, {how}", label.pid);
            picture.chip(chip, "task gone", [(Font::Note, &label.program), (Font::Note, &note)]);
        }
        if !space.awaits.is_empty() {
            let chip = self.slot(space.id, last + 1);
            let of = format!("of {}", space.awaits.join(", "));
            picture.chip(chip, "task awaited", [(Font::Note, "next children"), (Font::Note, &of)]);
        } else if last < 0 {
            let chip = self.slot(space.id, 0);
            picture.text(chip.x + 3, chip.y + 15, chip.width - 6, Font::Note, "none of these");
        }
    }

    /// An arrow from the namespace that a task was in to its present one, if they are neighbors.
    fn arrow(
        &self,
        picture: &mut Picture,
        before: Option<&Scene>,
        space: &Space,
        task: u32,
        chip: Area,
    ) {
        let spaces = before.into_iter().flat_map(|before| &before.spaces);
        let mut spaces = spaces.filter(|other| other.id.kind == space.id.kind);
        let Some(was) = spaces.find(|other| other.members.contains_key(&task)) else { return };
        let Some(from) = self.chip(was.id, task) else { return };
        let (here, there) = (self.boxes[&space.id], self.boxes[&was.id]);
        if here.y != there.y || (here.x - there.x).abs() > here.width + GAP {
            return;
        }
        let (start, end) =
            if from.x < chip.x { (from.right(), chip.x) } else { (from.x, chip.right()) };
        picture.arrow((start, from.middle()), (end, chip.middle()));
    }
}

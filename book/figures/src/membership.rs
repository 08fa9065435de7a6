//! Which process is in which namespace: a box for each namespace, and in it a chip for each process. In a
//! network namespace there is one for each socket, too, with a line to the process that holds it.
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
    /// The sockets that were created here, by their owners and descriptors. That a socket is closed is not
    /// in a trace: it is drawn until its owner ends.
    sockets: BTreeMap<(u32, i32), TaskLabel>,
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
                let sockets = alive().flat_map(|(number, task)| {
                    let here = task.sockets.iter().filter(|(_, id)| **id == namespace.id);
                    here.map(move |(fd, _)| ((*number, *fd), TaskLabel::of(*number, task)))
                });
                let awaits =
                    alive().filter(|(_, task)| task.children.get(kind) == Some(&namespace.id));
                spaces.push(Space {
                    id: namespace.id,
                    host_name: namespace.host_name.clone(),
                    members: here
                        .map(|number| (number, TaskLabel::of(number, &world.tasks[&number])))
                        .collect(),
                    sockets: sockets.collect(),
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
            if !space.is_empty() {
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
            let class = if space.is_empty() { "space empty" } else { "space" };
            let is_new = is_new(before.map(|before| before.space(space.id)));
            picture.namespace(grid.boxes[&space.id], class, space.id, is_new);
        }
        // Cables lie above boxes and below chips.
        for space in &self.spaces {
            for (task, descriptor) in space.sockets.keys() {
                grid.cable(&mut picture, self, space, (*task, *descriptor));
            }
        }
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
            for ((task, descriptor), owner) in &space.sockets {
                let new = new_in_words(before.map(|before| before.socket((*task, *descriptor))));
                inside += &format!("; socket {descriptor} of {}{new}", owner.in_words());
            }
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

impl Space {
    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.sockets.is_empty() && self.awaits.is_empty()
    }
}

/// What has a row in a namespace: a task, or a socket of it.
type Item = (u32, Option<i32>);

impl Scene {
    fn socket(&self, key: (u32, i32)) -> Option<&TaskLabel> {
        self.spaces.iter().find_map(|space| space.sockets.get(&key))
    }

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
    /// The row of a chip in its namespace.
    slots: BTreeMap<(NamespaceId, Item), i32>,
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

    /// Gives every task and every socket that is ever in a namespace a row there. Returns the number of rows.
    fn place(&mut self, scenes: &[Scene], id: NamespaceId) -> i32 {
        // The first frame and the last, and one more for the outline of a task that has left.
        let mut stays: BTreeMap<Item, (usize, usize)> = BTreeMap::new();
        let mut awaited = 0;
        for (at, scene) in scenes.iter().enumerate() {
            let Some(space) = scene.space(id) else { continue };
            let sockets = space.sockets.keys().map(|(task, descriptor)| (*task, Some(*descriptor)));
            for item in space.members.keys().map(|task| (*task, None)).chain(sockets) {
                stays.entry(item).or_insert((at, at)).1 = at + 1;
            }
            awaited = awaited.max(space.awaits.len().min(1) as i32);
        }
        let mut taken: Vec<(i32, (usize, usize))> = Vec::new();
        for (item, stay) in stays {
            let is_free = |slot: &i32| {
                let mut in_it = taken.iter().filter(|(other, _)| other == slot);
                in_it.all(|(_, (from, to))| *to < stay.0 || stay.1 < *from)
            };
            let slot = (0..).find(is_free).expect("some slot is free");
            taken.push((slot, stay));
            self.slots.insert((id, item), slot);
        }
        taken.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0) + awaited
    }

    fn chip(&self, id: NamespaceId, item: Item) -> Option<Area> {
        let slot = self.slots.get(&(id, item))?;
        Some(self.slot(id, *slot))
    }

    /// A line from a socket to the process that holds it, which may be in another namespace.
    fn cable(&self, picture: &mut Picture, scene: &Scene, space: &Space, socket: (u32, i32)) {
        let kind = space.id.kind;
        let mut of_kind = scene.spaces.iter().filter(|other| other.id.kind == kind);
        let owner = of_kind.find(|other| other.members.contains_key(&socket.0));
        let owner = owner.and_then(|owner| self.chip(owner.id, (socket.0, None)));
        let end = self.chip(space.id, (socket.0, Some(socket.1)));
        let (Some(owner), Some(end)) = (owner, end) else { return };
        if owner.x == end.x {
            let (upper, lower) = if owner.y < end.y { (owner, end) } else { (end, owner) };
            picture.line((upper.x + 12, upper.bottom()), (lower.x + 12, lower.y), "cable");
        } else {
            let (left, right) = if owner.x < end.x { (owner, end) } else { (end, owner) };
            picture.line((left.right(), left.middle()), (right.x, right.middle()), "cable");
        }
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
        let earlier = before.and_then(|before| before.space(space.id));
        if let Some(host) = &space.host_name {
            let renamed = earlier.is_some_and(|earlier| earlier.host_name != space.host_name);
            let font = if renamed { Font::Mark } else { Font::Note };
            let text = format!("{}“{host}”", if renamed { "now " } else { "" });
            picture.text(area.x + 8, area.y + 34, area.width - 16, font, &text);
        }
        let mut last = -1;
        for (task, label) in &space.members {
            let Some(chip) = self.chip(space.id, (*task, None)) else { continue };
            let past = scene.past_of(before, *task, space);
            last = last.max(self.slots[&(space.id, (*task, None))]);
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
        for ((task, descriptor), owner) in &space.sockets {
            let item = (*task, Some(*descriptor));
            let Some(chip) = self.chip(space.id, item) else { continue };
            last = last.max(self.slots[&(space.id, item)]);
            let is_new = is_new(before.map(|before| before.socket((*task, *descriptor))));
            let (class, font) =
                if is_new { ("socket changed", Font::Mark) } else { ("socket", Font::Note) };
            let name = format!("socket {descriptor}");
            let note = format!("of {}{}", owner.pid, if is_new { ", new" } else { "" });
            picture.chip(chip, class, [(Font::Name, &name), (font, &note)]);
        }
        let left = earlier.into_iter().flat_map(|earlier| &earlier.members);
        for (task, label) in left.filter(|(task, _)| !space.members.contains_key(task)) {
            let Some(chip) = self.chip(space.id, (*task, None)) else { continue };
            last = last.max(self.slots[&(space.id, (*task, None))]);
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
        let Some(from) = self.chip(was.id, (task, None)) else { return };
        let (here, there) = (self.boxes[&space.id], self.boxes[&was.id]);
        if here.y != there.y || (here.x - there.x).abs() > here.width + GAP {
            return;
        }
        let (start, end) =
            if from.x < chip.x { (from.right(), chip.x) } else { (from.x, chip.right()) };
        picture.arrow((start, from.middle()), (end, chip.middle()));
    }
}

//! The tree of processes, with a column for each PID namespace: the same process has a pid in its
//! own, and in each one above it.

use std::collections::BTreeMap;

use trace::{Exit, Kind, NamespaceId, World};

use crate::scene::{self, Before, Selection, distinct, new_in_words};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// PID namespaces, each after the one that it is nested in.
    namespaces: Vec<NamespaceId>,
    processes: BTreeMap<u32, Process>,
}

#[derive(Clone, Debug, PartialEq)]
struct Process {
    parent: Option<u32>,
    program: String,
    /// By PID namespace.
    pids: BTreeMap<NamespaceId, i32>,
    ended: Option<Exit>,
}

const HEAD: i32 = 28;
const ROW: i32 = 32;
const COLUMN: i32 = 54;
const INDENT: i32 = 16;

impl scene::Scene for Scene {
    type Layout = Tree;

    fn of(world: &World, selection: &Selection) -> Scene {
        let mut processes = BTreeMap::new();
        for (number, task) in &world.tasks {
            if task.process != *number || !selection.has_task(*number) {
                continue;
            }
            // From its own PID namespace outwards.
            let (mut pids, mut at) = (BTreeMap::new(), task.namespaces.get(&Kind::Pid).copied());
            for pid in task.pids.iter().rev() {
                let Some(id) = at else { break };
                pids.insert(id, *pid);
                at = world.namespace(id).and_then(|namespace| namespace.parent);
            }
            let process = Process {
                parent: task.parent,
                program: task.program.clone(),
                pids,
                ended: task.ended,
            };
            processes.insert(*number, process);
        }
        let all = world.namespaces.iter().map(|namespace| namespace.id);
        let mut namespaces: Vec<NamespaceId> = all.filter(|id| id.kind == Kind::Pid).collect();
        namespaces.sort_by_key(|id| depth(world, *id));
        Scene { namespaces, processes }
    }

    /// A process that has ended is shown in one frame; a namespace only if a process is ever in it.
    fn thin_out(scenes: &mut [Scene], _: &Selection) {
        let mut ended: Vec<u32> = Vec::new();
        let processes = scenes.iter().flat_map(|scene| scene.processes.values());
        let used: Vec<NamespaceId> =
            processes.flat_map(|process| process.pids.keys().copied()).collect();
        for scene in scenes {
            scene.namespaces.retain(|id| used.contains(id));
            scene.processes.retain(|number, _| !ended.contains(number));
            let now = scene.processes.iter().filter(|(_, process)| process.ended.is_some());
            ended.extend(now.map(|(number, _)| *number));
        }
    }

    fn is_empty(&self) -> bool {
        self.processes.values().all(|process| process.ended.is_some())
    }

    fn layout(scenes: &[Scene]) -> Tree {
        let ids = scenes.iter().flat_map(|scene| &scene.namespaces);
        let mut columns = distinct(ids.copied());
        columns.truncate(4);
        Tree { rows: rows(scenes), columns }
    }

    fn draw(&self, before: Option<&Scene>, Tree { rows, columns }: &Tree) -> Picture {
        let mut picture = Picture::new(HEAD + ROW * rows.len() as i32 + 8);
        let edge = WIDTH - 2 - COLUMN * columns.len() as i32;
        for (column, id) in (0..).zip(columns) {
            if self.namespaces.contains(id) {
                let is_new = before.is_some_and(|before| !before.namespaces.contains(id));
                let area = Area::new(edge + COLUMN * column + 2, 2, COLUMN - 4, picture.height - 4);
                picture.tinted(area, if is_new { "space new" } else { "space" }, *id);
                let font = if is_new { Font::Strong } else { Font::Name };
                picture.centred(area.x, 19, area.width, font, &id.to_string());
            }
        }
        let y_of = |number: u32| {
            rows.iter().position(|(row, _)| *row == number).map(|row| HEAD + ROW * row as i32)
        };
        for (number, depth) in rows {
            let (Some(process), Some(y)) = (self.processes.get(number), y_of(*number)) else {
                continue;
            };
            let x = 2 + INDENT * depth;
            if let Some(parent) = process
                .parent
                .filter(|parent| *depth > 0 && self.processes.contains_key(parent))
                .and_then(y_of)
            {
                picture.branch((x - INDENT + 8, parent + ROW - 5), (x, y + ROW / 2));
            }
            let past = process.past(before.map(|before| before.processes.get(number)));
            let chip = Area::new(x, y + 3, edge - x - 4, ROW - 8);
            picture.rect(chip, past.class());
            let mut right = chip.right() - 5;
            if past != Past::Same {
                right = picture.badge(chip.right() - 4, chip.y + 4, past.mark(), "badge") - 4;
            }
            picture.text(x + 6, y + 20, right - x - 6, Font::Name, &process.program);
            for (column, id) in (0..).zip(columns) {
                if let Some(pid) = process.pids.get(id) {
                    let font = if past == Past::Born { Font::Strong } else { Font::Name };
                    let x = edge + COLUMN * column + 2;
                    picture.centred(x, y + 20, COLUMN - 4, font, &pid.to_string());
                }
            }
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, Tree { rows, .. }: &Tree) -> String {
        let mut sentences = Vec::new();
        for (number, _) in rows {
            let Some(process) = self.processes.get(number) else { continue };
            let pids = process.pids.iter().map(|(id, pid)| format!("pid {pid} in {id}"));
            let parent = process.parent.and_then(|parent| self.processes.get(&parent));
            let child =
                parent.map(|parent| format!(", a child of {}", parent.program)).unwrap_or_default();
            let past = process.past(before.map(|before| before.processes.get(number)));
            let news = match &process.ended {
                Some(how) => format!("; it {how}"),
                None => past.in_words().to_owned(),
            };
            let pids = list(pids, "pid unknown");
            sentences.push(sentence(&format!("{}{child}: {pids}{news}", process.program)));
        }
        for id in &self.namespaces {
            if !self.processes.values().any(|process| process.pids.contains_key(id)) {
                let known = before.map(|before| before.namespaces.iter().find(|old| *old == id));
                let new = new_in_words(known);
                sentences.push(sentence(&format!("{id}{new}: no process")));
            }
        }
        sentences.join(" ")
    }
}

/// The rows and columns of all frames.
pub(crate) struct Tree {
    /// Every process with its depth in the tree, in the order in which they are drawn.
    rows: Vec<(u32, i32)>,
    /// PID namespaces.
    columns: Vec<NamespaceId>,
}

/// What a process did since the frame before.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    Same,
    Born,
    Program,
    Ended,
}

impl Past {
    fn class(self) -> &'static str {
        match self {
            Past::Same => "task",
            Past::Born | Past::Program => "task changed",
            Past::Ended => "task gone",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Past::Same => "",
            Past::Born => "born",
            Past::Program => "exec",
            Past::Ended => "ended",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Past::Same | Past::Ended => "",
            Past::Born => "; just born",
            Past::Program => "; this program is new",
        }
    }
}

impl Process {
    fn past(&self, before: Before<Process>) -> Past {
        match before {
            _ if self.ended.is_some() => Past::Ended,
            Some(None) => Past::Born,
            Some(Some(before)) if before.program != self.program => Past::Program,
            _ => Past::Same,
        }
    }
}

fn depth(world: &World, id: NamespaceId) -> usize {
    let mut at = world.namespace(id);
    let mut depth = 0;
    while let Some(parent) = at.and_then(|namespace| namespace.parent) {
        // In a damaged trace the parents could form a cycle.
        if depth > world.namespaces.len() {
            break;
        }
        depth += 1;
        at = world.namespace(parent);
    }
    depth
}

/// Every process of a figure with its depth in the tree, in the order in which they are drawn.
fn rows(scenes: &[Scene]) -> Vec<(u32, i32)> {
    let mut parents: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for (number, process) in scenes.iter().flat_map(|scene| &scene.processes) {
        parents.insert(*number, process.parent);
    }
    let known: Vec<u32> = parents.keys().copied().collect();
    // A child has a higher number than its parent; in a damaged trace it may not.
    parents.iter_mut().for_each(|(number, parent)| {
        *parent = parent.filter(|parent| parent < number && known.contains(parent))
    });
    let mut rows = Vec::new();
    descend(&parents, None, 0, &mut rows);
    rows
}

fn descend(
    parents: &BTreeMap<u32, Option<u32>>,
    of: Option<u32>,
    depth: i32,
    rows: &mut Vec<(u32, i32)>,
) {
    for (number, _) in parents.iter().filter(|(_, parent)| **parent == of) {
        rows.push((*number, depth.min(6)));
        descend(parents, Some(*number), depth + 1, rows);
    }
}

//! The tree of processes, with a column for each PID namespace: the same process has a pid in its
//! own, and in each one above it. Arrows lead from a process that waits to the one that it waits for.

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
    /// Those that have to be reaped before it goes on.
    waits_for: Vec<u32>,
}

const HEAD: i32 = 28;
const ROW: i32 = 32;
const COLUMN: i32 = 54;
const INDENT: i32 = 16;
/// What the line about a process that waits adds to its row, and the room for one arrow.
const WAIT: i32 = 14;
const LANE: i32 = 9;

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
                waits_for: task.waits_for.clone(),
            };
            processes.insert(*number, process);
        }
        let all = world.namespaces.iter().map(|namespace| namespace.id);
        let mut namespaces: Vec<NamespaceId> = all.filter(|id| id.kind == Kind::Pid).collect();
        namespaces.sort_by_key(|id| depth(world, *id));
        Scene { namespaces, processes }
    }

    /// A process that has ended is shown in one frame, or as long as one waits for it; a namespace only if
    /// a process is ever in it.
    fn thin_out(scenes: &mut [Scene], _: &Selection) {
        let mut ended: Vec<u32> = Vec::new();
        let mut left: Vec<(usize, u32)> = Vec::new();
        for (at, scene) in scenes.iter().enumerate() {
            left.extend(scene.waits().into_iter().flat_map(|(from, to)| [(at, from), (at, to)]));
        }
        let processes = scenes.iter().flat_map(|scene| scene.processes.values());
        let used: Vec<NamespaceId> =
            processes.flat_map(|process| process.pids.keys().copied()).collect();
        for (at, scene) in scenes.iter_mut().enumerate() {
            scene.namespaces.retain(|id| used.contains(id));
            let is_left = |number: &u32| left.iter().any(|(to, of)| of == number && at <= *to);
            scene.processes.retain(|number, _| is_left(number) || !ended.contains(number));
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
        let lanes = scenes.iter().map(|scene| scene.waits().len()).max().unwrap_or(0).min(6) as i32;
        Tree { rows: rows(scenes), columns, lanes }
    }

    fn draw(&self, before: Option<&Scene>, tree: &Tree) -> Picture {
        let Tree { rows, columns, lanes } = tree;
        let row = if *lanes > 0 { ROW + WAIT } else { ROW };
        let mut picture = Picture::new(HEAD + row * rows.len() as i32 + 8);
        let edge = WIDTH - 2 - COLUMN * columns.len() as i32;
        let end = edge - 4 - if *lanes > 0 { LANE * (lanes + 1) } else { 0 };
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
            rows.iter().position(|(of, _)| *of == number).map(|at| HEAD + row * at as i32)
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
                picture.branch((x - INDENT + 8, parent + row - 5), (x, y + row / 2));
            }
            let past = process.past(before.map(|before| before.processes.get(number)));
            let chip = Area::new(x, y + 3, end - x, row - 8);
            picture.rect(chip, past.class());
            let mut right = chip.right() - 5;
            if !past.mark().is_empty() {
                right = picture.badge(chip.right() - 4, chip.y + 4, past.mark(), "badge") - 4;
            }
            picture.text(x + 6, y + 20, right - x - 6, Font::Name, &process.program);
            if let Some(wait) = self.wait_of(*number) {
                picture.text(x + 6, y + 34, chip.width - 10, Font::Note, wait);
            }
            for (column, id) in (0..).zip(columns) {
                if let Some(pid) = process.pids.get(id) {
                    let font = if past == Past::Born { Font::Strong } else { Font::Name };
                    let x = edge + COLUMN * column + 2;
                    picture.centred(x, y + 20, COLUMN - 4, font, &pid.to_string());
                }
            }
        }
        for (lane, (from, to)) in (1..=*lanes).zip(self.waits()) {
            let (Some(from), Some(to)) = (y_of(from), y_of(to)) else { continue };
            // An arrow leaves below the middle of a chip, and arrives above.
            let (x, from, to) = (end + LANE * lane, from + row / 2 + 6, to + row / 2 - 6);
            picture.path(
                &format!("M{end} {from}H{x}V{to}H{}", end + 6),
                &[(end, from), (x, to)],
                "move",
            );
            let points = [(end, to - 4), (end + 6, to + 4)];
            picture.path(&format!("M{end} {to}l6 -4v8z"), &points, "move-head");
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
            let of = |number: &u32| {
                let pid = self.processes.get(number).and_then(|it| it.pids.iter().next());
                pid.map_or("another process".to_owned(), |(id, pid)| format!("pid {pid} in {id}"))
            };
            let waits = self.waits().into_iter().filter(|(from, _)| from == number);
            let waits: String = waits
                .map(|(_, to)| match process.waits_for.contains(&to) {
                    true => format!("; it waits until {} has been reaped", of(&to)),
                    false => {
                        format!("; it stays a zombie until its parent, {}, waits for it", of(&to))
                    }
                })
                .collect();
            let pids = list(pids, "pid unknown");
            sentences.push(sentence(&format!("{}{child}: {pids}{news}{waits}", process.program)));
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
    /// The most arrows in a frame.
    lanes: i32,
}

impl Scene {
    /// Which process waits for which: for its end, or, as a zombie, for its parent to reap it.
    fn waits(&self) -> Vec<(u32, u32)> {
        let mut waits = Vec::new();
        for (number, process) in &self.processes {
            for other in &process.waits_for {
                // An orphan gets another parent, which reaps it.
                let Some(awaited) = self.processes.get(other).filter(|it| self.has_a_parent(it))
                else {
                    continue;
                };
                waits.push((*number, *other));
                let parent = awaited.parent.filter(|_| awaited.is_over());
                waits.extend(parent.map(|parent| (*other, parent)));
            }
        }
        waits
    }

    fn has_a_parent(&self, process: &Process) -> bool {
        let parent = process.parent.and_then(|parent| self.processes.get(&parent));
        parent.is_none_or(|parent| parent.ended.is_none())
    }

    /// A line about a process that is in the way of another one, or waits for one.
    fn wait_of(&self, number: u32) -> Option<&'static str> {
        let process = self.processes.get(&number)?;
        self.waits().into_iter().find(|(from, _)| *from == number)?;
        Some(match (process.waits_for.is_empty(), process.ended) {
            (false, Some(_)) => "in zap_pid_ns_processes",
            (false, None) => "in wait(2) for one child",
            (true, _) => "a zombie",
        })
    }
}

/// What a process did since the frame before.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    Same,
    Born,
    Program,
    Ended,
    /// It had ended before.
    Over,
    Waits,
}

impl Past {
    fn class(self) -> &'static str {
        match self {
            Past::Same => "task",
            Past::Born | Past::Program | Past::Waits => "task changed",
            Past::Ended | Past::Over => "task gone",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Past::Same | Past::Over => "",
            Past::Born => "born",
            Past::Program => "exec",
            Past::Ended => "ended",
            Past::Waits => "waits",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Past::Same | Past::Ended | Past::Over | Past::Waits => "",
            Past::Born => "; just born",
            Past::Program => "; this program is new",
        }
    }
}

impl Process {
    /// Whether it has ended and waits for nothing but to be reaped.
    fn is_over(&self) -> bool {
        self.ended.is_some() && self.waits_for.is_empty()
    }

    fn past(&self, before: Before<Process>) -> Past {
        match before {
            Some(Some(before)) if before.waits_for.is_empty() && !self.waits_for.is_empty() => {
                Past::Waits
            }
            Some(Some(before)) if before.ended.is_some() => Past::Over,
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

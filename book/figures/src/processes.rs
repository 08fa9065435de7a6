//! The tree of processes, with a column for each PID namespace: the same process has a pid in its
//! own, and in each one above it.

use std::collections::BTreeMap;

use trace::{Exit, Kind, NamespaceId, World};

use crate::figure::{self, Part};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// PID namespaces, and the one each is nested in.
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

impl figure::Scene for Scene {
    fn of(world: &World, part: &Part) -> Scene {
        let mut processes = BTreeMap::new();
        for (number, task) in &world.tasks {
            if task.process != *number || !part.has_task(*number) {
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

    /// Who has ended is shown where that is news; a namespace where somebody is in it.
    fn thin_out(scenes: &mut [Scene], _: &Part) {
        let mut ended: Vec<u32> = Vec::new();
        let pids = |scene: &Scene| {
            let all = scene.processes.values().flat_map(|process| process.pids.keys().copied());
            all.collect::<Vec<_>>()
        };
        let used: Vec<NamespaceId> = scenes.iter().flat_map(pids).collect();
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

    fn draw(scenes: &[Scene], at: usize) -> Picture {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let rows = rows(scenes);
        let mut columns: Vec<NamespaceId> = Vec::new();
        for id in scenes.iter().flat_map(|scene| &scene.namespaces) {
            if !columns.contains(id) {
                columns.push(*id);
            }
        }
        columns.truncate(4);
        let mut picture = Picture::new(HEAD + ROW * rows.len() as i32 + 8);
        let edge = WIDTH - 2 - COLUMN * columns.len() as i32;
        for (column, id) in (0..).zip(&columns) {
            if scene.namespaces.contains(id) {
                let is_new = before.is_some_and(|before| !before.namespaces.contains(id));
                let area = Area::new(edge + COLUMN * column + 2, 2, COLUMN - 4, picture.height - 4);
                picture.rect(area, if is_new { "space new" } else { "space" });
                let font = if is_new { Font::Strong } else { Font::Name };
                picture.centred(area.x, 19, area.width, font, &id.to_string());
            }
        }
        let y_of = |number: u32| {
            rows.iter().position(|(row, _)| *row == number).map(|row| HEAD + ROW * row as i32)
        };
        for (number, depth) in &rows {
            let (Some(process), Some(y)) = (scene.processes.get(number), y_of(*number)) else {
                continue;
            };
            let x = 2 + INDENT * depth;
            if let Some(parent) = process
                .parent
                .filter(|parent| *depth > 0 && scene.processes.contains_key(parent))
                .and_then(y_of)
            {
                let down = x - INDENT + 8;
                let path = format!("M{down} {}V{}H{x}", parent + ROW - 5, y + ROW / 2);
                picture.path(&path, &[(down, parent + ROW - 5), (x, y + ROW / 2)], "branch");
            }
            let (class, word) = process.news(before.map(|before| before.processes.get(number)));
            let chip = Area::new(x, y + 3, edge - x - 4, ROW - 8);
            picture.rect(chip, class);
            let mut right = chip.right() - 5;
            if !word.is_empty() {
                right = picture.badge(chip.right() - 4, chip.y + 4, word, "badge") - 4;
            }
            picture.text(x + 6, y + 20, right - x - 6, Font::Name, &process.program);
            for (column, id) in (0..).zip(&columns) {
                if let Some(pid) = process.pids.get(id) {
                    let font = if word == "born" { Font::Strong } else { Font::Name };
                    picture.centred(
                        edge + COLUMN * column + 2,
                        y + 20,
                        COLUMN - 4,
                        font,
                        &pid.to_string(),
                    );
                }
            }
        }
        picture
    }

    fn describe(scenes: &[Scene], at: usize) -> String {
        let (scene, before) = (&scenes[at], at.checked_sub(1).map(|before| &scenes[before]));
        let mut words = Vec::new();
        for (number, _) in rows(scenes) {
            let Some(process) = scene.processes.get(&number) else { continue };
            let pids = process.pids.iter().map(|(id, pid)| format!("pid {pid} in {id}"));
            let child = process.parent.and_then(|parent| scene.processes.get(&parent));
            let child =
                child.map(|parent| format!(", a child of {}", parent.program)).unwrap_or_default();
            let news = match (
                process.news(before.map(|before| before.processes.get(&number))).1,
                &process.ended,
            ) {
                (_, Some(how)) => format!("; it {how}"),
                ("born", _) => "; just born".to_owned(),
                ("exec", _) => "; this program is new".to_owned(),
                _ => String::new(),
            };
            words.push(sentence(&format!(
                "{}{child}: {}{news}",
                process.program,
                list(pids, "pid unknown")
            )));
        }
        for id in &scene.namespaces {
            if !scene.processes.values().any(|process| process.pids.contains_key(id)) {
                let is_new = before.is_some_and(|before| !before.namespaces.contains(id));
                let new = if is_new { ", new" } else { "" };
                words.push(sentence(&format!("{id}{new}: no process")));
            }
        }
        words.join(" ")
    }
}

impl Process {
    /// How it is drawn, and the word for what is new about it.
    fn news(&self, before: Option<Option<&Process>>) -> (&'static str, &'static str) {
        match before {
            _ if self.ended.is_some() => ("task gone", "ended"),
            Some(None) => ("task changed", "born"),
            Some(Some(before)) if before.program != self.program => ("task changed", "exec"),
            _ => ("task", ""),
        }
    }
}

fn depth(world: &World, id: NamespaceId) -> usize {
    let mut at = world.namespace(id);
    let mut depth = 0;
    while let Some(parent) = at.and_then(|namespace| namespace.parent) {
        // A damaged trace could go in a circle.
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
    // A child has a higher number than its parent.
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

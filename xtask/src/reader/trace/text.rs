//! A story on the terminal.

use std::fmt::Write as _;

use harness::look::Kind;
use harness::trace::{Change, Outcome, Step, Story, Task, World};

use crate::shared::screen::{self, Screen, plain};

/// Columns for who it is, before those for the namespaces.
const WHO: usize = 30;

pub(super) fn print(story: &Story, screen: Screen) {
    // Wide enough for the table also where nobody knows how wide the screen is.
    let screen = Screen { width: screen.width.max(80), ..screen };
    let mut before = World::default();
    for (number, step) in story.steps.iter().enumerate() {
        let mut after = before.clone();
        after.apply(step);
        screen::print(&tell(number, step, &before, &after, screen));
        if screen::closed() {
            return;
        }
        before = after;
    }
    if story.dropped > 0 {
        screen::print(&format!("\n{} more calls were made and not kept\n", story.dropped));
    }
}

fn tell(number: usize, step: &Step, before: &World, after: &World, screen: Screen) -> String {
    if number == 0 {
        return format!("the program starts\n\n{}", table(&World::default(), after, screen));
    }
    let who = plain(&after.tasks.get(&step.task).map(Task::label).unwrap_or_default());
    let line = step.line();
    let head = format!("\n{number:>3}  {who}  ");
    let failed = matches!(step.outcome, Outcome::Error { .. });
    let line = screen.hanging(&format!("{number:>3}  {who}  "), &line);
    let mut text = match line.strip_prefix(&head[1..]) {
        Some(call) if failed => format!("{head}{}", screen.bad(call)),
        Some(call) => format!("{head}{}", screen.strong(call)),
        None => format!("\n{line}"),
    };
    let indent = " ".repeat(5);
    for sentence in step.sentences(before) {
        text += &screen.hanging(&indent, &sentence);
    }
    let moves = |change: &Change| {
        matches!(change, Change::Task { .. } | Change::Joined { .. } | Change::Children { .. })
    };
    if step.changes.iter().any(moves) {
        text += "\n";
        text += &table(before, after, screen);
    }
    text
}

/// The tree of processes, and beside each the letters of its namespaces. What this step changed
/// has a star.
fn table(before: &World, after: &World, screen: Screen) -> String {
    let mut text = format!("{:WHO$}", "");
    for kind in Kind::ALL {
        _ = write!(text, " {:>5}", short(kind));
    }
    text.push('\n');
    for (depth, number) in tree(after) {
        let Some(task) = after.tasks.get(&number) else { continue };
        // Who is new is compared with its parent.
        let maker = || task.parent.and_then(|parent| after.tasks.get(&parent));
        let old = before.tasks.get(&number).or_else(maker);
        _ = write!(text, "{:WHO$}", who(depth, number, task));
        for kind in Kind::ALL {
            let letter = |task: &Task| {
                let name = task.namespaces.get(&kind)?;
                Some(plain(name.rsplit(' ').next().unwrap_or(name)))
            };
            let now = letter(task).unwrap_or_else(|| "?".to_owned());
            let changed = !before.tasks.is_empty() && old.and_then(letter) != Some(now.clone());
            let cell = format!("{now}{}", if changed { "*" } else { " " });
            let cell = format!(" {cell:>5}");
            text += &if changed { screen.good(&cell) } else { cell };
        }
        text.push('\n');
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A long name gives way: the pids tell more.
fn who(depth: usize, number: u32, task: &Task) -> String {
    let thread = if task.process == number { "" } else { " thread" };
    let pids = format!(" {}{thread}", task.pids_in_brackets());
    let indent = format!("     {}", "  ".repeat(depth.min(5)));
    let room = WHO.saturating_sub(indent.len() + pids.len()).max(4);
    let name = plain(&task.program);
    let name = if name.chars().count() <= room {
        name
    } else {
        name.chars().take(room - 1).chain(['…']).collect()
    };
    format!("{indent}{name}{pids}")
}

/// Who is alive, each below its parent, with the depth.
fn tree(world: &World) -> Vec<(usize, u32)> {
    let alive: Vec<u32> = world
        .tasks
        .iter()
        .filter(|(_, task)| task.ended.is_none())
        .map(|(number, _)| *number)
        .collect();
    let parent =
        |number: &u32| world.tasks.get(number)?.parent.filter(|parent| alive.contains(parent));
    let mut found = Vec::new();
    let roots: Vec<u32> = alive.iter().copied().filter(|number| parent(number).is_none()).collect();
    let mut left: Vec<(usize, u32)> = roots.into_iter().rev().map(|root| (0, root)).collect();
    while let Some((depth, number)) = left.pop() {
        found.push((depth, number));
        let children: Vec<u32> =
            alive.iter().copied().filter(|child| parent(child) == Some(number)).collect();
        left.extend(children.into_iter().rev().map(|child| (depth + 1, child)));
    }
    found
}

/// A heading of five columns.
fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Cgroup => "cgrp ",
        Kind::User => "user ",
        Kind::Time => "time ",
        Kind::Mnt => "mnt ",
        Kind::Pid => "pid ",
        Kind::Net => "net ",
        Kind::Uts => "uts ",
        Kind::Ipc => "ipc ",
    }
}

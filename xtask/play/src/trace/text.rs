//! A trace on the terminal.

use std::fmt::Write as _;

use harness::look::Kind;
use harness::trace::{Change, Event, Outcome, Task, Trace, World};

use xtask::shared::screen::{self, Screen, plain};

/// Columns for the process, before those for the namespaces.
const LABEL: usize = 30;

pub(super) fn print(trace: &Trace, screen: Screen) {
    // The table needs 80 columns.
    let screen = Screen { width: screen.width.max(80), ..screen };
    let mut before = World::default();
    for (number, event) in trace.events.iter().enumerate() {
        let mut after = before.clone();
        after.apply(event);
        screen::print(&tell(number, event, &before, &after, screen));
        if screen::closed() {
            return;
        }
        before = after;
    }
    if trace.dropped > 0 {
        screen::print(&format!("\n{} more calls were made and not recorded\n", trace.dropped));
    }
}

fn tell(number: usize, event: &Event, before: &World, after: &World, screen: Screen) -> String {
    if number == 0 {
        return format!("the program starts\n\n{}", table(&World::default(), after, screen));
    }
    let label = plain(&after.tasks.get(&event.task).map(Task::label).unwrap_or_default());
    let line = event.line();
    let head = format!("\n{number:>3}  {label}  ");
    let failed = matches!(event.outcome, Outcome::Error { .. });
    let line = screen.hanging(&format!("{number:>3}  {label}  "), &line);
    let mut text = match line.strip_prefix(&head[1..]) {
        Some(call) if failed => format!("{head}{}", screen.bad(call)),
        Some(call) => format!("{head}{}", screen.strong(call)),
        None => format!("\n{line}"),
    };
    let indent = " ".repeat(5);
    for sentence in event.sentences(before) {
        text += &screen.hanging(&indent, &sentence);
    }
    let moves = |change: &Change| {
        matches!(change, Change::Task { .. } | Change::Joined { .. } | Change::Children { .. })
    };
    if event.changes.iter().any(moves) {
        text += "\n";
        text += &table(before, after, screen);
    }
    text
}

/// The tree of processes, and beside each the letters of its namespaces. What this event changed
/// has a star.
fn table(before: &World, after: &World, screen: Screen) -> String {
    let mut text = format!("{:LABEL$}", "");
    for kind in Kind::ALL {
        _ = write!(text, " {:>5}", short(kind));
    }
    text.push('\n');
    for (depth, number) in tree(after) {
        let Some(task) = after.tasks.get(&number) else { continue };
        // A new process is compared with its parent.
        let maker = || task.parent.and_then(|parent| after.tasks.get(&parent));
        let old = before.tasks.get(&number).or_else(maker);
        _ = write!(text, "{:LABEL$}", label(depth, number, task));
        for kind in Kind::ALL {
            let letter = |task: &Task| Some(task.namespaces.get(&kind)?.letters());
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

/// A long name is cut: the pids say more.
fn label(depth: usize, number: u32, task: &Task) -> String {
    let thread = if task.process == number { "" } else { " thread" };
    let pids = format!(" {}{thread}", task.pids_in_brackets());
    let indent = format!("     {}", "  ".repeat(depth.min(5)));
    let room = LABEL.saturating_sub(indent.len() + pids.len()).max(4);
    let name = plain(&task.program);
    let name = if name.chars().count() <= room {
        name
    } else {
        name.chars().take(room - 1).chain(['…']).collect()
    };
    format!("{indent}{name}{pids}")
}

/// The processes that are alive, each below its parent, with the depth.
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

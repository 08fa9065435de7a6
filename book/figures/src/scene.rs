//! What a view shows at one moment of a run, and what is new in it since the frame before.

use trace::{Kind, Task, World};

use crate::svg::{Font, Picture};

/// The part of a trace that a figure shows. An empty list leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Kinds of namespaces. Where this is empty, views of several kinds show those of which the
    /// trace has more than one namespace.
    pub kinds: Vec<Kind>,
    /// Numbers of tasks. In a view of mounts they are those whose directories are marked.
    pub tasks: Vec<u32>,
    /// Names of calls: there are frames after these only, and one for the start.
    pub calls: Vec<String>,
    /// Mount points: these, and what is mounted below them. A path that ends in `/` stands for itself only.
    pub paths: Vec<String>,
}

impl Selection {
    /// Whether a mount on this point belongs to it.
    pub fn has_mount_on(&self, point: &str) -> bool {
        let is_at_or_below = |path: &String| match path.strip_suffix('/') {
            Some(itself) => point == path || point == itself,
            None => point
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        self.paths.is_empty() || self.paths.iter().any(is_at_or_below)
    }

    pub(crate) fn has_task(&self, task: u32) -> bool {
        self.tasks.is_empty() || self.tasks.contains(&task)
    }
}

/// What one view shows at one moment. Two moments that compare equal need one frame.
pub(crate) trait Scene: PartialEq + Sized {
    /// Where everything is in all frames of a figure, so that only what changed moves.
    type Layout;

    fn of(world: &World, selection: &Selection) -> Self;

    /// Takes out what the figure does not need, knowing all of its scenes.
    fn thin_out(_scenes: &mut [Self], _selection: &Selection) {}

    fn is_empty(&self) -> bool;

    fn layout(scenes: &[Self]) -> Self::Layout;

    /// The picture. What is different from the scene before is marked.
    fn draw(&self, before: Option<&Self>, layout: &Self::Layout) -> Picture;

    /// The picture in words, for a reader who does not see it.
    fn describe(&self, before: Option<&Self>, layout: &Self::Layout) -> String;
}

/// A thing in the frame before. `None` if there is no such frame; `Some(None)` if the thing was not
/// in it.
pub(crate) type Before<'a, T> = Option<Option<&'a T>>;

pub(crate) fn is_new<T>(before: Before<T>) -> bool {
    matches!(before, Some(None))
}

/// The end of a name in a description.
pub(crate) fn new_in_words<T>(before: Before<T>) -> &'static str {
    if is_new(before) { ", new" } else { "" }
}

/// What is new about a thing that is shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum News {
    Nothing,
    New,
    Changed,
}

impl News {
    pub(crate) fn of<T: PartialEq>(before: Before<T>, now: &T) -> News {
        match before {
            Some(None) => News::New,
            Some(Some(before)) if before != now => News::Changed,
            _ => News::Nothing,
        }
    }

    /// The end of a remark, such as `up, changed`.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            News::Nothing => "",
            News::New => ", new",
            News::Changed => ", changed",
        }
    }

    /// The first of two if there is nothing new, else the second.
    pub(crate) fn pick<T>(self, usual: T, marked: T) -> T {
        if self == News::Nothing { usual } else { marked }
    }

    pub(crate) fn name_font(self) -> Font {
        self.pick(Font::Name, Font::Strong)
    }

    pub(crate) fn note_font(self) -> Font {
        self.pick(Font::Note, Font::Mark)
    }
}

/// A process or a thread as the pictures name it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskLabel {
    pub(crate) program: String,
    /// `pid 4`, `thread 5`.
    pub(crate) pid: String,
}

impl TaskLabel {
    pub(crate) fn of(number: u32, task: &Task) -> TaskLabel {
        let word = if task.process == number { "pid" } else { "thread" };
        let pid = task.own_pid().map(|pid| format!("{word} {pid}"));
        TaskLabel { program: task.program.clone(), pid: pid.unwrap_or_else(|| word.to_owned()) }
    }

    pub(crate) fn in_words(&self) -> String {
        format!("{} ({})", self.program, self.pid)
    }
}

/// Each item once, in order of first appearance.
pub(crate) fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_ends_in_a_slash_stands_for_itself_only() {
        let paths = ["/", "/mnt", "/old/"].map(str::to_owned).to_vec();
        let selection = Selection { paths, ..Selection::default() };
        for point in ["/", "/mnt", "/mnt/a", "/old"] {
            assert!(selection.has_mount_on(point), "{point}");
        }
        for point in ["/proc", "/mnt2", "/old/lab", "/older"] {
            assert!(!selection.has_mount_on(point), "{point}");
        }
    }
}

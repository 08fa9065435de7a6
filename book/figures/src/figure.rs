//! A figure: the frames that a view makes of a trace, as HTML for the stepper.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use trace::{Argument, Change, Event, Kind, Outcome, Trace, World};

use crate::scene::{Scene, Selection};
use crate::svg::{Picture, escape};
use crate::{cgroups, maps, membership, mounts, network, owners, pointers, processes};

/// What of a trace is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Which process is in which namespace: boxes with processes in them.
    Membership,
    /// The pointers of each process: a row for each kind, a column for each process.
    Pointers,
    /// The tree of processes, with their pids in each PID namespace.
    Processes,
    /// The id maps of user namespaces.
    Maps,
    /// The tree of user namespaces, and what each owns.
    Owners,
    /// The mounts of each mount namespace, with their propagation.
    Mounts,
    /// Network interfaces, addresses, and what is joined to what.
    Network,
    /// The tree of cgroups, from the roots of cgroup namespaces and in mounts.
    Cgroups,
}

impl View {
    pub const ALL: [View; 8] = [
        View::Membership,
        View::Pointers,
        View::Processes,
        View::Maps,
        View::Owners,
        View::Mounts,
        View::Network,
        View::Cgroups,
    ];

    pub fn name(self) -> &'static str {
        match self {
            View::Membership => "membership",
            View::Pointers => "pointers",
            View::Processes => "processes",
            View::Maps => "maps",
            View::Owners => "owners",
            View::Mounts => "mounts",
            View::Network => "network",
            View::Cgroups => "cgroups",
        }
    }
}

/// A figure of this view would show nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing(pub View);

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "view `{}` has nothing to show of this trace", self.0.name())
    }
}

/// One picture of a figure and its texts.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The caller, where the trace has more than one.
    pub(crate) caller: Option<String>,
    /// The call and the error that it returned; `None` for the start.
    pub(crate) text: Option<String>,
    pub(crate) description: String,
    pub(crate) picture: Picture,
}

/// Draws a trace as `<figure class="steps" id="fig-ID">`, without a blank line, ending in a
/// newline. `caption` is HTML.
///
/// # Errors
///
/// A trace of which this view has nothing to show.
pub fn figure(
    trace: &Trace,
    view: View,
    selection: &Selection,
    id: &str,
    caption: &str,
) -> Result<String, Nothing> {
    let frames = frames(trace, view, selection)?;
    let id = format!("fig-{}", escape(id));
    let mut html = format!(
        "<figure class=\"steps\" id=\"{id}\" aria-labelledby=\"{id}-caption\">\n<ol class=\"frames\">\n"
    );
    for (number, frame) in (1..).zip(&frames) {
        let id = format!("{id}-{number}");
        let caller = frame.caller.as_ref().map(|caller| format!("{caller}: ")).unwrap_or_default();
        let (shown, title) = match &frame.text {
            None => ("At the start".to_owned(), "At the start".to_owned()),
            Some(text) => (
                format!("{}<code>{}</code>", escape(&caller), escape(text)),
                format!("After {caller}{text}"),
            ),
        };
        let svg = frame.picture.svg(&id, &title, &frame.description);
        write!(
            html,
            "<li class=\"frame\" id=\"{id}\"><p class=\"frame-text\">{shown}</p>\n{svg}</li>\n"
        )
        .expect("a String takes all");
    }
    let caption = caption.trim();
    Ok(html
        + &format!("</ol>\n<figcaption id=\"{id}-caption\">{caption}</figcaption>\n</figure>\n"))
}

/// Draws the last frame alone, as `<svg>`: what is different from the frame before is marked.
///
/// # Errors
///
/// A trace of which this view has nothing to show.
pub fn picture(
    trace: &Trace,
    view: View,
    selection: &Selection,
    id: &str,
    title: &str,
) -> Result<String, Nothing> {
    let frames = frames(trace, view, selection)?;
    let frame = frames.last().ok_or(Nothing(view))?;
    Ok(frame.picture.svg(&escape(id), title, &frame.description))
}

pub(crate) fn frames(
    trace: &Trace,
    view: View,
    selection: &Selection,
) -> Result<Vec<Frame>, Nothing> {
    let frames = match view {
        View::Membership => frames_of::<membership::Scene>(trace, selection),
        View::Pointers => frames_of::<pointers::Scene>(trace, selection),
        View::Processes => frames_of::<processes::Scene>(trace, selection),
        View::Maps => frames_of::<maps::Scene>(trace, selection),
        View::Owners => frames_of::<owners::Scene>(trace, selection),
        View::Mounts => frames_of::<mounts::Scene>(trace, selection),
        View::Network => frames_of::<network::Scene>(trace, selection),
        View::Cgroups => frames_of::<cgroups::Scene>(trace, selection),
    };
    if frames.is_empty() { Err(Nothing(view)) } else { Ok(frames) }
}

fn frames_of<S: Scene>(trace: &Trace, selection: &Selection) -> Vec<Frame> {
    let selection = &Selection { kinds: kinds(trace, selection), ..selection.clone() };
    let mut world = World::default();
    let mut commands = HashMap::new();
    let mut moments: Vec<(Step, S)> = Vec::new();
    for (number, event) in trace.events.iter().enumerate() {
        let caller = caller(&world, event);
        world.apply(event);
        commands.extend(command(event).map(|command| (event.task, command)));
        if number == 0 || selection.calls.is_empty() || selection.calls.contains(&event.call) {
            let step = match commands.get(&event.task).filter(|_| shows_interfaces(event)) {
                Some(command) => Step { caller: None, text: Some(command.clone()) },
                None => Step { caller, text: (number > 0).then(|| text(event)) },
            };
            moments.push((step, S::of(&world, selection)));
        }
    }
    let (steps, mut scenes): (Vec<Step>, Vec<S>) = moments.into_iter().unzip();
    S::thin_out(&mut scenes, selection);
    // The first of each run of equal scenes, from the first that shows something to the last.
    let mut kept: Vec<(Step, S)> = Vec::new();
    for (step, scene) in steps.into_iter().zip(scenes) {
        let is_first = kept.is_empty() && !scene.is_empty();
        if is_first || kept.last().is_some_and(|(_, last)| *last != scene) {
            kept.push((step, scene));
        }
    }
    while kept.last().is_some_and(|(_, scene)| scene.is_empty()) {
        kept.pop();
    }
    let has_several_callers = trace.events.iter().any(|event| event.task != trace.events[0].task);
    let (steps, scenes): (Vec<Step>, Vec<S>) = kept.into_iter().unzip();
    let layout = S::layout(&scenes);
    let befores = [None].into_iter().chain(scenes.iter().map(Some));
    let frames = steps.into_iter().zip(&scenes).zip(befores).map(|((step, scene), before)| Frame {
        caller: step.caller.filter(|_| has_several_callers),
        text: step.text,
        description: scene.describe(before, &layout),
        picture: scene.draw(before, &layout),
    });
    frames.collect()
}

/// What a frame says of the event before it.
struct Step {
    caller: Option<String>,
    text: Option<String>,
}

/// The command that an execve(2) starts, as one would type it.
fn command(event: &Event) -> Option<String> {
    match event.arguments.as_slice() {
        [_, Argument::Texts(words)] if event.call == "execve" => Some(words.join(" ")),
        _ => None,
    }
}

/// Whether this is the end of a program that has changed interfaces. It changes them by netlink
/// messages, which are no events of a trace; the recorder looks at the interfaces when a program
/// ends. What is different then is shown as the work of the command.
fn shows_interfaces(event: &Event) -> bool {
    let about_interfaces = |change: &Change| matches!(change, Change::Links { .. });
    event.call == "exit" && event.changes.iter().any(about_interfaces)
}

/// The calling program and its pid, as they were before the call.
pub(crate) fn caller(world: &World, event: &Event) -> Option<String> {
    let task = world.tasks.get(&event.task)?;
    let pid = task.own_pid().map(|pid| format!(" {pid}")).unwrap_or_default();
    Some(format!("{}{pid}", task.program))
}

/// The call, and the error that it returned.
fn text(event: &Event) -> String {
    match &event.outcome {
        Outcome::Error { errno, .. } => format!("{} → {errno:?}", event.text),
        _ => event.text.clone(),
    }
}

/// The kinds to show: those that are asked for, else those of which the trace makes or joins one.
fn kinds(trace: &Trace, selection: &Selection) -> Vec<Kind> {
    if !selection.kinds.is_empty() {
        return selection.kinds.clone();
    }
    let moved = |kind: Kind| {
        trace.events.iter().skip(1).flat_map(|event| &event.changes).any(|change| match change {
            Change::Namespace { id, .. } | Change::Joined { namespace: id, .. } => id.kind == kind,
            _ => false,
        })
    };
    Kind::ALL.into_iter().filter(|kind| moved(*kind)).collect()
}

//! A figure: the frames that a view makes of a trace, as HTML for the stepper.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use trace::Kind;
use trace::{Argument, Change, Event, Outcome, Trace, World};

use crate::svg::{Picture, escape};
use crate::{maps, membership, mounts, network, owners, pointers, processes};

/// What of a trace is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Who is in which namespace: boxes with processes in them.
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
}

impl View {
    pub const ALL: [View; 7] = [
        View::Membership,
        View::Pointers,
        View::Processes,
        View::Maps,
        View::Owners,
        View::Mounts,
        View::Network,
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
        }
    }
}

/// The part of a trace that a figure shows. An empty list leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Kinds of namespaces. Where this is empty, views of several kinds show those of which the
    /// trace has more than one namespace.
    pub kinds: Vec<Kind>,
    /// Numbers of tasks.
    pub tasks: Vec<u32>,
    /// Names of calls: there are frames after these only, and one for the start.
    pub calls: Vec<String>,
    /// Mount points: these, and what is mounted below them. `/` stands for itself only.
    pub paths: Vec<String>,
}

impl Part {
    /// Whether a mount on this point belongs to it.
    pub fn has_mount_on(&self, point: &str) -> bool {
        let is_at_or_below = |path: &String| {
            let below = point.strip_prefix(path.as_str());
            point == path || (path != "/" && below.is_some_and(|rest| rest.starts_with('/')))
        };
        self.paths.is_empty() || self.paths.iter().any(is_at_or_below)
    }

    pub(crate) fn has_task(&self, task: u32) -> bool {
        self.tasks.is_empty() || self.tasks.contains(&task)
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

/// What one view shows at one moment. Two moments that compare equal need one frame.
pub(crate) trait Scene: PartialEq + Sized {
    fn of(world: &World, part: &Part) -> Self;

    /// Takes out what the figure does not need, knowing all of its scenes.
    fn thin_out(_scenes: &mut [Self], _part: &Part) {}

    fn is_empty(&self) -> bool;

    /// The picture of scene `at`. What is different from the one before is marked.
    fn draw(scenes: &[Self], at: usize) -> Picture;

    /// The picture in words, for somebody who does not see it.
    fn describe(scenes: &[Self], at: usize) -> String;
}

/// One picture of a figure and its texts.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Who called, where more than one does.
    pub(crate) who: Option<String>,
    /// The call and what came of it; none for the start.
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
    part: &Part,
    id: &str,
    caption: &str,
) -> Result<String, Nothing> {
    let frames = frames(trace, view, part)?;
    let id = format!("fig-{}", escape(id));
    let mut html = format!(
        "<figure class=\"steps\" id=\"{id}\" aria-labelledby=\"{id}-caption\">\n<ol class=\"frames\">\n"
    );
    for (number, frame) in (1..).zip(&frames) {
        let id = format!("{id}-{number}");
        let who = frame.who.as_ref().map(|who| format!("{who}: ")).unwrap_or_default();
        let (shown, title) = match &frame.text {
            None => ("At the start".to_owned(), "At the start".to_owned()),
            Some(text) => (
                format!("{}<code>{}</code>", escape(&who), escape(text)),
                format!("After {who}{text}"),
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

pub(crate) fn frames(trace: &Trace, view: View, part: &Part) -> Result<Vec<Frame>, Nothing> {
    let frames = match view {
        View::Membership => frames_of::<membership::Scene>(trace, part),
        View::Pointers => frames_of::<pointers::Scene>(trace, part),
        View::Processes => frames_of::<processes::Scene>(trace, part),
        View::Maps => frames_of::<maps::Scene>(trace, part),
        View::Owners => frames_of::<owners::Scene>(trace, part),
        View::Mounts => frames_of::<mounts::Scene>(trace, part),
        View::Network => frames_of::<network::Scene>(trace, part),
    };
    if frames.is_empty() { Err(Nothing(view)) } else { Ok(frames) }
}

fn frames_of<S: Scene>(trace: &Trace, part: &Part) -> Vec<Frame> {
    let part = &Part { kinds: kinds(trace, part), ..part.clone() };
    let mut world = World::default();
    let mut commands = HashMap::new();
    let (mut events, mut scenes): (Vec<Told>, Vec<S>) = Default::default();
    for (number, event) in trace.events.iter().enumerate() {
        let who = who(&world, event);
        world.apply(event);
        commands.extend(command(event).map(|command| (event.task, command)));
        if number == 0 || part.calls.is_empty() || part.calls.contains(&event.call) {
            events.push(match commands.get(&event.task).filter(|_| is_its_work(event)) {
                Some(command) => Told { who: None, text: Some(command.clone()) },
                None => Told { who, text: (!is_start(event)).then(|| text(event)) },
            });
            scenes.push(S::of(&world, part));
        }
    }
    S::thin_out(&mut scenes, part);
    // The first of each run of equal scenes, from the first that shows something to the last.
    let mut kept: Vec<(Told, S)> = Vec::new();
    for (event, scene) in events.into_iter().zip(scenes) {
        let is_first = kept.is_empty() && !scene.is_empty();
        if is_first || kept.last().is_some_and(|(_, last)| *last != scene) {
            kept.push((event, scene));
        }
    }
    while kept.last().is_some_and(|(_, scene)| scene.is_empty()) {
        kept.pop();
    }
    let several = trace.events.iter().any(|event| event.task != trace.events[0].task);
    let (events, scenes): (Vec<_>, Vec<S>) = kept.into_iter().unzip();
    let frames = events.into_iter().enumerate().map(|(at, Told { who, text })| Frame {
        who: who.filter(|_| several),
        text,
        description: S::describe(&scenes, at),
        picture: S::draw(&scenes, at),
    });
    frames.collect()
}

/// What a frame says of the event before it.
struct Told {
    who: Option<String>,
    text: Option<String>,
}

/// The command that an execve(2) starts, as one would type it.
fn command(event: &Event) -> Option<String> {
    match event.arguments.as_slice() {
        [_, Argument::Texts(words)] if event.call == "execve" => Some(words.join(" ")),
        _ => None,
    }
}

/// Interfaces are changed by messages, which are no events of a trace: it looks at them when a
/// program ends. What is different then is the work of the command.
fn is_its_work(event: &Event) -> bool {
    let about_interfaces = |change: &Change| matches!(change, Change::Links { .. });
    event.call == "exit" && event.changes.iter().any(about_interfaces)
}

/// The caller, as it was before the call.
pub(crate) fn who(world: &World, event: &Event) -> Option<String> {
    let task = world.tasks.get(&event.task)?;
    let pid = task.own_pid().map(|pid| format!(" {pid}")).unwrap_or_default();
    Some(format!("{}{pid}", task.program))
}

/// Event 0 is the world that the program found.
fn is_start(event: &Event) -> bool {
    event.call == "start"
}

fn text(event: &Event) -> String {
    match &event.outcome {
        Outcome::Error { errno, .. } => format!("{} → {errno:?}", event.text),
        _ => event.text.clone(),
    }
}

/// The kinds to show: those that are asked for, else those of which the trace makes or joins one.
fn kinds(trace: &Trace, part: &Part) -> Vec<Kind> {
    if !part.kinds.is_empty() {
        return part.kinds.clone();
    }
    let moved = |kind: Kind| {
        trace.events.iter().skip(1).flat_map(|event| &event.changes).any(|change| match change {
            Change::Namespace { id, .. } | Change::Joined { namespace: id, .. } => id.kind == kind,
            _ => false,
        })
    };
    Kind::ALL.into_iter().filter(|kind| moved(*kind)).collect()
}

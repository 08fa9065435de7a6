//! The figures of the pages: drawn from recorded runs, which are recorded again and compared.
//!
//! A page says what to run and what to draw of it:
//!
//! ````text
//! ```figure,root-lab,name=leaves,view=membership,kinds=uts,calls=unshare+sethostname
//! # ch02-unshare otter -- true
//! caption: The program leaves for a copy of its UTS namespace, and renames the copy.
//! ```
//! ````
//!
//! The recording is `book/traces/PAGE-NAME.jsonl`. A build draws from it and runs nothing. A test
//! records again and compares the drawings; `book record` writes the trace anew where they differ.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use figures::{Selection, View};
use lab::sandbox::{NoTrace, Sandbox, State, Wait};
use trace::{Change, Kind, Trace};

use crate::console::{commands, prompt};
use crate::fault::Problem;
use crate::needs::{Need, Programs, Recording, start, unmet};
use crate::page::{Fence, Page, inline_html};

/// Where the traces are, from the root of the repository.
pub(crate) const TRACES: &str = "book/traces";

/// A figure as a page asks for it.
pub struct Figure {
    /// The line of its fence in the page, counted from 1.
    pub line: usize,
    /// The name of the page and of the figure: `ch02-unshare-leaves`.
    pub id: String,
    start: State,
    needs: Vec<Need>,
    view: View,
    selection: Selection,
    /// The number of the frame that a reader sees first, if it is not the last.
    opens: Option<usize>,
    script: String,
    caption: String,
}

/// The figures of a page in order. `page` is the name of its file without the extension.
///
/// # Errors
///
/// A fence that is malformed.
pub fn figures(page: &str, markdown: &str) -> Result<Vec<Figure>> {
    let fences = Page::parse(markdown).fences;
    let of_figures = fences.iter().filter(|fence| fence.language() == "figure");
    let read = |fence: &Fence| {
        Figure::parse(page, fence).map_err(|problem| anyhow!("line {}: {problem}", fence.line))
    };
    of_figures.map(read).collect()
}

impl Figure {
    pub(crate) fn parse(page: &str, fence: &Fence) -> Result<Figure, Problem> {
        let (mut start, mut name, mut view, mut needs) = (None, None, None, Vec::new());
        let (mut selection, mut opens) = (Selection::default(), None);
        for (attribute, value) in fence.attributes()? {
            let list = || value.iter().flat_map(|list| list.split('+')).map(str::to_owned);
            match (attribute.as_str(), value.as_deref()) {
                ("root-lab", None) => start = Some(State::RootLab),
                ("plain-user", None) => start = Some(State::PlainUser),
                ("needs", Some(need)) if !need.is_empty() => needs.push(Need::parse(need)),
                ("name", Some(named)) if is_name(named) => name = Some(named.to_owned()),
                ("name", _) => {
                    return Err(Problem::new("a figure's name is small letters, digits and `-`"));
                }
                ("view", Some(named)) => view = Some(view_of(named)?),
                ("kinds", Some("all")) => selection.kinds = Kind::ALL.to_vec(),
                ("kinds", Some(_)) => {
                    selection.kinds =
                        list().map(|kind| kind_of(&kind)).collect::<Result<_, _>>()?;
                }
                ("tasks", Some(tasks)) => {
                    let number = |task: String| task.parse().ok();
                    selection.tasks =
                        list().map(number).collect::<Option<_>>().ok_or_else(|| {
                            Problem::new(format!("`tasks={tasks}` is no list of numbers"))
                                .help("tasks are numbered as they come to be: `tasks=1+2`")
                        })?;
                }
                ("calls", Some(_)) => selection.calls = list().collect(),
                ("paths", Some(_)) => selection.paths = list().collect(),
                ("opens", Some(frame)) => {
                    opens = Some(frame.parse().map_err(|_| {
                        Problem::new(format!("`opens={frame}` is no number of a frame"))
                    })?);
                }
                (other, _) => {
                    return Err(Problem::new(format!("unknown figure attribute `{other}`")).help(
                        "there are `root-lab`, `plain-user`, `name=NAME`, `view=VIEW`, \
                         `needs=TOOL`, and to show less: `kinds=uts+ipc`, `calls=unshare+clone`, \
                         `tasks=1+2`, `paths=/+/tmp`; and `opens=2` for the frame that is seen first",
                    ));
                }
            }
        }
        let lacks =
            |what: &str, help: &str| Problem::new(format!("figure without {what}")).help(help);
        let start = start.ok_or_else(|| {
            lacks("a start state", "write ```figure,root-lab,… or ```figure,plain-user,…")
        })?;
        let name = name.ok_or_else(|| lacks("a name", "give it one: `name=leaves`"))?;
        let view = view.ok_or_else(|| lacks("a view", &format!("there are {}", views())))?;
        if view == View::Mounts && selection.paths.is_empty() {
            let help = "mounts differ from machine to machine: say which you mean, `paths=/+/tmp`";
            return Err(lacks("paths", help));
        }
        let lines: Vec<&str> = fence.body.lines().collect();
        let at = lines.iter().position(|line| line.starts_with("caption:")).unwrap_or(lines.len());
        let (body, caption) = lines.split_at(at);
        let caption = caption.join(" ");
        let caption = inline_html(caption.trim_start_matches("caption:").trim());
        if caption.is_empty() {
            let help = "say below the command what there is to see: `caption: …`";
            return Err(lacks("a caption", help));
        }
        let prompt = prompt(start);
        let script = commands(body.iter().copied(), prompt).join("\n");
        let others =
            body.iter().filter(|line| !line.starts_with(prompt) && !line.starts_with("> "));
        if script.is_empty() || others.count() > 0 {
            let help = format!("a line that begins with `{prompt}` is run, and its run is drawn");
            return Err(lacks("a command", &help));
        }
        let id = format!("{page}-{name}");
        Ok(Figure { line: fence.line, id, start, needs, view, selection, opens, script, caption })
    }

    /// The file of its trace, from the root of the repository.
    pub fn file(&self) -> PathBuf {
        Path::new(TRACES).join(&self.id).with_extension("jsonl")
    }

    /// The figure as HTML, from the trace in the repository.
    pub(crate) fn html(&self, repo: &Path) -> Result<String, Problem> {
        let file = self.file();
        let record = "`cargo run -p book -- record` writes it";
        let text = fs::read_to_string(repo.join(&file)).map_err(|error| {
            Problem::new(format!("`{}` cannot be read: {error}", file.display())).help(record)
        })?;
        let trace = Trace::from_json_lines(&text)
            .map_err(|error| Problem::new(format!("{error}")).of(&file).help(record))?;
        if !trace.complete {
            return Err(Problem::new("the trace is cut off: its last line is missing")
                .of(&file)
                .help(record));
        }
        if trace.program != self.program() {
            return Err(Problem::new(format!("it is the trace of `{}`", trace.program.join(" ")))
                .of(&file)
                .help("`cargo run -p book -- record` records the command that the page has now"));
        }
        self.draw(&trace)
    }

    /// The figure as HTML, from any trace.
    fn draw(&self, trace: &Trace) -> Result<String, Problem> {
        let drawn = figures::figure(trace, self.view, &self.selection, &self.id, &self.caption)
            .map_err(|nothing| {
                Problem::new(nothing.to_string()).help(
                    "draw another view, or leave out fewer kinds, tasks and paths; \
                         `cargo xtask trace` shows what there is",
                )
            })?;
        match self.opens {
            Some(frame) => opening_at(&drawn, &self.id, frame),
            None => Ok(drawn),
        }
    }

    /// Whether two traces give the same figure.
    ///
    /// # Errors
    ///
    /// A trace that gives no figure.
    pub fn is_same(&self, one: &Trace, other: &Trace) -> Result<bool> {
        let draw = |trace| self.draw(trace).map_err(|problem| anyhow!("{problem}"));
        Ok(draw(one)? == draw(other)?)
    }

    /// The trace in the repository.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that is no trace.
    pub fn stored_trace(&self, repo: &Path) -> Result<Trace> {
        let file = self.file();
        let text =
            fs::read_to_string(repo.join(&file)).with_context(|| format!("read({file:?})"))?;
        Trace::from_json_lines(&text).map_err(|error| anyhow!("{}: {error}", file.display()))
    }

    /// What a sandbox starts: the program itself if the command is one program and its arguments,
    /// otherwise a shell.
    fn program(&self) -> Vec<String> {
        let plain = |c: char| c.is_alphanumeric() || " ./:=_+,@%-".contains(c);
        if self.script.chars().all(plain) {
            return self.script.split_whitespace().map(str::to_owned).collect();
        }
        vec!["sh".to_owned(), "-c".to_owned(), self.script.clone()]
    }

    /// Runs the command in a sandbox and records it. `programs` are shown under `/lab`.
    ///
    /// # Errors
    ///
    /// A sandbox that cannot be set up, a run that does not end, a program that does not exist.
    pub fn record(&self, programs: &Programs) -> Result<Recording<Trace>> {
        if let Some(skipped) = unmet(&self.needs) {
            return Ok(skipped);
        }
        let program = self.program();
        let (name, arguments) = program.split_first().context("no command")?;
        let path = if programs.iter().any(|(known, _)| known == name) {
            format!("/lab/{name}")
        } else {
            let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
            let paths = folders.map(|folder| format!("{folder}/{name}"));
            let found = paths.into_iter().find(|path| Path::new(path).exists());
            found.with_context(|| format!("no such program: `{name}`"))?
        };
        let sandbox = Sandbox::command(&path).args(arguments).record();
        let mut run = start(sandbox, self.start, &self.needs, programs)?;
        if run.await_end() != Wait::Reached {
            bail!("the run does not end; it printed\n{}{}", run.stdout(), run.stderr());
        }
        match run.trace() {
            Ok(trace) => Ok(Recording::Made(self.trimmed(Trace { program, ..trace }))),
            Err(why @ NoTrace::Refused(_)) => {
                let reason = format!("the run cannot be recorded here: {why}");
                Ok(Recording::Skipped { need: None, reason })
            }
            Err(why) => bail!("the run was not recorded: {why}"),
        }
    }

    /// Removes what the figure does not show and what would differ on another machine.
    fn trimmed(&self, mut trace: Trace) -> Trace {
        let mut gone = HashSet::new();
        for event in &mut trace.events {
            event.changes.retain(|change| match change {
                Change::Mount { mount, .. } => {
                    let stays = match self.view {
                        View::Mounts => self.selection.has_mount_on(&mount.point),
                        View::Cgroups => mount.kind == "cgroup2",
                        _ => false,
                    };
                    if !stays {
                        gone.insert(mount.id);
                    }
                    stays
                }
                Change::Unmount { id, .. } => !gone.contains(id),
                Change::Links { .. } => self.view == View::Network,
                Change::Cgroup { .. } => self.view == View::Cgroups,
                Change::Setting { namespace, .. } if namespace.kind == Kind::Cgroup => {
                    self.view == View::Cgroups
                }
                Change::Socket { .. } => self.view == View::Membership,
                Change::Root { .. } | Change::Directory { .. } => self.view == View::Mounts,
                Change::Capabilities { .. } => false,
                _ => true,
            });
        }
        trace
    }
}

/// The figure, with the frame marked that the stepper shows first.
fn opening_at(figure: &str, id: &str, frame: usize) -> Result<String, Problem> {
    let plain = |frame: usize| format!("<li class=\"frame\" id=\"fig-{id}-{frame}\">");
    if !figure.contains(&plain(frame)) {
        let count = figure.matches("<li class=\"frame\"").count();
        let problem = Problem::new(format!("`opens={frame}`: there is no such frame"));
        return Err(problem.help(format!("the figure has {count}, counted from 1")));
    }
    let opening = plain(frame).replace("\"frame\"", "\"frame opening\"");
    Ok(figure.replace(&plain(frame), &opening))
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(fits)
}

fn view_of(name: &str) -> Result<View, Problem> {
    let found = View::ALL.into_iter().find(|view| view.name() == name);
    found.ok_or_else(|| {
        Problem::new(format!("unknown view `{name}`")).help(format!("there are {}", views()))
    })
}

fn views() -> String {
    View::ALL.map(|view| format!("`view={}`", view.name())).join(", ")
}

fn kind_of(name: &str) -> Result<Kind, Problem> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        Problem::new(format!("unknown kind `{name}`"))
            .help(format!("there are {known}, with `+` between them, and `all`"))
    })
}

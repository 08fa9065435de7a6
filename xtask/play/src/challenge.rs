//! `cargo xtask challenge`: a state of a lab that is reached with a shell, and a look from outside that
//! says so at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use challenge::{Challenge, News, Watcher, lab, of_chapter};

use crate::live;
use crate::run::{Streams, has_terminal, watched};
use crate::shell::shell;
use xtask::shared::arguments::{self, Argument, Arguments};
use xtask::shared::chapter::{Chapter, read, shown};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::play::CHALLENGE;
use xtask::shared::progress::Progress;
use xtask::shared::screen::{self, Screen};

/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut chapter, mut name, mut hint, mut is_live) = (None, None, None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("hint") => hint = Some(arguments.count("a number")?),
            Argument::Long("live") => is_live = true,
            Argument::Value(value) if chapter.is_none() => chapter = Some(Chapter::find(value)?),
            Argument::Value(value) if name.is_none() => {
                name = Some(value.to_string_lossy().into_owned());
            }
            other => return Err(CHALLENGE.unexpected(other)),
        }
    }
    let Some(chapter) = chapter else {
        return match hint {
            None => list(),
            Some(_) => Err(CHALLENGE.needs("a chapter")),
        };
    };
    let challenges = challenges(&chapter)?;
    let challenge = match name {
        Some(name) => find(&challenges, &chapter, &name)?,
        None => next(&challenges, &chapter),
    };
    match hint {
        Some(number) => show_hint(challenge, number),
        None => attempt(challenge, &challenges, &chapter, is_live),
    }
}

fn challenges(chapter: &Chapter) -> Result<Vec<Challenge>> {
    let file = chapter.exercise().join("challenges.toml");
    of_chapter(&read(&file)?).map_err(|error| {
        Failure::new(format!("could not read `{}`: {error}", shown(&file)))
            .help("`git checkout` brings it back")
    })
}

fn find<'a>(challenges: &'a [Challenge], chapter: &Chapter, name: &str) -> Result<&'a Challenge> {
    challenges.iter().find(|challenge| challenge.name == name).ok_or_else(|| {
        let names = || challenges.iter().map(|challenge| challenge.name.as_str());
        let failure = Failure::usage(format!("{} has no challenge `{name}`", chapter.short()));
        failure.help(match arguments::nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", names().collect::<Vec<_>>().join("`, `")),
        })
    })
}

/// The first that has not been done; if all have, the first.
fn next<'a>(challenges: &'a [Challenge], chapter: &Chapter) -> &'a Challenge {
    let progress = Progress::load();
    let open = challenges.iter().find(|challenge| !progress.has_done(chapter, &challenge.name));
    open.unwrap_or(&challenges[0])
}

fn list() -> Result {
    let (screen, progress) = (Screen::stdout(), Progress::load());
    let mut out = String::new();
    for chapter in Chapter::all()? {
        for Challenge { name, title, .. } in challenges(&chapter)? {
            let done = progress.has_done(&chapter, &name);
            let state = if done { screen.good("done") } else { "open".to_owned() };
            out += &format!("{:<5} {name:<18} {state}  {title}\n", chapter.short());
        }
    }
    screen::print(&out);
    Ok(ExitCode::SUCCESS)
}

fn show_hint(challenge: &Challenge, number: usize) -> Result {
    let many = challenge.hints.len();
    let hint = number.checked_sub(1).and_then(|place| challenge.hints.get(place));
    let hint = hint.ok_or_else(|| {
        let name = &challenge.name;
        Failure::usage(format!("`{name}` has no hint {number}")).help(format!("it has {many}"))
    })?;
    screen::print(&Screen::stdout().wrapped(hint, ""));
    Ok(ExitCode::SUCCESS)
}

/// Opens the lab's shell. The exit status says whether the goal was reached.
fn attempt(
    challenge: &Challenge,
    challenges: &[Challenge],
    chapter: &Chapter,
    is_live: bool,
) -> Result {
    let screen = Screen::stdout();
    screen::print(&introduction(challenge, chapter, screen));
    let prompt = if challenge.as_plain_user { "lab$ " } else { "lab# " };
    let sandbox = lab::sandbox(challenge, shell()?).env("PS1", prompt);
    let done = Arc::new(AtomicBool::new(false));
    let after = after(challenge, challenges, chapter);
    let told = Told { title: challenge.title.clone(), after, screen, done: done.clone() };
    watched(sandbox, Streams::Own, |run| {
        let watcher = Watcher::of(challenge.clone(), run);
        let watcher =
            watcher.map_err(|error| Failure::file("could not look at the lab", &error))?;
        let watch = move || told.watch(watcher);
        thread::Builder::new().spawn(watch).map_err(|error| Failure::thread(&error))?;
        if is_live { live::start(run) } else { Ok(()) }
    })?;
    if done.load(Ordering::Relaxed) {
        Progress::load().keep_challenge(chapter, &challenge.name);
        return Ok(ExitCode::SUCCESS);
    }
    screen::print(&screen.wrapped(
        &format!(
            "not done: `cargo xtask challenge {} {}` begins again",
            chapter.short(),
            challenge.name
        ),
        "",
    ));
    Ok(ExitCode::FAILURE)
}

fn introduction(challenge: &Challenge, chapter: &Chapter, screen: Screen) -> String {
    let Challenge { name, title, ask, hints, .. } = challenge;
    let hint = format!("cargo xtask challenge {} {name} --hint 1", chapter.short());
    let hint = match hints.len() {
        1 => format!("A hint: `{hint}`, in another terminal."),
        many => format!("{many} hints: `{hint}`, in another terminal."),
    };
    let leave = "Leave the lab with `exit`.";
    let ask = screen.wrapped(ask, "");
    format!(
        "{}\n\n{ask}\n{}\n",
        screen.strong(title),
        screen.wrapped(&format!("{hint} {leave}"), "")
    )
}

/// What is said when it is done.
fn after(challenge: &Challenge, challenges: &[Challenge], chapter: &Chapter) -> String {
    let place = challenges.iter().position(|other| other.name == challenge.name);
    let chapter = chapter.short();
    match place.and_then(|place| challenges.get(place + 1)) {
        Some(next) => {
            format!(
                "Leave with `exit`. The next one: `cargo xtask challenge {chapter} {}`.",
                next.name
            )
        }
        None => "Leave with `exit`, or go on trying.".to_owned(),
    }
}

/// What a thread needs that looks on.
struct Told {
    title: String,
    after: String,
    screen: Screen,
    done: Arc<AtomicBool>,
}

impl Told {
    /// Looks until the lab's shell has ended. Says once that it is done, and each wrong way as often as the lab
    /// comes to it.
    fn watch(&self, mut watcher: Watcher) {
        while !watcher.is_over() {
            match watcher.look() {
                Some(News::Done(report)) => {
                    self.done.store(true, Ordering::Relaxed);
                    return self.say(&self.is_done(&report));
                }
                Some(News::Wrong(why)) => self.say(&self.screen.hanging("not yet: ", &why)),
                Some(News::NotYet) | None => {}
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn is_done(&self, report: &str) -> String {
        let screen = self.screen;
        let head = screen.good(&format!("done: {}", self.title));
        format!("{head}\n\n{report}\n\n{}", screen.wrapped(&self.after, ""))
    }

    /// Prints while the reader's terminal may be in raw mode, in which a new line does not go to its beginning.
    fn say(&self, text: &str) {
        if has_terminal() {
            screen::print(&format!("\r\n{}", text.replace('\n', "\r\n")));
        } else {
            screen::print(text);
        }
    }
}

//! Looks at the reader's lab again and again, and tells the page what is new: the drawing, what has become of the
//! challenge, the end of the shell.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use challenge::{Challenge, News, Watcher};
use figures::{Selection, View, picture};
use lab::sandbox::Run;
use lab::sketch::{self, Sketcher};
use serde_json::{Value, json};
use trace::Trace;

use crate::events::Port;

/// The shortest pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// A look takes at most one part of the time in so many: the reader's programs have the rest.
const SHARE: u32 = 6;

/// The thread that looks at one lab. It ends when this is dropped, or the lab's shell does.
pub(crate) struct Watch(Sender<Wish>);

/// What the page wants to know.
enum Wish {
    /// Which drawing, if any.
    View(Option<View>),
    /// Whether anything at all: a page that is not on the screen wants nothing.
    Awake(bool),
}

impl Watch {
    /// Starts to look. Without a view nothing is drawn.
    pub(crate) fn start(
        run: &Run,
        challenge: Option<Challenge>,
        view: Option<View>,
        port: Port,
    ) -> Result<Watch, String> {
        let refused = |error| format!("could not look at the lab: {error}");
        let watcher = challenge.map(|challenge| Watcher::of(challenge, run)).transpose();
        let eyes = Eyes {
            sketcher: Sketcher::of(run).map_err(refused)?,
            watcher: watcher.map_err(refused)?,
            view,
            drawn: None,
            port,
        };
        let (sender, wishes) = channel();
        let look = move || eyes.look(&wishes);
        thread::Builder::new().spawn(look).map_err(refused)?;
        Ok(Watch(sender))
    }

    pub(crate) fn draw(&self, view: Option<View>) {
        // A thread whose lab has ended draws nothing any more.
        _ = self.0.send(Wish::View(view));
    }

    pub(crate) fn be_awake(&self, is_awake: bool) {
        _ = self.0.send(Wish::Awake(is_awake));
    }
}

struct Eyes {
    sketcher: Sketcher,
    watcher: Option<Watcher>,
    view: Option<View>,
    /// The last trace, for another view of it.
    drawn: Option<Trace>,
    port: Port,
}

impl Eyes {
    fn look(mut self, wishes: &Receiver<Wish>) {
        let (mut pause, mut is_awake) = (Duration::ZERO, true);
        loop {
            let wish = match is_awake {
                true => wishes.recv_timeout(pause),
                false => wishes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match wish {
                Ok(Wish::View(view)) => {
                    self.view = view;
                    self.draw();
                }
                Ok(Wish::Awake(wanted)) => is_awake = wanted,
                Err(RecvTimeoutError::Timeout) => {
                    let begin = Instant::now();
                    if self.sketcher.is_over() {
                        return self.send(json!({ "event": "over" }));
                    }
                    self.once();
                    pause = LOOK_AGAIN.max(begin.elapsed() * (SHARE - 1));
                }
                // The lab is another one now.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn once(&mut self) {
        if let Some(news) = self.watcher.as_mut().and_then(Watcher::look) {
            let (state, text) = match news {
                News::Done(report) => ("done", report),
                News::Wrong(why) => ("wrong", why),
                News::NotYet => ("not yet", String::new()),
            };
            self.send(json!({ "event": "challenge", "state": state, "text": text }));
        }
        if self.view.is_some()
            && let Some(trace) = self.sketcher.look()
        {
            self.drawn = Some(trace);
            self.draw();
        }
    }

    fn draw(&self) {
        let (Some(view), Some(trace)) = (self.view, &self.drawn) else { return };
        let selection = Selection { kinds: sketch::kinds(trace), ..Selection::default() };
        let svg = picture(trace, view, &selection, "live", "The lab as it is now");
        self.send(json!({ "event": "picture", "view": view.name(), "svg": svg.ok() }));
    }

    fn send(&self, event: Value) {
        // Without a page there is nothing to be told.
        _ = self.port.send(&event);
    }
}

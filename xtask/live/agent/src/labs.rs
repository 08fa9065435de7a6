//! Labs: those of the book's harness, made by the same code.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use challenge::Challenge;
use figures::View;
use lab::sandbox::{Run, Sandbox, State, Wait};
use serde_json::Value;

use crate::confine;
use crate::console::{self, Console};
use crate::events::Port;
use crate::watch::Watch;

/// Where the chapters' programs are. They are links to one program, which acts by its name.
const PROGRAMS: &str = "/opt/book";

/// How long a script may take: the machine is an emulated one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which lab a session of the book starts in.
pub(crate) struct Wanted {
    state: State,
    ids: bool,
    cgroups: bool,
}

impl Wanted {
    /// The members `state` (as a page writes it), `ids` and `cgroups`.
    pub(crate) fn of(request: &Value) -> Result<Wanted, String> {
        let states = [State::RootLab, State::PlainUser];
        let name = request["state"].as_str().unwrap_or("root-lab");
        let state = states.into_iter().find(|state| state.name() == name);
        let state = state.ok_or_else(|| format!("there is no state `{name}`"))?;
        let flag = |name: &str| request[name].as_bool().unwrap_or(false);
        Ok(Wanted { state, ids: flag("ids"), cgroups: flag("cgroups") })
    }

    fn sandbox(&self, command: &str) -> Sandbox {
        let mut sandbox = Sandbox::command(command).state(self.state);
        if self.ids {
            sandbox = sandbox.many_ids();
        }
        if self.cgroups {
            sandbox = sandbox.cgroups();
        }
        with_programs(sandbox)
    }
}

/// The prompts of the book's sessions, of which the first tells the two states apart. Before each is a character
/// that no program prints, by which the page knows that the shell waits for a line.
fn prompts(sandbox: Sandbox, is_root: bool) -> Sandbox {
    let first = if is_root { "\u{1e}# " } else { "\u{1e}$ " };
    sandbox.env("PS1", first).env("PS2", "\u{1e}> ")
}

/// The folder itself is shown: in the emulator each mount takes its time.
fn with_programs(sandbox: Sandbox) -> Sandbox {
    if Path::new(PROGRAMS).is_dir() { sandbox.show_as_lab(PROGRAMS) } else { sandbox }
}

/// The lab with the reader's shell, of which there is one at a time.
pub(crate) struct Labs {
    console: Console,
    port: Port,
    // The thread that looks at the lab ends before the lab does.
    watch: Option<Watch>,
    current: Option<Run>,
}

impl Labs {
    pub(crate) fn new(console: &File, port: Port) -> Labs {
        Labs { console: Console::new(console), port, watch: None, current: None }
    }

    /// Ends the lab before, and starts a shell in a new one. Returns its pid on this machine.
    pub(crate) fn open(&mut self, wanted: Wanted, view: Option<View>) -> Result<i32, String> {
        // Without job control the shell prints nothing of its own about what runs in the background, as in
        // the sessions of the book, which a script has recorded.
        let sandbox = wanted.sandbox("/bin/sh").args(["-i", "+m"]);
        self.start(prompts(sandbox, matches!(wanted.state, State::RootLab)), None, view)
    }

    /// The same, in the lab of a challenge.
    pub(crate) fn challenge(
        &mut self,
        challenge: &Challenge,
        view: Option<View>,
    ) -> Result<i32, String> {
        let sandbox = with_programs(challenge::lab::sandbox(challenge, "/bin/sh -i +m"));
        let sandbox = prompts(sandbox, !challenge.as_plain_user);
        self.start(sandbox, Some(challenge.clone()), view)
    }

    fn start(
        &mut self,
        sandbox: Sandbox,
        challenge: Option<Challenge>,
        view: Option<View>,
    ) -> Result<i32, String> {
        self.console.disconnect();
        (self.watch, self.current) = (None, None);
        let run = confine::start(sandbox.env("TERM", "dumb").patience(None).terminal())?;
        let terminal = run.terminal().ok_or("the lab has no terminal")?;
        console::widen(terminal).map_err(|error| format!("no size: {error}"))?;
        self.console.connect(terminal).map_err(|error| format!("no terminal: {error}"))?;
        self.watch = Some(Watch::start(&run, challenge, view, self.port.clone())?);
        let pid = run.program().pid().as_raw();
        self.current = Some(run);
        Ok(pid)
    }

    pub(crate) fn watch(&self) -> Result<&Watch, String> {
        self.watch.as_ref().ok_or_else(|| "there is no lab".to_owned())
    }

    /// Runs a script in a lab of its own, as the sessions of the book are recorded.
    pub(crate) fn play(&mut self, wanted: Wanted, script: &str) -> Result<String, String> {
        let sandbox = wanted.sandbox("/bin/sh").args(["-c", script]).patience(Some(PATIENCE));
        let mut run = confine::start(sandbox)?;
        match run.await_end() {
            Wait::Reached => Ok(run.stdout()),
            wait => {
                let why = wait.stopped().unwrap_or_else(|| "the script does not end".to_owned());
                Err(format!("{why}; it printed\n{}", run.stdout()))
            }
        }
    }

    pub(crate) fn current(&self) -> Result<&Run, String> {
        self.current.as_ref().ok_or_else(|| "there is no lab".to_owned())
    }
}

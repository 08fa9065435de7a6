//! A headless Chromium with one tab, driven over its DevTools protocol: JSON messages on a pair of
//! pipes, each ended by a NUL byte.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before the test gives up: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing but the page: no first-run screens, no updates, no name that is looked up.
const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

pub(crate) struct Chromium {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    asked: u64,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start(program: &Path) -> Chromium {
        let profile = tempfile::tempdir().unwrap();
        // Chromium reads file descriptor 3 and writes 4.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, "sh"]);
        command.arg(program).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if is_root() {
            command.arg("--no-sandbox"); // Chromium refuses to start as root otherwise
        }
        // Chromium keeps files beside its profile, too, and leaves them if it is killed.
        command.arg("about:blank").env("HOME", profile.path()).env("TMPDIR", profile.path());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0) {
                let message = message.ok().and_then(|text| serde_json::from_slice(&text).ok());
                if message.is_none_or(|message| sender.send(message).is_err()) {
                    break;
                }
            }
        });
        let mut chromium = Chromium {
            process,
            commands,
            messages,
            events: Vec::new(),
            session: None,
            asked: 0,
            _profile: profile,
        };
        chromium.enter_tab();
        chromium
    }

    fn enter_tab(&mut self) {
        let tab = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": tab["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        self.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }));
        // print.html asks for the printer as soon as it is there.
        let source = json!({ "source": "window.print = () => {}" });
        self.call("Page.addScriptToEvaluateOnNewDocument", source);
    }

    /// Calls a method of the protocol, which has to succeed.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.try_call(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).expect("the browser has gone");
        loop {
            let mut answer = self.messages.recv_timeout(PATIENCE);
            match answer.as_mut() {
                Ok(answer) if answer["id"] == self.asked => {
                    return match answer.get_mut("error") {
                        Some(error) => Err(error.take()),
                        None => Ok(answer["result"].take()),
                    };
                }
                Ok(event) => self.events.push(event.take()),
                Err(error) => panic!("{method}: no answer from the browser: {error}"),
            }
        }
    }

    /// What has happened in the tab since the last call of this.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// Runs JavaScript in the page and returns its value, or what a promise comes to.
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        self.try_eval(script).unwrap_or_else(|error| panic!("{error}\nin {script}"))
    }

    fn try_eval(&mut self, script: &str) -> Result<Value, Value> {
        let parameters =
            json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.try_call("Runtime.evaluate", parameters)?;
        match answer.get_mut("exceptionDetails") {
            Some(exception) => Err(exception.take()),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Waits until a JavaScript expression is true, also across a change of the page.
    pub(crate) fn wait_for(&mut self, condition: &str) {
        let start = Instant::now();
        while self.try_eval(condition) != Ok(json!(true)) {
            assert!(start.elapsed() < PATIENCE, "this did not become true: {condition}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Opens a page and waits until all of it is there and drawn.
    pub(crate) fn open(&mut self, url: &str) {
        self.load(url);
        self.settle();
    }

    /// Opens a page and waits until all of it is there.
    pub(crate) fn load(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url }));
        assert!(opened.get("errorText").is_none(), "{url}: {opened}");
        // None for a place in the page that is open already.
        if let Some(loader) = opened.get("loaderId") {
            self.await_event(|event| {
                event["params"]["name"] == "load" && event["params"]["loaderId"] == *loader
            });
        }
    }

    fn await_event(&mut self, expected: impl Fn(&Value) -> bool) {
        while !self.events.iter().any(&expected) {
            let event = self.messages.recv_timeout(PATIENCE).expect("the event does not come");
            self.events.push(event);
        }
    }

    /// Waits for an event, and returns the first that has come since the last call of [`Chromium::events`].
    pub(crate) fn wait_for_event(&mut self, method: &str) -> Value {
        self.await_event(|event| event["method"] == method);
        let place = self.events.iter().position(|event| event["method"] == method);
        self.events.remove(place.expect("it has come"))
    }

    /// Whether the tab has begun to go to another page since this was asked last.
    pub(crate) fn leaves_page(&mut self) -> bool {
        // Whatever the page did before it answers this is among the events. If it is gone, it
        // answers with an error.
        let _ = self.try_eval("0");
        self.events().iter().any(|event| event["method"] == "Page.frameRequestedNavigation")
    }

    /// The other windows with this in their address.
    pub(crate) fn windows(&mut self, part: &str) -> Vec<String> {
        let own = self.session.take();
        let all = self.call("Target.getTargets", json!({}));
        self.session = own;
        let all = all["targetInfos"].as_array().into_iter().flatten();
        let with_it = all.filter(|window| {
            window["type"] == "page" && window["url"].as_str().is_some_and(|url| url.contains(part))
        });
        with_it.filter_map(|window| window["targetId"].as_str().map(str::to_owned)).collect()
    }

    /// Does this in another window, which is closed afterwards.
    pub(crate) fn in_window<T>(
        &mut self,
        window: &str,
        work: impl FnOnce(&mut Chromium) -> T,
    ) -> T {
        let own = self.session.take();
        let attach = json!({ "targetId": window, "flatten": true });
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        let done = work(self);
        self.session = None;
        self.call("Target.closeTarget", json!({ "targetId": window }));
        self.session = own;
        done
    }

    /// Waits until what was started is drawn, and no transition is under way.
    pub(crate) fn settle(&mut self) {
        self.eval(
            "(async () => {
                const frame = () => new Promise(requestAnimationFrame);
                await frame(); await frame();
                await Promise.allSettled(document.getAnimations().map(a => a.finished));
                await frame();
            })()",
        );
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // A write may fail only if it has gone already.
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let start = Instant::now();
        while self.process.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

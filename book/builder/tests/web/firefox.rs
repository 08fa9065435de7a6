//! A headless Firefox with one tab, driven over its Marionette protocol: JSON arrays on a TCP connection, each after
//! its length in bytes and a colon.

use crate::reader::Reader;
use serde_json::{Value, json};
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before the test gives up: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(90);

/// A port that is free, and nothing but this machine's pages: what else Firefox asks for meets a proxy that is not
/// there.
const PREFERENCES: &str = r#"
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 1);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 1);
user_pref("network.proxy.no_proxies_on", "127.0.0.1");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.auto", false);
"#;

/// Keys that are no characters, as the WebDriver standard encodes them.
const KEYS: [(&str, &str); 5] = [
    ("Tab", "\u{e004}"),
    ("Enter", "\u{e007}"),
    ("Escape", "\u{e00c}"),
    ("ArrowUp", "\u{e013}"),
    ("ArrowDown", "\u{e015}"),
];

pub(crate) struct Firefox {
    process: Child,
    connection: BufReader<TcpStream>,
    asked: u64,
    _profile: TempDir,
}

impl Firefox {
    /// The one in `PATH`, if there is one.
    pub(crate) fn find() -> Option<Firefox> {
        let path = env::var_os("PATH").unwrap_or_default();
        let names = ["firefox", "firefox-esr"];
        let mut files =
            env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
        let found = files.find(|file| file.is_file());
        if found.is_none() {
            skip!("the machine in Firefox: there is no `firefox` and no `firefox-esr` in PATH");
        }
        found.map(|program| Firefox::start(&program))
    }

    fn start(program: &Path) -> Firefox {
        let profile = tempfile::tempdir().unwrap();
        std::fs::write(profile.path().join("user.js"), PREFERENCES).unwrap();
        let mut command = Command::new(program);
        command
            .args(["--headless", "--no-remote", "--marionette", "--profile"])
            .arg(profile.path());
        command.env("HOME", profile.path()).env("TMPDIR", profile.path()).arg("about:blank");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process.spawn().unwrap();
        let port = port(&profile.path().join("MarionetteActivePort"));
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut firefox =
            Firefox { process, connection: BufReader::new(stream), asked: 0, _profile: profile };
        // It says first what it is.
        firefox.read();
        firefox.call("WebDriver:NewSession", json!({}));
        let patience = PATIENCE.as_millis() as u64;
        firefox.call("WebDriver:SetTimeouts", json!({ "script": patience, "pageLoad": patience }));
        firefox
    }

    fn read(&mut self) -> Value {
        let mut length = Vec::new();
        self.connection.read_until(b':', &mut length).expect("no answer from Firefox");
        let length = std::str::from_utf8(&length).unwrap().trim_end_matches(':').parse().unwrap();
        let mut message = vec![0; length];
        self.connection.read_exact(&mut message).expect("half an answer from Firefox");
        serde_json::from_slice(&message).unwrap()
    }

    /// Calls a command of the protocol, which has to succeed.
    fn call(&mut self, command: &str, parameters: Value) -> Value {
        self.asked += 1;
        let message = json!([0, self.asked, command, parameters]).to_string();
        write!(self.connection.get_mut(), "{}:{message}", message.len()).expect("Firefox has gone");
        loop {
            let mut answer = self.read();
            if answer[1] == self.asked {
                assert!(answer[2].is_null(), "{command}: {}\nin {parameters}", answer[2]);
                return answer[3].take();
            }
        }
    }
}

/// Waits until Firefox has written which port it listens on.
fn port(file: &PathBuf) -> u16 {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Ok(port) = text.trim().parse() {
            return port;
        }
        assert!(start.elapsed() < PATIENCE, "Firefox does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Reader for Firefox {
    fn load(&mut self, url: &str) {
        self.call("WebDriver:Navigate", json!({ "url": url }));
    }

    fn eval(&mut self, script: &str) -> Value {
        // What an error has to say is no JSON.
        let wrapped = "const [script, done] = arguments;
            const fails = error => done({ error: String(error) });
            try { Promise.resolve(eval(script)).then(value => done({ value }), fails); } catch (error) { fails(error); }";
        let parameters = json!({ "script": wrapped, "args": [script] });
        let mut answer = self.call("WebDriver:ExecuteAsyncScript", parameters)["value"].take();
        assert!(answer["error"].is_null(), "{}\nin {script}", answer["error"]);
        answer["value"].take()
    }

    fn click(&mut self, selector: &str) {
        let wanted = json!({ "using": "css selector", "value": selector });
        let mut found = self.call("WebDriver:FindElement", wanted);
        let element = found["value"].as_object_mut().and_then(|object| object.values_mut().next());
        let element = element.expect("an element has an id").take();
        self.call("WebDriver:ElementClick", json!({ "id": element }));
    }

    fn press(&mut self, key: &str) {
        let value = KEYS.iter().find(|(name, _)| *name == key).map_or(key, |(_, value)| value);
        let [down, up] = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": value }));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": [down, up] });
        self.call("WebDriver:PerformActions", json!({ "actions": [keyboard] }));
    }

    fn insert(&mut self, text: &str) {
        self.eval(&format!("document.execCommand('insertText', false, {})", json!(text)));
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let quit = json!([0, 0, "Marionette:Quit", { "flags": ["eForceQuit"] }]).to_string();
        // A write may fail only if it has gone already.
        _ = write!(self.connection.get_mut(), "{}:{quit}", quit.len());
        let start = Instant::now();
        while self.process.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > PATIENCE {
                _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

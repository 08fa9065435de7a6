//! A checkout's place in a room: the file `.room` at its top.
//!
//! ```json
//! {"schema":1,"address":"http://192.0.2.7:8440/k7qm3w","name":"ada","token":"5f…","every":true,"joined":true,
//!  "next":8,"waiting":[{"sequence":7,"signal":"stuck","text":""}]}
//! ```
//!
//! `token` is what the room knows the checkout by. With `every` each check is reported; without it only those
//! with `--report`. `joined` is false while no answer to `join` has arrived: the room may have let the checkout
//! in all the same, and the next `join` has to come with the same token. The file is replaced as a whole, by one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};

use super::event::{Event, Report, edition_of};
use super::{Address, SCHEMA, http};
use crate::shared::edition::edition;
use crate::shared::failure::{Failure, Result};

/// So many reports wait at most; then the oldest are dropped, which newer ones have overtaken anyway.
const MOST: usize = 1000;

/// So many go with one request.
const AT_ONCE: usize = 50;

/// A checkout that may be in a room.
pub struct Desk {
    folder: PathBuf,
}

/// What the file says.
struct Membership {
    address: Address,
    name: String,
    token: String,
    every: bool,
    joined: bool,
    next: u64,
    waiting: Vec<Report>,
}

/// What came of sending.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    /// There was nothing to send, or nobody to send it to.
    Nothing,
    /// The room has all of it.
    All,
    /// The room could not be reached, for this reason. All is kept.
    Later(String),
    /// The room has answered, and does not take it.
    Refused(String),
}

/// What came of leaving.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// The checkout was in no room.
    Nothing,
    /// The room has forgotten the name.
    Forgotten(String),
    /// The room could not be told, for this reason.
    Untold(String, String),
}

impl Sent {
    /// What the reader is told, if anything.
    pub fn note(&self) -> Option<String> {
        match self {
            Sent::Nothing | Sent::All => None,
            Sent::Later(why) => Some(format!(
                "the room could not be told ({why}); what there is to tell goes with the next report"
            )),
            Sent::Refused(why) => Some(format!(
                "the room was not told: {why}; `cargo xtask leave` ends these attempts"
            )),
        }
    }
}

impl Desk {
    /// That of the checkout in this folder.
    pub fn of(folder: &Path) -> Desk {
        Desk { folder: folder.to_owned() }
    }

    /// Where the checkout is, and under which name.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn place(&self) -> Result<Option<(Address, String)>> {
        let known = self.load()?.filter(|known| known.joined);
        Ok(known.map(|membership| (membership.address, membership.name)))
    }

    /// Whether each check is to be reported.
    pub fn reports_every_check(&self) -> bool {
        self.load().ok().flatten().is_some_and(|known| known.joined && known.every)
    }

    /// Enters a room under a name, and returns the edition of the course that the room has; it is empty if the room
    /// does not say it. `every` says whether each check is reported from now on. If the checkout is in this room under
    /// this name already, only that is changed.
    ///
    /// # Errors
    ///
    /// The room cannot be reached, or it does not take the checkout; then there is nothing that is reported.
    pub fn join(
        &self,
        address: &Address,
        name: &str,
        every: bool,
        patience: Duration,
    ) -> Result<String> {
        let lock = self.lock()?;
        let known = self.load()?;
        let is_same = |known: &Membership| known.address == *address && known.name == name;
        let membership = match known.filter(is_same) {
            Some(known) => Membership { every, joined: true, ..known },
            None => Membership {
                address: address.clone(),
                name: name.to_owned(),
                token: token()?,
                every,
                joined: true,
                next: 1,
                waiting: Vec::new(),
            },
        };
        drop(lock);
        // An answer may be lost on the way. Asked again with the same token, the room gives the same answer.
        let deadline = Instant::now() + patience;
        let mut tries = 0;
        let (answered, edition) = loop {
            tries += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            match membership.ask("report", &[], left.min(patience / 2)) {
                (Sent::Later(_), _) if tries < 4 && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                other => break other,
            }
        };
        match answered {
            Sent::Nothing | Sent::All => {
                let _lock = self.lock()?;
                self.keep(&membership)?;
                Ok(edition)
            }
            Sent::Later(why) => {
                let _lock = self.lock()?;
                self.keep(&Membership { joined: false, ..membership })?;
                Err(Failure::machine(format!("the room at {address} could not be reached: {why}"))
                    .help("is the address right, is the room open, and are both machines in one network?"))
            }
            Sent::Refused(why) => {
                Err(Failure::new(format!("the room did not let `{name}` in: {why}")))
            }
        }
    }

    /// Keeps an event, to be sent. Returns whether the checkout is in a room at all.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn add(&self, event: Event) -> Result<bool> {
        // Without a room there is no lock to wait for.
        if !self.file().exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        let Some(mut membership) = self.load()?.filter(|known| known.joined) else {
            return Ok(false);
        };
        membership.waiting.push(Report { sequence: membership.next, event });
        membership.next += 1;
        let too_many = membership.waiting.len().saturating_sub(MOST);
        membership.waiting.drain(..too_many);
        self.keep(&membership)?;
        Ok(true)
    }

    /// Sends all that waits, and strikes out what the room has received.
    pub fn send(&self, patience: Duration) -> Sent {
        let deadline = Instant::now() + patience;
        loop {
            // Not locked meanwhile: two commands may send the same at once, and the room counts it once.
            let membership = match self.load() {
                Ok(Some(membership)) if !membership.waiting.is_empty() => membership,
                Ok(_) => return Sent::Nothing,
                Err(failure) => return Sent::Refused(failure.to_string()),
            };
            let some = &membership.waiting[..membership.waiting.len().min(AT_ONCE)];
            let left = deadline.saturating_duration_since(Instant::now());
            match membership.exchange("report", some, left) {
                Sent::All => {}
                other => return other,
            }
            let last = some.last().map_or(0, |report| report.sequence);
            match self.strike_out(&membership.token, last) {
                Ok(true) => {}
                Ok(false) => return Sent::All,
                Err(failure) => return Sent::Refused(failure.to_string()),
            }
        }
    }

    /// Returns whether more waits.
    fn strike_out(&self, token: &str, last: u64) -> Result<bool> {
        let _lock = self.lock()?;
        // Somebody may have left meanwhile.
        let Some(mut membership) = self.load()?.filter(|known| known.token == token) else {
            return Ok(false);
        };
        membership.waiting.retain(|report| report.sequence > last);
        self.keep(&membership)?;
        Ok(!membership.waiting.is_empty())
    }

    /// Leaves the room, and tells it so if it can be reached.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn leave(&self, patience: Duration) -> Result<Left> {
        if !self.file().exists() {
            return Ok(Left::Nothing);
        }
        let lock = self.lock()?;
        // Also if it cannot be read: this is the way to be rid of it.
        let known = self.load().ok().flatten();
        fs::remove_file(self.file())
            .map_err(|error| Failure::file("could not remove `.room`", &error))?;
        drop(lock);
        let Some(membership) = known else { return Ok(Left::Nothing) };
        Ok(match membership.exchange("leave", &[], patience) {
            Sent::Nothing | Sent::All => Left::Forgotten(membership.name),
            Sent::Later(why) | Sent::Refused(why) => Left::Untold(membership.name, why),
        })
    }

    fn file(&self) -> PathBuf {
        self.folder.join(".room")
    }

    /// For as long as the file is read and written again.
    fn lock(&self) -> Result<Flock<File>> {
        // The folder itself, so that there is no file for it that stays behind.
        let folder = File::open(&self.folder)
            .map_err(|error| Failure::file("could not open the checkout", &error))?;
        Flock::lock(folder, FlockArg::LockExclusive)
            .map_err(|(_, errno)| Failure::machine(format!("could not lock the checkout: {errno}")))
    }

    fn load(&self) -> Result<Option<Membership>> {
        let mut text = String::new();
        let read = File::open(self.file())
            .and_then(|file| file.take(4 * 1024 * 1024).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file("could not read `.room`", &error)),
            Ok(_) => {}
        }
        let membership =
            serde_json::from_str(&text).ok().and_then(|value| Membership::read(&value));
        membership.map(Some).ok_or_else(|| {
            Failure::new("`.room` is not what `cargo xtask join` has written")
                .help("`cargo xtask leave` removes it; then join again")
        })
    }

    fn keep(&self, membership: &Membership) -> Result<()> {
        let new = self.folder.join(".room.new");
        let write = || {
            // It has the token, by which another could speak in this one's name.
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(membership.to_json().to_string().as_bytes())?;
            fs::rename(&new, self.file())
        };
        write().map_err(|error| {
            _ = fs::remove_file(&new);
            Failure::file("could not write `.room`", &error)
        })
    }
}

impl Membership {
    fn to_json(&self) -> Value {
        let Membership { address, name, token, every, joined, next, waiting } = self;
        let waiting: Vec<Value> = waiting.iter().map(Report::to_json).collect();
        json!({
            "schema": SCHEMA, "address": address.to_string(), "name": name, "token": token,
            "every": every, "joined": joined, "next": next, "waiting": waiting,
        })
    }

    fn read(value: &Value) -> Option<Membership> {
        let text = |key: &str| Some(value[key].as_str()?.to_owned());
        let waiting = value["waiting"].as_array()?.iter();
        (value["schema"] == SCHEMA).then_some(())?;
        Some(Membership {
            address: Address::read(&text("address")?).ok()?,
            name: text("name")?,
            token: text("token")?,
            every: value["every"].as_bool()?,
            joined: value["joined"].as_bool()?,
            next: value["next"].as_u64()?,
            waiting: waiting.map(|report| Report::read(report).ok()).collect::<Option<_>>()?,
        })
    }

    /// One request. `All` if the room has received all of these.
    fn exchange(&self, what: &str, reports: &[Report], patience: Duration) -> Sent {
        self.ask(what, reports, patience).0
    }

    /// The same, and the edition of the course that the room has.
    fn ask(&self, what: &str, reports: &[Report], patience: Duration) -> (Sent, String) {
        let last = reports.last().map_or(0, |report| report.sequence);
        let reports: Vec<Value> = reports.iter().map(Report::to_json).collect();
        let body = json!({
            "schema": SCHEMA, "token": self.token, "name": self.name, "edition": edition(),
            "reports": reports,
        });
        let answer = match http::post(&self.address, what, &body.to_string(), patience) {
            Err(why) => return (Sent::Later(why), String::new()),
            Ok(answer) => answer,
        };
        let sent = match (answer.status, answer.body["received"].as_u64()) {
            (200, Some(received)) if received >= last => Sent::All,
            // It is there, and will take it when it has room or time again.
            (429 | 500..=599, _) => Sent::Later(said(&answer.body)),
            _ => Sent::Refused(said(&answer.body)),
        };
        (sent, edition_of(&answer.body))
    }
}

/// What the room gives as its reason.
fn said(body: &Value) -> String {
    let error = body["error"].as_str().unwrap_or("its answer says nothing");
    super::text_of(error, 300)
}

/// Sixteen random bytes in hexadecimal digits.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    let random = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    random.map_err(|error| Failure::file("could not read `/dev/urandom`", &error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

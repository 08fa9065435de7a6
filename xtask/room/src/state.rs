//! What the room knows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xtask::shared::room::{
    Event, Outcome, Report, SCHEMA, Signal, code_of, edition_of, name_of, text_of,
};

/// So many participants at most: who knows the code cannot fill the machine's memory.
pub const MOST: usize = 200;

/// The participants, and the code by which they have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub code: String,
    participants: Vec<Participant>,
    /// Counts signals, because the clock of a machine that has slept may go backwards.
    signals: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Participant {
    name: String,
    /// By which the checkout is known again. No page shows it.
    token: String,
    /// Of the course. Empty if the checkout did not know it.
    edition: String,
    /// The number of the last report; each report up to it has been counted, once.
    received: u64,
    /// How many have been counted.
    counted: u64,
    chapter: String,
    outcome: Option<Outcome>,
    passed: u64,
    of: u64,
    mistake: String,
    solved: BTreeSet<String>,
    signal: Option<Raised>,
    /// When the last report came, in seconds since 1970 by this machine's clock.
    seen: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Raised {
    signal: Signal,
    text: String,
    since: u64,
    /// The first that was raised has the lowest.
    order: u64,
}

/// Why a participant is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request makes no sense.
    Request(String),
    /// Another participant has the name.
    Name(String),
    Full,
}

impl Room {
    pub fn new(code: &str) -> Room {
        Room { code: code.to_owned(), participants: Vec::new(), signals: 0 }
    }

    /// Takes the reports of a request, and lets its sender in if nobody has the name. Returns the number of the
    /// last report that this participant need not send again. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// Nothing of the request has been taken.
    pub fn take(&mut self, request: &Value, now: u64) -> Result<u64, Refusal> {
        let refused = |why: &str| Refusal::Request(why.to_owned());
        if request["schema"] != SCHEMA {
            return Err(refused("it is of another edition of the course"));
        }
        let token = token(request).ok_or_else(|| refused("it has no token"))?;
        let name = request["name"].as_str().ok_or_else(|| refused("it has no name"))?;
        let name = name_of(name).map_err(Refusal::Request)?;
        let reports = request["reports"].as_array().ok_or_else(|| refused("it has no reports"))?;
        let known = self.participants.iter().position(|known| known.token == token);
        let index = match known {
            Some(index) => index,
            None => self.let_in(name, token)?,
        };
        let participant = &mut self.participants[index];
        participant.seen = now;
        participant.edition = edition_of(request);
        for report in reports {
            match Report::read(report) {
                Ok(report) => participant.apply(report, now, &mut self.signals),
                // It will not become better by being sent again, so it counts as received.
                Err(_) => {
                    let sequence = report["sequence"].as_u64().unwrap_or(0);
                    participant.received = participant.received.max(sequence);
                }
            }
        }
        Ok(participant.received)
    }

    fn let_in(&mut self, name: String, token: &str) -> Result<usize, Refusal> {
        let same = name.to_lowercase();
        if self.participants.iter().any(|known| known.name.to_lowercase() == same) {
            return Err(Refusal::Name(name));
        }
        if self.participants.len() >= MOST {
            return Err(Refusal::Full);
        }
        self.participants.push(Participant {
            name,
            token: token.to_owned(),
            edition: String::new(),
            received: 0,
            counted: 0,
            chapter: String::new(),
            outcome: None,
            passed: 0,
            of: 0,
            mistake: String::new(),
            solved: BTreeSet::new(),
            signal: None,
            seen: 0,
        });
        Ok(self.participants.len() - 1)
    }

    /// Forgets the sender of a request. Whether it was known makes no difference.
    pub fn forget(&mut self, request: &Value) {
        self.participants.retain(|known| Some(known.token.as_str()) != token(request));
    }

    /// Whether the sender of a request has joined.
    pub fn knows(&self, request: &Value) -> bool {
        let token = token(request);
        self.participants.iter().any(|known| Some(known.token.as_str()) == token)
    }

    /// What the page shows. It has no token in it.
    pub fn view(&self, now: u64) -> Value {
        let mut shown: Vec<&Participant> = self.participants.iter().collect();
        shown.sort_by_cached_key(|one| (one.name.to_lowercase(), one.name.clone()));
        let mut stuck: Vec<&Participant> =
            shown.iter().copied().filter(|one| one.is(Signal::Stuck)).collect();
        stuck.sort_by_key(|one| one.signal.as_ref().map(|raised| raised.order));
        let all = |list: &[&Participant]| -> Value { list.iter().map(|one| one.view()).collect() };
        json!({
            "room": 1, "now": now, "participants": all(&shown), "stuck": all(&stuck),
            "mistakes": self.mistakes(),
        })
    }

    /// The mistakes that are in the last checks of the participants, the most frequent first.
    fn mistakes(&self) -> Value {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for one in self.participants.iter().filter(|one| !one.mistake.is_empty()) {
            *counts.entry((&one.chapter, &one.mistake)).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let row = |((chapter, mistake), count): ((&str, &str), u64)| json!({ "chapter": chapter, "mistake": mistake, "count": count });
        counts.into_iter().map(row).collect()
    }

    /// All of it, to be kept.
    pub fn to_json(&self) -> Value {
        let participants: Vec<Value> = self.participants.iter().map(Participant::to_json).collect();
        json!({
            "schema": SCHEMA, "room": 1, "code": self.code, "signals": self.signals,
            "participants": participants,
        })
    }

    /// Reads what [`to_json`](Room::to_json) has written. `None` if it is something else.
    pub fn read(value: &Value) -> Option<Room> {
        let is_one = value["schema"] == SCHEMA && value["room"] == 1;
        let participants = value["participants"].as_array().filter(|_| is_one)?.iter();
        Some(Room {
            code: code_of(value["code"].as_str()?)?,
            participants: participants.map(Participant::read).collect::<Option<_>>()?,
            signals: value["signals"].as_u64()?,
        })
    }
}

/// By which the sender of a request is known: as [`xtask::shared::room`] makes it, and nothing else.
fn token(request: &Value) -> Option<&str> {
    let is_token =
        |text: &&str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    request["token"].as_str().filter(is_token)
}

impl Participant {
    fn is(&self, signal: Signal) -> bool {
        self.signal.as_ref().is_some_and(|raised| raised.signal == signal)
    }

    /// Counts a report, unless it was counted before. A participant sends all that has no answer yet, in order;
    /// so a number below the last is one that has come twice or by a longer way.
    fn apply(&mut self, report: Report, now: u64, signals: &mut u64) {
        if report.sequence <= self.received {
            return;
        }
        self.received = report.sequence;
        self.counted += 1;
        match report.event {
            Event::Signal { signal: Signal::Over, .. } => self.signal = None,
            Event::Signal { signal, text } => {
                // Raised twice, a hand is still up since the first time.
                let since = self.signal.take().filter(|raised| raised.signal == signal);
                *signals += 1;
                self.signal = Some(match since {
                    Some(raised) => Raised { text, ..raised },
                    None => Raised { signal, text, since: now, order: *signals },
                });
            }
            Event::Checked { chapter, outcome, passed, of, mistake } => {
                // At work again after `done`; and what is solved needs no help.
                if self.is(Signal::Done) || outcome == Outcome::Solved {
                    self.signal = None;
                }
                if outcome == Outcome::Solved && self.solved.len() < 99 {
                    self.solved.insert(chapter.clone());
                }
                (self.chapter, self.outcome) = (chapter, Some(outcome));
                (self.passed, self.of, self.mistake) = (passed, of, mistake);
            }
        }
    }

    fn view(&self) -> Value {
        let signal = self.signal.as_ref();
        json!({
            "name": self.name, "edition": self.edition, "chapter": self.chapter,
            "outcome": self.outcome.map_or("", Outcome::word),
            "passed": self.passed, "of": self.of, "mistake": self.mistake,
            "solved": self.solved.len(), "counted": self.counted, "seen": self.seen,
            "signal": signal.map_or("", |raised| raised.signal.word()),
            "text": signal.map_or("", |raised| &raised.text),
            "since": signal.map_or(0, |raised| raised.since),
        })
    }

    fn to_json(&self) -> Value {
        let mut all = self.view();
        all["token"] = self.token.as_str().into();
        all["received"] = self.received.into();
        all["solved"] = self.solved.iter().map(String::as_str).collect();
        all["order"] = self.signal.as_ref().map_or(0, |raised| raised.order).into();
        all
    }

    fn read(value: &Value) -> Option<Participant> {
        let text = |key: &str| Some(text_of(value[key].as_str()?, 200));
        let number = |key: &str| value[key].as_u64();
        let solved = value["solved"].as_array()?.iter();
        let signal = match Signal::read(&value["signal"]) {
            None => None,
            Some(signal) => Some(Raised {
                signal,
                text: text("text")?,
                since: number("since")?,
                order: number("order")?,
            }),
        };
        Some(Participant {
            name: name_of(value["name"].as_str()?).ok()?,
            token: token(value)?.to_owned(),
            edition: edition_of(value),
            received: number("received")?,
            counted: number("counted")?,
            chapter: text("chapter")?,
            outcome: Outcome::read(&value["outcome"]),
            passed: number("passed")?,
            of: number("of")?,
            mistake: text("mistake")?,
            solved: solved.map(|one| Some(one.as_str()?.to_owned())).collect::<Option<_>>()?,
            signal,
            seen: number("seen")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, number: u64, reports: Value) -> Value {
        json!({ "schema": 1, "token": format!("{number:032x}"), "name": name, "reports": reports })
    }

    fn stuck(sequence: u64) -> Value {
        json!({ "sequence": sequence, "signal": "stuck", "text": format!("text {sequence}") })
    }

    fn failed(sequence: u64, mistake: &str) -> Value {
        json!({
            "sequence": sequence, "chapter": "ch02-unshare", "outcome": "failed", "passed": 1, "of": 4,
            "mistake": mistake,
        })
    }

    fn counted(room: &Room) -> Vec<u64> {
        room.view(0)["participants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["counted"].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn what_comes_twice_or_late_counts_once() {
        let mut room = Room::new("abcdef");
        let second = request("ada", 1, json!([stuck(1), failed(2, "m"), stuck(3)]));
        assert_eq!(room.take(&second, 10), Ok(3));
        // Overtaken, replayed, and one that has both old and new.
        assert_eq!(room.take(&request("ada", 1, json!([stuck(1)])), 20), Ok(3));
        assert_eq!(room.take(&second, 30), Ok(3));
        assert_eq!(room.take(&request("ada", 1, json!([stuck(3), failed(4, "m")])), 40), Ok(4));
        assert_eq!(counted(&room), [4]);
        // Still stuck since the first time.
        assert_eq!(room.view(50)["stuck"][0]["since"], 10);
    }

    #[test]
    fn the_oldest_hand_comes_first_whatever_the_clock_says() {
        let mut room = Room::new("abcdef");
        for (number, name, now) in [(1, "ada", 1000), (2, "bob", 500), (3, "carol", 2000)] {
            room.take(&request(name, number, json!([stuck(1)])), now).unwrap();
        }
        let names = |room: &Room| -> Vec<String> {
            let view = room.view(0);
            let stuck = view["stuck"].as_array().unwrap().iter();
            stuck.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&room), ["ada", "bob", "carol"]);
        room.take(&request("ada", 1, json!([{ "sequence": 2, "signal": "over" }])), 1).unwrap();
        room.take(&request("ada", 1, json!([stuck(3)])), 1).unwrap();
        assert_eq!(names(&room), ["bob", "carol", "ada"]);
        let solved =
            json!([{ "sequence": 2, "chapter": "c", "outcome": "solved", "passed": 1, "of": 1 }]);
        room.take(&request("bob", 2, solved), 1).unwrap();
        assert_eq!(names(&room), ["carol", "ada"]);
    }

    #[test]
    fn the_mistake_that_is_made_now() {
        let mut room = Room::new("abcdef");
        for (number, mistake) in [(1, "rare"), (2, "common"), (3, "common"), (4, "")] {
            let name = format!("p{number}");
            room.take(&request(&name, number, json!([failed(1, mistake)])), 0).unwrap();
        }
        let first = |room: &Room| room.view(0)["mistakes"][0].clone();
        assert_eq!(
            (first(&room)["mistake"].as_str(), first(&room)["count"].as_u64()),
            (Some("common"), Some(2))
        );
        // Mended, it is not made any more.
        for number in [2, 3] {
            room.take(&request("x", number, json!([failed(2, "")])), 0).unwrap();
        }
        assert_eq!(first(&room)["mistake"], "rare");
    }

    #[test]
    fn a_name_belongs_to_one_checkout() {
        let mut room = Room::new("abcdef");
        room.take(&request("Ada", 1, json!([])), 0).unwrap();
        // Asked again, because the answer was lost.
        room.take(&request("Ada", 1, json!([])), 0).unwrap();
        assert_eq!(
            room.take(&request("ada ", 2, json!([])), 0),
            Err(Refusal::Name("ada".to_owned()))
        );
        room.forget(&request("Ada", 1, json!([])));
        assert_eq!(room.take(&request("ada", 2, json!([])), 0), Ok(0));
        for number in 3..=(MOST as u64 + 1) {
            room.take(&request(&number.to_string(), number, json!([])), 0).unwrap();
        }
        assert_eq!(room.take(&request("late", 999, json!([])), 0), Err(Refusal::Full));
    }

    #[test]
    fn a_room_survives_its_file() {
        let mut room = Room::new("abcdef");
        let mut of_an_edition = request("ada", 1, json!([failed(1, "m"), stuck(2)]));
        of_an_edition["edition"] = json!("2026-11-30-1a2b3c4\u{202e}");
        room.take(&of_an_edition, 7).unwrap();
        assert_eq!(room.view(0)["participants"][0]["edition"], "2026-11-30-1a2b3c4");
        room.take(&request("<script>", 2, json!([])), 8).unwrap();
        assert_eq!(Room::read(&room.to_json()), Some(room.clone()));
        assert!(!room.view(0).to_string().contains("000001"), "a token is shown");
        for other in [json!(null), json!({}), json!({ "schema": 2, "room": 1 }), room.view(0)] {
            assert_eq!(Room::read(&other), None, "{other}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut room = Room::new("abcdef");
        let good = request("ada", 1, json!([]));
        for (key, value) in [
            ("schema", json!(2)),
            ("token", json!("short")),
            ("token", json!("x".repeat(32))),
            ("name", json!(7)),
            ("name", json!("a\u{0}b")),
            ("name", json!("x".repeat(10_000))),
            ("reports", json!({})),
        ] {
            let mut wrong = good.clone();
            wrong[key] = value;
            assert!(matches!(room.take(&wrong, 0), Err(Refusal::Request(_))), "{key}");
        }
        assert_eq!(room, Room::new("abcdef"));
        // One bad report does not hold back those behind it.
        let some = json!([{ "sequence": 1, "outcome": "?" }, stuck(2), 7]);
        assert_eq!(room.take(&request("ada", 1, some), 0), Ok(2));
    }
}

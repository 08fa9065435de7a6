//! Traces as JSON Lines: what `cargo xtask trace --json` prints, what figures are drawn from.
//!
//! ```text
//! {"schema":"namespaces-by-hand/story","version":1,"program":["/lab/ch02-unshare","otter"]}
//! {"task":1,"call":"start","text":"…","value":0,"changes":[{"change":"namespace","name":"uts A","kind":"uts"}]}
//! {"task":1,"call":"unshare","arguments":[{"flags":["CLONE_NEWUTS"]}],"text":"unshare(CLONE_NEWUTS)","errno":"EPERM","why":"…","changes":[]}
//! {"end":true,"dropped":0}
//! ```
//!
//! The first line names the schema. Each further line is an [`Event`]: it has a `value` if the call
//! returned, an `errno` if it failed, and neither if it did not return. A change is named by
//! `change`; its other fields are those of [`Change`], without those that are `None`. The last line
//! says that the recorder saw the end.
//!
//! An argument is a number, a text, a list of texts, `null`, `{"flags":["CLONE_NEWUTS"]}`, or a
//! descriptor: `{"fd":3}`, with `"namespace":"uts B"` or `"process":4` for what it is open on.
//! Recordings of earlier versions have no `arguments`.
//!
//! Readers may ignore fields that they do not know. `version` changes when a field changes its
//! meaning.

use std::fmt;

use nix::errno::Errno;
use serde_json::{Value, json};

use super::argument::{Argument, Target};
use super::event::{Change, Event, Exit, Link, Mount, Outcome, Trace};
use super::kind::Kind;
use super::namespace::NamespaceId;

const SCHEMA: &str = "namespaces-by-hand/story";
const VERSION: u64 = 1;

/// Why a text cannot be read as a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The first line does not name the schema.
    NoTrace,
    /// It was written by another version of this program.
    Version(u64),
    /// This line, counted from 1, is not an event.
    Line(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unreadable::NoTrace => {
                write!(f, "its first line does not name the schema `{SCHEMA}`")
            }
            Unreadable::Version(version) => {
                write!(f, "it has version {version} of the schema, this program reads {VERSION}")
            }
            Unreadable::Line(line) => write!(f, "line {line} is not an event of a trace"),
        }
    }
}

impl Trace {
    /// The first line of the file, without the newline.
    pub fn opening(&self) -> String {
        json!({ "schema": SCHEMA, "version": VERSION, "program": self.program }).to_string()
    }

    /// The last line, without the newline.
    pub fn ending(&self) -> String {
        json!({ "end": true, "dropped": self.dropped }).to_string()
    }

    /// The whole file.
    pub fn to_json_lines(&self) -> String {
        let mut text = self.opening() + "\n";
        for event in &self.events {
            text += &event.to_json();
            text.push('\n');
        }
        if self.complete {
            text += &self.ending();
            text.push('\n');
        }
        text
    }

    /// Reads what [`Trace::to_json_lines`] wrote. A text that was cut off gives the events before
    /// the cut, and is not `complete`.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] for a text that is something else, or of another version.
    pub fn from_json_lines(text: &str) -> Result<Trace, Unreadable> {
        let mut lines = text.lines().enumerate().peekable();
        let head = lines.next().and_then(|(_, line)| serde_json::from_str::<Value>(line).ok());
        let head = head.filter(|head| head["schema"] == SCHEMA).ok_or(Unreadable::NoTrace)?;
        match head["version"].as_u64() {
            Some(VERSION) => {}
            version => return Err(Unreadable::Version(version.unwrap_or_default())),
        }
        let program = Field::from_json(&head["program"]).ok_or(Unreadable::NoTrace)?;
        let mut trace = Trace { program, ..Trace::default() };
        while let Some((number, line)) = lines.next() {
            let value = serde_json::from_str::<Value>(line);
            // Only the last line can be cut: what is written is written in order.
            let cut = lines.peek().is_none() && !text.ends_with('\n');
            match value {
                Ok(value) if value["end"] == true => {
                    trace.dropped = value["dropped"].as_u64().unwrap_or_default();
                    trace.complete = true;
                }
                Ok(value) => {
                    let event = Event::from_json(&value).ok_or(Unreadable::Line(number + 1))?;
                    trace.events.push(event);
                }
                Err(_) if cut => break,
                Err(_) => return Err(Unreadable::Line(number + 1)),
            }
        }
        Ok(trace)
    }
}

impl Event {
    /// One line, without the newline.
    pub fn to_json(&self) -> String {
        let (value, errno, why) = match &self.outcome {
            Outcome::Value(value) => (json!(value), Value::Null, Value::Null),
            Outcome::Error { errno, why } => {
                (Value::Null, json!(format!("{errno:?}")), why.to_json())
            }
            Outcome::Never => (Value::Null, Value::Null, Value::Null),
        };
        let arguments = Some(&self.arguments).filter(|arguments| !arguments.is_empty());
        object([
            ("task", self.task.to_json()),
            ("call", self.call.to_json()),
            ("arguments", arguments.map_or(Value::Null, Field::to_json)),
            ("text", self.text.to_json()),
            ("value", value),
            ("errno", errno),
            ("why", why),
            ("changes", self.changes.to_json()),
        ])
        .to_string()
    }

    fn from_json(value: &Value) -> Option<Event> {
        let outcome = match (value.get("value"), value.get("errno")) {
            (Some(value), _) => Outcome::Value(value.as_i64()?),
            (None, Some(errno)) => {
                // 0 is none of them: `UnknownErrno`.
                let mut all = (0..=libc::EHWPOISON).map(Errno::from_raw);
                let errno = all.find(|known| *errno == format!("{known:?}"))?;
                Outcome::Error { errno, why: Field::from_json(&value["why"])? }
            }
            (None, None) => Outcome::Never,
        };
        let arguments = Option::<Vec<Argument>>::from_json(&value["arguments"])?;
        Some(Event {
            task: Field::from_json(&value["task"])?,
            call: Field::from_json(&value["call"])?,
            arguments: arguments.unwrap_or_default(),
            text: Field::from_json(&value["text"])?,
            outcome,
            changes: Field::from_json(&value["changes"])?,
        })
    }
}

/// A value in JSON. `null` is a field that is not there.
trait Field: Sized {
    fn to_json(&self) -> Value;
    fn from_json(value: &Value) -> Option<Self>;
}

/// Fields that are `null` are left out.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Field for Mount {
    fn to_json(&self) -> Value {
        object([
            ("id", self.id.to_json()),
            ("parent", self.parent.to_json()),
            ("kind", self.kind.to_json()),
            ("root", self.root.to_json()),
            ("point", self.point.to_json()),
            ("read_only", self.read_only.to_json()),
            ("propagation", self.propagation.to_json()),
        ])
    }

    fn from_json(value: &Value) -> Option<Mount> {
        Some(Mount {
            id: Field::from_json(&value["id"])?,
            parent: Field::from_json(&value["parent"])?,
            kind: Field::from_json(&value["kind"])?,
            root: Field::from_json(&value["root"])?,
            point: Field::from_json(&value["point"])?,
            read_only: Field::from_json(&value["read_only"])?,
            propagation: Field::from_json(&value["propagation"])?,
        })
    }
}

macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

/// The variants of [`Change`], each with its name and those of its fields that differ in JSON.
macro_rules! changes {
    ($($name:literal => $variant:ident { $($field:ident $(as $key:literal)?),* })*) => {
        impl Field for Change {
            fn to_json(&self) -> Value {
                match self {
                    $(Change::$variant { $($field),* } => object([
                        ("change", $name.into()),
                        ("kind", kind(self).map_or(Value::Null, |kind| kind.name().into())),
                        $((key!($field $($key)?), $field.to_json())),*
                    ]),)*
                }
            }

            fn from_json(value: &Value) -> Option<Change> {
                let change = match value["change"].as_str()? {
                    $($name => Change::$variant {
                        $($field: Field::from_json(&value[key!($field $($key)?)])?),*
                    },)*
                    _ => return None,
                };
                let said = value.get("kind").map(|kind| Kind::parse(kind.as_str()?));
                let agrees = kind(&change).is_none_or(|kind| said == Some(Some(kind)));
                agrees.then_some(change)
            }
        }
    };
}

changes! {
    "namespace" => Namespace { id as "name", owner, parent }
    "task" => Task { task, process, parent, pids, namespaces }
    "joined" => Joined { task, namespace }
    "children" => Children { task, namespace }
    "capabilities" => Capabilities { task, effective }
    "program" => Program { task, name }
    "ended" => Ended { task, how }
    "setting" => Setting { namespace, file, text }
    "mount" => Mount { namespace, mount }
    "unmount" => Unmount { namespace, id }
    "root" => Root { task, path, mount }
    "directory" => Directory { task, path, mount }
    "host-name" => HostName { namespace, name }
    "cgroup" => Cgroup { task, path }
    "socket" => Socket { task, descriptor as "fd", namespace }
    "waits" => Waits { task, on }
    "links" => Links { namespace, links }
}

/// The kind that JSON has by itself in some changes, beside the namespace's name.
fn kind(change: &Change) -> Option<Kind> {
    match change {
        Change::Namespace { id, .. }
        | Change::Joined { namespace: id, .. }
        | Change::Children { namespace: id, .. } => Some(id.kind),
        _ => None,
    }
}

impl Field for Link {
    fn to_json(&self) -> Value {
        let (namespace, peer) = match &self.peer {
            Some((namespace, name)) => (*namespace, Some(name)),
            None => (None, None),
        };
        object([
            ("name", self.name.to_json()),
            ("up", self.up.to_json()),
            ("addresses", self.addresses.to_json()),
            ("peer", peer.map_or(Value::Null, Field::to_json)),
            ("peer_namespace", namespace.to_json()),
            ("bridge", self.bridge.to_json()),
        ])
    }

    fn from_json(value: &Value) -> Option<Link> {
        let namespace = Field::from_json(&value["peer_namespace"])?;
        let peer = Option::<String>::from_json(&value["peer"])?;
        Some(Link {
            name: Field::from_json(&value["name"])?,
            up: Field::from_json(&value["up"])?,
            addresses: Field::from_json(&value["addresses"])?,
            peer: peer.map(|name| (namespace, name)),
            bridge: Field::from_json(&value["bridge"])?,
        })
    }
}

impl Field for Argument {
    fn to_json(&self) -> Value {
        match self {
            Argument::Number(number) => json!(number),
            Argument::Null => Value::Null,
            Argument::Text(text) => json!(text),
            Argument::Texts(texts) => json!(texts),
            Argument::Flags(names) => json!({ "flags": names }),
            Argument::Descriptor { number, target } => match target {
                None => json!({ "fd": number }),
                Some(Target::Namespace(id)) => json!({ "fd": number, "namespace": id.to_json() }),
                Some(Target::Process(pid)) => json!({ "fd": number, "process": pid }),
            },
        }
    }

    fn from_json(value: &Value) -> Option<Argument> {
        Some(match value {
            Value::Null => Argument::Null,
            Value::Number(number) => Argument::Number(number.as_i64()?),
            Value::String(text) => Argument::Text(text.clone()),
            Value::Array(_) => Argument::Texts(Field::from_json(value)?),
            Value::Object(object) if object.contains_key("flags") => {
                Argument::Flags(Field::from_json(&object["flags"])?)
            }
            Value::Object(object) => Argument::Descriptor {
                number: Field::from_json(&value["fd"])?,
                target: match (object.get("namespace"), object.get("process")) {
                    (Some(id), _) => Some(Target::Namespace(Field::from_json(id)?)),
                    (None, Some(pid)) => Some(Target::Process(Field::from_json(pid)?)),
                    (None, None) => None,
                },
            },
            Value::Bool(_) => return None,
        })
    }
}

impl<T: Field> Field for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::to_json)
    }

    fn from_json(value: &Value) -> Option<Option<T>> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: Field> Field for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(Field::to_json).collect()
    }

    fn from_json(value: &Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(Field::from_json).collect()
    }
}

/// Types of one JSON value: how it is written, and read back.
macro_rules! values {
    ($($type:ty: |$this:ident| $write:expr, |$value:ident| $read:expr;)*) => { $(
        impl Field for $type {
            fn to_json(&self) -> Value {
                let $this = self;
                $write.into()
            }

            fn from_json($value: &Value) -> Option<$type> {
                $read
            }
        }
    )* };
}

values! {
    bool: |this| *this, |value| value.as_bool();
    u32: |this| *this, |value| value.as_u64()?.try_into().ok();
    i32: |this| *this, |value| value.as_i64()?.try_into().ok();
    String: |this| this.as_str(), |value| value.as_str().map(str::to_owned);
    NamespaceId: |this| this.to_string(), |value| NamespaceId::parse(value.as_str()?);
    Exit: |this| this.to_string(), |value| Exit::parse(value.as_str()?);
    // A set of bits, in hexadecimal.
    u64: |this| format!("{this:016x}"), |value| u64::from_str_radix(value.as_str()?, 16).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> NamespaceId {
        NamespaceId::parse(text).unwrap()
    }

    fn every_kind_of_argument() -> Vec<Argument> {
        let fd = |target| Argument::Descriptor { number: -100, target };
        vec![
            Argument::Number(-1),
            Argument::Null,
            Argument::Text("größer \"\n".into()),
            Argument::Texts(vec!["sh".into(), String::new()]),
            Argument::Flags(vec!["CLONE_NEWUTS".into(), "0x100".into()]),
            fd(None),
            fd(Some(Target::Namespace(id("uts B")))),
            fd(Some(Target::Process(Some(4)))),
            fd(Some(Target::Process(None))),
        ]
    }

    fn every_kind_of_change() -> Vec<Change> {
        let mount = Mount {
            id: 2,
            parent: Some(1),
            kind: "tmpfs".into(),
            root: "/".into(),
            point: "/tmp/a b".into(),
            read_only: true,
            propagation: "shared:1".into(),
        };
        let link = Link {
            name: "veth0".into(),
            up: true,
            addresses: vec!["10.0.0.1/24".into()],
            peer: Some((Some(id("net B")), "veth1".into())),
            bridge: None,
        };
        vec![
            Change::Namespace { id: id("uts B"), owner: Some(id("user A")), parent: None },
            Change::Task {
                task: 2,
                process: 2,
                parent: Some(1),
                pids: vec![4, 1],
                namespaces: vec![id("uts B")],
            },
            Change::Joined { task: 2, namespace: id("uts B") },
            Change::Children { task: 2, namespace: id("pid B") },
            Change::Capabilities { task: 2, effective: u64::MAX >> 23 },
            Change::Program { task: 2, name: "sh".into() },
            Change::Ended { task: 2, how: Exit::Exited(0) },
            Change::Setting {
                namespace: id("user B"),
                file: "uid_map".into(),
                text: "0 1000 1".into(),
            },
            Change::Mount { namespace: id("mnt B"), mount },
            Change::Unmount { namespace: id("mnt B"), id: 2 },
            Change::Root { task: 2, path: "/new".into(), mount: Some(2) },
            Change::Directory { task: 2, path: "/new".into(), mount: None },
            Change::HostName { namespace: id("uts B"), name: "otter".into() },
            Change::Cgroup { task: 2, path: "/box".into() },
            Change::Socket { task: 2, descriptor: 3, namespace: id("net B") },
            Change::Waits { task: 2, on: vec![3, 4] },
            Change::Links { namespace: id("net B"), links: vec![link] },
        ]
    }

    fn a_trace() -> Trace {
        let event =
            |outcome, changes| Event::new(1, "unshare", every_kind_of_argument(), outcome, changes);
        let error = Outcome::Error { errno: Errno::EPERM, why: Some("no \"right\"\n".into()) };
        Trace {
            program: vec!["/lab/prog".into(), "größer".into()],
            events: vec![
                event(Outcome::Value(-1), every_kind_of_change()),
                event(error, Vec::new()),
                event(Outcome::Never, Vec::new()),
            ],
            dropped: 7,
            complete: true,
            by_role: Vec::new(),
        }
    }

    #[test]
    fn a_trace_survives_the_trip() {
        let trace = a_trace();
        assert_eq!(Trace::from_json_lines(&trace.to_json_lines()), Ok(trace));
    }

    #[test]
    fn a_recording_without_arguments_is_read() {
        let old = "{\"schema\":\"namespaces-by-hand/story\",\"version\":1,\"program\":[]}\n\
                   {\"task\":1,\"call\":\"fork\",\"text\":\"fork()\",\"value\":2,\"changes\":[]}\n";
        let read = Trace::from_json_lines(old).unwrap();
        assert_eq!(read.events, [Event::new(1, "fork", vec![], Outcome::Value(2), vec![])]);
    }

    #[test]
    fn a_trace_that_was_cut_off_has_the_steps_before_the_cut() {
        let (trace, text) = (a_trace(), a_trace().to_json_lines());
        let first = text.find('\n').unwrap();
        for cut in first + 1..text.trim_end().len() {
            if !text.is_char_boundary(cut) {
                continue;
            }
            let read = Trace::from_json_lines(&text[..cut]).unwrap();
            assert!(!read.complete, "{cut} bytes");
            assert_eq!(read.events[..], trace.events[..read.events.len()]);
        }
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        let read = Trace::from_json_lines;
        assert_eq!(read(""), Err(Unreadable::NoTrace));
        assert_eq!(read("{}\n"), Err(Unreadable::NoTrace));
        assert_eq!(read("[1, 2]\n"), Err(Unreadable::NoTrace));
        let newer = a_trace().to_json_lines().replacen("\"version\":1", "\"version\":2", 1);
        assert_eq!(read(&newer), Err(Unreadable::Version(2)));
        let damaged = a_trace().to_json_lines().replacen("\"unshare\"", "5", 1);
        assert_eq!(read(&damaged), Err(Unreadable::Line(2)));
        let other = a_trace().to_json_lines().replacen("\"kind\":\"uts\"", "\"kind\":\"ipc\"", 1);
        assert_eq!(read(&other), Err(Unreadable::Line(2)));
        let in_the_middle =
            a_trace().to_json_lines().replacen("{\"arguments\"", "\"arguments\"", 1);
        assert_eq!(read(&in_the_middle), Err(Unreadable::Line(2)));
    }
}

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
use serde_json::{Map, Value, json};

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
        let program = texts(&head, "program").ok_or(Unreadable::NoTrace)?;
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
        let mut object = fields(json!({
            "task": self.task,
            "call": self.call,
            "text": self.text,
            "changes": self.changes.iter().map(change_to_json).collect::<Vec<_>>(),
        }));
        if !self.arguments.is_empty() {
            let arguments = self.arguments.iter().map(argument_to_json).collect();
            object.insert("arguments".into(), Value::Array(arguments));
        }
        match &self.outcome {
            Outcome::Value(value) => _ = object.insert("value".into(), json!(value)),
            Outcome::Error { errno, why } => {
                object.insert("errno".into(), json!(format!("{errno:?}")));
                insert(&mut object, "why", why);
            }
            Outcome::Never => {}
        }
        Value::Object(object).to_string()
    }

    fn from_json(value: &Value) -> Option<Event> {
        let outcome = match (value.get("value"), text(value, "errno")) {
            (Some(value), _) => Outcome::Value(value.as_i64()?),
            (None, Some(errno)) => {
                Outcome::Error { errno: errno_by_name(&errno)?, why: text(value, "why") }
            }
            (None, None) => Outcome::Never,
        };
        Some(Event {
            task: number(value, "task")?,
            call: text(value, "call")?,
            arguments: match value.get("arguments") {
                Some(_) => list(value, "arguments", argument_from_json)?,
                None => Vec::new(),
            },
            text: text(value, "text")?,
            outcome,
            changes: list(value, "changes", change_from_json)?,
        })
    }
}

fn errno_by_name(name: &str) -> Option<Errno> {
    // 0 is none of them: `UnknownErrno`.
    let mut all = (0..=libc::EHWPOISON).map(Errno::from_raw);
    all.find(|errno| format!("{errno:?}") == name)
}

fn argument_to_json(argument: &Argument) -> Value {
    match argument {
        Argument::Number(number) => json!(number),
        Argument::Null => Value::Null,
        Argument::Text(text) => json!(text),
        Argument::Texts(texts) => json!(texts),
        Argument::Flags(names) => json!({ "flags": names }),
        Argument::Descriptor { number, target } => match target {
            None => json!({ "fd": number }),
            Some(Target::Namespace(id)) => json!({ "fd": number, "namespace": id.to_string() }),
            Some(Target::Process(pid)) => json!({ "fd": number, "process": pid }),
        },
    }
}

fn argument_from_json(value: &Value) -> Option<Argument> {
    Some(match value {
        Value::Null => Argument::Null,
        Value::Number(number) => Argument::Number(number.as_i64()?),
        Value::String(text) => Argument::Text(text.clone()),
        Value::Array(texts) => Argument::Texts(texts.iter().map(string).collect::<Option<_>>()?),
        Value::Object(object) if object.contains_key("flags") => {
            Argument::Flags(texts(value, "flags")?)
        }
        Value::Object(object) => Argument::Descriptor {
            number: value.get("fd")?.as_i64()?.try_into().ok()?,
            target: match (object.get("namespace"), object.get("process")) {
                (Some(_), _) => Some(Target::Namespace(namespace(value, "namespace")?)),
                (None, Some(Value::Null)) => Some(Target::Process(None)),
                (None, Some(pid)) => Some(Target::Process(Some(pid.as_i64()?.try_into().ok()?))),
                (None, None) => None,
            },
        },
        Value::Bool(_) => return None,
    })
}

fn change_to_json(change: &Change) -> Value {
    match change {
        Change::Namespace { id, owner, parent } => {
            let mut object = fields(json!({
                "change": "namespace", "name": id.to_string(), "kind": id.kind.name(),
            }));
            insert(&mut object, "owner", &owner.map(|owner| owner.to_string()));
            insert(&mut object, "parent", &parent.map(|parent| parent.to_string()));
            Value::Object(object)
        }
        Change::Task { task, process, parent, pids, namespaces } => {
            let mut object = fields(json!({
                "change": "task", "task": task, "process": process, "pids": pids,
                "namespaces": namespaces.iter().map(NamespaceId::to_string).collect::<Vec<_>>(),
            }));
            if let Some(parent) = parent {
                object.insert("parent".into(), json!(parent));
            }
            Value::Object(object)
        }
        Change::Joined { task, namespace: id } => json!({
            "change": "joined", "task": task, "kind": id.kind.name(), "namespace": id.to_string(),
        }),
        Change::Children { task, namespace: id } => json!({
            "change": "children", "task": task, "kind": id.kind.name(), "namespace": id.to_string(),
        }),
        Change::Capabilities { task, effective } => json!({
            "change": "capabilities", "task": task, "effective": format!("{effective:016x}"),
        }),
        Change::Program { task, name } => {
            json!({ "change": "program", "task": task, "name": name })
        }
        Change::Ended { task, how } => {
            json!({ "change": "ended", "task": task, "how": how.to_string() })
        }
        Change::Setting { namespace, file, text } => {
            json!({ "change": "setting", "namespace": namespace.to_string(), "file": file, "text": text })
        }
        Change::Mount { namespace, mount } => json!({
            "change": "mount", "namespace": namespace.to_string(), "mount": mount_to_json(mount),
        }),
        Change::Unmount { namespace, id } => {
            json!({ "change": "unmount", "namespace": namespace.to_string(), "id": id })
        }
        Change::Root { task, path } => json!({ "change": "root", "task": task, "path": path }),
        Change::HostName { namespace, name } => {
            json!({ "change": "host-name", "namespace": namespace.to_string(), "name": name })
        }
        Change::Cgroup { task, path } => {
            json!({ "change": "cgroup", "task": task, "path": path })
        }
        Change::Links { namespace, links } => json!({
            "change": "links", "namespace": namespace.to_string(),
            "links": links.iter().map(link_to_json).collect::<Vec<_>>(),
        }),
    }
}

fn change_from_json(value: &Value) -> Option<Change> {
    let namespace = || namespace(value, "namespace");
    // The kind is there twice: by itself, and in the name.
    let of_kind = |name: &str| {
        let id = self::namespace(value, name)?;
        (Kind::parse(value["kind"].as_str()?)? == id.kind).then_some(id)
    };
    let task = || number(value, "task");
    Some(match value["change"].as_str()? {
        "namespace" => Change::Namespace {
            id: of_kind("name")?,
            owner: optional(value, "owner")?,
            parent: optional(value, "parent")?,
        },
        "task" => Change::Task {
            task: task()?,
            process: number(value, "process")?,
            parent: number(value, "parent"),
            pids: list(value, "pids", |pid| pid.as_i64()?.try_into().ok())?,
            namespaces: list(value, "namespaces", |id| NamespaceId::parse(id.as_str()?))?,
        },
        "joined" => Change::Joined { task: task()?, namespace: of_kind("namespace")? },
        "children" => Change::Children { task: task()?, namespace: of_kind("namespace")? },
        "capabilities" => Change::Capabilities {
            task: task()?,
            effective: u64::from_str_radix(value["effective"].as_str()?, 16).ok()?,
        },
        "program" => Change::Program { task: task()?, name: text(value, "name")? },
        "ended" => Change::Ended { task: task()?, how: Exit::parse(value["how"].as_str()?)? },
        "setting" => Change::Setting {
            namespace: namespace()?,
            file: text(value, "file")?,
            text: text(value, "text")?,
        },
        "mount" => {
            Change::Mount { namespace: namespace()?, mount: mount_from_json(&value["mount"])? }
        }
        "unmount" => Change::Unmount { namespace: namespace()?, id: number(value, "id")? },
        "root" => Change::Root { task: task()?, path: text(value, "path")? },
        "host-name" => Change::HostName { namespace: namespace()?, name: text(value, "name")? },
        "cgroup" => Change::Cgroup { task: task()?, path: text(value, "path")? },
        "links" => {
            Change::Links { namespace: namespace()?, links: list(value, "links", link_from_json)? }
        }
        _ => return None,
    })
}

fn mount_to_json(mount: &Mount) -> Value {
    let mut object = fields(json!({
        "id": mount.id, "kind": mount.kind, "root": mount.root, "point": mount.point,
        "read_only": mount.read_only, "propagation": mount.propagation,
    }));
    if let Some(parent) = mount.parent {
        object.insert("parent".into(), json!(parent));
    }
    Value::Object(object)
}

fn mount_from_json(value: &Value) -> Option<Mount> {
    Some(Mount {
        id: number(value, "id")?,
        parent: number(value, "parent"),
        kind: text(value, "kind")?,
        root: text(value, "root")?,
        point: text(value, "point")?,
        read_only: value["read_only"].as_bool()?,
        propagation: text(value, "propagation")?,
    })
}

fn link_to_json(link: &Link) -> Value {
    let mut object =
        fields(json!({ "name": link.name, "up": link.up, "addresses": link.addresses }));
    if let Some((namespace, name)) = &link.peer {
        object.insert("peer".into(), json!(name));
        insert(&mut object, "peer_namespace", &namespace.map(|id| id.to_string()));
    }
    insert(&mut object, "bridge", &link.bridge);
    Value::Object(object)
}

fn link_from_json(value: &Value) -> Option<Link> {
    Some(Link {
        name: text(value, "name")?,
        up: value["up"].as_bool()?,
        addresses: texts(value, "addresses")?,
        peer: match text(value, "peer") {
            Some(name) => Some((optional(value, "peer_namespace")?, name)),
            None => None,
        },
        bridge: text(value, "bridge"),
    })
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn insert(object: &mut Map<String, Value>, name: &str, value: &Option<String>) {
    if let Some(value) = value {
        object.insert(name.into(), json!(value));
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    string(value.get(name)?)
}

fn namespace(value: &Value, name: &str) -> Option<NamespaceId> {
    NamespaceId::parse(value.get(name)?.as_str()?)
}

/// A namespace that need not be there.
fn optional(value: &Value, name: &str) -> Option<Option<NamespaceId>> {
    match value.get(name) {
        Some(_) => namespace(value, name).map(Some),
        None => Some(None),
    }
}

fn number(value: &Value, name: &str) -> Option<u32> {
    value.get(name)?.as_u64()?.try_into().ok()
}

fn list<T>(value: &Value, name: &str, each: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.get(name)?.as_array()?.iter().map(each).collect()
}

fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    list(value, name, string)
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
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
            Change::Root { task: 2, path: "/new".into() },
            Change::HostName { namespace: id("uts B"), name: "otter".into() },
            Change::Cgroup { task: 2, path: "/box".into() },
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

//! Traces as JSON Lines: what `cargo xtask trace --json` prints, what figures are drawn from.
//!
//! ```text
//! {"schema":"namespaces-by-hand/story","version":1,"program":["/lab/ch02-unshare","otter"]}
//! {"task":1,"call":"start","text":"…","value":0,"changes":[{"change":"namespace","name":"uts A","kind":"uts"}]}
//! {"task":1,"call":"unshare","text":"unshare(CLONE_NEWUTS)","errno":"EPERM","why":"…","changes":[]}
//! {"end":true,"dropped":0}
//! ```
//!
//! The first line names the schema. Each further line is an [`Event`]: `value` is there when the
//! call returned, `errno` when it failed, neither when it did not return. A change is named by
//! `change`; its other fields are those of [`Change`], and what is `None` there is left out. The
//! last line says that the recorder saw the end. A field that is not in the list may be ignored;
//! `version` changes when one of these changes its meaning.

use std::fmt;

use serde_json::{Map, Value, json};

use super::event::{Change, Event, Link, Mount, Outcome, Trace};
use super::kind::Kind;

const SCHEMA: &str = "namespaces-by-hand/story";
const VERSION: u64 = 1;

/// A text that is no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The first line is not one of ours.
    NoTrace,
    /// It was written by another version of this program.
    Version(u64),
    /// This line, counted from 1, does not say what it should.
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
    /// The first line of the file, without its end.
    pub fn opening(&self) -> String {
        json!({ "schema": SCHEMA, "version": VERSION, "program": self.program }).to_string()
    }

    /// The last line.
    pub fn ending(&self) -> String {
        json!({ "end": true, "dropped": self.dropped }).to_string()
    }

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
    /// A text that is something else, or from another version.
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
    pub fn to_json(&self) -> String {
        let mut object = fields(json!({
            "task": self.task,
            "call": self.call,
            "text": self.text,
            "changes": self.changes.iter().map(change_to_json).collect::<Vec<_>>(),
        }));
        match &self.outcome {
            Outcome::Value(value) => _ = object.insert("value".into(), json!(value)),
            Outcome::Error { errno, why } => {
                object.insert("errno".into(), json!(errno));
                insert(&mut object, "why", why);
            }
            Outcome::Never => {}
        }
        Value::Object(object).to_string()
    }

    fn from_json(value: &Value) -> Option<Event> {
        let outcome = match (value.get("value"), text(value, "errno")) {
            (Some(value), _) => Outcome::Value(value.as_i64()?),
            (None, Some(errno)) => Outcome::Error { errno, why: text(value, "why") },
            (None, None) => Outcome::Never,
        };
        Some(Event {
            task: number(value, "task")?,
            call: text(value, "call")?,
            text: text(value, "text")?,
            outcome,
            changes: list(value, "changes", change_from_json)?,
        })
    }
}

fn change_to_json(change: &Change) -> Value {
    match change {
        Change::Namespace { name, kind, owner, parent } => {
            let mut object =
                fields(json!({ "change": "namespace", "name": name, "kind": kind.name() }));
            insert(&mut object, "owner", owner);
            insert(&mut object, "parent", parent);
            Value::Object(object)
        }
        Change::Task { task, process, parent, pids, namespaces } => {
            let mut object = fields(json!({
                "change": "task", "task": task, "process": process, "pids": pids,
                "namespaces": namespaces,
            }));
            if let Some(parent) = parent {
                object.insert("parent".into(), json!(parent));
            }
            Value::Object(object)
        }
        Change::Joined { task, kind, namespace } => json!({
            "change": "joined", "task": task, "kind": kind.name(), "namespace": namespace,
        }),
        Change::Children { task, kind, namespace } => json!({
            "change": "children", "task": task, "kind": kind.name(), "namespace": namespace,
        }),
        Change::Capabilities { task, effective } => json!({
            "change": "capabilities", "task": task, "effective": format!("{effective:016x}"),
        }),
        Change::Program { task, name } => {
            json!({ "change": "program", "task": task, "name": name })
        }
        Change::Ended { task, how } => json!({ "change": "ended", "task": task, "how": how }),
        Change::Setting { namespace, file, text } => {
            json!({ "change": "setting", "namespace": namespace, "file": file, "text": text })
        }
        Change::Mount { namespace, mount } => json!({
            "change": "mount", "namespace": namespace, "mount": mount_to_json(mount),
        }),
        Change::Unmount { namespace, id } => {
            json!({ "change": "unmount", "namespace": namespace, "id": id })
        }
        Change::Root { task, path } => json!({ "change": "root", "task": task, "path": path }),
        Change::HostName { namespace, name } => {
            json!({ "change": "host-name", "namespace": namespace, "name": name })
        }
        Change::Cgroup { task, path } => {
            json!({ "change": "cgroup", "task": task, "path": path })
        }
        Change::Links { namespace, links } => json!({
            "change": "links", "namespace": namespace,
            "links": links.iter().map(link_to_json).collect::<Vec<_>>(),
        }),
    }
}

fn change_from_json(value: &Value) -> Option<Change> {
    let kind = || {
        let name = text(value, "kind")?;
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    };
    let namespace = || text(value, "namespace");
    let task = || number(value, "task");
    Some(match value["change"].as_str()? {
        "namespace" => Change::Namespace {
            name: text(value, "name")?,
            kind: kind()?,
            owner: text(value, "owner"),
            parent: text(value, "parent"),
        },
        "task" => Change::Task {
            task: task()?,
            process: number(value, "process")?,
            parent: number(value, "parent"),
            pids: list(value, "pids", |pid| pid.as_i64()?.try_into().ok())?,
            namespaces: texts(value, "namespaces")?,
        },
        "joined" => Change::Joined { task: task()?, kind: kind()?, namespace: namespace()? },
        "children" => Change::Children { task: task()?, kind: kind()?, namespace: namespace()? },
        "capabilities" => Change::Capabilities {
            task: task()?,
            effective: u64::from_str_radix(value["effective"].as_str()?, 16).ok()?,
        },
        "program" => Change::Program { task: task()?, name: text(value, "name")? },
        "ended" => Change::Ended { task: task()?, how: text(value, "how")? },
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
        insert(&mut object, "peer_namespace", namespace);
    }
    insert(&mut object, "bridge", &link.bridge);
    Value::Object(object)
}

fn link_from_json(value: &Value) -> Option<Link> {
    Some(Link {
        name: text(value, "name")?,
        up: value["up"].as_bool()?,
        addresses: texts(value, "addresses")?,
        peer: text(value, "peer").map(|name| (text(value, "peer_namespace"), name)),
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
    value.get(name)?.as_str().map(str::to_owned)
}

fn number(value: &Value, name: &str) -> Option<u32> {
    value.get(name)?.as_u64()?.try_into().ok()
}

fn list<T>(value: &Value, name: &str, each: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.get(name)?.as_array()?.iter().map(each).collect()
}

fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    list(value, name, |item| item.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            peer: Some((Some("net B".into()), "veth1".into())),
            bridge: None,
        };
        vec![
            Change::Namespace {
                name: "uts B".into(),
                kind: Kind::Uts,
                owner: Some("user A".into()),
                parent: None,
            },
            Change::Task {
                task: 2,
                process: 2,
                parent: Some(1),
                pids: vec![4, 1],
                namespaces: vec!["uts B".into()],
            },
            Change::Joined { task: 2, kind: Kind::Uts, namespace: "uts B".into() },
            Change::Children { task: 2, kind: Kind::Pid, namespace: "pid B".into() },
            Change::Capabilities { task: 2, effective: u64::MAX >> 23 },
            Change::Program { task: 2, name: "sh".into() },
            Change::Ended { task: 2, how: "exited with 0".into() },
            Change::Setting {
                namespace: "user B".into(),
                file: "uid_map".into(),
                text: "0 1000 1".into(),
            },
            Change::Mount { namespace: "mnt B".into(), mount },
            Change::Unmount { namespace: "mnt B".into(), id: 2 },
            Change::Root { task: 2, path: "/new".into() },
            Change::HostName { namespace: "uts B".into(), name: "otter".into() },
            Change::Cgroup { task: 2, path: "/box".into() },
            Change::Links { namespace: "net B".into(), links: vec![link] },
        ]
    }

    fn a_trace() -> Trace {
        let event = |outcome, changes| Event {
            task: 1,
            call: "unshare".into(),
            text: "unshare(CLONE_NEWUTS)".into(),
            outcome,
            changes,
        };
        let error = Outcome::Error { errno: "EPERM".into(), why: Some("no \"right\"\n".into()) };
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
        let in_the_middle = a_trace().to_json_lines().replacen("{\"call\"", "\"call\"", 1);
        assert_eq!(read(&in_the_middle), Err(Unreadable::Line(2)));
    }
}

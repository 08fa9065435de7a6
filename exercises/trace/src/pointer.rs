//! Which call of a trace a mistake is about.

use super::event::{Event, Outcome, Trace};
use super::glob::glob;

/// Where in a trace a mistake is. A call is given as a [`glob`] for its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The last call that matches one of these.
    Call(Vec<String>),
    /// A call that is missing before or after the last one that matches `of`.
    Missing { call: String, side: Side, of: String },
}

/// On which side of a call another one is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

impl Trace {
    /// Lets conditions name what is random in this run by its role: `mount("SHARE", *`.
    pub fn name_by_role(&mut self, name: impl Fn(&str) -> String) {
        self.by_role = self.events.iter().map(|event| name(&event.text)).collect();
    }

    /// Whether the event with this number is such a call, in its own words or by roles.
    pub(crate) fn is_like(&self, pattern: &str, at: usize) -> bool {
        glob(pattern, &self.events[at].text)
            || self.by_role.get(at).is_some_and(|text| glob(pattern, text))
    }

    /// Shows a reader the call that went wrong, or the place of the one that is missing. `None` if
    /// the trace has no such call. Without a pointer it is the last call that failed.
    pub fn point(&self, pointer: Option<&Pointer>) -> Option<String> {
        match pointer {
            Some(Pointer::Call(patterns)) => {
                self.find_any(patterns).map(|at| format!("look at {}", self.shown(at)))
            }
            Some(Pointer::Missing { call, side, of }) => self.gap(call, *side, of),
            None => self.failure(),
        }
    }

    /// The last call that matches one of these.
    pub(crate) fn find_any(&self, patterns: &[String]) -> Option<usize> {
        patterns.iter().filter_map(|pattern| self.find(pattern)).max()
    }

    /// The last call that matches, or the one after which the program gave up, if that matches. For `execve(*`,
    /// the call that started COMMAND, if there is one: a program may have started others.
    pub fn find(&self, pattern: &str) -> Option<usize> {
        if let Some(at) = self.gave_up().filter(|at| self.is_like(pattern, *at)) {
            return Some(at);
        }
        let command = || self.events.iter().rposition(Event::starts_command);
        let last = || (0..self.events.len()).rev().find(|at| self.is_like(pattern, *at));
        if pattern == "execve(*" { command().or_else(last) } else { last() }
    }

    fn gap(&self, call: &str, side: Side, of: &str) -> Option<String> {
        let at = self.find(of)?;
        let task = self.events[at].task;
        let shown = self.shown(at);
        if side == Side::Before {
            // How long before is not said: an ancestor may have to make the call, before it forks.
            return Some(format!("{call} is missing before {shown}"));
        }
        let next = (at + 1..self.events.len()).find(|at| self.events[*at].task == task);
        Some(match next {
            Some(next) => format!("{call} is missing between {shown} and {}", self.shown(next)),
            None => format!("{call} is missing after {shown}"),
        })
    }

    /// The last call that failed, in the form in which this course's programs report it, with the
    /// reason if the recorder knows it:
    /// `unshare(CLONE_NEWUTS): EPERM: Operation not permitted: no CAP_SYS_ADMIN …`.
    pub fn failed_call(&self) -> Option<String> {
        self.error_at(self.failed()?)
    }

    /// The same for the event with this number.
    pub fn error_at(&self, at: usize) -> Option<String> {
        let Event { text, outcome, .. } = &self.events[at];
        let Outcome::Error { errno, why } = outcome else { return None };
        let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        Some(format!("{text}: {errno:?}: {}{why}", errno.desc()))
    }

    fn failed(&self) -> Option<usize> {
        let failed = |at: &usize| matches!(self.events[*at].outcome, Outcome::Error { .. });
        (0..self.events.len()).rev().find(|at| failed(at) && !self.is_by_command(*at))
    }

    /// Whether COMMAND itself has made this call. What that tries says nothing about the program.
    pub(crate) fn is_by_command(&self, at: usize) -> bool {
        let task = self.events[at].task;
        let became = |event: &Event| {
            event.task == task
                && event.starts_command()
                && !matches!(event.outcome, Outcome::Error { .. })
        };
        self.events[..at].iter().any(became)
    }

    fn failure(&self) -> Option<String> {
        let at = self.failed()?;
        let why = match &self.events[at].outcome {
            Outcome::Error { why: Some(why), .. } => format!(": {why}"),
            _ => String::new(),
        };
        Some(format!("{} failed{why}", self.shown(at)))
    }

    /// The call with this number, for a reader.
    pub fn shown(&self, at: usize) -> String {
        match at {
            0 => "the start".to_owned(),
            at => format!("call {at}, {}", self.events[at].line()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::argument::Argument;
    use super::super::event::Change;
    use super::*;
    use nix::errno::Errno;

    fn event(task: u32, text: &str, outcome: Outcome) -> Event {
        Event { text: text.into(), ..Event::new(task, "", Vec::new(), outcome, Vec::new()) }
    }

    fn born(task: u32) -> Change {
        Change::Task { task, process: task, parent: None, pids: Vec::new(), namespaces: Vec::new() }
    }

    fn trace() -> Trace {
        let error = Outcome::Error { errno: Errno::EPERM, why: Some("no right".into()) };
        let events = vec![
            Event { changes: vec![born(2)], ..event(1, "the program starts", Outcome::Never) },
            event(1, "unshare(CLONE_NEWPID)", Outcome::Value(0)),
            event(2, "sethostname(\"x\")", error),
            event(1, "execve(\"/lab/witness\", [])", Outcome::Never),
        ];
        Trace { events, ..Trace::default() }
    }

    #[test]
    fn a_call_that_went_wrong() {
        let pointer = Pointer::Call(vec!["unshare(*".into()]);
        let told = trace().point(Some(&pointer));
        assert_eq!(told.as_deref(), Some("look at call 1, unshare(CLONE_NEWPID) = 0"));
        assert_eq!(trace().point(Some(&Pointer::Call(vec!["mount(*".into()]))), None);
    }

    #[test]
    fn a_call_that_is_missing() {
        let missing = |side, of: &str| {
            let pointer = Pointer::Missing { call: "fork()".into(), side, of: of.into() };
            trace().point(Some(&pointer))
        };
        let between = "fork() is missing between call 1, unshare(CLONE_NEWPID) = 0 and call 3, \
                       execve(\"/lab/witness\", [])";
        assert_eq!(missing(Side::After, "unshare(*").as_deref(), Some(between));
        assert_eq!(
            missing(Side::Before, "execve(*").as_deref(),
            Some("fork() is missing before call 3, execve(\"/lab/witness\", [])")
        );
        assert_eq!(
            missing(Side::After, "sethostname(*").as_deref(),
            Some("fork() is missing after call 2, sethostname(\"x\") = EPERM")
        );
        assert_eq!(
            missing(Side::Before, "sethostname(*").as_deref(),
            Some("fork() is missing before call 2, sethostname(\"x\") = EPERM")
        );
        assert_eq!(missing(Side::After, "mount(*"), None);
    }

    #[test]
    fn a_call_that_failed() {
        let told = trace().point(None);
        assert_eq!(told.as_deref(), Some("call 2, sethostname(\"x\") = EPERM failed: no right"));
        assert_eq!(Trace::default().point(None), None);
        let failed = trace().failed_call();
        assert_eq!(
            failed.as_deref(),
            Some("sethostname(\"x\"): EPERM: Operation not permitted: no right")
        );
        assert_eq!(Trace::default().failed_call(), None);
    }

    #[test]
    fn a_call_that_failed_in_command_is_none_of_the_program() {
        let mut trace = trace();
        let path = vec![Argument::Text("/lab/witness".into())];
        trace.events.push(Event::new(1, "execve", path, Outcome::Value(0), Vec::new()));
        let error = Outcome::Error { errno: Errno::EPERM, why: None };
        trace.events.push(event(1, "unshare(CLONE_NEWUSER)", error));
        let told = trace.point(None);
        assert_eq!(told.as_deref(), Some("call 2, sethostname(\"x\") = EPERM failed: no right"));
    }
}

//! A variant of an exercise: what one student's program has to do otherwise than the chapter says.
//!
//! It is a JSON file ([`env::VARIANT`](crate::env::VARIANT)), which `cargo xtask variant` makes from the chapter's
//! `variants.toml`. A check needs to know nothing of it: the program's arguments are changed before it starts, and
//! the report that a step wants is changed before it is compared.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::OnceLock;

use serde_json::Value;

use crate::env;
use crate::report::Excerpt;
use lab::sandbox::Sandbox;

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Words of the command line, and what stands in their place.
    pub words: BTreeMap<String, String>,
    /// Where the first arguments come from: `[1, 0]` if the first two change places.
    pub order: Vec<usize>,
    /// Values of the report that a step wants, by the key of a line or by `ROW KIND`, a cell of the table.
    pub wanted: BTreeMap<String, String>,
    /// The exit status of a program that fails after a refused call, if it may not be any.
    pub failure: Option<u8>,
}

/// The variant of this process, if its parent has one for it.
///
/// # Panics
///
/// The file cannot be read or is no variant: a check without it would judge by the wrong exercise.
pub(crate) fn current() -> Option<&'static Variant> {
    static CURRENT: OnceLock<Option<Variant>> = OnceLock::new();
    let read = || {
        let file = env::path(env::VARIANT)?;
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("could not read the variant: {error}"));
        Some(Variant::from_json(&text).expect("the file is a variant"))
    };
    CURRENT.get_or_init(read).as_ref()
}

impl Variant {
    /// Reads what [`Variant::to_json`] has written. `None` for any other text.
    pub fn from_json(text: &str) -> Option<Variant> {
        let value: Value = serde_json::from_str(text).ok()?;
        let texts = |key: &str| {
            let table = value[key].as_object()?.iter();
            let pairs = table.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            pairs.collect::<Option<BTreeMap<_, _>>>()
        };
        let places = value["order"].as_array()?.iter();
        let order: Vec<usize> =
            places.map(|place| Some(place.as_u64()? as usize)).collect::<Option<_>>()?;
        let is_complete = (0..order.len()).all(|place| order.contains(&place));
        let failure = match &value["failure"] {
            Value::Null => None,
            status => Some(status.as_u64()?.try_into().ok()?),
        };
        let variant = Variant { words: texts("words")?, order, wanted: texts("wanted")?, failure };
        is_complete.then_some(variant)
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let Variant { words, order, wanted, failure } = self;
        let value = serde_json::json!({
            "words": words, "order": order, "wanted": wanted, "failure": failure,
        });
        format!("{value:#}\n")
    }

    /// The sandbox with the arguments of this variant.
    pub(crate) fn arrange(&self, sandbox: Sandbox) -> Sandbox {
        sandbox.change_arguments(|arguments| self.rearrange(arguments))
    }

    fn rearrange(&self, arguments: &mut [OsString]) {
        if let Some(first) = arguments.get_mut(..self.order.len()) {
            let before = first.to_vec();
            for (place, from) in first.iter_mut().zip(&self.order) {
                *place = before[*from].clone();
            }
        }
        for (word, other) in &self.words {
            // The same word further on is COMMAND's.
            if let Some(place) = arguments.iter_mut().find(|place| **place == **word) {
                *place = other.into();
            }
        }
    }

    /// What a step wants of this variant.
    pub(crate) fn wants(&self, mut wanted: Excerpt) -> Excerpt {
        for (key, value) in &self.wanted {
            wanted.set(key, value);
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant() -> Variant {
        let texts = |pairs: &[(&str, &str)]| {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        Variant {
            words: texts(&[("--", "::"), ("pin", "keep")]),
            order: vec![1, 0],
            wanted: texts(&[("COMMAND ipc", "B"), ("host name of COMMAND", "NAME-abc")]),
            failure: Some(71),
        }
    }

    #[test]
    fn a_variant_is_read_as_it_was_written() {
        for variant in [variant(), Variant::default()] {
            assert_eq!(Variant::from_json(&variant.to_json()), Some(variant));
        }
        let json = variant().to_json();
        for (from, to) in
            [("71", "256"), ("    1,", "    2,"), ("\"B\"", "1"), ("words", "word"), ("}", "")]
        {
            assert_eq!(Variant::from_json(&json.replacen(from, to, 1)), None, "{from}");
        }
    }

    #[test]
    fn only_the_programs_own_words_are_changed() {
        let mut words = ["7", "otter", "--", "/bin/echo", "--", "pin"].map(OsString::from);
        variant().rearrange(&mut words[..5]);
        assert_eq!(words, ["otter", "7", "::", "/bin/echo", "--", "pin"]);
        let mut few = [OsString::from("--")];
        variant().rearrange(&mut few);
        assert_eq!(few, ["::"]);
    }

    #[test]
    fn a_step_wants_what_the_variant_says_and_nothing_new() {
        let wanted = Excerpt::read(
            "user  mnt  pid  net  uts  ipc  cgroup  time
            COMMAND  A  A  A  A  B  A  A  A
            host name of COMMAND: NAME",
        );
        let changed = variant().wants(wanted);
        assert_eq!(changed.value("COMMAND ipc").as_deref(), Some("B"));
        assert_eq!(changed.value("COMMAND net").as_deref(), Some("A"));
        assert_eq!(changed.value("host name of COMMAND").as_deref(), Some("NAME-abc"));
        let other = Excerpt::read("exit status: COMMAND's");
        assert_eq!(variant().wants(other.clone()), other);
    }
}

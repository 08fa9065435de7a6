//! From a refusal and the facts to a cause and a remedy.
//!
//! A row of the table fits if its place and errno do, and no fact contradicts it. It is shown to be the
//! cause if every fact that it names holds, unless it is weak. If a fact is unknown it is a guess, and
//! the text says so. If several are shown, the advice names them all, because it cannot be seen which
//! of them refused first.

use super::facts::{Facts, UNKNOWN};
use super::table::{self, Environment};
use lab::sandbox::Refusal;
use trace::glob;

/// A cause in one line and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub cause: String,
    pub remedy: String,
    /// The names of the table's rows that it comes from; empty if it is the meaning of an errno.
    pub environments: Vec<String>,
    /// Whether the facts show it. Otherwise it is a guess, and the text says so.
    pub shown: bool,
}

pub(super) fn of(refusal: &Refusal, facts: &Facts) -> Advice {
    let rows = table::environments();
    let fitting: Vec<_> = rows.iter().filter(|row| shows_as(row, refusal)).collect();
    let with = |tier: &Fit| {
        let rows = fitting.iter().copied();
        rows.filter(|row| judge(row, facts) == *tier).collect::<Vec<_>>()
    };
    for tier in [Fit::Shown, Fit::Allowed, Fit::Possible] {
        let rows = without_general(with(&tier));
        match (rows.as_slice(), tier) {
            ([], _) => {}
            ([one], Fit::Shown) => return advice(&[*one], "", facts, true),
            (several, Fit::Shown) => return advice(several, SEVERAL, facts, true),
            (guesses, _) => return advice(guesses, GUESS, facts, false),
        }
    }
    by_errno(refusal)
}

const SEVERAL: &str = "more than one thing here can forbid it: ";
const GUESS: &str = "nothing here shows for certain what forbids it; perhaps ";

/// How far the facts carry a row.
#[derive(PartialEq, Eq)]
enum Fit {
    /// Every fact holds.
    Shown,
    /// Every fact holds, but the row is weak: they do not prove it.
    Allowed,
    /// Some facts hold, the others are unknown.
    Possible,
    /// A fact does not hold, or none is known.
    Out,
}

fn shows_as(row: &Environment, refusal: &Refusal) -> bool {
    let errno = refusal.errno_name();
    row.when.iter().any(|(place, errnos)| *place == refusal.at && errnos.contains(&errno))
}

fn judge(row: &Environment, facts: &Facts) -> Fit {
    let (mut hold, mut unknown) = (0_usize, 0_usize);
    for (name, patterns) in &row.facts {
        let value = facts.get(name);
        if patterns.iter().any(|pattern| glob(pattern, value)) {
            hold += 1;
        } else if value == UNKNOWN {
            unknown += 1;
        } else {
            return Fit::Out;
        }
    }
    match (hold, unknown) {
        (0, 1..) => Fit::Out,
        (_, 1..) => Fit::Possible,
        (hold, 0) if row.weak || hold == 0 => Fit::Allowed,
        (_, 0) => Fit::Shown,
    }
}

/// Drops each row whose facts are a part of another row's: "a container" when "Docker" fits.
fn without_general(rows: Vec<&Environment>) -> Vec<&Environment> {
    let keys =
        |row: &Environment| row.facts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let asks_less = |row: &Environment, than: &Environment| {
        let (few, many) = (keys(row), keys(than));
        few.len() < many.len() && few.iter().all(|key| many.contains(key))
    };
    let general = |row: &Environment| rows.iter().any(|other| asks_less(row, other));
    rows.iter().copied().filter(|row| !general(row)).collect()
}

fn advice(rows: &[&Environment], opening: &str, facts: &Facts, shown: bool) -> Advice {
    // A long list of guesses is of no help.
    let rows = &rows[..rows.len().min(3)];
    let join = |part: fn(&Environment) -> &str, between| {
        let mut parts: Vec<_> = rows.iter().map(|row| filled_in(part(row), facts)).collect();
        parts.dedup();
        parts.join(between)
    };
    Advice {
        cause: format!("{opening}{}", join(|row| &row.cause, "; or ")),
        remedy: join(|row| &row.remedy, "; or "),
        environments: rows.iter().map(|row| row.name.clone()).collect(),
        shown,
    }
}

/// Puts facts in the place of their names in braces.
fn filled_in(text: &str, facts: &Facts) -> String {
    let pairs = facts.iter();
    pairs.fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn by_errno(refusal: &Refusal) -> Advice {
    let meanings = table::meanings();
    let named = meanings.iter().find(|meaning| meaning.errno == refusal.errno_name());
    let meaning = named.or_else(|| meanings.iter().find(|meaning| meaning.errno == "*"));
    let (cause, remedy) = meaning.map_or(("", ""), |meaning| (&meaning.cause, &meaning.remedy));
    Advice {
        cause: cause.to_owned(),
        remedy: remedy.to_owned(),
        environments: Vec::new(),
        shown: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    fn refusal(at: &str, errno: Errno) -> Refusal {
        Refusal { at: at.into(), call: "a call".into(), errno }
    }

    fn errno(name: &str) -> Errno {
        (0..134)
            .map(Errno::from_raw)
            .find(|errno| format!("{errno:?}") == name)
            .expect("the table's test has looked")
    }

    /// The facts that a row asks for, and nothing else known.
    fn facts_of(row: &Environment) -> Facts {
        let value = |values: &[String]| values[0].replace('*', "");
        let pairs: Vec<(&'static str, String)> = row
            .facts
            .iter()
            .map(|(name, values)| (name.clone().leak() as &'static str, value(values)))
            .collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Facts::only(&pairs)
    }

    #[test]
    fn every_row_is_found_where_its_facts_hold() {
        for row in table::environments() {
            let facts = facts_of(&row);
            for (place, errnos) in &row.when {
                for name in errnos {
                    let advice = of(&refusal(place, errno(name)), &facts);
                    let found = advice.environments.contains(&row.name);
                    assert!(found, "{}: {place} {name} gave {advice:?}", row.name);
                    assert!(advice.shown || row.weak || row.facts.is_empty(), "{}", row.name);
                }
            }
        }
    }

    /// Every `{fact}` in a text is replaced, also in rows that no test stages.
    #[test]
    fn no_fact_is_left_open_in_a_text() {
        let here = Facts::read();
        let names: Vec<&str> = here.iter().map(|(name, _)| name).collect();
        for row in table::environments() {
            for text in [&row.cause, &row.remedy] {
                for name in facts_in(text) {
                    assert!(names.contains(&name), "{}: there is no fact {{{name}}}", row.name);
                }
                let filled = filled_in(text, &here);
                assert_eq!(facts_in(&filled), [""; 0], "{}: {filled}", row.name);
            }
        }
        for meaning in table::meanings() {
            let open = [&meaning.cause, &meaning.remedy].map(|text| facts_in(text).len());
            assert_eq!(open, [0, 0], "{}: it is not filled in", meaning.errno);
        }
        assert_eq!(facts_in("a {type: X}, {one} and {two_2}"), ["one", "two_2"]);
    }

    /// The names in braces.
    fn facts_in(text: &str) -> Vec<&str> {
        let after = text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        let is_name = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        after.filter(|name| name.bytes().all(is_name)).collect()
    }

    #[test]
    fn the_particular_hides_the_general() {
        let mut facts = vec![("seccomp", "2"), ("clone3", "ENOSYS")];
        let eperm = refusal("namespaces", Errno::EPERM);
        assert_eq!(of(&eperm, &Facts::only(&facts)).environments, ["seccomp-default"]);
        facts.push(("container", "docker"));
        assert_eq!(of(&eperm, &Facts::only(&facts)).environments, ["docker-seccomp-default"]);
        facts.push(("codespaces", "yes"));
        assert_eq!(of(&eperm, &Facts::only(&facts)).environments, ["codespaces"]);
    }

    #[test]
    fn two_causes_are_both_named() {
        let facts = Facts::only(&[("unprivileged_userns_clone", "0"), ("chroot", "yes")]);
        let advice = of(&refusal("namespaces", Errno::EPERM), &facts);
        assert_eq!(advice.environments, ["debian-switch", "chroot"]);
        assert!(advice.cause.starts_with("more than one thing here can forbid it: "));
    }

    #[test]
    fn a_guess_says_that_it_is_one() {
        let advice = of(&refusal("namespaces", Errno::EPERM), &Facts::default());
        assert!(!advice.shown && advice.cause.contains("perhaps this shell is in a chroot"));
        let advice = of(&refusal("start", Errno::ENOMEM), &Facts::default());
        assert_eq!((advice.cause.as_str(), advice.shown), ("the machine is out of memory", false));
        let advice = of(&refusal("start", Errno::EXDEV), &Facts::default());
        assert!(advice.cause.contains("does not know"), "{advice:?}");
    }

    #[test]
    fn facts_stand_in_the_text() {
        let facts = Facts::only(&[("proc", "masked"), ("proc_hides", "/proc/kcore")]);
        let advice = of(&refusal("proc", Errno::EPERM), &facts);
        assert!(advice.cause.contains("(/proc/kcore)"), "{advice:?}");
    }
}

//! What a step is worth. The default is a point for each step without which a chapter is not solved; a
//! small file can say otherwise:
//!
//! ```toml
//! core = 1
//! further = 0.5
//!
//! [chapters.ch05-user]
//! core = 2
//! steps = { 3 = 4 }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Points, with two decimals. Sums of them are exact, so that nothing is rounded before the end, where
/// a format asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Points {
    hundredths: u32,
}

impl Points {
    pub const ZERO: Points = Points { hundredths: 0 };
    pub const ONE: Points = Points { hundredths: 100 };

    /// No step is worth more than this.
    const MOST: f64 = 10_000.0;

    /// `None` for a number below zero, with more than two decimals or above ten thousand.
    pub fn new(number: f64) -> Option<Points> {
        let hundredths = (number * 100.0).round();
        let is_exact = (number * 100.0 - hundredths).abs() < 1e-6;
        let fits = (0.0..=Points::MOST).contains(&number);
        (fits && is_exact).then_some(Points { hundredths: hundredths as u32 })
    }

    /// For a format that takes any number.
    pub fn number(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }

    /// For a format that takes whole numbers: half a point is rounded up.
    pub fn whole(self) -> u32 {
        (self.hundredths + 50) / 100
    }

    /// For a format that takes a share between 0 and 1. Four decimals, rounded down, so that only all points
    /// are 1. `None` if there are none to earn.
    pub fn share_of(self, possible: Points) -> Option<f64> {
        let (earned, possible) = (u64::from(self.hundredths), u64::from(possible.hundredths));
        let share = (earned.min(possible) * 10_000).checked_div(possible)?;
        Some(share as f64 / 1e4)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Points>>(points: I) -> Points {
        Points { hundredths: points.map(|points| points.hundredths).sum() }
    }
}

/// `3`, `0.5`, `2.25`
impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.hundredths % 100 {
            0 => serializer.serialize_u32(self.hundredths / 100),
            _ => serializer.serialize_f64(self.number()),
        }
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Points, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Points::new(number).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{number} points: a number from 0 to {} with at most two decimals is wanted",
                Points::MOST
            ))
        })
    }
}

/// What each step of a course is worth.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// A step without which a chapter is not solved.
    #[serde(default = "one")]
    core: Points,
    /// A step that goes further.
    #[serde(default)]
    further: Points,
    #[serde(default)]
    chapters: BTreeMap<String, OfChapter>,
}

/// Where a chapter differs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct OfChapter {
    core: Option<Points>,
    further: Option<Points>,
    /// By the step's number, which TOML has as text.
    #[serde(default)]
    steps: BTreeMap<String, Points>,
}

fn one() -> Points {
    Points::ONE
}

impl Default for Scheme {
    fn default() -> Scheme {
        Scheme { core: Points::ONE, further: Points::ZERO, chapters: BTreeMap::new() }
    }
}

impl Scheme {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and in which line.
    pub fn read(text: &str) -> Result<Scheme, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// What a step of a chapter (`ch05-user`) is worth.
    pub fn worth(&self, chapter: &str, step: u32, further: bool) -> Points {
        let own = self.chapters.get(chapter);
        let of_step = own.and_then(|own| own.steps.get(&step.to_string()).copied());
        let of_chapter = own.and_then(|own| if further { own.further } else { own.core });
        let of_all = if further { self.further } else { self.core };
        of_step.or(of_chapter).unwrap_or(of_all)
    }

    /// The chapters and steps that the file names, to be compared with those of the course.
    pub fn named(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.chapters
            .iter()
            .map(|(name, own)| (name.as_str(), own.steps.keys().map(String::as_str).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_exact_and_rounded_once() {
        let tenth = Points::new(0.1).unwrap();
        let sum: Points = [tenth; 3].into_iter().sum();
        assert_eq!(sum, Points::new(0.3).unwrap());
        assert_eq!((sum.to_string().as_str(), sum.number(), sum.whole()), ("0.3", 0.3, 0));
        assert_eq!(Points::new(2.5).unwrap().whole(), 3);
        assert_eq!(Points::new(2.49).unwrap().whole(), 2);
        assert_eq!(Points::ONE.share_of(Points::new(3.0).unwrap()), Some(0.3333));
        let nearly = Points::new(9999.99).unwrap().share_of(Points::new(10_000.0).unwrap());
        assert_eq!(nearly, Some(0.9999));
        assert_eq!(Points::ZERO.share_of(Points::ZERO), None);
        for wrong in [-1.0, 0.001, 10_001.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Points::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn points_are_json_numbers() {
        for (points, json) in [(3.0, "3"), (0.5, "0.5"), (2.25, "2.25")] {
            let points = Points::new(points).unwrap();
            assert_eq!(serde_json::to_string(&points).unwrap(), json);
            assert_eq!(serde_json::from_str::<Points>(json).unwrap(), points);
        }
        assert!(serde_json::from_str::<Points>("-1").is_err());
    }

    #[test]
    fn the_nearest_line_of_a_scheme_counts() {
        let scheme = Scheme::read(
            "further = 0.5\n[chapters.ch05-user]\ncore = 2\nsteps = { 3 = 4, 7 = 0.25 }\n",
        );
        let scheme = scheme.unwrap();
        let worth = |chapter, step, further| scheme.worth(chapter, step, further).number();
        assert_eq!([worth("ch02-unshare", 1, false), worth("ch02-unshare", 4, true)], [1.0, 0.5]);
        assert_eq!([worth("ch05-user", 1, false), worth("ch05-user", 3, false)], [2.0, 4.0]);
        assert_eq!([worth("ch05-user", 6, true), worth("ch05-user", 7, true)], [0.5, 0.25]);
        assert_eq!(Scheme::read("").unwrap(), Scheme::default());
        for wrong in ["core = -1", "core = 0.001", "cor = 1", "[chapters.ch2]\nstep = 1"] {
            assert!(Scheme::read(wrong).is_err(), "{wrong}");
        }
    }
}

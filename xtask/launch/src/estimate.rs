//! How long a build still takes, as well as one can know.

use std::time::Duration;

/// What a crate takes on one processor, on average over this workspace and its dependencies.
const CRATE: Duration = Duration::from_millis(1400);

/// How long the rest of a build will take. At first that is known from other machines only; the
/// further the build is, the more counts how quick it has been here.
pub(crate) fn left(done: u32, total: u32, elapsed: Duration, processors: usize) -> Duration {
    // More processors than crates are ready to be compiled do not help.
    let elsewhere = CRATE * total / processors.clamp(1, 4) as u32;
    let part = part(done, total);
    let expected = elsewhere.mul_f64(1.0 - part);
    if part == 0.0 {
        return expected;
    }
    let seen = elapsed.mul_f64((1.0 - part) / part);
    let trust = (2.0 * part).min(1.0);
    seen.mul_f64(trust) + expected.mul_f64(1.0 - trust)
}

/// Which part of the time so many crates take. The last ones, which need all the others, are this
/// workspace's own and take about half of it.
fn part(done: u32, total: u32) -> f64 {
    if total == 0 {
        return 1.0;
    }
    let part = f64::from(done.min(total)) / f64::from(total);
    0.5 * part + 0.5 * part.powi(8)
}

/// The rest in words. Seconds would promise more than is known.
pub(crate) fn in_words(left: Duration) -> String {
    match left.as_secs() {
        0..=4 => "nearly there".to_owned(),
        seconds @ 5..=55 => format!("about {} s left", seconds.div_ceil(5) * 5),
        seconds => format!("about {} min left", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_replaces_what_was_assumed() {
        let seconds = |done, elapsed| left(done, 60, Duration::from_secs(elapsed), 2).as_secs();
        assert_eq!(seconds(0, 3), 42);
        // Ten times as slow as elsewhere.
        assert!((150..180).contains(&seconds(30, 100)), "{}", seconds(30, 100));
        assert!((100..150).contains(&seconds(55, 300)), "{}", seconds(55, 300));
        assert_eq!(seconds(60, 400), 0);
        assert_eq!(left(0, 0, Duration::ZERO, 0), Duration::ZERO);
    }

    #[test]
    fn the_rest_is_said_in_words() {
        for (seconds, wanted) in [
            (0, "nearly there"),
            (11, "about 15 s left"),
            (55, "about 55 s left"),
            (60, "about 1 min left"),
            (130, "about 2 min left"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), wanted);
        }
    }
}

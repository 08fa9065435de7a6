//! Runs things in turn and measures how long they take.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a run went: well, or the reason why not.
pub(super) type Ran = std::result::Result<(), String>;

/// A way to run the program once.
pub(super) struct Way<'a> {
    pub(super) name: &'a str,
    pub(super) run: Box<dyn Fn() -> Ran + 'a>,
}

pub(super) fn way<'a>(name: &'a str, run: impl Fn() -> Ran + 'a) -> Way<'a> {
    Way { name, run: Box::new(run) }
}

/// Milliseconds of each run of each way, or why there are none.
pub(super) fn in_turn(ways: &[Way], runs: usize) -> Vec<std::result::Result<Vec<f64>, String>> {
    // The first run of each does not count: it fills caches, and starts the supervisor.
    let mut times: Vec<_> = ways.iter().map(|way| (way.run)().map(|()| Vec::new())).collect();
    for _ in 0..runs {
        for (way, times) in ways.iter().zip(&mut times) {
            let Ok(measured) = times else { continue };
            // The kernel still destroys what is left of the run before, and that must not count here.
            thread::sleep(Duration::from_millis(10));
            let start = Instant::now();
            match (way.run)() {
                Ok(()) => measured.push(start.elapsed().as_secs_f64() * 1000.0),
                Err(error) => *times = Err(error),
            }
        }
    }
    times
}

/// The value below which this part of the values lies.
pub(super) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

/// Runs a program that prints nothing worth reading.
pub(super) fn command(program: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!((quantile(&values, 0.0), quantile(&values, 0.5)), (1.0, 3.0));
        assert_eq!((quantile(&values, 1.0), quantile(&[7.0], 0.95)), (5.0, 7.0));
    }
}

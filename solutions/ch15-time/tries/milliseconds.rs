//! Named: an offset has a part of a second
//! The numbers are taken for milliseconds.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let parse = |word: &String| word.parse::<i64>().expect("a number");
    let (monotonic, boottime) = (parse(&words[0]), parse(&words[1]));
    // SAFETY: takes an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0);
    let line = |name: &str, time: i64| {
        format!("{name} {} {}\n", time.div_euclid(1000), time.rem_euclid(1000) * 1_000_000)
    };
    let text = line("monotonic", monotonic) + &line("boottime", boottime);
    std::fs::write("/proc/self/timens_offsets", text).expect("offsets");
    exit(Command::new(&words[3]).args(&words[4..]).status().unwrap().code().unwrap_or(1));
}

//! Lets stat(1) follow the links, in a shell script.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

const SCRIPT: &str = r#"
answers=
for kind in user mnt pid net uts ipc cgroup time; do
    one=$(stat -L -c %d:%i "/proc/$1/ns/$kind") || exit 2
    two=$(stat -L -c %d:%i "/proc/$2/ns/$kind") || exit 2
    if [ "$one" = "$two" ]; then answer=same; else answer=other; fi
    answers="$answers$kind $answer
"
done
printf %s "$answers"
"#;

fn main() {
    panic!(
        "{}",
        Command::new("sh").args(["-c", SCRIPT, "look"]).args(std::env::args().skip(1)).exec()
    );
}

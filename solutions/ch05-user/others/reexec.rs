//! The child is this program again, in its second role, and its standard input tells it to go on.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

const CHILD: &str = "--child";

fn child(command: &[String]) -> ! {
    unshare(CloneFlags::CLONE_NEWUSER).expect("unshare");
    println!("moved");
    if io::stdin().read(&mut [0]).expect("read") != 1 {
        exit(1);
    }
    let error = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).exec();
    eprintln!("{}: {error}", command[0]);
    exit(127)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == CHILD {
        child(&words[1..]);
    }
    let mut command = Command::new("/proc/self/exe");
    command.arg(CHILD).args(&words[3..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("execve");
    let output = child.stdout.as_mut().expect("a pipe");
    output.read_exact(&mut [0; 6]).expect("read");
    let mut input = child.stdin.take().expect("a pipe");
    let write = |file: &str, text: String| fs::write(format!("/proc/{}/{file}", child.id()), text);
    let mapped = write("setgroups", "deny".into())
        .and_then(|()| write("uid_map", format!("{} {} 1", words[0], getuid())))
        .and_then(|()| write("gid_map", format!("{} {} 1", words[1], getgid())))
        .and_then(|()| input.write_all(b"x"));
    drop(input);
    let status = child.wait().expect("waitpid");
    mapped.expect("the maps");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}

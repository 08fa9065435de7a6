//! Standard input that is no terminal.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::{folder, program, text, xtask};

#[test]
fn no_way_leads_out_of_a_folder_on_standard_input() {
    let folder = folder("way-out");
    let below = folder.join("below");
    fs::create_dir(&below).unwrap();
    for folder in [&folder, &below] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let attack = "echo x > /proc/self/fd/0/inside; echo x > /proc/self/fd/0/../escaped; true";
    let output = program(attack, fs::File::open(&below).unwrap());
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("error: could not read the input: Is a directory\n"), "{said}");
    assert!(!folder.join("escaped").exists() && !below.join("inside").exists());
}

#[test]
fn all_of_the_input_arrives_and_then_its_end() {
    let big = folder("input").join("big");
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&big, &bytes).unwrap();
    let wanted = Command::new("cksum").stdin(fs::File::open(&big).unwrap()).output().unwrap();
    let output = program("cksum", fs::File::open(&big).unwrap());
    assert_eq!(text(&output.stderr), text(&wanted.stdout));
    assert_eq!(text(&program("wc -c", Stdio::null()).stderr).trim(), "0");
    let mut closed = xtask(&["trace", "--", "wc", "-c"]);
    // SAFETY: close is async-signal-safe.
    unsafe { closed.pre_exec(|| Ok(_ = libc::close(0))) };
    assert_eq!(text(&closed.output().unwrap().stderr).trim(), "0");
}

#[test]
fn an_input_that_cannot_be_read_is_empty() {
    let file = folder("write-only").join("file");
    let output = program("wc -c", fs::File::create(file).unwrap());
    let said = text(&output.stderr);
    assert!(said.contains("error: could not read the input: Bad file"), "{said}");
    assert!(said.lines().any(|line| line.trim() == "0"), "{said}");
}

#[test]
fn an_input_that_is_not_read_is_not_waited_for() {
    // This one never ends.
    let (from, _to) = io::pipe().unwrap();
    assert!(program("true", from).status.success());
    // And this one is more than a pipe holds.
    assert!(program("true", fs::File::open("/dev/zero").unwrap()).status.success());
}

//! Of this machine's files a program finds those it needs to start, and no others.

use std::collections::BTreeSet;
use std::fs;

use lab::look::Kind;
use lab::sandbox::{Fixture, Run};
use lab::visit::names_in;
use nix::errno::Errno;

use super::shell;

/// Entries of `/` that are shown with everything in them.
const SHOWN: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// Folders that the sandbox makes itself, and what may be in them.
const MADE: [(&str, &[&str]); 16] = [
    (
        "/dev",
        &["fd", "full", "null", "ptmx", "pts", "random", "shm", "stdin", "tty", "urandom", "zero"],
    ),
    ("/dev/pts", &[]),
    ("/dev/shm", &[]),
    (
        "/etc",
        &["alternatives", "group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd", "terminfo"],
    ),
    ("/lab", &[]),
    ("/mnt", &[]),
    ("/nix", &["store"]),
    // NixOS has its programs there.
    ("/opt", &[]),
    ("/run", &["current-system"]),
    ("/run/current-system", &["sw"]),
    ("/srv", &[]),
    ("/sys", &["fs"]),
    ("/sys/fs", &["cgroup"]),
    ("/sys/fs/cgroup", &[]),
    ("/tmp", &[]),
    ("/var", &[]),
];

/// Names that the program of `run` finds and should not.
fn exposed(run: &Run) -> BTreeSet<String> {
    let mnt = run.lab().get(Kind::Mnt).unwrap();
    let mut top: Vec<&str> =
        MADE.iter().filter_map(|(folder, _)| folder.strip_prefix('/')).collect();
    top.extend(SHOWN);
    top.push("proc");
    let mut exposed = BTreeSet::new();
    for (folder, expected) in MADE.iter().copied().chain([("", &top[..])]) {
        match names_in(mnt, if folder.is_empty() { "/" } else { folder }) {
            Ok(names) => exposed.extend(
                names
                    .iter()
                    .filter(|name| !expected.contains(&name.as_str()))
                    .map(|name| format!("{folder}/{name}")),
            ),
            // Absent on this machine.
            Err(errno) => assert_eq!(errno, Errno::ENOENT, "{folder}"),
        }
    }
    // The witness is in one of the folders, under a name that is drawn.
    exposed.remove(run.witness());
    exposed
}

#[test]
fn only_what_programs_need_is_shown() {
    let run = shell("sleep 60").start().unwrap();
    assert_eq!(exposed(&run), BTreeSet::new());
    // Something of this machine is shown, and something is not.
    let mnt = run.lab().get(Kind::Mnt).unwrap();
    let outside = |folder| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let inside: BTreeSet<String> = names_in(mnt, "/usr").unwrap().into_iter().collect();
    assert_eq!(inside, outside("/usr"));
    let inside: BTreeSet<String> = names_in(mnt, "/").unwrap().into_iter().collect();
    assert!(outside("/").difference(&inside).next().is_some(), "{inside:?}");
}

#[test]
fn anything_more_than_programs_need_is_noticed() {
    let run = shell("sleep 60")
        .fixture("/home", Fixture::Directory)
        .fixture("/var/lib", Fixture::Directory)
        .fixture("/etc/shadow", Fixture::File(String::new()))
        .start()
        .unwrap();
    let planted = ["/etc/shadow", "/home", "/var/lib"].map(str::to_owned);
    assert_eq!(exposed(&run), planted.into());
}

#[test]
fn a_folder_is_shown_and_cannot_be_changed() {
    let folder = std::env::temp_dir().join(format!("shown-{}", std::process::id()));
    fs::create_dir_all(folder.join("below")).unwrap();
    fs::write(folder.join("below/file"), "read me").unwrap();
    let script = "cat /lab/folder/below/file; touch /lab/folder/new; rm -r /lab/folder/below; \
                  mount -o remount,bind,rw /lab/folder; touch /lab/folder/new";
    let mut run = shell(script).show("folder", &folder).start().unwrap();
    run.await_end();
    assert_eq!(run.stdout(), "read me", "{}", run.stderr());
    assert_eq!(fs::read_to_string(folder.join("below/file")).unwrap(), "read me");
    assert!(!folder.join("new").exists());
    fs::remove_dir_all(folder).unwrap();
}

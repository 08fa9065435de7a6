//! `ch16-ask PID`: the user namespaces above a process, and who owns its other namespaces.

use harness::look::{Kind, Namespace, Namespaces, Process, pidfds_tell};
use harness::sandbox::{Neighbor, State};
use harness::{Attempt, Exercise, Report, assert_report, exercise, random, step};
use nix::errno::Errno;

/// What may come with a user namespace of the tree. (A process does not get into another PID or
/// time namespace by unshare(2).)
const KINDS: [Kind; 5] = [Kind::Mnt, Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];

/// A process somewhere down the tree: nobody can know how deep, or which namespaces came on the
/// way.
fn deep() -> Neighbor {
    let some = || {
        let dice = random();
        let flag = |bit: usize| if dice >> bit & 1 == 1 { KINDS[bit].flag() } else { 0 };
        (0..KINDS.len()).map(flag).sum()
    };
    let below = (0..2 + random() % 4).map(|_| some()).collect();
    let creator = Some(1 + (random() % 4000) as u32);
    Neighbor { name: "one".into(), below, creator, ..Neighbor::default() }
}

/// The same, and with namespaces that none of those above it owns.
fn far() -> Neighbor {
    let kinds = [Kind::Net, Kind::Uts, Kind::Ipc];
    let dice = 1 + random() % 7;
    let flag = |bit: usize| if dice >> bit & 1 == 1 { kinds[bit].flag() } else { 0 };
    Neighbor { far: (0..kinds.len()).map(flag).sum(), ..deep() }
}

/// A process of the lab itself. Its PID namespace belongs to the lab, if it has one of its own.
fn near() -> Neighbor {
    let new = if random().is_multiple_of(2) { libc::CLONE_NEWPID } else { 0 };
    Neighbor { name: "one".into(), new, ..Neighbor::default() }
}

/// Somebody who stays in the lab's own namespaces.
const STILL: &str = "still";

/// What is so, by descriptors that hold every namespace until the answers are judged.
struct Truth {
    /// The process's user namespace and all above it, up to the lab's, with the uid of who made
    /// it, as the program sees that.
    users: Vec<(Namespace, Option<u32>)>,
    /// Who owns the others, where the lab may see that.
    owners: Vec<(Kind, Option<Namespace>)>,
}

impl Truth {
    fn about(attempt: &Attempt, process: &Process) -> Option<Truth> {
        let lab = attempt.run.lab().get(Kind::User)?;
        let namespaces = Namespaces::of(process).ok()?;
        // The program's own map may be gone with it by now.
        let map = attempt.run.neighbor(STILL)?.map("uid_map");
        let mut users = Vec::new();
        let mut next = namespaces.get(Kind::User)?.try_clone().ok()?;
        loop {
            let creator = next.creator().ok().and_then(|uid| inside(&map, uid));
            let parent = next.parent();
            let last = next == *lab;
            users.push((next, creator));
            if last {
                break;
            }
            next = parent.ok()?;
        }
        let others = Kind::ALL.into_iter().filter(|kind| *kind != Kind::User);
        let owners = others.filter_map(|kind| {
            let owner = namespaces.get(kind)?.owner().ok();
            Some((kind, owner.filter(|owner| is_below(owner, lab))))
        });
        Some(Truth { owners: owners.collect(), users })
    }
}

/// Our uid, as it is called where the map is.
fn inside(map: &[[u32; 3]], uid: u32) -> Option<u32> {
    map.iter().find_map(|[first, here, length]| {
        let offset = uid.checked_sub(*here).filter(|offset| offset < length)?;
        Some(first + offset)
    })
}

/// Whether this user namespace is the other one, or nested in it.
fn is_below(user: &Namespace, above: &Namespace) -> bool {
    user == above || user.parent().is_ok_and(|parent| is_below(&parent, above))
}

/// Asks the program about this neighbor, and enters in the report how right it was.
fn ask(report: &mut Report, who: &str, exercise: Exercise, neighbor: Neighbor) {
    let still = Neighbor { name: STILL.into(), ..Neighbor::default() };
    let attempt = exercise.arg("{one}").neighbor(neighbor).neighbor(still).start();
    let process = attempt.run.neighbor("one");
    // A program that kills it leaves nothing to look at.
    let truth = process.and_then(|process| Truth::about(&attempt, &process));
    let finished = attempt.finish();
    let Some(truth) = truth else { return report.line(who, "it is gone") };
    give_names(report, &truth);

    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let said = fact("stdout");
    let said: Vec<Vec<&str>> =
        said.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
    let mut wrong = false;
    for (question, answer) in [
        ("above", above(&said, &truth)),
        ("creators", creators(&said, &truth)),
        ("owners", owners(&said, &truth)),
    ] {
        let verdict = match fact("exit status").as_str() {
            "0" => answer,
            status => format!("no answer, exit status {status}"),
        };
        wrong |= verdict != RIGHT;
        report.line(&format!("{question}, {who}"), verdict);
    }
    // The reader wants to see the output that is wrong.
    if wrong {
        report.aside("stdout", fact("stdout"));
        report.aside("stderr", fact("stderr"));
    }
}

/// Names for what is a number in each run: LAB, the process's OWN user namespace, UP 1 for the one
/// above that, and FAR for one that is not above it.
fn give_names(report: &mut Report, truth: &Truth) {
    let name = |user: &Namespace| user.name(Kind::User);
    let (last, between) = truth.users.split_last().expect("the lab's, at least");
    report.role(&name(&last.0), "LAB");
    for (up, (user, _)) in between.iter().enumerate() {
        let role = if up == 0 { "OWN".to_owned() } else { format!("UP {up}") };
        report.role(&name(user), &role);
    }
    for owner in truth.owners.iter().filter_map(|(_, owner)| owner.as_ref()) {
        report.role(&name(owner), "FAR");
    }
}

const RIGHT: &str = "every answer is right";

fn right_or(wrong: Vec<String>) -> String {
    if wrong.is_empty() { RIGHT.to_owned() } else { wrong.join(", ") }
}

/// The lines `user NAMESPACE …`.
fn users<'a>(said: &'a [Vec<&str>]) -> Vec<&'a str> {
    let users = said.iter().filter(|words| words.first() == Some(&"user"));
    users.map(|words| words.get(1).copied().unwrap_or("nothing")).collect()
}

fn above(said: &[Vec<&str>], truth: &Truth) -> String {
    let said = users(said);
    let so: Vec<_> = truth.users.iter().map(|(user, _)| user.name(Kind::User)).collect();
    let wrong = (said != so).then(|| format!("{} instead of {}", said.join(" "), so.join(" ")));
    right_or(wrong.into_iter().collect())
}

/// The end of each, `uid UID`.
fn creators(said: &[Vec<&str>], truth: &Truth) -> String {
    let mut wrong = Vec::new();
    for (user, so) in &truth.users {
        let so = so.map_or("nobody".to_owned(), |uid| uid.to_string());
        let name = user.name(Kind::User);
        let said = said.iter().find(|words| words.starts_with(&["user", &name]));
        match said.map(|words| &words[2..]) {
            Some(["uid", uid]) if *uid == so => {}
            Some(other) => wrong.push(format!("{name} is not by {}", other.join(" "))),
            None => wrong.push(format!("{name} is missing")),
        }
    }
    right_or(wrong)
}

/// The lines `KIND NAMESPACE` and `KIND beyond`.
fn owners(said: &[Vec<&str>], truth: &Truth) -> String {
    let mut wrong = Vec::new();
    for (kind, so) in &truth.owners {
        let so = so.as_ref().map_or("beyond".to_owned(), |owner| owner.name(Kind::User));
        let mut answers = said.iter().filter(|words| words.first() == Some(&kind.name()));
        match (answers.next().map(|words| &words[1..]), answers.next()) {
            (Some([answer]), None) if *answer == so => {}
            (Some(other), None) => wrong.push(format!("{kind}: {} and not {so}", other.join(" "))),
            (Some(_), Some(_)) => wrong.push(format!("{kind} is there twice")),
            (None, _) => wrong.push(format!("{kind} is missing")),
        }
    }
    right_or(wrong)
}

/// A line `user NAMESPACE` for the process's own user namespace, one for its parent, and so on, up
/// to the one your program is in. Above that it may not see.
#[step]
fn step1_all_user_namespaces_above_a_process_are_found() {
    let mut report = Report::default();
    ask(&mut report, "a process of the lab", exercise!(), near());
    ask(&mut report, "one further down", exercise!(), deep());
    ask(&mut report, "another one", exercise!(), deep());
    assert_report!(report.lines(&["above"]), @r"
    above, a process of the lab: every answer is right
    above, one further down: every answer is right
    above, another one: every answer is right
    ");
}

/// Then a line `KIND NAMESPACE` for each of the other kinds: the user namespace that owns the
/// process's namespace of that kind. It need not be one of those above. `KIND beyond` where your
/// program may not see it.
#[step]
fn step2_every_namespace_has_its_owner() {
    let mut report = Report::default();
    ask(&mut report, "a process of the lab", exercise!(), near());
    ask(&mut report, "one further down", exercise!(), deep());
    ask(&mut report, "one with another's namespaces", exercise!(), far());
    assert_report!(report.lines(&["owners"]), @r"
    owners, a process of the lab: every answer is right
    owners, one further down: every answer is right
    owners, one with another's namespaces: every answer is right
    ");
}

/// The lines about user namespaces end in `uid UID`: who made it, as an id of your program's own
/// user namespace. Once your program is root there, once a plain user.
#[step]
fn step3_the_creators_have_the_right_uids() {
    let mut report = Report::default();
    // Where a lab cannot have many ids, all have the one that there is. It is 0 for the one asker
    // and 1000 for the other.
    ask(&mut report, "asked by root", exercise!().many_ids(), deep());
    ask(&mut report, "asked by a plain user", exercise!().state(State::PlainUser), deep());
    assert_report!(report.lines(&["creators"]), @r"
    creators, asked by root: every answer is right
    creators, asked by a plain user: every answer is right
    ");
}

/// A tmpfs lies over /proc. A pidfd answers the same questions, since Linux 6.11.
#[step]
fn step4_without_proc_a_pidfd_is_asked() {
    let mut report = Report::default();
    if !pidfds_tell() {
        report.skip("a lab without /proc", "pidfds tell no namespaces here (Linux 6.11)");
        assert_report!(report.lines(&[]), @"");
        return;
    }
    let hidden = exercise!().script("mount -t tmpfs none /proc && exec \"$0\" \"$@\"");
    ask(&mut report, "without /proc", hidden, far());
    assert_report!(report.lines(&["above", "creators", "owners"]), @r"
    above, without /proc: every answer is right
    creators, without /proc: every answer is right
    owners, without /proc: every answer is right
    ");
}

/// On this kernel a pidfd does not know the question (`ENOTTY`), as on all before Linux 6.11. Then
/// /proc has the answer.
#[step]
fn step5_an_older_kernel_is_asked_by_proc() {
    let mut report = Report::default();
    ask(&mut report, "on an older kernel", exercise!().unknown_ioctls(0xFF), far());
    assert_report!(report.lines(&["above", "creators", "owners"]), @r"
    above, on an older kernel: every answer is right
    creators, on an older kernel: every answer is right
    owners, on an older kernel: every answer is right
    ");
}

/// Three that cannot be answered: nobody has the pid 399; you may not look at PID 1; and a kernel
/// from before Linux 4.9 does not know who owns what (`ENOTTY`), which is something else than
/// `beyond`. Each is an error, and a status that is not 0.
#[step]
fn step6_an_error_is_no_answer() {
    let mut report = Report::default();
    let old = exercise!().unknown_ioctls(0xB7);
    for (who, exercise, pid, complaints) in [
        ("nobody", exercise!(), "399", [Errno::ESRCH, Errno::ENOENT]),
        ("PID 1", exercise!(), "1", [Errno::EACCES; 2]),
        ("a kernel without an answer", old, "{one}", [Errno::ENOTTY; 2]),
    ] {
        let finished = exercise.arg(pid).neighbor(near()).start().finish();
        let fact = |key: &str| finished.fact(key).unwrap_or_default();
        let (status, complaint) = (fact("exit status"), fact("stderr"));
        let told = complaints.iter().any(|errno| {
            // nix says "ENOTTY: Not a typewriter", the standard library "Inappropriate ioctl for
            // device (os error 25)".
            let number = format!("(os error {})", *errno as i32);
            complaint.contains(&format!("{errno:?}")) || complaint.contains(&number)
        });
        let verdict = match (status.as_str(), told) {
            ("0", _) => "answered".to_owned(),
            (_, true) => "an error that says why".to_owned(),
            (status, false) => format!("exit status {status}, and another error"),
        };
        report.line(who, verdict);
        report.aside("stdout", fact("stdout"));
        report.aside("stderr", complaint);
    }
    assert_report!(report.lines(&["nobody", "PID 1", "a kernel"]), @r"
    nobody: an error that says why
    PID 1: an error that says why
    a kernel without an answer: an error that says why
    ");
}

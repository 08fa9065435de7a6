//! `ch16-ask PID`: the user namespaces above a process, and the owners of its other namespaces.

use harness::look::{Kind, Namespace, Namespaces, Process, pidfds_tell};
use harness::sandbox::{self, Neighbor, Sandbox, State};
use harness::{
    Attempt, Report, absent_pid, assert_report, exercise, names_errno, random, spells_errno, step,
};
use nix::errno::Errno;

/// The kinds that a process may unshare along with a user namespace. (unshare(2) does not move its caller
/// to another PID or time namespace.)
const KINDS: [Kind; 5] = [Kind::Mnt, Kind::Net, Kind::Uts, Kind::Ipc, Kind::Cgroup];

/// The kinds without which a kernel can be built (`init/Kconfig`), and `PIDFD_GET_*_NAMESPACE` for each. The last one
/// in the order of the lines, time, is not among them: a program that stops where a kind is missing would lose nothing.
const MAY_LACK: [(Kind, u32); 5] = [
    (Kind::Cgroup, 0xFF01),
    (Kind::Ipc, 0xFF02),
    (Kind::Net, 0xFF04),
    (Kind::Pid, 0xFF05),
    (Kind::Uts, 0xFF0A),
];

/// How many levels down the tree a process is that is not far away, and one that is.
const FEW: usize = 2;
const MANY: usize = 4;

/// A process somewhere down the tree, at least `depth` levels. Which namespaces it got on the way is drawn:
/// one at the first level, one at the last, one from further up, and two anywhere.
fn deep(depth: usize) -> Neighbor {
    let depth = depth + (random() % 2) as usize;
    let turn = random() as usize;
    let mut below = vec![0; depth];
    for place in 0..KINDS.len() {
        let flag = KINDS[(turn + place) % KINDS.len()].flag();
        match place {
            0 => below[0] |= flag,
            1 => below[depth - 1] |= flag,
            2 => {}
            _ => below[random() as usize % depth] |= flag,
        }
    }
    let creator = Some(1 + (random() % 4000) as u32);
    Neighbor { name: "one".into(), below, creator, ..Neighbor::default() }
}

/// The same, but with some namespaces whose owner is not above it.
fn far() -> Neighbor {
    let kinds = [Kind::Net, Kind::Uts, Kind::Ipc];
    let chosen = 1 + random() % 7;
    let flag = |bit: usize| if chosen >> bit & 1 == 1 { kinds[bit].flag() } else { 0 };
    Neighbor { far: (0..kinds.len()).map(flag).sum(), ..deep(FEW) }
}

/// A process of the lab itself. If it has a PID namespace of its own, the lab owns that.
fn near() -> Neighbor {
    let new = if random().is_multiple_of(2) { libc::CLONE_NEWPID } else { 0 };
    Neighbor { name: "one".into(), new, ..Neighbor::default() }
}

/// The name of a neighbor that stays in the lab's own namespaces.
const STILL: &str = "still";

/// The right answers, with descriptors that hold every namespace until the program's are judged.
struct Expected {
    /// The process's user namespace and all above it, up to the lab's, with the uid of the creator as
    /// the program sees it.
    users: Vec<(Namespace, Option<u32>)>,
    /// The owners of the others, if the lab may see them.
    owners: Vec<(Kind, Option<Namespace>)>,
    /// The process's own.
    own: Namespaces,
}

impl Expected {
    fn about(attempt: &Attempt, process: &Process) -> Option<Expected> {
        let lab = attempt.run.lab().get(Kind::User)?;
        let namespaces = Namespaces::of(process).ok()?;
        // The program itself, and its map, may be gone by now.
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
        Some(Expected { owners: owners.collect(), users, own: namespaces })
    }
}

/// A uid of this check, as seen in the user namespace with this map.
fn inside(map: &[[u32; 3]], uid: u32) -> Option<u32> {
    map.iter().find_map(|[first, here, length]| {
        let offset = uid.checked_sub(*here).filter(|offset| offset < length)?;
        Some(first + offset)
    })
}

/// Whether `user` is the same as `above`, or nested in it.
fn is_below(user: &Namespace, above: &Namespace) -> bool {
    user == above || user.parent().is_ok_and(|parent| is_below(&parent, above))
}

/// Runs the program with one argument beside this neighbor, and returns the right answers about the neighbor.
/// There are none if the program has killed it.
fn run(sandbox: Sandbox, argument: &str, neighbor: Neighbor) -> (Report, Option<Expected>) {
    let still = Neighbor { name: STILL.into(), ..Neighbor::default() };
    let attempt = Attempt::start(sandbox.arg(argument).neighbor(neighbor).neighbor(still));
    let process = attempt.run.neighbor("one");
    let expected = process.and_then(|process| Expected::about(&attempt, &process));
    (attempt.finish(), expected)
}

/// Asks the program about this neighbor, and reports how its answers compare with the kernel's.
fn ask(report: &mut Report, which: &str, sandbox: Sandbox, neighbor: Neighbor) {
    let (finished, expected) = run(sandbox, "{one}", neighbor);
    let Some(expected) = expected else { return report.line(which, "it is gone") };
    compare(report, which, &finished, &expected);
}

/// Reports how the program's answers compare with the right ones.
fn compare(report: &mut Report, which: &str, finished: &Report, expected: &Expected) {
    give_names(report, expected);

    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let mut wrong = false;
    for (question, answer) in answers(&fact("stdout"), expected) {
        let verdict = match fact("exit status").as_str() {
            "0" => answer,
            status => format!("no answer, exit status {status}"),
        };
        wrong |= verdict != RIGHT;
        report.line(&format!("{question}, {which}"), verdict);
    }
    // Of several runs, the learner needs the output of the one that is wrong.
    if wrong {
        report.aside("stdout", fact("stdout"));
        report.aside("stderr", fact("stderr"));
    }
}

/// How the lines of the program compare with the right answers, for each question of the exercise.
fn answers(stdout: &str, expected: &Expected) -> [(&'static str, String); 3] {
    let lines: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
    [
        ("above", above(&lines, expected)),
        ("creators", creators(&lines, expected)),
        ("owners", owners(&lines, expected)),
    ]
}

/// Names for what is a number in each run: LAB, the process's OWN user namespace, UP 1 for the one
/// above that, and so on, and FAR for one that is not above it.
fn give_names(report: &mut Report, expected: &Expected) {
    let name = |user: &Namespace| user.name(Kind::User);
    let (last, between) = expected.users.split_last().expect("the lab's, at least");
    report.role(&name(&last.0), "LAB");
    for (up, (user, _)) in between.iter().enumerate() {
        let role = if up == 0 { "OWN".to_owned() } else { format!("UP {up}") };
        report.role(&name(user), &role);
    }
    for owner in expected.owners.iter().filter_map(|(_, owner)| owner.as_ref()) {
        report.role(&name(owner), "FAR");
    }
}

const RIGHT: &str = "every answer is right";

fn right_or(wrong: Vec<String>) -> String {
    if wrong.is_empty() { RIGHT.to_owned() } else { wrong.join(", ") }
}

/// The namespaces in the lines `user NAMESPACE …`.
fn users<'a>(lines: &'a [Vec<&str>]) -> Vec<&'a str> {
    let users = lines.iter().filter(|words| words.first() == Some(&"user"));
    users.map(|words| words.get(1).copied().unwrap_or("nothing")).collect()
}

fn above(lines: &[Vec<&str>], expected: &Expected) -> String {
    let answers = users(lines);
    let right: Vec<_> = expected.users.iter().map(|(user, _)| user.name(Kind::User)).collect();
    let given = if answers.is_empty() { "nothing".to_owned() } else { answers.join(" ") };
    let wrong = (answers != right).then(|| format!("{given} instead of {}", right.join(" ")));
    right_or(wrong.into_iter().collect())
}

/// Judges the end of each of these lines, `uid UID`.
fn creators(lines: &[Vec<&str>], expected: &Expected) -> String {
    let mut wrong = Vec::new();
    let (lowest, by) = &expected.users[0];
    let (lowest, by) = (lowest.name(Kind::User), by.map_or(String::new(), |uid| uid.to_string()));
    for (user, uid) in &expected.users {
        let right = uid.map_or("unmapped".to_owned(), |uid| uid.to_string());
        let name = user.name(Kind::User);
        let line = lines.iter().find(|words| words.starts_with(&["user", &name]));
        match line.map(|words| &words[2..]) {
            Some(["uid", uid]) if *uid == right => {}
            Some(["uid", uid]) if *uid == by => {
                wrong.push(format!("{name} has the creator of {lowest}"));
            }
            Some(other) => wrong.push(format!("{name} was not made by {}", other.join(" "))),
            None => wrong.push(format!("{name} is missing")),
        }
    }
    right_or(wrong)
}

/// Whether both are the names of a namespace, with the same number in brackets.
fn has_its_number(answer: &str, right: &str) -> bool {
    let number = |name: &str| name.split_once(":[").map(|(_, number)| number.to_owned());
    number(answer).is_some() && number(answer) == number(right)
}

/// Whether this is the number of the process's own namespace of this kind, under any word.
fn is_itself(answer: &str, kind: Kind, expected: &Expected) -> bool {
    expected.own.get(kind).is_some_and(|own| has_its_number(answer, &own.name(kind)))
}

/// Judges the lines `KIND NAMESPACE` and `KIND beyond`.
fn owners(lines: &[Vec<&str>], expected: &Expected) -> String {
    let mut wrong = Vec::new();
    for (kind, owner) in &expected.owners {
        let right = owner.as_ref().map_or("beyond".to_owned(), |owner| owner.name(Kind::User));
        let mut answers = lines.iter().filter(|words| words.first() == Some(&kind.name()));
        match (answers.next().map(|words| &words[1..]), answers.next()) {
            (Some([answer]), None) if *answer == right => {}
            (Some([answer]), None) if has_its_number(answer, &right) => {
                wrong.push(format!("{kind}: {right}, but under another word"));
            }
            (Some([answer]), None) if is_itself(answer, *kind, expected) => {
                wrong.push(format!("{kind}: itself instead of {right}"));
            }
            (Some(other), None) => {
                wrong.push(format!("{kind}: {} instead of {right}", other.join(" ")))
            }
            (Some(_), Some(_)) => wrong.push(format!("{kind} is answered twice")),
            (None, _) => wrong.push(format!("{kind} is missing")),
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::User) {
        let is_there = expected.owners.iter().any(|(there, _)| *there == kind);
        if !is_there && lines.iter().any(|words| words.first() == Some(&kind.name())) {
            wrong.push(format!("{kind} is answered, which the kernel does not have"));
        }
    }
    right_or(wrong)
}

/// Your program prints a line `user NAMESPACE` for the process's own user namespace, one for its parent,
/// and so on, up to the one that your program is in. It may not see any above that.
#[step]
fn step1_all_user_namespaces_above_a_process_are_found() {
    let mut report = Report::default();
    ask(&mut report, "a process of the lab", exercise!(), near());
    ask(&mut report, "one further down", exercise!(), deep(FEW));
    ask(&mut report, "one far down", exercise!(), deep(MANY));
    assert_report!(report.lines(&["above"]), @r"
    above, a process of the lab: every answer is right
    above, one further down: every answer is right
    above, one far down: every answer is right
    ");
}

/// Then it prints a line `KIND NAMESPACE` for each of the other kinds: the user namespace that owns the
/// process's namespace of that kind. It need not be one of those above. If your program may not see the
/// owner, the line is `KIND beyond`.
#[step]
fn step2_the_owner_of_every_namespace_is_found() {
    let mut report = Report::default();
    ask(&mut report, "a process of the lab", exercise!(), near());
    ask(&mut report, "one further down", exercise!(), deep(FEW));
    ask(&mut report, "one with another's namespaces", exercise!(), far());
    assert_report!(report.lines(&["owners"]), @r"
    owners, a process of the lab: every answer is right
    owners, one further down: every answer is right
    owners, one with another's namespaces: every answer is right
    ");
}

/// The lines about user namespaces end in `uid UID`: the uid of the creator, as seen from your program's
/// own user namespace. Your program runs once as root and once as an ordinary user.
#[step]
fn step3_the_uids_of_the_creators_are_right() {
    let mut report = Report::default();
    if !sandbox::has_many_ids() {
        report.skip(
            "whose uids they are",
            "the lab has a single id, which root sees as 0 and the ordinary user as 1000, so every \
             creator has the uid of your program",
        );
    }
    ask(&mut report, "asked by root", exercise!().many_ids(), deep(FEW));
    ask(&mut report, "asked by an ordinary user", exercise!().state(State::PlainUser), deep(FEW));
    assert_report!(report.lines(&["creators"]), @r"
    creators, asked by root: every answer is right
    creators, asked by an ordinary user: every answer is right
    ");
}

/// A tmpfs covers /proc, so your program asks the pidfd, which answers the same questions since Linux 6.11.
#[step]
fn step4_without_proc_a_pidfd_is_asked() {
    let mut report = Report::default();
    if !pidfds_are_asked(&mut report) {
        assert_report!(report.lines(&[]), @"");
        return;
    }
    ask(&mut report, "without /proc", hidden_proc(), far());
    assert_report!(report.lines(&["above", "creators", "owners"]), @r"
    above, without /proc: every answer is right
    creators, without /proc: every answer is right
    owners, without /proc: every answer is right
    ");
}

/// The program in a lab whose /proc is covered.
fn hidden_proc() -> Sandbox {
    exercise!().script("mount -t tmpfs none /proc && exec \"$0\" \"$@\"")
}

/// Whether a pidfd gives access to namespaces here. If not, the report says that this cannot be checked.
fn pidfds_are_asked(report: &mut Report) -> bool {
    if !pidfds_tell() {
        report.skip(
            "a lab without /proc",
            "it needs Linux 6.11, where a pidfd gives access to namespaces",
        );
    }
    pidfds_tell()
}

/// Here the kernel does not know the requests for a pidfd (`ENOTTY`), as before Linux 6.11. Then your
/// program finds the namespaces in /proc.
#[step]
fn step5_on_an_older_kernel_proc_is_asked() {
    let mut report = Report::default();
    ask(&mut report, "on an older kernel", exercise!().unknown_ioctls(0xFF), far());
    assert_report!(report.lines(&["above", "creators", "owners"]), @r"
    above, on an older kernel: every answer is right
    creators, on an older kernel: every answer is right
    owners, on an older kernel: every answer is right
    ");
}

/// Some questions have no answer: no process has the pid, you may not examine PID 1, or the kernel does not
/// know a request for a namespace's owner, parent or creator (`ENOTTY`), which does not mean `beyond` and does
/// not end the way up. Each time your program prints the error, and exits with a status other than 0.
#[step]
fn step6_an_error_is_not_an_answer() {
    const UNKNOWN: [Errno; 1] = [Errno::ENOTTY];
    let mut report = Report::default();
    let absent = absent_pid().to_string();
    fails(&mut report, "no process", exercise!(), &absent, &[Errno::ESRCH, Errno::ENOENT]);
    fails(&mut report, "PID 1", exercise!(), "1", &[Errno::EACCES]);
    for (which, request) in [
        ("a kernel without NS_GET_USERNS", libc::NS_GET_USERNS),
        ("a kernel without NS_GET_PARENT", libc::NS_GET_PARENT),
        ("a kernel without NS_GET_OWNER_UID", libc::NS_GET_OWNER_UID),
    ] {
        let old = exercise!().failing_ioctl(request as u32, Errno::ENOTTY);
        fails(&mut report, which, old, "{one}", &UNKNOWN);
    }
    let old = exercise!().unknown_ioctls(0xB7);
    fails(&mut report, "a kernel without the requests", old, "{one}", &UNKNOWN);
    assert_report!(report.lines(&["no process", "PID 1", "a kernel"]), @r"
    no process: the right error
    PID 1: the right error
    a kernel without NS_GET_USERNS: the right error
    a kernel without NS_GET_PARENT: the right error, or every answer
    a kernel without NS_GET_OWNER_UID: the right error
    a kernel without the requests: the right error
    ");
}

/// The errnos that tell the cases of the last step apart.
const TELLING: [Errno; 4] = [Errno::ESRCH, Errno::ENOENT, Errno::EACCES, Errno::ENOTTY];

/// Runs the program where it cannot answer, and reports whether it prints one of these errnos, and no other.
fn fails(report: &mut Report, which: &str, sandbox: Sandbox, pid: &str, errnos: &[Errno]) {
    let (finished, expected) = run(sandbox, pid, deep(FEW));
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let (status, stdout, stderr) = (fact("exit status"), fact("stdout"), fact("stderr"));
    let is_named = errnos.iter().any(|errno| names_errno(&stderr, *errno));
    let mut others = TELLING.into_iter().filter(|errno| !errnos.contains(errno));
    let has_another = others.any(|errno| spells_errno(&stderr, errno));
    // A program may find the parent of a user namespace as its owner.
    let may_answer = which.ends_with("NS_GET_PARENT");
    let is_right = || {
        expected.is_some_and(|expected| {
            answers(&stdout, &expected).iter().all(|(_, verdict)| verdict == RIGHT)
        })
    };
    let answered = stdout.lines().any(|line| line.trim_end().ends_with(" beyond"));
    let verdict = match status.as_str() {
        "0" if may_answer && is_right() => "the right error, or every answer".to_owned(),
        "0" => "answered".to_owned(),
        _ if answered && !may_answer => "answered `beyond`".to_owned(),
        _ if !is_named || has_another => {
            format!("exit status {status}, but another error")
        }
        _ if may_answer => "the right error, or every answer".to_owned(),
        _ => "the right error".to_owned(),
    };
    report.line(which, verdict);
    report.aside("stdout", stdout);
    report.aside("stderr", stderr);
}

/// A kernel can be built without one of the kinds. The pidfd answers EOPNOTSUPP for it, and your program prints
/// the lines about the others. Here /proc is covered as well, so that it does not show that kind.
#[step]
fn step7_a_kind_that_the_kernel_lacks_has_no_line() {
    let mut report = Report::default();
    if !pidfds_are_asked(&mut report) {
        assert_report!(report.lines(&[]), @"");
        return;
    }
    let (lacking, request) = MAY_LACK[random() as usize % MAY_LACK.len()];
    let which = "without a kind";
    let sandbox = hidden_proc().failing_ioctl(request, Errno::EOPNOTSUPP);
    match run(sandbox, "{one}", far()) {
        (_, None) => report.line(which, "it is gone"),
        (finished, Some(mut expected)) => {
            expected.owners.retain(|(kind, _)| *kind != lacking);
            compare(&mut report, which, &finished, &expected);
        }
    }
    assert_report!(report.lines(&["above", "creators", "owners"]), @r"
    above, without a kind: every answer is right
    creators, without a kind: every answer is right
    owners, without a kind: every answer is right
    ");
}

/// With `--all` your program prints a line `user NAMESPACE` for every user namespace that a process leads to,
/// once: one that a process is in, one that owns a namespace of a process, and all above these that it may see.
#[step]
fn further8_every_user_namespace_that_a_process_leads_to_is_found() {
    let mut report = Report::default();
    let names = ["near", "deep", "deeper", "far", STILL];
    let still = Neighbor::default();
    // So deep that one of the user namespaces on the way owns nothing, and only asking for parents finds it.
    let deeper = deep(MANY + 1);
    let mut sandbox = exercise!().arg("--all");
    for (name, neighbor) in names.into_iter().zip([near(), deep(FEW), deeper, far(), still]) {
        sandbox = sandbox.neighbor(Neighbor { name: name.into(), ..neighbor });
    }
    let attempt = Attempt::start(sandbox);
    let about = |name| Expected::about(&attempt, &attempt.run.neighbor(name)?);
    let expected: Option<Vec<Expected>> = names.into_iter().map(about).collect();
    let finished = attempt.finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let verdict = match expected {
        None => "a process is gone".to_owned(),
        Some(expected) => all_are_found(&fact("stdout"), &expected),
    };
    report.line("every user namespace", verdict);
    report.ending("asked for all", &finished);
    report.aside("stdout", fact("stdout"));
    report.aside("stderr", fact("stderr"));
    assert_report!(report.lines(&["every user namespace", "asked for all"]), @r"
    every user namespace: is found
    asked for all: exit status 0, left behind: nothing
    ");
}

/// Compares the user namespaces that were printed with those that the processes lead to.
fn all_are_found(stdout: &str, expected: &[Expected]) -> String {
    let lines: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
    let mut right = Vec::new();
    for user in expected.iter().flat_map(|one| &one.owners).filter_map(|(_, owner)| owner.as_ref())
    {
        right.push(user.name(Kind::User));
    }
    for (user, _) in expected.iter().flat_map(|one| &one.users) {
        right.push(user.name(Kind::User));
    }
    right.sort();
    right.dedup();
    let mut answers: Vec<String> = users(&lines).into_iter().map(str::to_owned).collect();
    answers.sort();
    let (count, missing) = (answers.len(), right.iter().filter(|it| !answers.contains(it)).count());
    answers.dedup();
    let others = answers.iter().filter(|it| !right.contains(it)).count();
    match (missing, others, count == answers.len()) {
        (0, 0, true) => "is found".to_owned(),
        (0, 0, false) => "is found, and one is printed twice".to_owned(),
        (0, _, _) => "is found, and others that no process leads to".to_owned(),
        _ => "some are missing".to_owned(),
    }
}

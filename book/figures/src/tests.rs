//! What holds for every picture, whatever the trace: tried with a plain trace and a nasty one.

use std::collections::HashSet;

use trace::{Change, Errno, Event, Exit, Kind, Link, Mount, NamespaceId, Outcome, Trace};

use crate::figure::{Frame, View, figure, frames};
use crate::scene::Selection;
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::{CSS, page};

fn event(task: u32, call: &str, text: &str, changes: Vec<Change>) -> Event {
    let event = Event::new(task, call, Vec::new(), Outcome::Value(0), changes);
    Event { text: text.into(), ..event }
}

fn id(name: &str) -> NamespaceId {
    NamespaceId::parse(name).expect(name)
}

fn namespace(name: &str, parent: Option<&str>) -> Change {
    let owner = (id(name).kind != Kind::User).then_some(NamespaceId::FIRST_USER);
    Change::Namespace { id: id(name), owner, parent: parent.map(id) }
}

fn task(task: u32, parent: Option<u32>, pids: &[i32], namespaces: &[&str]) -> Change {
    let namespaces = namespaces.iter().map(|name| id(name)).collect();
    Change::Task { task, process: task, parent, pids: pids.to_vec(), namespaces }
}

fn program(task: u32, name: &str) -> Change {
    Change::Program { task, name: name.into() }
}

fn joined(task: u32, namespace: &str) -> Change {
    Change::Joined { task, namespace: id(namespace) }
}

fn setting(namespace: &str, file: &str, text: &str) -> Change {
    Change::Setting { namespace: id(namespace), file: file.into(), text: text.into() }
}

fn mount(
    namespace: &str,
    number: u32,
    parent: Option<u32>,
    point: &str,
    propagation: &str,
) -> Change {
    let mount = Mount {
        id: number,
        parent,
        kind: "tmpfs".into(),
        root: "/".into(),
        point: point.into(),
        read_only: false,
        propagation: propagation.into(),
    };
    Change::Mount { namespace: id(namespace), mount }
}

fn link(name: &str, up: bool, address: &str, peer: Option<(&str, &str)>) -> Link {
    Link {
        name: name.into(),
        up,
        addresses: if address.is_empty() { vec![] } else { vec![address.into()] },
        peer: peer.map(|(namespace, name)| (Some(id(namespace)), name.into())),
        bridge: None,
    }
}

fn links(namespace: &str, links: Vec<Link>) -> Change {
    Change::Links { namespace: id(namespace), links }
}

/// One process leaves for a new namespace of each kind and has a child.
fn plain() -> Trace {
    let kinds = [Kind::User, Kind::Mnt, Kind::Pid, Kind::Net, Kind::Uts];
    let first: Vec<String> = kinds.iter().map(|kind| format!("{} A", kind.name())).collect();
    let names: Vec<&str> = first.iter().map(String::as_str).collect();
    let mut start: Vec<Change> = names.iter().map(|name| namespace(name, None)).collect();
    start.extend([
        task(1, None, &[2], &names),
        program(1, "ch02-unshare"),
        mount("mnt A", 1, None, "/", "shared:1"),
        links("net A", vec![link("lo", true, "127.0.0.1/8", None)]),
    ]);
    let inner = ["user B", "mnt B", "pid B", "net B", "uts B"];
    let unshare = [
        namespace("uts B", None),
        joined(1, "uts B"),
        namespace("user B", Some("user A")),
        joined(1, "user B"),
        namespace("mnt B", None),
        joined(1, "mnt B"),
        mount("mnt B", 2, None, "/", "master:1"),
        namespace("net B", None),
        joined(1, "net B"),
        links("net B", vec![link("lo", false, "", None)]),
        namespace("pid B", Some("pid A")),
        Change::Children { task: 1, namespace: id("pid B") },
    ];
    Trace {
        program: vec!["ch02-unshare".into(), "otter".into()],
        events: vec![
            event(1, "start", "the program starts", start),
            event(1, "unshare", "unshare(…)", unshare.to_vec()),
            event(1, "write", "write(\"uid_map\")", vec![setting("user B", "uid_map", "0 1000 1")]),
            event(
                1,
                "sethostname",
                "sethostname(\"otter\")",
                vec![Change::HostName { namespace: id("uts B"), name: "otter".into() }],
            ),
            event(1, "clone", "fork()", vec![task(2, Some(1), &[3, 1], &inner)]),
            event(2, "execve", "execve(\"true\")", vec![program(2, "true")]),
            event(1, "mount", "mount(…)", vec![mount("mnt B", 3, Some(2), "/mnt", "")]),
            event(
                1,
                "ip",
                "ip link add",
                vec![
                    links(
                        "net A",
                        vec![
                            link("lo", true, "127.0.0.1/8", None),
                            link("veth0", true, "10.0.0.1/24", Some(("net B", "veth1"))),
                        ],
                    ),
                    links(
                        "net B",
                        vec![
                            link("lo", false, "", None),
                            link("veth1", true, "10.0.0.2/24", Some(("net A", "veth0"))),
                        ],
                    ),
                ],
            ),
            event(2, "exit", "exit(0)", vec![Change::Ended { task: 2, how: Exit::Exited(0) }]),
        ],
        dropped: 0,
        complete: true,
        by_role: Vec::new(),
    }
}

/// A chroot below the working directory, a socket before a move and one after it, two cgroups, and PID 1 in a
/// deadlock with its parent.
fn special() -> Trace {
    let mut trace = plain();
    let socket =
        |descriptor, name: &str| Change::Socket { task: 1, descriptor, namespace: id(name) };
    let place = |path: &str| (path.to_owned(), Some(1));
    let directory = |(path, mount)| Change::Directory { task: 1, path, mount };
    let root = |(path, mount)| Change::Root { task: 1, path, mount };
    let cgroup = |path: &str| Change::Cgroup { task: 1, path: path.into() };
    let own_root = setting("cgroup B", "root", "/otter");
    let mut of_cgroups = mount("mnt A", 9, Some(1), "/sys/fs/cgroup", "");
    if let Change::Mount { mount, .. } = &mut of_cgroups {
        mount.kind = "cgroup2".into();
    }
    let start = &mut trace.events[0].changes;
    start.extend([namespace("cgroup A", None), joined(1, "cgroup A"), cgroup("/lab"), of_cgroups]);
    start.extend([setting("cgroup A", "root", "/"), root(place("/")), directory(place("/tmp"))]);
    let names = ["pid B", "net B"];
    let ended = |task, how| Change::Ended { task, how };
    let before = vec![
        event(1, "socket", "socket(…)", vec![socket(3, "net A")]),
        event(1, "chroot", "chroot(\"x\")", vec![root(place("/tmp/x"))]),
        event(1, "write", "write(…)", vec![cgroup("/otter")]),
        event(
            1,
            "unshare",
            "unshare(…)",
            vec![namespace("cgroup B", None), joined(1, "cgroup B"), own_root],
        ),
    ];
    trace.events.splice(1..1, before);
    trace.events.pop();
    trace.events.extend([
        event(1, "socket", "socket(…)", vec![socket(4, "net B")]),
        event(1, "clone", "fork()", vec![task(3, Some(1), &[4, 2], &names)]),
        event(2, "exit", "exit(0)", vec![ended(2, Exit::Exited(0))]),
        event(3, "end", "killed by SIGKILL", vec![ended(3, Exit::Killed(9))]),
        event(
            4,
            "execve",
            "execve(\"ps\")",
            vec![Change::Waits { task: 1, on: vec![2] }, Change::Waits { task: 2, on: vec![3] }],
        ),
    ]);
    trace
}

/// A namespace with a wide name.
fn wide(kind: Kind, number: u32) -> String {
    NamespaceId { kind, index: u32::MAX - number }.to_string()
}

/// Much of everything, with names that are long, wide, and full of characters that XML must escape.
fn nasty() -> Trace {
    let mut trace = plain();
    let long = "<&\"größer>-水獭-a-name-without-any-end\u{1b}[1m";
    for number in 3..20 {
        let space = wide(Kind::Uts, number);
        trace.events.push(event(
            1,
            "clone",
            &format!("clone({long}\n\n)"),
            vec![
                namespace(&space, None),
                Change::HostName { namespace: id(&space), name: long.into() },
                task(
                    number,
                    Some(number - 1),
                    &[i32::MAX, i32::MAX],
                    &["user B", "pid B", "net B", &space],
                ),
                program(number, long),
            ],
        ));
    }
    for number in 20..24 {
        let (net, user) = (wide(Kind::Net, number), wide(Kind::User, number));
        let name = format!("veth-{number}-{long}");
        let map = "0 4294901760 65536\n65536 0 1\n70000 100000 4\n80000 7 1\n90000 8 100000\n";
        let mut changes = vec![
            namespace(&net, None),
            namespace(&user, Some(if number == 20 { "user B" } else { "user X" })),
            setting(&user, "uid_map", map),
            setting(&user, "setgroups", long),
            links(
                &net,
                vec![link(
                    &name,
                    number % 2 == 0,
                    "fe80::ffff:ffff:ffff:ffff/64",
                    Some(("net A", "veth0")),
                )],
            ),
        ];
        for id in 0..12 {
            let point = format!("/{}{long}", "deep/".repeat(id as usize));
            let parent = (id > 0).then(|| number * 100 + id - 1);
            changes.push(mount(
                "mnt B",
                number * 100 + id,
                parent,
                &point,
                "shared:1234 master:5678",
            ));
        }
        trace.events.push(event(2, "write", long, changes));
    }
    // Tasks that the trace never introduced, a task of which the kernel shows nothing, a cycle.
    trace.events.push(event(
        99,
        "setns",
        "setns(…)",
        vec![
            joined(98, "uts Z"),
            task(50, Some(50), &[], &[]),
            namespace("pid Y", Some("pid Y")),
            task(51, Some(50), &[7, 8, 9], &["pid Y"]),
            mount("mnt B", 9999, Some(9999), "", "unbindable"),
        ],
    ));
    trace
}

/// Every view of every trace, as a whole and in part.
fn every_figure() -> Vec<(View, Selection, Trace)> {
    let selections = [
        Selection::default(),
        Selection { kinds: Kind::ALL.to_vec(), ..Selection::default() },
        Selection {
            kinds: vec![Kind::Uts],
            calls: vec!["unshare".into(), "clone".into()],
            ..Selection::default()
        },
        Selection {
            tasks: vec![1, 2],
            paths: vec!["/".into(), "/mnt".into()],
            ..Selection::default()
        },
    ];
    let mut all = Vec::new();
    for trace in [plain(), special(), nasty()] {
        for selection in &selections {
            all.extend(View::ALL.map(|view| (view, selection.clone(), trace.clone())));
        }
    }
    all
}

fn overlap(one: &Area, other: &Area) -> bool {
    one.x < other.right()
        && other.x < one.right()
        && one.y < other.bottom()
        && other.y < one.bottom()
}

/// Texts that lie on one another, and what lies outside.
fn faults(picture: &Picture) -> Vec<String> {
    let mut faults = Vec::new();
    let inside = |area: &Area| {
        area.x >= 0 && area.y >= 0 && area.right() <= WIDTH && area.bottom() <= picture.height
    };
    for (at, (area, text)) in picture.labels.iter().enumerate() {
        if !inside(area) {
            faults.push(format!("{text:?} is outside: {area:?} of {}", picture.height));
        }
        let rest = &picture.labels[at + 1..];
        let on = rest.iter().filter(|(other, _)| overlap(area, other));
        faults.extend(on.map(|(_, other)| format!("{text:?} and {other:?} overlap")));
    }
    faults.extend(
        picture.shapes.iter().filter(|shape| !inside(shape)).map(|shape| format!("{shape:?}")),
    );
    faults
}

/// Those of which there is something to draw, among them some of each view.
fn drawn() -> Vec<(View, Selection, Trace)> {
    let all = every_figure().into_iter();
    let drawn: Vec<_> =
        all.filter(|(view, selection, trace)| frames(trace, *view, selection).is_ok()).collect();
    for view in View::ALL {
        assert!(drawn.iter().any(|(of, ..)| *of == view), "no figure of {view:?}");
    }
    drawn
}

#[test]
fn no_text_lies_on_another_and_nothing_outside() {
    for (view, selection, trace) in drawn() {
        for frame in frames(&trace, view, &selection).unwrap() {
            let faults = faults(&frame.picture);
            assert!(
                faults.is_empty(),
                "{view:?} {selection:?}, {:?}:\n{}",
                frame.text,
                faults.join("\n")
            );
        }
    }
}

#[test]
fn texts_that_overlap_or_stick_out_are_found() {
    let mut picture = Picture::new(40);
    picture.text(10, 20, 100, Font::Name, "one");
    picture.text(20, 25, 100, Font::Note, "two");
    assert_eq!(faults(&picture), ["\"one\" and \"two\" overlap"]);
    let mut picture = Picture::new(40);
    picture.rect(Area::new(300, 2, 100, 20), "space");
    picture.text(2, 60, 100, Font::Name, "one");
    assert_eq!(faults(&picture).len(), 2);
}

#[test]
fn all_frames_of_a_figure_are_equally_high_and_each_is_described() {
    for (view, selection, trace) in drawn() {
        let frames: Vec<Frame> = frames(&trace, view, &selection).unwrap();
        let heights: HashSet<i32> = frames.iter().map(|frame| frame.picture.height).collect();
        assert!(heights.len() <= 1, "{view:?} {selection:?}: {heights:?}");
        assert!(frames.iter().all(|frame| !frame.description.is_empty()), "{view:?} {selection:?}");
    }
}

/// What is wrong with a text as XML: tags that do not match, bare `<` and `&`.
fn malformed(xml: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    loop {
        let (text, after) = rest.split_once('<').unwrap_or((rest, ""));
        for (at, _) in text.match_indices('&') {
            if !["&amp;", "&lt;", "&gt;", "&quot;"]
                .iter()
                .any(|entity| text[at..].starts_with(entity))
            {
                return Some(format!("bare & in {text:?}"));
            }
        }
        if after.is_empty() {
            return (!open.is_empty()).then(|| format!("open: {open:?}"));
        }
        let (tag, after) = after.split_once('>')?;
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Some(format!("</{closed}> closes nothing"));
            }
        } else {
            if tag.matches('"').count() % 2 == 1 || tag.contains('<') {
                return Some(format!("<{tag}>"));
            }
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = after;
    }
}

fn ids(html: &str) -> Vec<&str> {
    let after = html.split(" id=\"").skip(1);
    after.map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

#[test]
fn figures_are_well_formed_with_unique_ids_and_no_blank_line() {
    for (view, selection, trace) in drawn() {
        let html = figure(&trace, view, &selection, "ch02-x", "A <em>caption</em>.").unwrap();
        assert_eq!(malformed(&html), None, "{view:?} {selection:?}");
        let all = ids(&html);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{view:?}: {all:?}");
        let right = all.iter().all(|id| id.starts_with("fig-ch02-x"));
        assert!(right && !all.is_empty(), "{all:?}");
        assert!(html.lines().all(|line| !line.trim().is_empty()), "{view:?} {selection:?}");
        assert!(html.chars().all(|c| c == '\n' || !c.is_control()));
        assert_eq!(
            html,
            figure(&trace, view, &selection, "ch02-x", "A <em>caption</em>.").unwrap()
        );
    }
}

#[test]
fn what_is_malformed_is_found() {
    for text in ["<a><b></a>", "<a>", "</a>", "<a>&</a>", "<a x=\"<b/>"] {
        assert!(malformed(text).is_some(), "{text}");
    }
    assert_eq!(malformed("<a x=\"1\"><b/>&amp;</a>"), None);
}

#[test]
fn every_view_shows_something_of_the_plain_trace() {
    for view in View::ALL.into_iter().filter(|view| *view != View::Cgroups) {
        assert!(frames(&plain(), view, &Selection::default()).is_ok(), "{view:?}");
    }
    assert!(frames(&special(), View::Cgroups, &Selection::default()).is_ok());
    let nothing = Selection { kinds: vec![Kind::Time], ..Selection::default() };
    assert!(frames(&plain(), View::Membership, &nothing).is_err());
    assert!(
        View::ALL
            .iter()
            .all(|view| frames(&Trace::default(), *view, &Selection::default()).is_err())
    );
}

fn descriptions(view: View, selection: &Selection) -> Vec<String> {
    frames(&plain(), view, selection).unwrap().into_iter().map(|frame| frame.description).collect()
}

#[test]
fn a_frame_is_described_in_words() {
    let selection = Selection { kinds: vec![Kind::Uts], ..Selection::default() };
    assert_eq!(
        descriptions(View::Membership, &selection),
        [
            "uts A: ch02-unshare (pid 2).",
            "uts A: none of the processes shown. uts B, new: ch02-unshare (pid 2) just moved here.",
            "uts A: none of the processes shown. uts B, host name otter: ch02-unshare (pid 2).",
            "uts A: none of the processes shown. uts B, host name otter: ch02-unshare (pid 2) and \
         ch02-unshare (pid 1) just born here.",
            "uts A: none of the processes shown. uts B, host name otter: ch02-unshare (pid 2) and \
         true (pid 1) now executes this program.",
            "uts A: none of the processes shown. uts B, host name otter: ch02-unshare (pid 2).",
        ]
    );
    let at = |view, number: usize| descriptions(view, &Selection::default())[number].clone();
    assert_eq!(at(View::Processes, 1), "ch02-unshare: pid 2 in pid A. pid B, new: no process.");
    assert_eq!(
        at(View::Processes, 2),
        "ch02-unshare: pid 2 in pid A. ch02-unshare, a child of ch02-unshare: \
        pid 3 in pid A and pid 1 in pid B; just born."
    );
    assert_eq!(
        at(View::Maps, 1),
        "user B in user A: uids 0 inside is 1000 outside, since this step; gids are not mapped; \
         programs in it: ch02-unshare."
    );
    assert_eq!(
        at(View::Mounts, 1),
        "mnt A: / (tmpfs, shared with peer group 1). \
        mnt B, new: / (tmpfs, receiving from peer group 1)."
    );
    assert_eq!(
        at(View::Network, 2),
        "net A: lo (up, 127.0.0.1/8) and veth0 (up, 10.0.0.1/24, joined to veth1 in net B, new). \
        net B: lo (down, no address) and veth1 (up, 10.0.0.2/24, joined to veth0 in net A, new)."
    );
    assert_eq!(
        at(View::Owners, 0),
        "user A owns mnt A, pid A, net A and uts A; in it: ch02-unshare (pid 2)."
    );
}

#[test]
fn sockets_places_cgroups_and_waits_are_described_in_words() {
    let last = |view, selection: &Selection| {
        frames(&special(), view, selection).unwrap().pop().unwrap().description
    };
    let net = vec![Kind::Net];
    let sockets = Selection { kinds: net, calls: vec!["socket".into()], ..Selection::default() };
    assert_eq!(
        last(View::Membership, &sockets),
        "net A: none of the processes shown; socket 3 of ch02-unshare (pid 2). net B, new: \
         ch02-unshare (pid 2) just moved here and true (pid 1) just born here; socket 4 of \
         ch02-unshare (pid 2), new."
    );
    let calls = vec!["chroot".into()];
    let marked = Selection { tasks: vec![1], calls, ..Selection::default() };
    assert_eq!(
        last(View::Mounts, &marked),
        "mnt A: / (tmpfs, shared with peer group 1), the directory /tmp, the working directory, \
         the directory /tmp/x, the root directory, changed and /sys/fs/cgroup (cgroup2, private)."
    );
    let moved = Selection { calls: vec!["write".into()], ..Selection::default() };
    assert_eq!(
        last(View::Cgroups, &moved),
        "The cgroup /: none of the processes shown. The cgroup /otter: ch02-unshare (pid 2). \
         cgroup B, new, has the root /otter: / is /.. and /otter is /. In mnt B no mount shows \
         cgroups, since this step."
    );
    let deadlock = last(View::Processes, &Selection::default());
    let ends = [
        "pid 2 in pid A; it waits until pid 3 in pid A has been reaped.",
        "it exited with 0; it waits until pid 4 in pid A has been reaped.",
        "it killed by SIGKILL; it stays a zombie until its parent, pid 2 in pid A, waits for it.",
    ];
    assert!(ends.iter().all(|end| deadlock.contains(end)), "{deadlock}");
}

#[test]
fn calls_leave_frames_out_and_the_next_one_shows_what_happened_since() {
    let selection =
        Selection { kinds: vec![Kind::Uts], calls: vec!["execve".into()], ..Selection::default() };
    let words = descriptions(View::Membership, &selection);
    assert_eq!(words.len(), 2);
    assert!(
        words[1].contains("ch02-unshare (pid 2) just moved here and true (pid 1) just born here"),
        "{words:?}"
    );
}

#[test]
fn a_failed_call_is_in_no_frame_but_in_the_table() {
    let mut trace = plain();
    trace.events[1].changes.clear();
    trace.events[1].outcome =
        Outcome::Error { errno: Errno::EPERM, why: Some("no <right>".into()) };
    let html = page(&trace);
    assert!(html.contains("<td>EPERM<p class=\"why\">no &lt;right&gt;</p></td>"));
}

#[test]
fn a_page_needs_no_other_file() {
    for trace in [plain(), nasty(), Trace::default()] {
        let html = page(&trace);
        let before_script = html.split("<script>").next().unwrap();
        assert!(
            !["http:", "https:", "url(", "@import", " src=", " href="]
                .iter()
                .any(|word| html.contains(word))
        );
        assert!(before_script.contains(CSS));
        let all = ids(before_script);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
    let cut = Trace { complete: false, dropped: 3, ..plain() };
    assert!(page(&cut).contains("cut off") && page(&cut).contains("3 more calls"));
}

/// Texts have at least 11 units, and every colour is one of the theme's.
#[test]
fn the_stylesheet_has_no_small_text_and_no_colour_of_its_own() {
    let sizes =
        CSS.split("px").filter_map(|before| before.rsplit([' ', ':']).next()?.parse::<f32>().ok());
    let sizes: Vec<f32> = sizes.filter(|size| *size > 5.0).collect();
    assert!(!sizes.is_empty() && sizes.iter().all(|size| *size >= 11.0), "{sizes:?}");
    let rules = CSS.split_once(".steps").unwrap().1;
    assert!(
        !rules.contains('#') && !rules.contains("rgb"),
        "a fixed colour outside of the fallbacks"
    );
}

//! What the harness reads is thrown at it broken: nothing panics, nothing takes memory without
//! bound, and what was written is read again. `PROPTEST_CASES=100000` tries more.

mod input;

use std::ffi::OsString;
use std::fmt::Debug;
use std::os::unix::ffi::OsStringExt as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use trace::{Trace, World, glob};

use input::{bound, memory_of, nearly};

use crate::helper::ids;
use crate::helper::refusal::Refusal;
use crate::helper::wire::Wire;
use crate::look::kernel;
use crate::look::network::{self, Link, Route};
use crate::look::procfs::{Fields, hard_limit_in, ids_in, ranges_in};
use crate::look::stat::Stat;
use crate::look::{cgroup, mounts};
use crate::record::{Holds, IdMaps};
use crate::sandbox::message::{Ended, Excess, Message, Status};
use crate::sandbox::request::{Fixture, Neighbor, Plan, Request, Shown, State};
use crate::visit::Visit;
use crate::visit::filler::{Fill, Filling};

/// Every reader of bytes that come from another process.
fn read_bytes(bytes: &[u8]) {
    _ = Request::from_bytes(bytes);
    _ = Message::from_bytes(bytes);
    _ = Visit::from_bytes(bytes);
    _ = Fill::from_bytes(bytes);
    _ = nix::Result::<Option<u64>>::from_bytes(bytes);
    _ = nix::Result::<String>::from_bytes(bytes);
    _ = Result::<(), Refusal>::from_bytes(bytes);
    _ = Vec::<(String, i32)>::from_bytes(bytes);
    _ = ids_in(bytes);
    read_netlink(bytes);
}

/// Reads an answer and each of its messages, whatever its kind; returns how many there were.
fn read_netlink(bytes: &[u8]) -> usize {
    let each = |(_, body)| _ = (network::link(body), network::address(body), network::route(body));
    network::all_messages(bytes).map(each).count()
}

/// Every reader of texts: of traces, of visitors' answers, of files of `/proc`.
fn read_text(text: &str) {
    read_proc(text);
    _ = mounts::parse(text);
    for line in text.lines() {
        _ = Link::from_line(line);
        _ = Route::from_line(line);
    }
    if let Ok(trace) = Trace::from_json_lines(text) {
        tell(&trace);
    }
}

/// Every reader of files of a process.
fn read_proc(text: &str) {
    _ = (Stat::parse(text), ranges_in(text), hard_limit_in(text, "Max processes"));
    let fields = Fields(text.to_owned());
    for name in ["NSpid", "Pid", "mnt_id", "Uid", "CapEff"] {
        _ = (fields.get(name), fields.number::<i32>(name), fields.bits(name));
    }
    _ = (fields.pids(), kernel::version_in(text));
    let (first, length) = ids::longest(text);
    // What they are taken for: ids that are in the range, and not its first one.
    if let Some(start) = ids::block(text).map(u64::from) {
        assert!(start > first && start - first <= length - u64::from(ids::MANY), "{text}");
    }
    let path = cgroup::path_in(text).unwrap_or_default();
    for mount in mounts::parse(text) {
        let below = cgroup::below(&mount, &path);
        assert!(below.is_none_or(|below| below.starts_with(&mount.point)), "{text}");
    }
}

/// Everything that is made of a trace.
fn tell(trace: &Trace) {
    let mut world = World::default();
    for event in &trace.events {
        _ = (event.line(), event.sentences(&world));
        world.apply(event);
    }
    _ = trace.point(None);
    _ = trace.clone().portable();
}

fn requests() -> impl Strategy<Value = Request> {
    let shown = (".{0,8}", ".{0,8}").prop_map(|(name, path)| Shown { name, path });
    let below = (any::<Option<u32>>(), vec(any::<i32>(), 0..3), any::<i32>());
    let flags = (any::<[i32; 2]>(), any::<Option<i32>>(), any::<bool>());
    let neighbor = (".{0,8}", flags, any::<Option<String>>(), below).prop_map(
        |(name, ([new, children], thread, zombie), host_name, (creator, below, far))| {
            let segment = thread;
            Neighbor {
                name,
                new,
                children,
                thread,
                zombie,
                host_name,
                creator,
                below,
                far,
                segment,
            }
        },
    );
    let fixture = prop_oneof![
        Just(Fixture::Directory),
        ".{0,8}".prop_map(Fixture::File),
        Just(Fixture::Witness)
    ];
    let lists = (vec(shown, 0..3), vec(neighbor, 0..3), vec((".{0,8}", fixture), 0..3));
    let plan = (".{0,8}", any::<bool>()).prop_map(|(folder, limits)| Plan { folder, limits });
    let id_maps =
        prop_oneof![Just(IdMaps::Written), Just(IdMaps::Held), ".{0,8}".prop_map(IdMaps::Refused)];
    let names = [".{0,8}", ".{0,8}", ".{0,8}"];
    let gid = any::<Option<u32>>();
    let ioctls = (
        vec(any::<u8>(), 0..3),
        vec((any::<u32>(), errnos()), 0..3),
        vec((any::<u32>(), errnos()), 0..3),
    );
    let small = (names, gid, prop::option::of(plan), ioctls, id_maps);
    (any::<[bool; 11]>(), lists, small, words(), words()).prop_map(
        |(switches, lists, small, command, environment)| {
            let (names, gid, own_cgroups, ioctls, id_maps) = small;
            let (unknown_ioctls, failing_ioctls, failing_calls) = ioctls;
            let [host_name, working_directory, witness] = names;
            let [plain, network, terminal, many_ids, orphan, shared_mounts, cgroups, ..] = switches;
            let [.., no_new_privs, recorded, holds_pid_1, holds_parents] = switches;
            let (shown, neighbors, fixtures) = lists;
            Request {
                state: if plain { State::PlainUser } else { State::RootLab },
                gid,
                network,
                terminal,
                many_ids,
                orphan,
                host_name,
                shown,
                neighbors,
                fixtures,
                witness,
                shared_mounts,
                cgroups,
                no_new_privs,
                own_cgroups,
                unknown_ioctls,
                failing_ioctls,
                failing_calls,
                working_directory,
                command,
                environment,
                recorded,
                id_maps,
                holds_pid_1,
                holds: match (holds_parents, holds_pid_1) {
                    (false, _) => Holds::Nothing,
                    (true, false) => Holds::Parents,
                    (true, true) => Holds::Children,
                },
            }
        },
    )
}

fn messages() -> impl Strategy<Value = Message> {
    let status =
        prop_oneof![any::<i32>().prop_map(Status::Exited), any::<i32>().prop_map(Status::Killed)];
    let excess = prop_oneof![Just(None), Just(Some(Excess::Memory)), Just(Some(Excess::Processes))];
    prop_oneof![
        Just(Message::Created),
        Just(Message::Started),
        refusals().prop_map(Message::Failed),
        vec((".{0,8}", any::<i32>()), 0..4).prop_map(Message::Neighbors),
        (".{0,40}", any::<bool>())
            .prop_map(|(mounts, terminal)| Message::Ready { mounts, terminal }),
        (status, excess, any::<u64>(), vec(".{0,8}", 0..4)).prop_map(
            |(status, excess, orphaned, left_running)| {
                Message::Ended(Ended { status, orphaned, left_running }, excess)
            }
        ),
    ]
}

fn errnos() -> impl Strategy<Value = Errno> {
    (1..100i32).prop_map(Errno::from_raw)
}

fn refusals() -> impl Strategy<Value = Refusal> {
    let parts = (".{0,8}", ".{0,8}", errnos());
    parts.prop_map(|(at, call, errno)| Refusal { at, call, errno })
}

fn visits() -> impl Strategy<Value = Visit> {
    prop_oneof![
        Just(Visit::HostName),
        ".{0,8}".prop_map(Visit::HostNameAt),
        Just(Visit::Mounts),
        ".{0,8}".prop_map(Visit::Read),
        ".{0,8}".prop_map(Visit::Names),
        ".{0,8}".prop_map(Visit::Mount),
        ".{0,8}".prop_map(Visit::Unmount),
        Just(Visit::Covers),
        any::<i32>().prop_map(Visit::Segment),
        ".{0,8}".prop_map(Visit::Queue),
        Just(Visit::Links),
        Just(Visit::Routes),
        any::<(u16, u32)>().prop_map(|(port, clients)| Visit::Listen(port, clients)),
        any::<std::net::IpAddr>().prop_map(Visit::Exchange),
    ]
}

fn fills() -> impl Strategy<Value = Fill> {
    let with = prop_oneof![Just(Filling::Processes), Just(Filling::Memory)];
    (with, any::<u64>(), ".{0,8}").prop_map(|(with, most, folder)| Fill { with, most, folder })
}

/// A value is read back as it was, no part of its bytes is one, and a byte that is changed does no
/// harm.
fn survives<T: Wire + PartialEq + Debug>(
    value: T,
    cut: Index,
    (flipped, bits): (Index, u8),
) -> Result<(), TestCaseError> {
    let mut bytes = value.to_bytes();
    prop_assert_eq!(T::from_bytes(&bytes), Some(value));
    prop_assert_eq!(T::from_bytes(&bytes[..cut.index(bytes.len())]), None);
    let flipped = flipped.index(bytes.len());
    bytes[flipped] ^= bits;
    prop_assert!(memory_of(|| read_bytes(&bytes)) <= bound(bytes.len()));
    Ok(())
}

const RIGHT: &[&str] = &[
    include_str!("../../../../book/traces/ch03-clone-birth.jsonl"),
    include_str!("../../../../book/traces/ch07-mount-propagation.jsonl"),
    include_str!("../../../../book/traces/ch13-veth-recipe.jsonl"),
    "36 35 98:0 /part /my\\040disk rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
    "2 true veth 3 true 0 10.0.0.1/24,fe80::1/64 eth0\ndefault 10.0.0.1 2\n",
    "7 (a) b) S 1 7 7 0 -1 4194560 96 0 0 0 0 0 0 0 20 0 1 0 6 2641920 197 18446744073709551615\n",
    "Name:\tsh\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t7\t2\nCapEff:\t000001ffffffffff\n",
    "         0          0 4294967295\n0 100000 65536\n1000 1000 1\n",
    "Limit Soft Limit Hard Limit Units\nMax processes             256     unlimited    processes\n",
    "12:cpu:/a\n0::/user.slice/a\n3 1 0:28 /user.slice /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
    "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t3\nPid:\t7\nNSpid:\t7\t2\n",
];

/// An attribute of rtnetlink(7), in which there may be others.
fn attributes() -> impl Strategy<Value = Vec<u8>> {
    let attribute = |kind: u16, value: &[u8]| {
        let mut bytes =
            [&(4 + value.len() as u16).to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let leaf = (0..40_u16, vec(any::<u8>(), 0..20));
    let leaf = leaf.prop_map(move |(kind, value)| attribute(kind, &value));
    leaf.prop_recursive(3, 16, 4, move |inner| {
        (0..40_u16, vec(inner, 0..4)).prop_map(move |(kind, all)| attribute(kind, &all.concat()))
    })
}

fn words() -> impl Strategy<Value = Vec<OsString>> {
    vec(vec(any::<u8>(), 0..8).prop_map(OsString::from_vec), 0..4)
}

/// A whole message, and how much of its header is wrong.
fn netlink_messages() -> impl Strategy<Value = Vec<u8>> {
    let kinds = [libc::RTM_NEWLINK, libc::RTM_NEWADDR, libc::RTM_NEWROUTE, 2, 3];
    let kind = prop_oneof![prop::sample::select(kinds.to_vec()), any::<u16>()];
    let wrong = prop_oneof![4 => Just(0), 1 => any::<u32>(), 1 => 0..40_u32];
    (kind, vec(any::<u8>(), 16), vec(attributes(), 0..4), wrong).prop_map(
        |(kind, head, attributes, wrong)| {
            let body = [head, attributes.concat()].concat();
            let length = (16 + body.len() as u32) ^ wrong;
            let head = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10]].concat();
            [head, body].concat()
        },
    )
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..512)) {
        prop_assert!(memory_of(|| read_bytes(&bytes)) <= bound(bytes.len()));
    }

    /// Small numbers are lengths and counts, and get further.
    #[test]
    fn any_numbers(numbers in vec(prop_oneof![0..16u64, any::<u64>()], 0..64)) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        prop_assert!(memory_of(|| read_bytes(&bytes)) <= bound(bytes.len()));
    }

    #[test]
    fn a_request_survives_the_trip(
        request in requests(), cut in any::<Index>(), flip in any::<(Index, u8)>(),
    ) {
        survives(request, cut, flip)?;
    }

    #[test]
    fn a_message_survives_the_trip(
        message in messages(), cut in any::<Index>(), flip in any::<(Index, u8)>(),
    ) {
        survives(message, cut, flip)?;
    }

    #[test]
    fn a_visit_survives_the_trip(
        visit in visits(), answer in prop_oneof![".{0,8}".prop_map(Ok), errnos().prop_map(Err)],
        cut in any::<Index>(), flip in any::<(Index, u8)>(),
    ) {
        survives(visit, cut, flip)?;
        survives(answer, cut, flip)?;
    }

    #[test]
    fn a_filling_survives_the_trip(
        fill in fills(),
        outcome in prop_oneof![any::<Option<u64>>().prop_map(Ok), errnos().prop_map(Err)],
        cut in any::<Index>(), flip in any::<(Index, u8)>(),
    ) {
        survives(fill, cut, flip)?;
        survives(outcome, cut, flip)?;
    }

    #[test]
    fn the_result_of_a_probe_and_pids_survive_the_trip(
        result in prop_oneof![Just(Ok(())), refusals().prop_map(Err)],
        pids in vec((".{0,8}", any::<i32>()), 0..4),
        cut in any::<Index>(), flip in any::<(Index, u8)>(),
    ) {
        survives(result, cut, flip)?;
        survives(pids, cut, flip)?;
    }

    #[test]
    fn an_answer_of_netlink(messages in vec(netlink_messages(), 0..6), cut in any::<Index>()) {
        let bytes = messages.concat();
        let cut = cut.index(bytes.len() + 1);
        prop_assert!(memory_of(|| read_netlink(&bytes)) <= bound(bytes.len()));
        prop_assert!(memory_of(|| read_netlink(&bytes[..cut])) <= bound(bytes.len()));
        // Each takes its header at least.
        prop_assert!(read_netlink(&bytes) <= bytes.len() / 16);
    }

    #[test]
    fn ids_of_an_exec(pairs in vec((prop_oneof![0..40u64, any::<u64>()], any::<u64>()), 0..30)) {
        let first = |key| pairs.iter().find(|(found, _)| *found == key).map(|(_, id)| *id as u32);
        let bytes: Vec<u8> = pairs.iter().flat_map(|(key, value)| [*key, *value]).flat_map(u64::to_ne_bytes).collect();
        let ids = first(libc::AT_UID).zip(first(libc::AT_GID)).map(|(uid, gid)| [uid, gid]);
        prop_assert_eq!(ids_in(&bytes), ids);
    }

    #[test]
    fn any_text(text in "(\\PC|\n){0,200}") {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    #[test]
    fn texts_that_are_nearly_right(text in nearly(RIGHT)) {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    /// Against the rule itself, which takes too long for real texts.
    #[test]
    fn a_pattern_fits_what_it_says(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
        fn rule(pattern: &[u8], text: &[u8]) -> bool {
            match pattern {
                [] => text.is_empty(),
                [b'*', rest @ ..] => (0..=text.len()).any(|from| rule(rest, &text[from..])),
                [first, rest @ ..] => text.first() == Some(first) && rule(rest, &text[1..]),
            }
        }
        prop_assert_eq!(glob(&pattern, &text), rule(pattern.as_bytes(), text.as_bytes()));
    }
}

/// A program may print text that nearly matches, up to the limit; the search must stay quick.
#[test]
fn a_pattern_takes_time_by_the_length_of_the_text() {
    let text = "*gid_map: Operation not permitted".repeat(8 * 1024 * 1024 / 33);
    let begin = Instant::now();
    assert!(!glob("*gid_map*Operation*gid_map*Operation*permitte_*no*", &text));
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

/// The bound is one that a careless reader breaks.
#[test]
fn memory_without_bound_is_seen() {
    let careless =
        |bytes: &[u8]| vec![0u8; u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize];
    assert!(memory_of(|| careless(&[0, 0, 0, 1])) > bound(4));
}

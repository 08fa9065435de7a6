//! `doctor --collect`: many answers, some of them unusable, become one table.

use serde_json::{Value, json};

use crate::checkout::Checkout;

/// What a laptop answers that can check everything.
fn answer() -> Value {
    json!({
        "schema": 1, "name": "", "time": 1_795_000_000, "can_check": true,
        "chapters": [
            { "chapter": "ch01-one", "can_check": true }, { "chapter": "ch02-two", "can_check": true },
        ],
        "facts": {}, "tools": {}, "probes": [],
    })
}

/// The same, but Ubuntu's switch forbids user namespaces.
fn refused() -> Value {
    let mut answer = answer();
    answer["chapters"][1]["can_check"] = json!(false);
    answer["probes"] = json!([
        {
            "name": "namespaces", "outcome": "refused", "cause": "AppArmor restricts them",
            "remedy": "sudo sysctl", "costs": [2], "skips": [],
        },
        { "name": "map", "outcome": "not tried", "cause": "", "remedy": "", "costs": [2], "skips": [] },
    ]);
    answer
}

#[test]
fn answers_become_a_table_and_cures() {
    let checkout = Checkout::new("collect");
    checkout.write("in/ada.json", &answer().to_string());
    assert_eq!(checkout.run("doctor --collect in").0, 1, "there is no such file");
    let at = |words: &str| {
        let output = checkout.xtask(words).current_dir(&checkout.root).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = at("doctor --collect in");
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "laptop   1  2\nada     ok ok\nok: can be checked there; ~: without some steps; no: cannot\n\n\
         the one laptop can check every chapter\n"
    );

    for name in ["bob", "carol"] {
        checkout.write(&format!("in/{name}.json"), &refused().to_string());
    }
    let mut part = answer();
    part["name"] = json!("d\u{1b}[2Jan");
    part["probes"] = json!([{
        "name": "x", "outcome": "refused", "cause": "c", "remedy": "r", "costs": [], "skips": [1],
    }]);
    checkout.write("in/d.json", &part.to_string());
    let (code, out, _) = at("doctor --collect in");
    assert_eq!(code, 3);
    assert_eq!(
        out,
        "laptop   1  2\nada     ok ok\nbob     ok no\ncarol   ok no\ndan      ~ ok\n\
         ok: can be checked there; ~: without some steps; no: cannot\n\n\
         2 laptops: sudo sysctl\n    because AppArmor restricts them\n    it costs chapter 2\n    on bob, carol\n\n\
         1 laptop: r\n    because c\n    it costs steps of chapter 1\n    on dan\n\n\
         2 of 4 laptops can check every chapter\n"
    );
    let (code, out, _) = at("doctor --json --collect in");
    let all: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, all["laptops"][3]["chapters"][0]["outcome"].as_str()), (3, Some("part")));
    assert_eq!(all["cures"][0]["laptops"], json!(["bob", "carol"]));
}

#[test]
fn a_copy_of_another_edition_is_noticed() {
    let checkout = Checkout::new("collect editions");
    checkout.write("pack.toml", "edition = \"2026-11-30-1a2b3c4\"\n");
    for (name, edition) in [
        ("ada", json!("2026-11-30-1a2b3c4")),
        ("bob", json!("2026-11-29-0000000")),
        ("carol", json!("2026-11-29-0000000")),
        // Written before answers had it.
        ("dan", Value::Null),
    ] {
        let mut answer = answer();
        answer["edition"] = edition;
        checkout.write(&format!("in/{name}.json"), &answer.to_string());
    }
    let collect = |folder: &std::path::Path| {
        let output = checkout.xtask("doctor --collect").arg(folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) = collect(&checkout.root.join("in"));
    assert_eq!(code, Some(3));
    let (_, advice) = out.split_once("\n\n").unwrap();
    assert_eq!(
        advice,
        "2 laptops: get edition 2026-11-30-1a2b3c4: `cargo xtask update` in a clone, or\n           \
         unpack `namespaces-by-hand-2026-11-30-1a2b3c4.tar.gz`\n    \
         because its copy of the course is edition 2026-11-29-0000000, and this one\n            \
         is 2026-11-30-1a2b3c4\n    \
         pages, exercises and checks of two editions may differ\n    on bob, carol\n\n\
         all 4 laptops can check every chapter\n"
    );
    let (code, out) = collect(&checkout.root.join("in/ada.json"));
    assert!(code == Some(0) && !out.contains("edition"), "{out}");
}

#[test]
fn what_cannot_be_used_has_a_line_with_the_reason() {
    let checkout = Checkout::new("collect bad");
    let mut schema = answer();
    schema["schema"] = json!(7);
    let mut more = answer();
    more["chapters"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "chapter": "ch99-x", "can_check": true }));
    let mut less = answer();
    less["chapters"].as_array_mut().unwrap().pop();
    let mut second = answer();
    second["name"] = json!("good");
    let mut clock = answer();
    clock["time"] = json!(7);
    for (name, text) in [
        ("good", answer().to_string()),
        ("a-text", "every chapter can be checked here\n".to_owned()),
        ("b-empty", String::new()),
        ("c-cut", answer().to_string()[..40].to_owned()),
        ("d-schema", schema.to_string()),
        ("e-more", more.to_string()),
        ("f-less", less.to_string()),
        ("g-list", "[1, 2]".to_owned()),
        ("h-deep", "[".repeat(100_000)),
        ("i-long", " ".repeat(2_000_000)),
        ("j-second", second.to_string()),
        ("k-clock", clock.to_string()),
    ] {
        checkout.write(&format!("in/{name}.json"), &text);
    }
    let folder = checkout.root.join("in");
    let output = checkout.xtask("doctor --collect").arg(&folder).arg("/no/where").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    // Words may stand on two lines.
    let out = String::from_utf8(output.stdout).unwrap();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "a-text.json: it is not JSON (expected value at line 1 column 1)",
        "b-empty.json: it is empty; was the command interrupted?",
        "c-cut.json: it is not JSON (EOF",
        "d-schema.json: its schema is 7, and this course reads 1",
        "e-more.json: it has a chapter `ch99-x`",
        "f-less.json: it lacks `ch02-two`",
        "g-list.json: it is JSON, but no answer",
        "h-deep.json: it is not JSON (recursion limit",
        "i-long.json: it is longer than a megabyte",
        "/no/where: it cannot be read: No such file",
        "j-second.json: a second answer of `good`, whose first is `",
        "11 files say nothing:",
        "because its clock said 1970-01-01T00:00:07Z, when this course was not there yet",
        "all 2 laptops can check every chapter",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    // A wrong clock is no bad file, and yet something to change.
    let alone =
        checkout.xtask("doctor --collect").arg(folder.join("k-clock.json")).output().unwrap();
    assert_eq!(alone.status.code(), Some(3));
    for (words, said) in [
        ("doctor --collect", "`doctor` needs files to collect"),
        ("doctor --name ada", "`--name` is for `--json`"),
        ("doctor file", "`doctor` does not take `file`"),
    ] {
        let (code, _, err) = checkout.run(words);
        assert!(code == 2 && err.contains(said), "{words}: {err}");
    }
}

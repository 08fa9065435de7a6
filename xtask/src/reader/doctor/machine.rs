//! The doctor's findings for machines.
//!
//! `--json` prints one object on one line (here on several; the order of the fields means nothing):
//!
//! ```json
//! {"schema":1,
//!  "name":"",
//!  "edition":"2026-11-30-1a2b3c4",
//!  "time":1796000000,
//!  "can_check":false,
//!  "chapters":[{"chapter":"ch01-look","can_check":false}],
//!  "facts":{"kernel":"6.12.5","proc":"masked"},
//!  "tools":{"cc":"cc 14.2.0","unshare":"unshare from util-linux 2.40"},
//!  "probes":[{"name":"proc","what":"a fresh /proc","outcome":"refused","call":"mount(\"proc\", \"/proc\")","errno":"EPERM","cause":"…","remedy":"…","shown":true,"environments":["masked-proc"],"since":"","needs":"","costs":[1,2,3,4],"skips":[]}]}
//! ```
//!
//! `outcome` is `works`, `refused`, `fallback` (refused; newer than Linux 5.10, and the course does
//! without: `since` is the version that introduced it) or `not tried` (`needs` is the probe that was
//! refused before). Texts are empty where they do not apply. `shown` says whether the facts show
//! the cause; otherwise it is a guess. `environments` are names in
//! `exercises/harness/src/doctor/environments.toml`. A fact that cannot be read is `unknown`. `costs`
//! are the existing chapters that need it, whether it works or not, and `skips` those that skip some steps
//! without it. `name` is what `--name` said, `edition` that of the
//! course, empty if git cannot say it, and `time` this machine's clock, in seconds since 1970. New fields, facts and
//! probes may come; these stay as they are while `schema` is 1.

use std::time::{SystemTime, UNIX_EPOCH};

use harness::doctor::{Advice, Answer, Finding};
use serde_json::{Map, Value, json};

use super::Diagnosis;
use crate::shared::json::object;

pub(super) fn json(diagnosis: &Diagnosis, name: &str, now: SystemTime) -> String {
    let time = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let chapters = diagnosis.chapters.iter().map(|chapter| {
        let can = diagnosis.examination.can_check(chapter.number());
        json!({ "chapter": chapter.name, "can_check": can })
    });
    let facts = diagnosis.examination.facts.iter();
    let facts = facts.map(|(name, value)| (name.to_owned(), value.into()));
    let tools =
        diagnosis.tools.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
    let probes = diagnosis.examination.findings.iter().map(|finding| probe(diagnosis, finding));
    let all = object([
        ("schema", 1.into()),
        ("name", name.into()),
        ("edition", diagnosis.edition.as_str().into()),
        ("time", time.into()),
        ("can_check", diagnosis.can_check_all().into()),
        ("chapters", chapters.collect()),
        ("facts", facts.collect::<Map<String, Value>>().into()),
        ("tools", tools.collect::<Map<String, Value>>().into()),
        ("probes", probes.collect()),
    ]);
    all + "\n"
}

fn probe(diagnosis: &Diagnosis, finding: &Finding) -> Value {
    let answer = &finding.answer;
    let (word, refusal, advice) = match answer {
        Answer::Works => ("works", None, None),
        Answer::Refused(refusal, advice) => ("refused", Some(refusal), Some(advice)),
        Answer::Newer(refusal, _) => ("fallback", Some(refusal), None),
        Answer::NotTried(_) => ("not tried", None, None),
    };
    let text = |part: fn(&Advice) -> &String| advice.map_or("", |advice| part(advice));
    json!({
        "name": finding.name,
        "what": finding.what,
        "outcome": word,
        "call": refusal.map_or("", |refusal| &refusal.call),
        "errno": refusal.map(|refusal| refusal.errno_name()).unwrap_or_default(),
        "cause": text(|advice| &advice.cause),
        "remedy": text(|advice| &advice.remedy),
        "since": if let Answer::Newer(_, since) = answer { since } else { "" },
        "needs": if let Answer::NotTried(needs) = answer { needs } else { "" },
        "shown": advice.is_some_and(|advice| advice.shown),
        "environments": advice.map_or(&[][..], |advice| &advice.environments),
        "costs": diagnosis.cost(finding),
        "skips": diagnosis.parts(finding),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::super::tests::{diagnosis, refused, works};

    #[test]
    fn schema_1() {
        let now = UNIX_EPOCH + Duration::from_secs(77);
        let text = super::json(&diagnosis(vec![works(), refused(&[1, 15])]), "ada", now);
        assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
        let wanted = json!({
            "schema": 1,
            "name": "ada",
            "edition": "2026-11-30-1a2b3c4",
            "time": 77,
            "can_check": false,
            "chapters": [
                { "chapter": "ch01-look", "can_check": false },
                { "chapter": "ch03-clone", "can_check": true },
            ],
            "facts": {},
            "tools": { "cc": "unknown" },
            "probes": [
                {
                    "name": "uts", "what": "a host name", "outcome": "works", "call": "", "errno": "",
                    "cause": "", "remedy": "", "since": "", "needs": "", "shown": false,
                    "environments": [], "costs": [1, 3], "skips": [],
                },
                {
                    "name": "proc", "what": "a fresh /proc", "outcome": "refused",
                    "call": "mount(\"proc\", \"/proc\")", "errno": "EPERM",
                    "cause": "parts of /proc are hidden, so the kernel refuses a fresh one",
                    "remedy": "start the container with `--security-opt systempaths=unconfined`",
                    "since": "", "needs": "", "shown": true, "environments": ["masked-proc"],
                    "costs": [1], "skips": [],
                },
            ],
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), wanted);
    }
}

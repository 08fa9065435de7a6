//! Reads requests and answers them.

use std::fs::{self, File};
use std::io::{self, BufRead, Write};

use challenge::{Challenge, of_chapter};
use figures::View;
use nix::errno::Errno;
use serde_json::{Value, json};

use crate::events::Port;
use crate::inspect::inspect;
use crate::labs::{Labs, Wanted};
use crate::random;

/// Answers requests until there are no more. `console` is where the shells of labs read and write.
///
/// # Errors
///
/// Those of reading requests and writing answers.
pub fn serve(
    requests: impl BufRead,
    answers: impl Write + Send + 'static,
    console: &File,
) -> io::Result<()> {
    let port = Port::new(answers);
    let mut labs = Labs::new(console, port.clone());
    // A line that is no UTF-8 is answered as any other that cannot be understood.
    for line in requests.split(b'\n') {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let request: Result<Value, _> = serde_json::from_slice(&line);
        let id = request.as_ref().map_or(Value::Null, |request| request["id"].clone());
        let answer = match request.map_err(|error| format!("this is no JSON: {error}")) {
            Ok(request) => answer(&mut labs, &request),
            Err(error) => Err(error),
        };
        port.send(&match answer {
            Ok(result) => json!({ "id": id, "ok": result }),
            Err(error) => json!({ "id": id, "error": error }),
        })?;
    }
    Ok(())
}

fn answer(labs: &mut Labs, request: &Value) -> Result<Value, String> {
    match request["do"].as_str() {
        Some("ping") => Ok(json!("pong")),
        Some("lab") => {
            let pid = labs.open(Wanted::of(request)?, view(request)?)?;
            Ok(json!({ "pid": pid }))
        }
        Some("challenge") => {
            let [table, name] = ["table", "name"].map(|member| request[member].as_str());
            let (table, name) =
                table.zip(name).ok_or("`challenge` takes a `table` and a `name`")?;
            let pid = labs.challenge(&challenge_of(table, name)?, view(request)?)?;
            Ok(json!({ "pid": pid }))
        }
        Some("draw") => {
            labs.watch()?.draw(view(request)?);
            Ok(Value::Null)
        }
        Some("awake") => {
            let is_awake = request["awake"].as_bool().ok_or("`awake` takes `awake`")?;
            labs.watch()?.be_awake(is_awake);
            Ok(Value::Null)
        }
        Some("run") => {
            let script = request["script"].as_str().ok_or("`run` takes a `script`")?;
            labs.play(Wanted::of(request)?, script).map(|printed| json!({ "printed": printed }))
        }
        Some("settle") => settle(),
        Some("inspect") => labs.current().map(inspect),
        Some("clock") => {
            let seconds = request["seconds"].as_i64().ok_or("`clock` takes `seconds`")?;
            // On i686 the type is as wide as this one, which ends in 2038.
            let time =
                i32::try_from(seconds).map_err(|_| format!("{seconds} s is no time here"))?;
            let time = libc::timespec { tv_sec: time as libc::time_t, tv_nsec: 0 };
            // SAFETY: the kernel reads one timespec.
            let set = unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) };
            Errno::result(set).map_err(|errno| format!("clock_settime(): {errno}"))?;
            Ok(Value::Null)
        }
        Some("seed") => {
            let digits = request["bytes"].as_str().ok_or("`seed` takes `bytes`")?;
            random::seed(digits).map(|()| Value::Null)
        }
        Some(other) => Err(format!("there is no request `{other}`")),
        None => Err("a request has a `do`".to_owned()),
    }
}

/// What is to be drawn, if anything.
fn view(request: &Value) -> Result<Option<View>, String> {
    let Some(name) = request["view"].as_str() else { return Ok(None) };
    let found = View::ALL.into_iter().find(|view| view.name() == name);
    found.map(Some).ok_or_else(|| format!("there is no view `{name}`"))
}

fn challenge_of(table: &str, name: &str) -> Result<Challenge, String> {
    let challenges = of_chapter(table).map_err(|error| error.to_string())?;
    let found = challenges.into_iter().find(|challenge| challenge.name == name);
    found.ok_or_else(|| format!("there is no challenge `{name}`"))
}

fn settle() -> Result<Value, String> {
    let dropped = fs::write("/proc/sys/vm/drop_caches", "3");
    dropped.map_err(|error| format!("could not drop the caches: {error}"))?;
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let wanted = lines.filter(|(name, _)| ["MemTotal", "MemFree", "MemAvailable"].contains(name));
    let members = wanted.map(|(name, value)| (name.to_owned(), json!(value.trim())));
    Ok(Value::Object(members.collect()))
}

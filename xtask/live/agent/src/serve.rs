//! Reads requests and answers them.

use std::fs::File;
use std::io::{self, BufRead, Write};

use nix::errno::Errno;
use serde_json::{Value, json};

use crate::inspect::inspect;
use crate::labs::{Labs, Wanted};

/// Answers requests until there are no more. `console` is where the shells of labs read and write.
///
/// # Errors
///
/// Those of reading requests and writing answers.
pub fn serve(requests: impl BufRead, mut answers: impl Write, console: &File) -> io::Result<()> {
    let mut labs = Labs::new(console);
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
        let answer = match answer {
            Ok(result) => json!({ "id": id, "ok": result }),
            Err(error) => json!({ "id": id, "error": error }),
        };
        writeln!(answers, "{answer}")?;
        answers.flush()?;
    }
    Ok(())
}

fn answer(labs: &mut Labs, request: &Value) -> Result<Value, String> {
    match request["do"].as_str() {
        Some("ping") => Ok(json!("pong")),
        Some("lab") => labs.open(Wanted::of(request)?).map(|pid| json!({ "pid": pid })),
        Some("run") => {
            let script = request["script"].as_str().ok_or("`run` takes a `script`")?;
            labs.play(Wanted::of(request)?, script).map(|printed| json!({ "printed": printed }))
        }
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
        Some(other) => Err(format!("there is no request `{other}`")),
        None => Err("a request has a `do`".to_owned()),
    }
}

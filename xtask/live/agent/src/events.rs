//! What the agent says without being asked, and where it writes answers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// The port's side that is written, one line at a time.
#[derive(Clone)]
pub(crate) struct Port(Arc<Mutex<dyn Write + Send>>);

impl Port {
    pub(crate) fn new(writer: impl Write + Send + 'static) -> Port {
        Port(Arc::new(Mutex::new(writer)))
    }

    /// Writes one line.
    pub(crate) fn send(&self, line: &Value) -> io::Result<()> {
        let mut writer = self.0.lock().expect("no panic while held");
        // In one piece: a line in two writes costs the machine twice as long.
        writer.write_all(format!("{line}\n").as_bytes())?;
        writer.flush()
    }
}

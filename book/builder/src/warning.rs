//! mdBook's own warnings. It logs them and goes on; here they are faults.

use crate::fault::Fault;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Runs a piece of mdBook and returns what it warned about.
pub(crate) fn collect<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let result = tracing::subscriber::with_default(Collector(messages.clone()), run);
    let messages = std::mem::take(&mut *messages.lock().expect("no panic while held"));
    (result, messages)
}

/// Makes a fault of a warning. mdBook names the page in it, by its path under `src`.
pub(crate) fn fault(message: &str, src: &Path, pages: &[impl AsRef<Path>]) -> Fault {
    let named =
        |page: &&_| message.contains(&format!("`{}`", AsRef::<Path>::as_ref(page).display()));
    let page = pages.iter().find(named);
    let what = message.lines().next().unwrap_or_default().to_owned();
    let help = message.lines().nth(1).map(str::to_owned);
    Fault { file: page.map_or(src.to_owned(), |page| src.join(page)), line: 0, what, help }
}

struct Collector(Arc<Mutex<Vec<String>>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata) -> bool {
        *metadata.level() <= LevelFilter::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().expect("no panic while held").push(message.0);
    }

    fn new_span(&self, _: &Attributes) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

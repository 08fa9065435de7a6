//! The room of a workshop: under participants with a bad network, under strangers, and in a browser.

#[macro_use]
#[path = "../../../../exercises/lab/tests/common/skip.rs"]
mod skip;

#[path = "../../../../book/builder/tests/web/chromium.rs"]
#[allow(dead_code, reason = "the book's own tests use the rest of it")]
mod chromium;
mod command;
mod common;
mod network;
mod page;
#[path = "../../../../book/builder/tests/web/reader.rs"]
#[allow(dead_code, reason = "the book's own tests use the rest of it")]
mod reader;
#[path = "../../../../book/builder/tests/web/tools.rs"]
mod tools;

//! The learner's commands, in a checkout made for a test, with a cargo and a check that are shell
//! scripts: what matters here is what becomes of a verdict, not how it is reached.

#[macro_use]
#[path = "../../../exercises/lab/tests/common/skip.rs"]
mod skip;

mod catch_up;
mod check;
mod checkout;
mod collect;
mod disk;
mod files;
mod places;
mod room;
mod terminal;
mod update;
mod usage;
mod watch;

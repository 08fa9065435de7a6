//! The learner's commands, in a checkout made for a test, with a cargo and a check that are shell
//! scripts: what matters here is what becomes of a verdict, not how it is reached.

mod check;
mod checkout;
mod files;
mod places;
mod terminal;
mod usage;
mod watch;

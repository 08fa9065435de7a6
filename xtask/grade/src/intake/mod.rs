//! What was handed in: folders, archives, repositories and single programs, one submission or a whole
//! export of them. Only sources are taken from it, as data: nothing is unpacked to a disk, no link is
//! followed, and each submission has a limit on what is read of it.

mod files;
mod archive;
mod folder;
mod repository;
mod sources;
mod find;

pub use files::Files;
pub use find::{Found, Handed, find, one};
pub use repository::git_works;
pub use sources::{Sources, sources};

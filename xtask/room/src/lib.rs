//! The room of a workshop: a page on the teacher's machine that shows how far the participants are who have
//! joined.
//!
//! * [`state`] is what the room knows, and counts each report once;
//! * [`keep`] holds it in a file, if the teacher wants that;
//! * [`limits`] bounds what one address may ask;
//! * [`serve`] speaks HTTP, with hyper; the files of the page are in `page`.
//!
//! What participants send, and which file it waits in, is `xtask/src/shared/room.rs`.

pub mod keep;
pub mod limits;
pub mod serve;
pub mod state;

//! What the commands of this course share. The programs that `cargo xtask` starts for some of them are
//! packages of their own, and use it, too.

/// It knows none of the commands.
pub mod shared {
    pub mod answer;
    pub mod arguments;
    pub mod authoring;
    pub mod broken;
    pub mod cargo;
    pub mod chapter;
    pub mod command;
    pub mod edit;
    pub mod edition;
    pub mod failure;
    pub mod grading;
    pub mod json;
    pub mod keep;
    pub mod pack;
    pub mod packing;
    pub mod play;
    pub mod progress;
    pub mod question;
    pub mod room;
    pub mod runnable;
    pub mod screen;
    pub mod steps;
    pub mod time;
    pub mod todo;
    pub mod with;
}

//! `cargo xtask reset CHAPTER`: the exercise as it was handed out.

use std::fs;
use std::process::ExitCode;

use crate::shared::chapter::{Chapter, read, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::{keep, screen};

pub(crate) fn run(words: &[&str]) -> Result {
    let [chapter] = words else {
        return Err(Failure::usage("`reset` needs a chapter").help("`cargo xtask reset CHAPTER`"));
    };
    let chapter = Chapter::find(chapter)?;
    let (stub, program) = (chapter.stub(), chapter.program());
    let text = read(&stub)?;
    if fs::read_to_string(&program).is_ok_and(|own| own == text) {
        screen::print(&format!("{} is as it was handed out; nothing to do\n", chapter.name));
        return Ok(ExitCode::SUCCESS);
    }
    let kept = keep::replace(&program, &text)?;
    let mut said = format!("{} is as it was handed out\n", shown(&program));
    if let Some(kept) = kept {
        said += &format!("your file is kept as {}\n", shown(&kept));
    }
    screen::print(&said);
    Ok(ExitCode::SUCCESS)
}

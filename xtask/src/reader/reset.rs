//! `cargo xtask reset CHAPTER`: the exercise as it was handed out.

use std::process::ExitCode;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::{Chapter, read, shown};
use crate::shared::failure::Result;
use crate::shared::{keep, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "reset",
    forms: &[("CHAPTER", "the exercise as it was; your file is kept beside it")],
    options: &[],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut chapter = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Value(name) if chapter.is_none() => chapter = Some(Chapter::find(name)?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapter = chapter.ok_or_else(|| USAGE.needs("a chapter"))?;
    let (stub, program) = (chapter.stub(), chapter.program());
    let text = read(&stub)?;
    if read(&program).is_ok_and(|own| own == text) {
        screen::print(&format!("{} is as it was handed out; nothing to do\n", chapter.name));
        return Ok(ExitCode::SUCCESS);
    }
    let kept = keep::replace(&program, &text)?;
    let mut said = format!("{} is as it was handed out\n", shown(&program));
    if let Some(kept) = kept {
        let kept = keep::backup(&program, kept);
        said += &format!("your file is kept as {}\n", shown(&kept));
    }
    screen::print(&said);
    Ok(ExitCode::SUCCESS)
}

//! What a reader can run by its name: the program of an exercise, or a worked example of a page.

use std::ffi::OsStr;

use crate::shared::arguments;
use crate::shared::cargo::{Built, build_example, build_program};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::Screen;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runnable {
    Exercise(Chapter),
    /// `ch02-domain` of chapter 2.
    Example {
        chapter: Chapter,
        name: String,
    },
}

impl Runnable {
    /// What `asked` means: a chapter's exercise by any of its names, an example by its own.
    pub fn find(asked: impl AsRef<OsStr>) -> Result<Runnable> {
        let asked = asked.as_ref();
        let examples = Runnable::examples()?;
        let example = examples.iter().find(|(_, name)| asked == name.as_str());
        if let Some((chapter, name)) = example.cloned() {
            return Ok(Runnable::Example { chapter, name });
        }
        Chapter::find(asked).map(Runnable::Exercise).map_err(|failure| {
            let names = examples.iter().map(|(_, name)| name.as_str());
            match arguments::nearest(&asked.to_string_lossy(), names) {
                Some(near) => Failure::usage(format!(
                    "there is no chapter and no example `{}`",
                    asked.to_string_lossy()
                ))
                .help(format!("did you mean `{near}`?")),
                None => failure,
            }
        })
    }

    /// All worked examples, and the chapters that they belong to.
    pub fn examples() -> Result<Vec<(Chapter, String)>> {
        let chapters = Chapter::all()?.into_iter();
        let examples = chapters.flat_map(|chapter| {
            let names = chapter.examples().into_iter();
            names.map(move |name| (chapter.clone(), name)).collect::<Vec<_>>()
        });
        Ok(examples.collect())
    }

    /// Builds it.
    pub fn build(&self, screen: Screen) -> Result<Built> {
        match self {
            Runnable::Exercise(chapter) => build_program(&chapter.name, screen),
            Runnable::Example { chapter, name } => build_example(&chapter.name, name, screen),
        }
    }
}

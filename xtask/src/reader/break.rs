//! `cargo xtask break CHAPTER [N]`: a solution with one classic mistake in it, to find.
//!
//! It takes the place of the exercise, so that `check`, `run`, `watch` and an editor work as usual. The
//! learner's own file is kept beside it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::mistakes::{self, Mistake};

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::{Chapter, read, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::{edit, keep, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "break",
    forms: &[("CHAPTER [NUMBER]", "a solution with one mistake in it, to find")],
    options: &[],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut chapter, mut asked) = (None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Value(name) if chapter.is_none() => chapter = Some(Chapter::find(name)?),
            Argument::Value(number) if asked.is_none() => asked = Some(number),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapter = chapter.ok_or_else(|| USAGE.needs("a chapter"))?;
    let solution = read(&chapter.solution().join("src/main.rs"))?;
    let table = chapter.exercise().join("mistakes.toml");
    let mistakes = mistakes::of_chapter(&read(&table)?)
        .map_err(|error| Failure::new(format!("`{}`: {error}", shown(&table))))?;
    let number = match asked {
        Some(number) => row(&number.to_string_lossy(), mistakes.len())?,
        None => harness::random() as usize % mistakes.len(),
    };

    let program = chapter.program();
    let own = read(&program).unwrap_or_default();
    let text = broken(&chapter, &solution, &mistakes[number])?;
    let made_here = mistakes
        .iter()
        .any(|mistake| broken(&chapter, &solution, mistake).is_ok_and(|broken| broken == own));
    // A program that this command made is not worth keeping, but the file that it replaced may be.
    let kept = if made_here {
        keep::write(&program, &text)?;
        newest_kept(&program)
    } else {
        keep::replace(&program, &text)?
    };

    let short = chapter.short();
    let mut said = format!(
        "{} is a solution with one mistake in it\n\
         find it: `cargo xtask check {short}` shows what the kernel saw, and names the mistake\n",
        shown(&program)
    );
    said += &match kept {
        Some(kept) => {
            // Not mv, which keeps the file's time: Cargo builds again only if the file is newer.
            let (kept, program) = (shown(&kept), shown(&program));
            format!("your own file back: cp {kept} {program}\n")
        }
        None => format!("the exercise back: cargo xtask reset {short}\n"),
    };
    screen::print(&said);
    Ok(ExitCode::SUCCESS)
}

/// The newest backup beside a file.
fn newest_kept(file: &Path) -> Option<PathBuf> {
    let backups = (1..).map(|number| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!("{name}.{number}.bak"))
    });
    backups.take_while(|backup| backup.exists()).last()
}

/// Rows count from 1.
fn row(asked: &str, rows: usize) -> Result<usize> {
    match asked.parse::<usize>() {
        Ok(number) if (1..=rows).contains(&number) => Ok(number - 1),
        _ => Err(Failure::usage(format!("there is no mistake `{asked}`"))
            .help(format!("a number from 1 to {rows}, or none for one at random"))),
    }
}

/// The solution with the mistake, without comments that would give it away and anchors of the book.
fn broken(chapter: &Chapter, solution: &str, mistake: &Mistake) -> Result<String> {
    let text = edit::apply(solution, &mistake.edits)
        .map_err(|error| Failure::new(format!("mistake {:?}: {error}", mistake.name)))?;
    let body = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//!") && !line.starts_with("// ANCHOR")
    });
    let body = body.collect::<Vec<_>>().join("\n");
    Ok(format!(
        "//! {}: one thing is wrong here. Which? `cargo xtask check {}` shows what happens.\n\n{}\n",
        chapter.name,
        chapter.short(),
        body.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness::mistakes::Edit;

    #[test]
    fn a_row_is_one_of_the_table() {
        assert_eq!(row("1", 4).unwrap(), 0);
        assert_eq!(row("4", 4).unwrap(), 3);
        for wrong in ["0", "5", "x", "-1"] {
            assert!(row(wrong, 4).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_broken_solution_does_not_say_so_itself() {
        let chapter = Chapter { name: "ch02-unshare".into() };
        let edits = vec![Edit { find: "right()".into(), replace: "wrong()".into() }];
        let mut mistake = mistakes::general().remove(0);
        mistake.edits = edits;
        let solution = "//! ch02-unshare, solved.\n\n// ANCHOR: run\nfn main() {\n    right();\n}\n// ANCHOR_END: run\n";
        let text = broken(&chapter, solution, &mistake).unwrap();
        assert!(text.ends_with("\n\nfn main() {\n    wrong();\n}\n"), "{text}");
        assert!(!text.contains("solved") && !text.contains("ANCHOR"), "{text}");
    }
}

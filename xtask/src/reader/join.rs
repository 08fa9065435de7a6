//! `cargo xtask join URL NAME`: from now on the room of a workshop is told how far this checkout is.

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Duration;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::root;
use crate::shared::edition::edition;
use crate::shared::failure::{Failure, Result};
use crate::shared::question;
use crate::shared::room::{self, Address, Desk, Left};
use crate::shared::screen::{self, Screen};

pub(crate) const USAGE: Usage = Usage {
    name: "join",
    forms: &[(
        "URL NAME",
        "show the room of a workshop, under this name, how far you are; says first what it will be told",
    )],
    options: &[("--yes", "without asking")],
};

/// To join may take longer than a report, because somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut address, mut name, mut yes) = (None, None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("yes") => yes = true,
            Argument::Value(word) if address.is_none() => address = Some(address_of(&word)?),
            Argument::Value(word) if name.is_none() => name = Some(name_of(&word)?),
            Argument::Value(_) => {
                return Err(Failure::usage("`join` takes one name")
                    .help("put quotes around a name of several words"));
            }
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let address = address.ok_or_else(|| USAGE.needs("the address of the room"))?;
    let name = name.ok_or_else(|| USAGE.needs("a name, which the room will show"))?;
    let desk = Desk::of(&root());
    if desk.place()?.is_some_and(|place| place == (address.clone(), name.clone()))
        && desk.reports_every_check()
    {
        screen::print(&format!("you are in the room {address} as `{name}`\n"));
        return Ok(ExitCode::SUCCESS);
    }
    if yes || question::has_reader() {
        screen::print(&room::said_before(&address, &name, Screen::stdout()));
    }
    if !yes && !question::consent("nothing has been sent yet", "join?", "join")? {
        return Ok(ExitCode::SUCCESS);
    }
    enter(&desk, &address, &name, true)?;
    screen::print(&format!("you are in the room as `{name}`; each check is reported now\n"));
    Ok(ExitCode::SUCCESS)
}

/// For `check --report URL --name NAME`: this one check is reported. Without a name the checkout has to be in
/// that room already.
pub(crate) fn for_once(address: &OsStr, name: Option<&OsStr>) -> Result<()> {
    let address = address_of(address)?;
    let name = name.map(name_of).transpose()?;
    let desk = Desk::of(&root());
    let place = desk.place()?.filter(|(known, _)| *known == address);
    let name = match (name, place) {
        (None, Some(_)) => return Ok(()),
        (Some(name), Some((_, known))) if name == known => return Ok(()),
        (Some(name), _) => name,
        (None, None) => {
            return Err(Failure::usage("`--report` needs a name, which the room will show")
                .help("add `--name NAME`"));
        }
    };
    screen::warn(&room::said_before(&address, &name, Screen::stdout()));
    enter(&desk, &address, &name, false)
}

/// Leaves the room in which the checkout is, if it is another one, and enters this one.
fn enter(desk: &Desk, address: &Address, name: &str, every: bool) -> Result<()> {
    if let Some((old, known)) = desk.place()?
        && (&old, known.as_str()) != (address, name)
    {
        match desk.leave(room::PATIENCE)? {
            Left::Untold(..) => {
                screen::warn(&format!("note: the room {old} was left, and could not be told\n"));
            }
            Left::Forgotten(_) | Left::Nothing => {}
        }
    }
    let there = desk.join(address, name, every, PATIENCE)?;
    let here = edition();
    if !here.is_empty() && !there.is_empty() && here != there {
        screen::warn(&format!(
            "note: this copy of the course is edition {here}, and the room's is {there}; exercises and checks may \
             differ, so ask the teacher for the same\n"
        ));
    }
    Ok(())
}

fn address_of(word: &OsStr) -> Result<Address> {
    Address::read(&word.to_string_lossy())
}

fn name_of(word: &OsStr) -> Result<String> {
    let failure = |why: String| Failure::usage(format!("that name cannot be shown: {why}"));
    let text = word.to_str().ok_or_else(|| failure("it is not UTF-8".to_owned()))?;
    room::name_of(text).map_err(failure)
}

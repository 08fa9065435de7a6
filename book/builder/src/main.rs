//! `book`: builds, serves and preprocesses the book.

use anyhow::{Context as _, Result, bail};
use book::directive::{self, Audience};
use book::{Fault, epub, participants, pdf, publish, record, serve::Server, site, theme};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

const USAGE: &str = "\
Usage: book COMMAND

  build [--live DIR]        build the book into book/book, or list its faults. With the machine in DIR,
                            or in target/live/site if there is one, its sessions run in the pages
  epub FILE                 build the book, and write it as an EPUB
  pdf FILE [PART]           build the book, and print it with a Chromium, or a part that is printed
                            apart, such as `teaching`
  participants [--no-pdf]   build the book of `cargo xtask pack`: without the solutions, with an EPUB
                            beside it, and a PDF if there is a Chromium
  publish ADDRESS           build the book as it is published at this URL: with a PDF and an EPUB
                            beside it, a map of the site, and what each page is about
  serve [--port N] [--open] [--live DIR]
                            serve the book on 127.0.0.1 and rebuild it on a change
  record [PAGE…]            run the sessions and figures of these pages again, or of all, and write
                            what has changed
  theme                     write book/theme/index.hbs again, from the template of this mdBook
  preprocess                act as mdBook's preprocessor (mdBook calls this)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["build"] => build(Audience::Readers, Live::Found, None, |_, _| Ok(())),
        ["build", "--live", folder] => {
            build(Audience::Readers, Live::In(folder), None, |_, _| Ok(()))
        }
        ["epub", file] => build(Audience::Readers, Live::Without, Some(file), |repo, built| {
            epub::write(repo, built, file.as_ref())
        }),
        ["pdf", file] => build(Audience::Readers, Live::Without, Some(file), |_, built| {
            pdf::write(built, None, file.as_ref())
        }),
        ["pdf", file, part] => build(Audience::Readers, Live::Without, Some(file), |_, built| {
            pdf::write(built, Some(part), file.as_ref())
        }),
        ["publish", address] => build(Audience::Readers, Live::Found, None, |repo, built| {
            publish::write(repo, built, address)
        }),
        ["participants"] => for_participants(true),
        ["participants", "--no-pdf"] => for_participants(false),
        ["serve", options @ ..] => match serve_options(options) {
            Ok((port, open, live)) => serve(port, open, live),
            Err(error) => return wrong_usage(&format!("{error:#}")),
        },
        ["record", pages @ ..] => record(pages),
        ["theme"] => write_theme(),
        ["preprocess"] => preprocess(),
        // mdBook silently skips a preprocessor that does not support the renderer.
        ["preprocess", "supports", _renderer] => Ok(ExitCode::SUCCESS),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        [] => return wrong_usage("which command?"),
        other => return wrong_usage(&format!("unknown command `{}`", other.join(" "))),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// The machine of a book.
#[derive(Clone, Copy)]
enum Live<'a> {
    /// The one that has been built in this checkout, if there is one.
    Found,
    In(&'a str),
    Without,
}

fn machine(repo: &Path, live: Live) -> Result<Option<book::live::Live>> {
    match live {
        Live::Found => book::live::Live::find(&repo.join(book::live::FOLDER)),
        Live::In(folder) => {
            let found = book::live::Live::find(folder.as_ref())?;
            let help = "help: `cargo xtask live build` makes one in target/live/site";
            found.with_context(|| format!("there is no machine in {folder}\n{help}")).map(Some)
        }
        Live::Without => Ok(None),
    }
}

fn wrong_usage(what: &str) -> ExitCode {
    eprint!("error: {what}\n\n{USAGE}");
    ExitCode::from(2)
}

/// Builds the book, and lets `more` do something with the repository and the pages. `file` is what it makes of
/// them, if it makes one file.
fn build(
    audience: Audience,
    live: Live,
    file: Option<&str>,
    more: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<ExitCode> {
    let repo = site::repository(&std::env::current_dir()?)?;
    let live = machine(&repo, live)?;
    let start = Instant::now();
    match site::build(&repo, audience, live.as_ref()) {
        Ok(pages) => {
            more(&repo, &pages)?;
            let pages = pages.strip_prefix(&repo).unwrap_or(&pages);
            let built = file.map_or(pages, Path::new);
            println!("built {} in {:.1} s", built.display(), start.elapsed().as_secs_f32());
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            report(&faults);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn for_participants(print: bool) -> Result<ExitCode> {
    build(Audience::Participants, Live::Without, None, |repo, built| {
        if let Some(why) = participants::write(repo, built, print)? {
            println!("no PDF: {why}");
        }
        Ok(())
    })
}

fn record(names: &[&str]) -> Result<ExitCode> {
    let repo = site::repository(&std::env::current_dir()?)?;
    let done = record::record(&repo, names)?;
    println!(
        "{}",
        if done.is_empty() {
            "every session and every figure is as its page shows it".to_owned()
        } else {
            done.join("\n")
        }
    );
    Ok(ExitCode::SUCCESS)
}

fn serve_options<'a>(options: &[&'a str]) -> Result<(u16, bool, Live<'a>)> {
    let (mut port, mut open, mut live) = (3000, false, Live::Found);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--open" => open = true,
            "--live" => live = Live::In(options.next().context("--live needs a folder")?),
            "--port" => {
                let number = options.next().context("--port needs a number")?;
                port = number.parse().with_context(|| format!("`{number}` is not a port"))?;
            }
            other => bail!("unknown option `{other}`"),
        }
    }
    Ok((port, open, live))
}

fn serve(port: u16, open: bool, live: Live) -> Result<ExitCode> {
    let repo = site::repository(&std::env::current_dir()?)?;
    let server = Server::start(&repo, port)?.with(machine(&repo, live)?);
    let url = format!("http://{}/", server.address());
    println!("serving {url} (Ctrl-C ends it)");
    if open {
        let quiet =
            Command::new("xdg-open").arg(&url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        if let Err(error) = quiet {
            eprintln!("could not start xdg-open: {error}\nhelp: open {url} in a browser");
        }
    }
    server.watch(|result, took| match result {
        Ok(()) => println!("built in {:.1} s", took.as_secs_f32()),
        Err(faults) => {
            report(&faults);
            eprintln!("the last good book is still served");
        }
    })
}

fn preprocess() -> Result<ExitCode> {
    let (context, book) = mdbook_preprocessor::parse_input(io::stdin())?;
    let (book, faults) = directive::expand_book(&context, book, Audience::Readers, None)?;
    if !faults.is_empty() {
        report(&faults);
        return Ok(ExitCode::FAILURE);
    }
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &book)?;
    stdout.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn write_theme() -> Result<ExitCode> {
    let repo = site::repository(&std::env::current_dir()?)?;
    let file = repo.join("book/theme/index.hbs");
    std::fs::write(&file, theme::index()?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("wrote book/theme/index.hbs");
    Ok(ExitCode::SUCCESS)
}

fn report(faults: &[Fault]) {
    for fault in faults {
        eprintln!("{fault}");
    }
    let s = if faults.len() == 1 { "" } else { "s" };
    eprintln!("{} fault{s} in the book", faults.len());
}

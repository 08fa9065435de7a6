//! The plans of `book/plans.toml`: tables of minutes, which have to fit into their sessions.
//!
//! A row is an activity of a page, whose minutes stand in the page's front matter, or has minutes of its own, such as
//! a break. What is wrong with a plan is a [`Fault`] of the book: a session that takes longer than it has, a stretch
//! without a break, a chapter before one that it needs, or a cut of something that is not in the plan.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::{Fault, Problem};
use crate::front::{FrontPage, Minutes};
use crate::minutes::{known, label};
use crate::page::line_of;

/// The file, from the root of the repository.
pub(crate) const FILE: &str = "book/plans.toml";

/// Nobody listens for longer, in minutes.
const WITHOUT_A_BREAK: u32 = 90;

/// The name of the activities that let participants rest.
const BREAKS: [&str; 2] = ["break", "lunch"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plans {
    plan: Vec<Plan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    title: String,
    /// Whom it is for, and what it leaves out.
    about: String,
    session: Vec<Spanned<Session>>,
    /// What goes first when time runs out, in this order.
    cut: Vec<Cut>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    /// Where a plan has several.
    title: Option<String>,
    /// How long it may take.
    target: u32,
    row: Vec<Row>,
    /// Chapters to do until the next session.
    #[serde(default)]
    homework: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "do")]
    activity: Spanned<String>,
    /// The page whose activity it is.
    page: Option<String>,
    minutes: Option<Minutes>,
    /// What is done in these minutes.
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    #[serde(rename = "do")]
    activity: Spanned<String>,
    page: Option<String>,
    /// What is done in its place.
    instead: String,
}

/// The sections of the plans in the repository.
pub(crate) fn sections_of(repo: &Path, _: &Path, pages: &[FrontPage]) -> (String, Vec<Fault>) {
    match std::fs::read_to_string(repo.join(FILE)) {
        Ok(text) => sections(&text, pages),
        Err(error) => {
            let problem = Problem::new(format!("cannot be read: {error}"));
            (String::new(), vec![problem.at(Path::new(FILE), 0)])
        }
    }
}

/// A section of the page for each plan, and what is wrong with them.
pub(crate) fn sections(text: &str, pages: &[FrontPage]) -> (String, Vec<Fault>) {
    let plans: Plans = match toml::from_str(text) {
        Ok(plans) => plans,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let problem = Problem::new(error.message());
            return (String::new(), vec![problem.at(Path::new(FILE), line_of(text, at))]);
        }
    };
    let mut reader = Reader { text, pages, faults: Vec::new() };
    let sections: String = plans.plan.iter().map(|plan| reader.section(plan)).collect();
    (sections, reader.faults)
}

struct Reader<'a> {
    text: &'a str,
    pages: &'a [FrontPage],
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, problem: Problem, at: usize) {
        self.faults.push(problem.at(Path::new(FILE), line_of(self.text, at)));
    }

    fn page(&self, name: &str) -> Option<&'a FrontPage> {
        self.pages.iter().find(|page| page.name == name)
    }

    fn section(&mut self, plan: &Plan) -> String {
        let mut section = format!("## {}\n\n{}\n\n", plan.title, plan.about.trim());
        let (mut seen, mut figures) = (HashSet::new(), Vec::new());
        for session in &plan.session {
            section += &self.session(session, &mut seen, &mut figures);
        }
        let figures: Vec<&Minutes> = figures.iter().collect();
        writeln!(section, "{}\n\nIf you are late, cut in this order:\n", known(&figures))
            .expect("a String takes all");
        for (number, cut) in plan.cut.iter().enumerate() {
            let rows = plan.session.iter().flat_map(|session| &session.get_ref().row);
            let mut rows = rows.filter(|row| {
                row.page == cut.page && row.activity.get_ref() == cut.activity.get_ref()
            });
            let Some(minutes) = rows.next().and_then(|row| self.minutes(row).ok()) else {
                let problem = Problem::new("what is cut is in no session of this plan");
                self.fault(problem, cut.activity.span().start);
                continue;
            };
            let name = self.name(cut.page.as_deref(), cut.activity.get_ref());
            writeln!(
                section,
                "{}. {name}, which saves {} minutes. {}",
                number + 1,
                minutes.known(),
                cut.instead.trim()
            )
            .expect("a String takes all");
        }
        section + "\n"
    }

    fn session(
        &mut self,
        spanned: &Spanned<Session>,
        seen: &mut HashSet<String>,
        figures: &mut Vec<Minutes>,
    ) -> String {
        let (session, at) = (spanned.get_ref(), spanned.span().start);
        let title = session.title.as_deref();
        let mut table = title.map_or(String::new(), |title| format!("### {title}\n\n"));
        table += "| from | what | estimate | rehearsed | measured |\n|---|---|---|---|---|\n";
        let (mut clock, mut since_break) = (0, 0);
        for row in &session.row {
            let minutes = match self.minutes(row) {
                Ok(minutes) => minutes,
                Err(problem) => {
                    self.fault(problem, row.activity.span().start);
                    continue;
                }
            };
            let activity = row.activity.get_ref();
            if let Some(page) = &row.page {
                self.follows(page, seen, row.activity.span().start);
                seen.insert(page.clone());
            }
            let mut what = self.name(row.page.as_deref(), activity);
            if let Some(text) = &row.text {
                what = format!("{what}: {text}");
            }
            writeln!(table, "| {} | {what} | {} |", hours(clock), minutes.cells())
                .expect("a String takes all");
            clock += minutes.known();
            since_break =
                if BREAKS.contains(&&**activity) { 0 } else { since_break + minutes.known() };
            if since_break > WITHOUT_A_BREAK {
                let what =
                    format!("{since_break} minutes without a break; at most {WITHOUT_A_BREAK}");
                self.fault(Problem::new(what), row.activity.span().start);
                since_break = 0;
            }
            figures.push(minutes);
        }
        if clock > session.target {
            let what = format!("the session takes {clock} minutes and has {}", session.target);
            let help = "leave out a row, or give the session more time";
            self.fault(Problem::new(what).help(help), at);
        }
        write!(
            table,
            "| {} | end; {} of {} minutes | | | |\n\n",
            hours(clock),
            clock,
            session.target
        )
        .expect("a String takes all");
        table + &self.homework(session, seen)
    }

    fn homework(&mut self, session: &Session, seen: &mut HashSet<String>) -> String {
        let mut tasks = Vec::new();
        for chapter in &session.homework {
            let (name, at) = (chapter.get_ref(), chapter.span().start);
            let Some(page) = self.page(name) else {
                self.fault(Problem::new(format!("the book has no page `{name}`")), at);
                continue;
            };
            self.follows(name, seen, at);
            seen.insert(name.clone());
            let minutes = |activity| page.minutes_with_parts(self.pages, activity);
            let minutes = [minutes("reading"), minutes("exercise")].into_iter().flatten();
            tasks.push(format!("[{}]({name}.md) ({})", label(page), minutes.sum::<u32>()));
        }
        if tasks.is_empty() {
            return String::new();
        }
        format!(
            "Until the next time, with the minutes of reading and exercise: {}.\n\n",
            tasks.join(", ")
        )
    }

    /// A chapter may come only after those that it needs.
    fn follows(&mut self, name: &str, seen: &HashSet<String>, at: usize) {
        let Some(page) = self.page(name) else { return };
        let missing = page.front.needs.iter().map(|need| need.get_ref());
        for need in missing.filter(|need| !seen.contains(*need)).collect::<Vec<_>>() {
            self.fault(
                Problem::new(format!("`{name}` needs `{need}`, which does not come before it")),
                at,
            );
        }
    }

    fn minutes(&self, row: &Row) -> Result<Minutes, Problem> {
        let minutes = match (&row.page, &row.minutes) {
            (Some(name), None) => {
                let activity = row.activity.get_ref();
                let page = self.page(name);
                let page =
                    page.ok_or_else(|| Problem::new(format!("the book has no page `{name}`")))?;
                let minutes = page.front.minutes.get(activity).ok_or_else(|| {
                    let what = format!("`{name}` does not say how long `{activity}` takes");
                    let names: Vec<&str> = page.front.minutes.keys().map(String::as_str).collect();
                    Problem::new(what).help(format!("it has {}", names.join(", ")))
                })?;
                minutes.get_ref().clone()
            }
            (None, Some(minutes)) => minutes.clone(),
            _ => return Err(Problem::new("a row has either a page or minutes of its own")),
        };
        match minutes.problem() {
            Some(problem) => Err(problem),
            None => Ok(minutes),
        }
    }

    fn name(&self, page: Option<&str>, activity: &str) -> String {
        match page.and_then(|name| self.page(name)) {
            Some(page) => format!("[{}]({}.md): {activity}", label(page), page.name),
            None => activity.to_owned(),
        }
    }
}

fn hours(minutes: u32) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front;

    const PLAN: &str = "[[plan]]\ntitle = 'One hour'\nabout = 'For all.'\n\
        cut = [{ page = 'ch02-unshare', do = 'show', instead = 'Say it.' }]\n\
        [[plan.session]]\ntarget = 60\nhomework = ['ch03-clone']\nrow = [\n\
        { page = 'ch01-look', do = 'show' },\n\
        { do = 'break', minutes = { estimate = 10 } },\n\
        { page = 'ch02-unshare', do = 'show' },\n]\n";

    fn pages() -> Vec<FrontPage> {
        let page = |name: &str, needs: &str, minutes: u32| {
            let text = format!(
                "<!-- front matter\nneeds = [{needs}]\n[minutes]\nshow = {{ estimate = {minutes} }}\n\
                 reading = {{ estimate = 5 }}\n-->\n"
            );
            front::parse(&Path::new(name).with_extension("md"), &text).unwrap()
        };
        vec![
            page("ch01-look", "", 20),
            page("ch02-unshare", "'ch01-look'", 30),
            page("ch03-clone", "'ch02-unshare'", 20),
        ]
    }

    fn faults(old: &str, new: &str) -> String {
        assert!(PLAN.contains(old), "{old}");
        let (_, faults) = sections(&PLAN.replacen(old, new, 1), &pages());
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn a_plan_is_a_table_of_minutes_that_fits() {
        let (sections, faults) = sections(PLAN, &pages());
        assert_eq!(faults, []);
        assert_eq!(
            sections,
            "## One hour\n\nFor all.\n\n\
             | from | what | estimate | rehearsed | measured |\n|---|---|---|---|---|\n\
             | 0:00 | [look](ch01-look.md): show | 20 | – | – |\n\
             | 0:20 | break | 10 | – | – |\n\
             | 0:30 | [unshare](ch02-unshare.md): show | 30 | – | – |\n\
             | 1:00 | end; 60 of 60 minutes | | | |\n\n\
             Until the next time, with the minutes of reading and exercise: [clone](ch03-clone.md) (5).\n\n\
             Of these 3 figures none is measured with participants, and none is rehearsed.\n\n\
             If you are late, cut in this order:\n\n\
             1. [unshare](ch02-unshare.md): show, which saves 30 minutes. Say it.\n\n"
        );
    }

    #[test]
    fn a_session_that_exceeds_its_target_is_a_fault() {
        assert_eq!(
            faults("target = 60", "target = 59"),
            "book/plans.toml:5: the session takes 60 minutes and has 59\n\
             help: leave out a row, or give the session more time\n"
        );
        // A rehearsal may show that an estimate is too short, and never that it is too long.
        for longer in ["{ estimate = 11, rehearsed = 9 }", "{ estimate = 9, measured = 11, n = 7 }"]
        {
            assert!(faults("{ estimate = 10 }", longer).contains("takes 61 minutes and has 60"));
        }
        assert_eq!(faults("{ estimate = 10 }", "{ estimate = 90, measured = 9, n = 7 }"), "");
        assert_eq!(
            faults("{ estimate = 10 }", "{ estimate = 10, rehearsed = 11 }"),
            "book/plans.toml:5: the session takes 61 minutes and has 60\n\
             help: leave out a row, or give the session more time\n"
        );
    }

    #[test]
    fn other_faults_of_a_plan_have_their_line() {
        for (old, new, fault) in [
            (
                "do = 'break', minutes = { estimate = 10 }",
                "do = 'talk', minutes = { estimate = 41 }",
                "book/plans.toml:11: 91 minutes without a break",
            ),
            (
                "page = 'ch01-look', do = 'show'",
                "page = 'ch01-look', do = 'exercise'",
                "book/plans.toml:9: `ch01-look` does not say how long `exercise` takes\nhelp: it has reading, show",
            ),
            (
                "page = 'ch01-look'",
                "page = 'ch09-gone'",
                "book/plans.toml:9: the book has no page `ch09-gone`",
            ),
            (
                "page = 'ch01-look', do = 'show'",
                "page = 'ch03-clone', do = 'show'",
                "book/plans.toml:9: `ch03-clone` needs `ch02-unshare`, which does not come before it",
            ),
            ("'ch03-clone'", "'ch09-gone'", "book/plans.toml:7: the book has no page `ch09-gone`"),
            (
                "do = 'show', instead",
                "do = 'exercise', instead",
                "book/plans.toml:4: what is cut is in no session of this plan",
            ),
            (
                "{ estimate = 10 }",
                "{ estimate = 10, measured = 9 }",
                "book/plans.toml:10: `measured` and `n`",
            ),
            (
                "do = 'break', ",
                "do = 'break', page = 'ch01-look', ",
                "book/plans.toml:10: a row has either a page or minutes",
            ),
            ("about", "abuot", "book/plans.toml:3: unknown field"),
        ] {
            let found = faults(old, new);
            assert!(found.contains(fault), "planted: {fault}\nfound: {found}");
        }
    }
}

//! A table of all programs, as CSV (RFC 4180): a line for each. A program that was not judged has an empty
//! cell where its points would be, which a spreadsheet does not take for 0.

use super::{Student, earned, why_open};

const HEAD: &str = "student,chapter,outcome,points,possible,handed in,why\r\n";

/// The file.
pub fn table(students: &[Student]) -> String {
    let mut table = HEAD.to_owned();
    for student in students {
        for (chapter, graded) in &student.programs {
            let why = match (earned(graded), &graded.trouble) {
                (None, _) => why_open(graded),
                (Some(_), Some(trouble)) => trouble.cause.clone(),
                (Some(_), None) => String::new(),
            };
            let points = earned(graded).map_or(String::new(), |earned| earned.to_string());
            line(
                &mut table,
                &[
                    student.key,
                    chapter,
                    graded.outcome.word(),
                    &points,
                    &graded.points.possible.to_string(),
                    &graded.provenance.submission.time,
                    &why,
                ],
            );
        }
        for chapter in &student.missing {
            line(&mut table, &[student.key, chapter, "", "", "", "", "there is no result"]);
        }
    }
    table
}

fn line(table: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    *table += &cells.join(",");
    *table += "\r\n";
}

/// A student chooses the name of a submission, and a cell that begins like a formula is one to a spreadsheet:
/// `'` before it makes it a text (OWASP, "CSV Injection").
fn quoted(cell: &str) -> String {
    let cell = super::clean(cell).replace(['\n', '\t'], " ");
    let starts_a_formula = cell.starts_with(['=', '+', '-', '@']);
    let cell = if starts_a_formula { format!("'{cell}") } else { cell };
    match cell.contains([',', '"']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

//! The lines of an answer: what a solution adds to its exercise, and whether a text has them.

/// A short line, such as `Ok(())`, is in many programs; it counts only where it stands alone.
pub fn stands_in(line: &str, readable: &[String]) -> bool {
    const SHORT: usize = 12;
    readable.iter().any(|text| if line.len() < SHORT { text == line } else { text.contains(line) })
}

/// The solution's lines of code that the stub does not have, without white space.
pub fn added(stub: &str, solution: &str) -> Vec<String> {
    let mut known = code(stub);
    let mut added = code(solution);
    added.retain(|line| match known.iter().position(|other| other == line) {
        Some(at) => {
            known.swap_remove(at);
            false
        }
        None => true,
    });
    added
}

/// Lines of code without white space: no comments, no imports, and no line of brackets only.
fn code(source: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut importing = false;
    for line in source.lines().map(spaceless) {
        importing |= line.starts_with("use") && is_import(&line);
        let is_code = !importing && !line.starts_with("//") && line.contains(char::is_alphanumeric);
        importing &= !line.ends_with(';');
        if is_code {
            lines.push(line);
        }
    }
    lines
}

/// `usestd::fs;`, and not `user(name)`.
fn is_import(line: &str) -> bool {
    line.contains("::")
        && (line.ends_with(';') || line.ends_with('{'))
        && ["usestd::", "usenix::", "useanyhow::", "uselibc::", "usecrate::"]
            .iter()
            .any(|start| line.starts_with(start))
}

pub fn spaceless(line: &str) -> String {
    line.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = "use std::fs;\nfn main() {\n    run();\n}\n\nfn run() {\n    // TODO\n}\n";
    const SOLUTION: &str = "use std::{\n    fs,\n    io,\n};\nuse nix::x;\nfn main() {\n    run();\n}\n\n\
        // Why.\nfn run() {\n    unshare(CloneFlags::CLONE_NEWUTS)?;\n    let a = 1;\n}\n";

    #[test]
    fn lines_are_counted_without_imports_and_comments() {
        assert_eq!(added(STUB, SOLUTION), ["unshare(CloneFlags::CLONE_NEWUTS)?;", "leta=1;"]);
    }

    #[test]
    fn a_short_line_has_to_stand_alone() {
        let text = ["x.push(1);fork();".to_owned(), "Ok(())".to_owned()];
        assert!(stands_in("Ok(())", &text) && !stands_in("fork();", &text));
        assert!(stands_in("x.push(1);fork()", &text));
    }
}

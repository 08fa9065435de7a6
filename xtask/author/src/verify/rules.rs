//! The rules that an exercise's files follow, as functions of their texts.

use xtask::shared::todo::todos;

/// What is wrong with the `// TODO:`s of a stub.
pub(super) fn todo_faults(stub: &str) -> Vec<String> {
    let todos = todos(stub);
    let mut faults = Vec::new();
    if !(1..=4).contains(&todos.len()) {
        faults.push(format!("{} TODOs; an exercise has one to four", todos.len()));
    }
    let texts = todos.iter().map(|todo| &todo.text);
    let unsourced = texts.filter(|text| !ends_in_man_pages(text));
    faults.extend(unsourced.map(|text| format!("names no man page at its end: {text:?}")));
    faults
}

/// `… Man page: setns(2).` or `… Man pages: clone(2), wait(2).`
fn ends_in_man_pages(todo: &str) -> bool {
    let list = todo.rsplit_once("Man page: ").or_else(|| todo.rsplit_once("Man pages: "));
    let list = list.and_then(|(_, pages)| pages.strip_suffix('.'));
    list.is_some_and(|pages| pages.split(", ").all(is_man_page))
}

fn is_man_page(page: &str) -> bool {
    let Some((name, section)) = page.strip_suffix(')').and_then(|page| page.split_once('(')) else {
        return false;
    };
    let name_fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '(');
    name_fits && section.starts_with(|c: char| ('1'..='8').contains(&c)) && section.len() <= 2
}

/// The heads of the top-level items, in order: `fn run(name: &OsStr) -> Result<()>`.
pub(super) fn items(source: &str) -> Vec<String> {
    const STARTS: [&str; 10] = [
        "fn ", "pub ", "unsafe ", "extern ", "struct ", "enum ", "const ", "static ", "type ",
        "impl ",
    ];
    let mut items = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if !STARTS.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        // A long signature continues until its body begins.
        let mut head = line.to_owned();
        while !head.contains(['{', ';', '=']) {
            let Some(more) = lines.next() else { break };
            head = format!("{head} {}", more.trim());
        }
        let end = head.find(['{', ';', '=']).unwrap_or(head.len());
        items.push(head[..end].trim().to_owned());
    }
    items
}

/// The first item of a stub that the solution does not have at its place. The solution may have more.
pub(super) fn item_faults(stub: &str, solution: &str) -> Vec<String> {
    let solution = items(solution);
    let mut behind = solution.iter();
    let missing = items(stub).into_iter().find(|item| !behind.any(|other| other == item));
    let fault = missing.map(|item| match solution.contains(&item) {
        true => format!("`{item}` is at another place in the solution"),
        false => format!("only the stub has `{item}`"),
    });
    fault.into_iter().collect()
}

/// How many hints a `hints.md` has: each begins with a heading.
pub(super) fn hints(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("## ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_todo_ends_in_its_man_pages() {
        let good = "fn f() {\n    // TODO: leave it.\n    // Man pages: unshare(2), uts_namespaces(7).\n    // TODO: join. Man page: setns(2).\n}\n";
        assert_eq!(todo_faults(good), [""; 0]);
        for (bad, wrong) in [
            ("fn f() {}", "0 TODOs"),
            ("// TODO: leave it.", "names no man page"),
            ("// TODO: leave. Man page: unshare.", "names no man page"),
            ("// TODO: leave. Man page: unshare(2) and more.", "names no man page"),
            ("// TODO: leave. Man page: unshare(2)", "names no man page"),
            (&"// TODO: x. Man page: a(2).\n".repeat(5), "5 TODOs"),
        ] {
            let faults = todo_faults(bad);
            assert!(faults.len() == 1 && faults[0].contains(wrong), "{bad:?}: {faults:?}");
        }
    }

    #[test]
    fn items_are_compared_in_order() {
        let stub = "const A: u8 = 1;\nfn main() {\n    inner();\n}\n\nfn long(\n    one: u8,\n) -> u8 {\n    one\n}\n";
        assert_eq!(items(stub), ["const A: u8", "fn main()", "fn long( one: u8, ) -> u8"]);
        assert_eq!(item_faults(stub, stub), [""; 0]);
        let more = format!("{stub}fn helper() {{}}\n");
        assert_eq!(item_faults(stub, &more), [""; 0]);
        assert_eq!(item_faults(&more, stub), ["only the stub has `fn helper()`"]);
        assert_eq!(
            item_faults("fn a() {}\nfn b() {}", "fn b() {}\nfn a() {}"),
            ["`fn b()` is at another place in the solution"]
        );
    }
}

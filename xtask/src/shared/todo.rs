//! The `// TODO:`s of an exercise, each with the comment lines in which it continues.

/// A place to fill.
#[derive(Debug, PartialEq, Eq)]
pub struct Todo {
    /// From 1.
    pub line: usize,
    /// What stands behind `// TODO: `.
    pub text: String,
}

/// Those of a program, in order.
pub fn todos(program: &str) -> Vec<Todo> {
    let mut todos: Vec<Todo> = Vec::new();
    let mut inside = false;
    for (index, line) in program.lines().map(str::trim_start).enumerate() {
        let comment = line.strip_prefix("// ");
        if let Some(text) = comment.and_then(|comment| comment.strip_prefix("TODO:")) {
            todos.push(Todo { line: index + 1, text: text.trim_start().to_owned() });
            inside = true;
            continue;
        }
        let more = comment.filter(|comment| inside && !comment.starts_with("SAFETY:"));
        inside = more.is_some();
        if let (Some(more), Some(todo)) = (more, todos.last_mut()) {
            todo.text = format!("{} {more}", todo.text);
        }
    }
    todos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_todo_goes_on_in_the_next_comment() {
        let program = "fn f() {\n    // TODO: leave it.\n    // Man page: a(2).\n    // SAFETY: x.\n    f();\n\
                       \n    // TODO: join.\n}\n// not one\n";
        let todo = |line, text: &str| Todo { line, text: text.to_owned() };
        assert_eq!(todos(program), [todo(2, "leave it. Man page: a(2)."), todo(7, "join.")]);
    }
}

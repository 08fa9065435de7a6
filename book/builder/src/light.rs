//! Stylesheets for programs that know neither CSS variables nor `light-dark()`: the light values take
//! their place.

/// Replaces every variable that this stylesheet declares, and every `light-dark()`. A declaration stands
/// on a line of its own.
pub(crate) fn light(css: &str) -> String {
    let mut variables: Vec<(&str, &str)> = Vec::new();
    let mut rules = String::new();
    for line in css.lines() {
        let declaration = line.trim().strip_suffix(';').and_then(|line| line.split_once(": "));
        match declaration {
            Some((name, value)) if name.starts_with("--") => variables.push((name, of(value))),
            _ => rules += &format!("{line}\n"),
        }
    }
    for (name, value) in variables {
        rules = rules.replace(&format!("var({name})"), value);
    }
    rules
}

/// The light value of `var(NAME, VALUE)`, of `light-dark(LIGHT, DARK)`, or of what stands for itself.
fn of(value: &str) -> &str {
    let inside = |function: &str| value.strip_prefix(function)?.strip_suffix(')')?.split_once(", ");
    match (inside("var("), inside("light-dark(")) {
        (Some((_, otherwise)), _) => of(otherwise),
        (_, Some((light, _))) => light,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_value_takes_the_place_of_a_variable() {
        let css = ".a {\n    --x: var(--fg, light-dark(#111, #eee));\n    width: 1em;\n}\n.b { fill: var(--x); }\n";
        assert_eq!(light(css), ".a {\n    width: 1em;\n}\n.b { fill: #111; }\n");
    }
}

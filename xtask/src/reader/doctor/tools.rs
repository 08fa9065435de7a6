//! Programs that the course asks for, and their versions.

use std::process::{Command, Stdio};

/// `cc` links every Rust program; the sessions in the book use `unshare` and other tools of util-linux.
pub(super) fn versions() -> Vec<(&'static str, String)> {
    ["cc", "unshare"].map(|program| (program, version(program))).into()
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    match output {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let line = text.lines().next().unwrap_or_default().trim();
            if line.is_empty() { "unknown".to_owned() } else { line.to_owned() }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "not installed".to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_program_is_reported() {
        assert_eq!(version("no-such-program-anywhere"), "not installed");
    }
}

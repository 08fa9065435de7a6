//! Which edition of the course a checkout is.

use std::process::Command;

use crate::shared::chapter::checkout;
use crate::shared::pack;

/// The day and the first digits of the commit, such as `2026-11-30-1a2b3c4`: the same in a clone as in an archive
/// that was packed from this commit. Empty if there is no git to say it, and outside of any checkout.
pub fn edition() -> String {
    pack::edition().or_else(of_clone).unwrap_or_default()
}

fn of_clone() -> Option<String> {
    let folder = checkout()?;
    // A copy without it may lie in another repository, whose commits git would name.
    if !folder.join(".git").exists() {
        return None;
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%cs %H"]).current_dir(folder).env("LC_ALL", "C");
    let output = git.output().ok().filter(|output| output.status.success())?;
    of_commit(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `DAY COMMIT`.
fn of_commit(said: &str) -> Option<String> {
    let (day, commit) = said.trim_end().split_once(' ')?;
    Some(named(day, commit))
}

/// The name of the edition that was committed on this day, such as `2026-11-30`.
pub fn named(day: &str, commit: &str) -> String {
    format!("{day}-{}", commit.get(..7).unwrap_or(commit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_and_a_pack_of_one_commit_have_one_name() {
        let said = "2026-11-30 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d\n";
        assert_eq!(of_commit(said).as_deref(), Some("2026-11-30-1a2b3c4"));
        assert_eq!(of_commit(""), None);
    }
}

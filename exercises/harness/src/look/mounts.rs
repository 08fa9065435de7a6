//! The mounts of a mount namespace, from `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

use std::fmt;

/// One mount.
pub(crate) struct Mount {
    /// The kernel's number for it, and for the mount that it is mounted on.
    pub(crate) id: u32,
    pub(crate) parent: u32,
    /// The part of the file system that is shown.
    pub(crate) root: String,
    pub(crate) point: String,
    pub(crate) options: String,
    /// `shared:N`, `master:N`, `propagate_from:N`, `unbindable`; none for a private mount.
    pub(crate) propagation: Vec<String>,
    pub(crate) kind: String,
    pub(crate) super_options: String,
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} on {}", self.kind, self.point)
    }
}

/// In the order in which they were made. Lines that do not read as one are left out.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let (here, there) = line.split_once(" - ")?;
    let mut here = here.split(' ');
    let mut there = there.split(' ');
    Some(Mount {
        id: here.next()?.parse().ok()?,
        parent: here.next()?.parse().ok()?,
        // After the device's number.
        root: unescape(here.nth(1)?),
        point: unescape(here.next()?),
        options: here.next()?.to_owned(),
        propagation: here.map(str::to_owned).collect(),
        kind: there.next()?.to_owned(),
        super_options: there.nth(1).unwrap_or_default().to_owned(),
    })
}

/// A space, a tab, a newline and a backslash are written as `\` and three octal digits.
fn unescape(field: &str) -> String {
    let mut text = field.to_owned();
    for (escape, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escape, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line =
            "36 35 98:0 /part /my\\040disk rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let mounts = parse(&format!("garbage\n{line}\n"));
        assert_eq!(mounts.len(), 1);
        assert_eq!(mounts[0].to_string(), "ext3 on /my disk");
        assert_eq!((mounts[0].root.as_str(), mounts[0].options.as_str()), ("/part", "rw,noatime"));
        assert_eq!(mounts[0].super_options, "rw,errors=continue");
        assert_eq!((mounts[0].id, mounts[0].parent), (36, 35));
        assert_eq!(mounts[0].propagation, ["master:1"]);
    }
}

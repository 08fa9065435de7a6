//! The mounts of a mount namespace, from `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

use std::fmt;

/// One mount.
#[derive(Debug)]
pub struct Mount {
    /// Its id, which is unique on the machine while the mount exists.
    pub id: u64,
    /// The id of the mount that it is mounted on.
    pub parent: u64,
    /// The number of the file system's device, such as `0:35`. No two file systems have the same.
    pub device: String,
    /// The directory of the file system that is mounted.
    pub root: String,
    pub point: String,
    /// Options of this mount, such as `ro,nosuid`.
    pub options: String,
    pub propagation: Propagation,
    /// The file system's type.
    pub kind: String,
    /// Options of the file system, which hold for all its mounts.
    pub super_options: String,
}

/// The peer groups that a mount propagates to and receives from: the optional fields of a line
/// (mount_namespaces(7), `Documentation/filesystems/sharedsubtree.rst` in the kernel). A private
/// mount has neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Propagation {
    /// `shared:N`: it is a member of peer group N.
    pub shared: Option<u64>,
    /// `master:N`: it receives from peer group N.
    pub master: Option<u64>,
}

/// Without the numbers of the groups, which differ from run to run.
impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match (self.shared, self.master) {
            (None, None) => "private",
            (Some(_), None) => "shared",
            (None, Some(_)) => "slave",
            (Some(_), Some(_)) => "slave and shared",
        })
    }
}

impl Mount {
    /// Whether nothing can be written through this mount.
    pub fn is_read_only(&self) -> bool {
        self.options.split(',').any(|option| option == "ro")
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} on {}", self.kind, self.point)
    }
}

/// The mounts in the contents of a mountinfo file, in its order. Lines that cannot be read are
/// skipped.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let (here, there) = line.split_once(" - ")?;
    let mut here = here.split(' ');
    let mut there = there.split(' ');
    Some(Mount {
        id: here.next()?.parse().ok()?,
        parent: here.next()?.parse().ok()?,
        device: here.next()?.to_owned(),
        root: unescape(here.next()?),
        point: unescape(here.next()?),
        options: here.next()?.to_owned(),
        propagation: here.fold(Propagation::default(), |known, tag| match tag.split_once(':') {
            Some(("shared", group)) => Propagation { shared: group.parse().ok(), ..known },
            Some(("master", group)) => Propagation { master: group.parse().ok(), ..known },
            // `propagate_from` adds nothing to `master`; an `unbindable` mount is private.
            _ => known,
        }),
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
        assert_eq!((mounts[0].id, mounts[0].parent, &*mounts[0].device), (36, 35, "98:0"));
        assert_eq!(mounts[0].propagation, Propagation { shared: None, master: Some(1) });
        assert_eq!((mounts[0].root.as_str(), mounts[0].options.as_str()), ("/part", "rw,noatime"));
        assert_eq!(mounts[0].super_options, "rw,errors=continue");
    }

    #[test]
    fn propagation_is_told_without_numbers() {
        for (tags, told) in [
            ("", "private"),
            ("shared:7 ", "shared"),
            ("master:7 ", "slave"),
            ("shared:7 master:8 propagate_from:9 ", "slave and shared"),
            ("unbindable ", "private"),
        ] {
            let mounts = parse(&format!("36 35 0:5 / /x rw {tags}- tmpfs none rw"));
            assert_eq!(mounts[0].propagation.to_string(), told, "{tags}");
        }
    }
}

//! A lab with cgroups of its own.

use lab::look::Process;
use lab::sandbox::{self, Wait};
use nix::unistd::Pid;

use super::{await_that, shell};

#[test]
fn own_cgroups_are_listed_and_the_janitor_holds_no_output_open() {
    if let Err(why) = sandbox::has_cgroups() {
        return skip!(Cgroups: "a lab with cgroups of its own: {why}");
    }
    let script = "mkdir -p /sys/fs/cgroup/a/b && echo made && sleep 60";
    let mut run = shell(script).cgroups().start().unwrap();
    await_that(|| run.cgroups() == ["/a", "/a/b", "/lab"]);
    // A reader of this process's output waits until its last copy is closed, and the janitor may
    // outlive this process.
    let this = Process::open(Pid::this()).unwrap();
    let supervisors = this.children();
    let below = supervisors.iter().flat_map(Process::children);
    let janitors = below.filter(|child| child.status("Name").as_deref() == Some("janitor"));
    let janitors: Vec<_> = janitors.collect();
    assert!(!janitors.is_empty());
    for janitor in janitors {
        for standard in 0..3 {
            let held = std::fs::read_link(format!("/proc/{}/fd/{standard}", janitor.pid()));
            assert_eq!(held.unwrap().to_str(), Some("/dev/null"));
        }
    }
    run.program().kill();
    assert_eq!(run.await_end(), Wait::Reached);
}

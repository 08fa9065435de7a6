//! ch03-sibling: which of two flags clone(2) takes together with a new PID or user namespace.

use nix::sched::{CloneFlags, clone};

fn main() {
    let sibling = CloneFlags::CLONE_PARENT;
    // A thread shares memory and signal handlers with the others, or clone(2) refuses it in any case.
    let thread = CloneFlags::CLONE_THREAD | CloneFlags::CLONE_SIGHAND | CloneFlags::CLONE_VM;
    for (kind, new) in [("pid", CloneFlags::CLONE_NEWPID), ("user", CloneFlags::CLONE_NEWUSER)] {
        for (name, flags) in [("CLONE_PARENT", sibling), ("CLONE_THREAD", thread)] {
            let mut stack = vec![0; 64 * 1024];
            // SAFETY: the child has a stack of its own, and only returns.
            let child = unsafe { clone(Box::new(|| 0), &mut stack, new | flags, None) };
            match child {
                Ok(_) => println!("{kind} {name}: born"),
                Err(errno) => println!("{kind} {name}: {errno:?}"),
            }
        }
    }
}

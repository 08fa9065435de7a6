//! A run that is made again, because other programs have used up what it needs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::moment;
use lab::sandbox::{Refusal, patience};
use nix::errno::Errno;

use crate::doctor::Advice;
use crate::report::Report;
use crate::verdict;

/// Runs the program, and again while it reports that it cannot make a message queue. The kernel counts
/// those of all sandboxes of a user together (`inc_rlimit_ucounts` in kernel/ucount.c), and has room for
/// about nine by default.
///
/// # Panics
///
/// When there is still no room after ten seconds, or the patience of a run. That is no verdict on the program.
pub fn with_room_for_a_queue(run: impl Fn() -> Report) -> Report {
    let deadline = Instant::now() + patience().max(Duration::from_secs(10));
    loop {
        let report = run();
        if !report.says(Errno::EMFILE) {
            return report;
        }
        if Instant::now() > deadline {
            let refusal =
                Refusal { at: "queue".into(), call: "mq_open()".into(), errno: Errno::EMFILE };
            let advice = Advice {
                cause:
                    "your message queues, those of all IPC namespaces together, are as large as \
                        RLIMIT_MSGQUEUE allows"
                        .into(),
                remedy: "run fewer checks at once, or raise the limit: `prlimit --pid $$ \
                         --msgqueue=16777216` as root"
                    .into(),
                environments: Vec::new(),
                shown: true,
            };
            verdict::machine_lacks(&refusal, &advice);
        }
        sleep(Duration::from_millis(20) + moment(Duration::from_millis(100)));
    }
}

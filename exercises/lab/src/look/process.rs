//! One process, held by a descriptor.

use std::ffi::{OsString, c_long};
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::procfs::{Fields, hard_limit_in, ids_in, ranges_in, text_of};
use super::stat::Stat;
use super::{Mount, mounts};
use crate::sys;

/// A process, held by a pidfd: the descriptor refers to this process even after it has ended.
pub struct Process {
    /// Looked up at the first use.
    pid: OnceLock<Pid>,
    pidfd: OwnedFd,
}

impl Process {
    /// The process that has this pid now in the PID namespace of this process.
    ///
    /// # Errors
    ///
    /// `ESRCH` if there is none, and the others of pidfd_open(2).
    pub fn open(pid: Pid) -> nix::Result<Process> {
        Ok(Process { pid: OnceLock::from(pid), pidfd: sys::pidfd_open(pid)? })
    }

    /// The process of a pidfd that another process has opened.
    pub(crate) fn from_pidfd(pidfd: OwnedFd) -> Process {
        Process { pid: OnceLock::new(), pidfd }
    }

    /// Its pid in the PID namespace of this process. For a pidfd it is a line in `/proc/self/fdinfo`
    /// (pidfd_open(2)): -1 if the process has been waited for, so that nothing is found in `/proc`.
    pub fn pid(&self) -> Pid {
        *self.pid.get_or_init(|| {
            let info = Fields::read(format!("/proc/self/fdinfo/{}", self.pidfd.as_raw_fd()));
            Pid::from_raw(info.ok().and_then(|info| info.number("Pid")).unwrap_or(-1))
        })
    }

    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Whether it has ended: its pidfd is readable then (pidfd_open(2)).
    pub fn has_ended(&self) -> bool {
        sys::await_readable(&self.pidfd, Duration::ZERO).is_ok_and(|ended| ended)
    }

    /// Waits until it has ended. Returns `false` if it has not after `patience`.
    pub fn await_end(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match sys::await_readable(&self.pidfd, left) {
                Err(Errno::EINTR) => {}
                ended => return ended.is_ok_and(|ended| ended),
            }
        }
    }

    /// The name of its first thread, which a process may choose (`comm` in proc_pid_stat(5)). `None` if it
    /// is gone.
    pub fn name(&self) -> Option<String> {
        Some(Stat::of(self.pid().as_raw())?.name)
    }

    /// When it was made, in clock ticks since the machine was started: it tells a process from a later one
    /// with the same pid. `None` if it is gone.
    pub fn started(&self) -> Option<u64> {
        Some(Stat::of(self.pid().as_raw())?.started)
    }

    /// How long ago it was made, give or take a clock tick. `None` if it is gone.
    pub fn age(&self) -> Option<Duration> {
        // SAFETY: takes an integer and asks nothing of us.
        let ticks = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok()?;
        let started = self.started()?.checked_mul(1000)? / ticks.max(1);
        Some(sys::since_boot().saturating_sub(Duration::from_millis(started)))
    }

    /// Waits until its main thread is not running any more, for `patience` at most.
    pub fn await_rest(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let busy = || self.state() == Some('R');
        while busy() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Ends it with SIGKILL.
    pub fn kill(&self) {
        // If it has ended already, that is as good.
        _ = self.signal(Signal::SIGKILL);
    }

    /// Sends it a signal (pidfd_send_signal(2)), from an ancestor of its PID namespace.
    ///
    /// # Errors
    ///
    /// `ESRCH` if it has been waited for.
    pub fn signal(&self, signal: Signal) -> nix::Result<()> {
        sys::pidfd_send_signal(self.pidfd.as_fd(), signal)
    }

    /// Another descriptor of the same process.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> std::io::Result<Process> {
        Ok(Process { pid: self.pid.clone(), pidfd: self.pidfd.try_clone()? })
    }

    /// The contents of one of its files in `/proc`. `None` if it is gone, or may not be read.
    fn file(&self, name: &str) -> Option<String> {
        text_of(format!("/proc/{}/{name}", self.pid())).ok()
    }

    /// The state of its main thread in `/proc/PID/stat`: `Z` for a zombie. `None` if it is gone.
    pub fn state(&self) -> Option<char> {
        Some(Stat::of(self.pid().as_raw())?.state)
    }

    /// A line of `/proc/PID/status` (proc_pid_status(5)), such as `NSpid` or `CapEff`.
    pub fn status(&self, name: &str) -> Option<String> {
        Fields::status(self.pid())?.get(name).map(str::to_owned)
    }

    /// A set in `/proc/PID/status`, such as `CapEff` or `SigBlk`, as [`Fields::bits`]. `None` if the process
    /// is gone.
    pub fn bits(&self, name: &str) -> Option<u64> {
        Fields::status(self.pid())?.bits(name)
    }

    /// The arguments with which its program was started, without the first, which names the program.
    /// Empty if they may not be read.
    pub fn arguments(&self) -> Vec<OsString> {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid())).unwrap_or_default();
        let words = bytes.strip_suffix(b"\0").unwrap_or(&bytes).split(|byte| *byte == 0).skip(1);
        words.map(|word| OsString::from_vec(word.to_vec())).collect()
    }

    /// Whether it executes the same file as `other`.
    pub fn executes_the_same_as(&self, other: &Process) -> bool {
        let file = |process: &Process| {
            let file = fs::metadata(format!("/proc/{}/exe", process.pid())).ok()?;
            Some((file.dev(), file.ino()))
        };
        file(self).is_some_and(|own| file(other) == Some(own))
    }

    /// A hard limit by its name in `/proc/PID/limits` (proc_pid_limits(5)), such as `Max processes`,
    /// in the unit of getrlimit(2). [`u64::MAX`] means no limit. `None` if the process is gone.
    pub fn hard_limit(&self, name: &str) -> Option<u64> {
        hard_limit_in(&self.file("limits")?, name)
    }

    /// Its pid in each PID namespace, from that of this process inwards (`NSpid`).
    pub fn pids(&self) -> Vec<i32> {
        Fields::status(self.pid()).unwrap_or_default().pids()
    }

    /// Its pid in its own PID namespace.
    pub fn own_pid(&self) -> Option<i32> {
        self.pids().last().copied()
    }

    /// Its pid in the PID namespace of `init`, which is PID 1 there.
    pub fn own_pid_below(&self, init: &Process) -> Option<i32> {
        let level = Fields::status(init.pid())?.pids().len().checked_sub(1)?;
        Fields::status(self.pid())?.pids().get(level).copied()
    }

    /// Whether its next child will be the first process of a new PID namespace. Only then
    /// `pid_for_children` cannot be opened (`pidns_for_children_get` in `kernel/pid_namespace.c`).
    pub fn next_child_is_pid_1(&self) -> bool {
        let opened = fs::File::open(format!("/proc/{}/ns/pid_for_children", self.pid()));
        opened.is_err_and(|error| error.raw_os_error() == Some(libc::ENOENT)) && !self.has_ended()
    }

    /// The parent's pid in the PID namespace of this process.
    pub fn parent(&self) -> Option<Pid> {
        Fields::status(self.pid())?.number("PPid").map(Pid::from_raw)
    }

    /// The children of all its threads, including zombies that have not been waited for.
    pub fn children(&self) -> Vec<Process> {
        let tasks = self.tasks().into_iter();
        let listed = tasks.filter_map(|task| self.file(&format!("task/{task}/children")));
        let listed: Vec<String> = listed.collect();
        let pids = listed.iter().flat_map(|text| text.split_ascii_whitespace());
        let pids = pids.filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
        pids.filter_map(|pid| Process::open(pid).ok()).collect()
    }

    /// The ids of its threads in the PID namespace of this process.
    pub fn tasks(&self) -> Vec<i32> {
        let entries = fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
    }

    /// The call in which it waits, such as `read(2)` or, where that has no end that another process
    /// could close, `read(2) on eventfd`. The kernel's function for a call without a name here.
    pub fn waits_in(&self) -> Option<String> {
        let text = self.file("syscall").unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let call = words.next().and_then(|number| number.parse::<i64>().ok()).and_then(call_name);
        let Some(call) = call else {
            return self.file("wchan").filter(|name| !name.is_empty() && name != "0");
        };
        let on =
            words.next().filter(|_| call == "read").and_then(|word| self.object_with_one_end(word));
        Some(on.map_or(format!("{call}(2)"), |on| format!("{call}(2) on {on}")))
    }

    /// What a descriptor is open on that has a single end, such as `eventfd`. `number` is as in
    /// `/proc/PID/syscall`.
    fn object_with_one_end(&self, number: &str) -> Option<String> {
        let number = u32::from_str_radix(number.strip_prefix("0x")?, 16).ok()?;
        let link = fs::read_link(format!("/proc/{}/fd/{number}", self.pid())).ok()?;
        let kind = link.to_str()?.strip_prefix("anon_inode:")?;
        Some(kind.trim_matches(['[', ']']).to_owned())
    }

    /// Whether one of its threads waits in a call that ends by itself after some time, such as a sleep.
    pub fn waits_for_a_time(&self) -> bool {
        let calls = self.tasks().into_iter();
        let mut calls = calls.filter_map(|task| self.file(&format!("task/{task}/syscall")));
        calls.any(|call| is_timed(&call))
    }

    /// A variable of the environment with which its program was started.
    pub fn environment(&self, name: &str) -> Option<String> {
        let value = |entry: &str| Some(entry.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        self.file("environ")?.split('\0').find_map(value)
    }

    /// Its real uid and gid, in the user namespace of this process.
    pub fn ids(&self) -> Option<[u32; 2]> {
        let status = Fields::status(self.pid())?;
        Some([status.number("Uid")?, status.number("Gid")?])
    }

    /// The ranges in its `uid_map` or `gid_map`: first id inside, first id in the user namespace of
    /// this process, length (user_namespaces(7)).
    pub fn map(&self, file: &str) -> Vec<[u32; 3]> {
        ranges_in(&self.file(file).unwrap_or_default())
    }

    /// `allow` or `deny`: whether setgroups(2) is allowed in its user namespace (user_namespaces(7)).
    pub fn setgroups(&self) -> Option<String> {
        Some(self.file("setgroups")?.trim().to_owned())
    }

    /// The uid and gid that it had, in its own user namespace, when its program was executed. The
    /// kernel puts them on the new program's stack (getauxval(3): `AT_UID`, `AT_GID`).
    pub fn ids_at_exec(&self) -> Option<[u32; 2]> {
        ids_in(&fs::read(format!("/proc/{}/auxv", self.pid())).ok()?)
    }

    /// The mounts below its root directory: `/proc/PID/mountinfo` does not show what a chroot(2)
    /// hides. [`visit::mounts_in`](crate::visit::mounts_in) sees all.
    ///
    /// # Errors
    ///
    /// `EACCES` without the permission to look, `ENOENT` or `ESRCH` if the process has ended.
    pub fn mounts(&self) -> nix::Result<Vec<Mount>> {
        let text = text_of(format!("/proc/{}/mountinfo", self.pid()));
        Ok(mounts::parse(&text.map_err(|error| sys::errno_of(&error))?))
    }

    /// Whether one of its descriptors is a pidfd of `other`.
    pub fn holds_pidfd_of(&self, other: &Process) -> bool {
        let entries = fs::read_dir(format!("/proc/{}/fdinfo", self.pid())).into_iter().flatten();
        let mut infos = entries.filter_map(|entry| Fields::read(entry.ok()?.path()).ok());
        infos.any(|info| info.number("Pid") == Some(other.pid().as_raw()))
    }
}

/// The names of calls in which programs wait.
fn call_name(number: i64) -> Option<&'static str> {
    let calls = [
        (libc::SYS_read, "read"),
        (libc::SYS_write, "write"),
        (libc::SYS_wait4, "waitpid"),
        (libc::SYS_waitid, "waitid"),
        (libc::SYS_futex, "futex"),
        (libc::SYS_ppoll, "poll"),
        (libc::SYS_nanosleep, "nanosleep"),
        (libc::SYS_clock_nanosleep, "clock_nanosleep"),
        (libc::SYS_recvmsg, "recvmsg"),
        (libc::SYS_recvfrom, "recv"),
        (libc::SYS_accept4, "accept"),
        (libc::SYS_openat, "open"),
        (libc::SYS_rt_sigtimedwait, "sigwait"),
        (libc::SYS_rt_sigsuspend, "sigsuspend"),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_poll, "poll"),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_pause, "pause"),
    ];
    calls.into_iter().find(|(call, _)| i64::from(*call as i32) == number).map(|(_, name)| name)
}

/// Whether a line of `/proc/PID/task/TID/syscall` (a number and six arguments, proc_pid_syscall(5)) is a
/// call with a time limit.
pub(crate) fn is_timed(call: &str) -> bool {
    let mut words = call.split_ascii_whitespace();
    let Some(number) = words.next().and_then(|number| number.parse::<c_long>().ok()) else {
        return false;
    };
    let hexadecimal = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let arguments: Vec<u64> = words.map_while(hexadecimal).collect();
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    match number {
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => true,
        libc::SYS_ppoll | libc::SYS_rt_sigtimedwait => argument(2) != 0,
        libc::SYS_futex => argument(3) != 0,
        libc::SYS_pselect6 => argument(4) != 0,
        libc::SYS_epoll_pwait => argument(3) as i32 > 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => argument(2) as i32 > 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => argument(4) != 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => argument(3) as i32 > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::resource::Resource;

    #[test]
    fn we_find_ourselves() {
        let us = Process::open(Pid::this()).unwrap();
        assert!(!us.has_ended());
        assert_eq!(us.own_pid(), Some(std::process::id() as i32));
        let (uid, gid) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        assert_eq!(us.ids(), Some([uid, gid]));
        assert_eq!(us.ids_at_exec(), Some([uid, gid]));
        assert!(us.tasks().contains(&us.pid().as_raw()));
        let (_, hard) = nix::sys::resource::getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(us.hard_limit("Max open files"), Some(hard));
        assert_eq!(us.hard_limit("Max nothing"), None);
        assert_eq!(Process::from_pidfd(us.pidfd().try_clone().unwrap()).pid(), us.pid());
    }

    #[test]
    fn a_wait_with_a_time_limit_is_told_from_one_without() {
        for (call, timed) in [
            (format!("{} 0x0 0x0 0x7ffc 0x0 0x0 0x0 0x7 0x8", libc::SYS_clock_nanosleep), true),
            (format!("{} 0x5 0x80 0x2 0x0 0x0 0x0 0x7 0x8", libc::SYS_futex), false),
            (format!("{} 0x5 0x80 0x2 0x7ffc 0x0 0x0 0x7 0x8", libc::SYS_futex), true),
            (format!("{} 0x7 0x8 0x0 0x8 0x0 0x0 0x7 0x8", libc::SYS_rt_sigtimedwait), false),
            (format!("{} 0x0 0x0 0x0 0x0 0x0 0x0 0x7 0x8", libc::SYS_wait4), false),
            ("running".to_owned(), false),
            ("-1 0x7 0x8".to_owned(), false),
        ] {
            assert_eq!(is_timed(&call), timed, "{call}");
        }
        let sleeping = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(200)));
        std::thread::sleep(Duration::from_millis(50));
        assert!(Process::open(Pid::this()).unwrap().waits_for_a_time());
        sleeping.join().unwrap();
    }
}

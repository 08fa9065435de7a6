//! Programs that are difficult to record, a few calls each. The test binary starts itself in the
//! sandbox and acts before `main`, when it has one thread.

use std::ffi::c_int;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use lab::sandbox::{Ended, Run, Sandbox, Wait};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, gethostname, pause, sethostname};
use trace::Trace;

const ACTOR: &str = "NAMESPACES_BY_HAND_ACTOR";

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

extern "C" fn entry() {
    if let Ok(name) = std::env::var(ACTOR) {
        act(&name);
        exit(0);
    }
}

/// Starts an actor with the recorder beside it.
pub(crate) fn start(actor: &str) -> Run {
    start_as(&std::env::current_exe().unwrap(), actor)
}

/// The same, of a copy of this program.
pub(crate) fn start_as(program: &Path, actor: &str) -> Run {
    // On a busy machine thousands of recorded calls take more than the usual patience.
    let patience = lab::env::patience().max(Duration::from_secs(60));
    let sandbox = Sandbox::new(program).env(ACTOR, actor).patience(Some(patience));
    sandbox.record().start().unwrap()
}

/// The trace of an actor, and how it ended.
pub(crate) fn trace_of(actor: &str) -> (Trace, Ended) {
    let mut run = start(actor);
    let wait = run.await_end();
    assert_eq!(wait, Wait::Reached, "{actor}: {}", run.stderr());
    let ended = run.ended().unwrap().clone();
    let trace = run.trace().unwrap();
    (trace, ended)
}

fn act(name: &str) {
    match name {
        "a thread leaves alone" => a_thread_leaves_alone(),
        "an untraced child" => an_untraced_child(),
        "an untraced child of clone3" => an_untraced_child_of_clone3(),
        "undumpable" => undumpable(),
        "a PID 1 stops itself" => a_pid_1_stops_itself(),
        "a PID 1 faults" => a_pid_1_faults(),
        "a PID 1 with children ends" => a_pid_1_with_children_ends(),
        "a parent waits for a PID 1 only" => a_parent_waits_for_a_pid_1_only(),
        "two sockets" => two_sockets(),
        "a stopped child goes on" => a_stopped_child_goes_on(),
        "a real-time signal" => a_real_time_signal(),
        "a tracer of its own" => a_tracer_of_its_own(),
        "a listener of its own" => a_listener_of_its_own(),
        "a child of a new PID namespace after its init" => a_late_child(),
        "two writes" => two_writes(),
        "calls that fail" => super::reasons::calls_that_fail(),
        "exec in a thread" => exec_in_a_thread(),
        "a child is killed while it forks" => a_child_is_killed_while_it_forks(),
        "many calls" => many_calls(),
        "many mounts" => many_mounts('m', 200),
        "many mounts with short paths" => many_mounts('k', 1),
        "many interfaces" => many_interfaces(),
        "a crowd in many networks" => a_crowd_in_many_networks(),
        unknown => panic!("no actor is called `{unknown}`"),
    }
}

/// fork(2) in a process with one thread.
pub(crate) fn child(act: impl FnOnce()) -> Pid {
    // SAFETY: actors have one thread where they fork.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            act();
            exit(0)
        }
    }
}

fn a_thread_leaves_alone() {
    let thread = std::thread::spawn(|| unshare(CloneFlags::CLONE_NEWUTS).unwrap());
    thread.join().unwrap();
}

fn an_untraced_child() {
    // SAFETY: without a stack of its own the child runs on a copy of the parent's, as after fork.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_UNTRACED | libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        exit(unshare(CloneFlags::CLONE_NEWUTS).map_or_else(|errno| errno as i32, |()| 0));
    }
    assert!(matches!(waitpid(None, None), Ok(nix::sys::wait::WaitStatus::Exited(_, 0))));
}

fn an_untraced_child_of_clone3() {
    // SAFETY: zero is valid for each field, and the kernel reads the size that it is given.
    let pid = unsafe {
        let mut arguments: libc::clone_args = std::mem::zeroed();
        arguments.flags = libc::CLONE_UNTRACED as u64;
        arguments.exit_signal = libc::SIGCHLD as u64;
        libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>())
    };
    if pid == 0 {
        exit(unshare(CloneFlags::CLONE_NEWUTS).map_or_else(|errno| errno as i32, |()| 0));
    }
    assert!(matches!(waitpid(None, None), Ok(nix::sys::wait::WaitStatus::Exited(_, 0))));
}

fn undumpable() {
    nix::sys::prctl::set_dumpable(false).unwrap();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname("otter").unwrap();
}

fn a_pid_1_stops_itself() {
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // The kernel discards the signal, because a PID 1 has no handler for it.
    waitpid(child(|| raise(Signal::SIGSTOP).unwrap()), None).unwrap();
}

fn a_pid_1_faults() {
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: the address belongs to no mapping, so the process faults and does nothing else.
    let init = child(|| unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) });
    let ended = waitpid(init, None).unwrap();
    assert!(matches!(ended, WaitStatus::Signaled(pid, Signal::SIGSEGV, _) if pid == init));
}

fn a_pid_1_with_children_ends() {
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    let init = child(|| {
        for _ in 0..3 {
            child(pause);
        }
    });
    waitpid(init, None).unwrap();
}

/// A deadlock: PID 1 has ended, and cannot be reaped before the second child, which this process would reap
/// later. A third child executes something meanwhile.
fn a_parent_waits_for_a_pid_1_only() {
    child(|| {
        while !a_process_waits_in("zap_pid_ns_processes") {
            sleep(Duration::from_millis(10));
        }
        // The second child has been killed, and may still be on its way to its end.
        sleep(Duration::from_millis(200));
        Command::new("/bin/true").status().unwrap();
        kill(Pid::parent(), Signal::SIGTERM).unwrap();
    });
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    let init = child(pause);
    child(pause);
    kill(init, Signal::SIGKILL).unwrap();
    waitpid(init, None).unwrap();
}

fn a_process_waits_in(function: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut files = processes.map(|entry| entry.unwrap().path().join("wchan"));
    files.any(|file| std::fs::read_to_string(file).is_ok_and(|name| name == function))
}

fn two_sockets() {
    let before = UdpSocket::bind("127.0.0.1:0").unwrap();
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    drop((before, UdpSocket::bind("127.0.0.1:0").unwrap()));
}

fn a_stopped_child_goes_on() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus};
    let stopped = child(|| {
        raise(Signal::SIGSTOP).unwrap();
        exit(5);
    });
    let seen = waitpid(stopped, Some(WaitPidFlag::WUNTRACED));
    assert_eq!(seen, Ok(WaitStatus::Stopped(stopped, Signal::SIGSTOP)));
    kill(stopped, Signal::SIGCONT).unwrap();
    assert_eq!(waitpid(stopped, None), Ok(WaitStatus::Exited(stopped, 5)));
}

fn a_real_time_signal() {
    let signal = libc::SIGRTMIN() + 3;
    // SAFETY: the set is initialized by sigemptyset, and the signal is blocked before it is sent.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(signal);
        let mut got: c_int = 0;
        libc::sigwait(&raw const set, &raw mut got);
        assert_eq!(got, signal);
        // Unblocked and without a handler, it ends the process.
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(signal);
    }
}

fn a_tracer_of_its_own() {
    let traced = child(pause);
    // SAFETY: PTRACE_SEIZE takes no addresses.
    let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, traced.as_raw(), 0, 0) };
    assert_eq!((seized, nix::errno::Errno::last()), (-1, nix::errno::Errno::EPERM));
    kill(traced, Signal::SIGKILL).unwrap();
    waitpid(traced, None).unwrap();
}

/// A filter that sends `sethostname` to a listener: a child holds the listener's descriptor and answers
/// in place of the kernel.
fn a_listener_of_its_own() {
    let mut filter = [
        libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_sethostname as u32 },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x7fc0_0000 },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its filter outlive the call.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    } as c_int;
    assert!(listener >= 0);
    let supervisor = child(|| {
        // SAFETY: zero is valid for both, and the kernel fills or reads one of each.
        unsafe {
            let mut asked: libc::seccomp_notif = std::mem::zeroed();
            assert_eq!(libc::ioctl(listener, 0xc050_2100, &raw mut asked), 0);
            let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
            answer.id = asked.id;
            assert_eq!(libc::ioctl(listener, 0xc018_2101, &raw mut answer), 0);
        }
    });
    sethostname("never set").unwrap();
    waitpid(supervisor, None).unwrap();
    assert_ne!(gethostname().unwrap(), "never set");
}

fn a_late_child() {
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    waitpid(child(|| ()), None).unwrap();
    // SAFETY: one thread.
    assert!(unsafe { fork() }.is_err());
}

fn two_writes() {
    use std::io::Write as _;
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    let mut map = std::fs::File::create("/proc/self/uid_map").unwrap();
    // `write!` with arguments makes several calls.
    let [inside, outside, length] = std::hint::black_box([0, 0, 1]);
    assert!(write!(map, "{inside} {outside} {length}").is_err());
    drop(map);
    std::fs::write("/proc/self/uid_map", "0 0 1").unwrap();
}

fn exec_in_a_thread() {
    let thread = std::thread::spawn(|| {
        use std::os::unix::process::CommandExt as _;
        panic!("{}", std::process::Command::new("/bin/true").env_remove(ACTOR).exec())
    });
    _ = thread.join();
}

fn a_child_is_killed_while_it_forks() {
    let victim = child(|| {
        loop {
            waitpid(child(|| ()), None).unwrap();
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(30));
    kill(victim, Signal::SIGKILL).unwrap();
    waitpid(victim, None).unwrap();
}

fn many_calls() {
    for _ in 0..5000 {
        unshare(CloneFlags::CLONE_FS).unwrap();
    }
}

/// Thousands of mounts, in one mount namespace after the other.
fn many_mounts(last: char, length: usize) {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), none).unwrap();
    for letter in 'a'..=last {
        let folder = format!("/tmp/{}", letter.to_string().repeat(length));
        std::fs::create_dir(&folder).unwrap();
        // Twice as many each time.
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        mount(Some("/tmp"), folder.as_str(), none, flags, none).unwrap();
    }
    for _ in 0..30 {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
    }
}

/// More than a figure could show.
fn many_interfaces() {
    let script =
        "for n in $(seq 600); do echo link add a$n type veth peer name b$n; done | ip -b -";
    let status = std::process::Command::new("/bin/sh").args(["-c", script]).status();
    assert!(status.unwrap().success());
}

/// At the end of each process the recorder looks at all networks.
fn a_crowd_in_many_networks() {
    // Until the limit of the lab.
    while unshare(CloneFlags::CLONE_NEWNET).is_ok() {}
    for _ in 0..300 {
        waitpid(child(|| ()), None).unwrap();
    }
}

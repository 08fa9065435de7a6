//! The ptrace(2) requests that the recorder makes, and what each stop means.
//!
//! The wrappers of nix have a type for signals that lacks the real-time signals, which a recorded
//! program may send.

use std::ffi::{c_int, c_long, c_void};
use std::io::IoSliceMut;
use std::ptr;

use nix::Result;
use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use trace::Exit;

/// Why a task stopped, or that it has ended.
pub(super) enum Stop {
    Ended(Exit),
    /// One of `PTRACE_EVENT_*`, and its message.
    Event(c_int, u64),
    /// At the entry or at the return of a system call.
    Call,
    /// It is about to receive a signal.
    Signal(c_int),
    /// A new task before its first instruction. Or, with the signal, a task that a signal has stopped
    /// (`SIGSTOP` and its like).
    Halt(Option<c_int>),
}

/// Where in a system call a task is: `PTRACE_GET_SYSCALL_INFO`, Linux 5.3.
pub(super) enum At {
    Entry { number: c_long, arguments: [u64; 6] },
    Return(i64),
    Filter { number: c_long, arguments: [u64; 6] },
}

/// `struct ptrace_syscall_info` of `include/uapi/linux/ptrace.h`.
#[repr(C)]
#[derive(Default)]
struct SyscallInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    /// At an entry the number and the arguments, at a return the value.
    words: [u64; 8],
}

/// Becomes the tracer of `pid` and of all its future descendants, without stopping it. When the tracer
/// dies, all of them are killed.
///
/// # Errors
///
/// `EPERM` if it may not be traced or has a tracer, `ESRCH` if it has ended.
pub(super) fn seize(pid: Pid) -> Result<()> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_TRACEEXIT
        | libc::PTRACE_O_TRACESECCOMP
        | libc::PTRACE_O_EXITKILL;
    ask(libc::PTRACE_SEIZE, pid, 0, options as usize)
}

/// Becomes the tracer of `pid`, which stops when it has made a child or a thread. That is traced, too.
///
/// # Errors
///
/// Those of [`seize`].
pub(super) fn seize_for_children(pid: Pid) -> Result<()> {
    let options = libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_EXITKILL;
    ask(libc::PTRACE_SEIZE, pid, 0, options as usize)
}

/// Ends the tracing of a stopped task, which goes on.
pub(super) fn let_go(pid: Pid) {
    // It may have been killed meanwhile.
    _ = ask(libc::PTRACE_DETACH, pid, 0, 0);
}

/// The next stop of any task that this thread traces. `None` if there is none yet, and no `patience` to wait for it.
///
/// # Errors
///
/// `ECHILD` if no task is left.
pub(super) fn wait(patience: bool) -> Result<Option<(Pid, Stop)>> {
    let mut status = 0;
    let options = libc::__WALL | libc::__WNOTHREAD | if patience { 0 } else { libc::WNOHANG };
    let pid = loop {
        // SAFETY: the kernel writes one int.
        match Errno::result(unsafe { libc::waitpid(-1, &raw mut status, options) }) {
            Err(Errno::EINTR) => {}
            Ok(0) => return Ok(None),
            pid => break Pid::from_raw(pid?),
        }
    };
    let event = status >> 16;
    let stop = if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
        Stop::Ended(exit_in(status))
    } else {
        match (libc::WSTOPSIG(status), event) {
            (libc::SIGTRAP, libc::PTRACE_EVENT_STOP) => Stop::Halt(None),
            (signal, libc::PTRACE_EVENT_STOP) => Stop::Halt(Some(signal)),
            (_, 1..) => Stop::Event(event, message(pid).unwrap_or_default()),
            (signal, _) if signal == libc::SIGTRAP | 0x80 => Stop::Call,
            (signal, _) => Stop::Signal(signal),
        }
    };
    Ok(Some((pid, stop)))
}

/// How a task ends, by its status for wait(2).
pub(super) fn exit_in(status: c_int) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Killed(libc::WTERMSIG(status))
    } else {
        Exit::Exited(libc::WEXITSTATUS(status))
    }
}

/// Lets a stopped task run, after it has received `signal` (0 for none): until the next event, or only
/// until the next entry or return of a system call.
pub(super) fn resume(pid: Pid, to_the_next_call: bool, signal: c_int) {
    let request = if to_the_next_call { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT };
    // It may have been killed meanwhile. Then its end is its next stop.
    _ = ask(request, pid, 0, signal as usize);
}

/// Leaves a task stopped until `SIGCONT`, as the signal demands.
pub(super) fn stay_stopped(pid: Pid) {
    _ = ask(libc::PTRACE_LISTEN, pid, 0, 0);
}

pub(super) fn call(pid: Pid) -> Result<At> {
    let mut info = SyscallInfo::default();
    ask(libc::PTRACE_GET_SYSCALL_INFO, pid, size_of::<SyscallInfo>(), (&raw mut info) as usize)?;
    let number = info.words[0] as c_long;
    let mut arguments = [0; 6];
    arguments.copy_from_slice(&info.words[1..7]);
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => Ok(At::Entry { number, arguments }),
        libc::PTRACE_SYSCALL_INFO_EXIT => Ok(At::Return(info.words[0] as i64)),
        libc::PTRACE_SYSCALL_INFO_SECCOMP => Ok(At::Filter { number, arguments }),
        _ => Err(Errno::EINVAL),
    }
}

/// The sender of the signal that a task is about to receive: its pid in the task's PID namespace, 0
/// for a process outside.
pub(super) fn sender(pid: Pid) -> Option<i32> {
    let info = signal_info(pid)?;
    // SAFETY: the kernel has filled it; where no pid belongs to the signal, this reads other
    // fields of the same union, and all of them are integers.
    Some(unsafe { info.si_pid() })
}

/// Whether the kernel itself has sent the signal that a task is about to receive, because of what the task did.
pub(super) fn is_from_the_kernel(pid: Pid) -> bool {
    signal_info(pid).is_some_and(|info| info.si_code > 0)
}

fn signal_info(pid: Pid) -> Option<libc::siginfo_t> {
    // SAFETY: zero is a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    ask(libc::PTRACE_GETSIGINFO, pid, 0, (&raw mut info) as usize).ok()?;
    Some(info)
}

/// Reads at most `length` bytes of a stopped task's memory from `address` on: fewer if the rest is not
/// mapped.
pub(super) fn read(pid: Pid, address: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut read = 0;
    // Page by page: a read that reaches into an unmapped page returns nothing.
    while read < length {
        let at = address as usize + read;
        let rest = (length - read).min(4096 - at % 4096);
        let remote = RemoteIoVec { base: at, len: rest };
        let mut local = [IoSliceMut::new(&mut bytes[read..read + rest])];
        match process_vm_readv(pid, &mut local, &[remote]) {
            Ok(some @ 1..) => read += some,
            Ok(0) | Err(_) => break,
        }
    }
    bytes.truncate(read);
    bytes
}

/// Overwrites eight bytes of a stopped task's memory.
pub(super) fn write_word(pid: Pid, address: u64, word: u64) -> Result<()> {
    ask(libc::PTRACE_POKEDATA, pid, address as usize, word as usize)
}

/// Replaces the first argument of the system call at whose entry a task has stopped.
pub(super) fn set_first_argument(pid: Pid, value: u64) -> Result<()> {
    // SAFETY: zero is a valid user_regs_struct.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    let mut vector = libc::iovec {
        iov_base: (&raw mut registers).cast::<c_void>(),
        iov_len: size_of::<libc::user_regs_struct>(),
    };
    const NT_PRSTATUS: usize = 1;
    ask(libc::PTRACE_GETREGSET, pid, NT_PRSTATUS, (&raw mut vector) as usize)?;
    #[cfg(target_arch = "x86_64")]
    {
        registers.rdi = value;
    }
    #[cfg(target_arch = "aarch64")]
    {
        registers.regs[0] = value;
    }
    #[cfg(target_arch = "x86")]
    {
        registers.ebx = value as _;
    }
    vector.iov_base = (&raw mut registers).cast::<c_void>();
    ask(libc::PTRACE_SETREGSET, pid, NT_PRSTATUS, (&raw mut vector) as usize)
}

fn message(pid: Pid) -> Result<u64> {
    let mut message: u64 = 0;
    ask(libc::PTRACE_GETEVENTMSG, pid, 0, (&raw mut message) as usize)?;
    Ok(message)
}

/// ptrace(2) itself. `data` is a number or the address of what the request reads or writes.
fn ask(request: libc::c_uint, pid: Pid, address: usize, data: usize) -> Result<()> {
    let pointer = |number: usize| ptr::with_exposed_provenance_mut::<c_void>(number);
    // SAFETY: the callers pass addresses of values of the size that the request asks for, which
    // live until the call returns.
    let done = unsafe { libc::ptrace(request as _, pid.as_raw(), pointer(address), pointer(data)) };
    Errno::result(done).map(drop)
}

//! Filters of system calls (seccomp(2)): small programs of the Berkeley packet filter, which the
//! kernel runs at the entry of every call.

use std::mem::offset_of;

use libc::{seccomp_data, sock_filter};
use nix::errno::Errno;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64
#[cfg(target_arch = "x86")]
const ARCH: u32 = 0x4000_0003; // AUDIT_ARCH_I386

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const IS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
#[cfg(target_arch = "x86_64")]
const FROM: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const ANSWER: u32 = libc::BPF_RET | libc::BPF_K;

/// A filter under construction. It allows every call that no rule answers.
pub(crate) struct Filter {
    program: Vec<sock_filter>,
}

impl Filter {
    /// `other` is the answer to calls of another instruction set (32-bit), whose numbers differ.
    pub(crate) fn new(other: u32) -> Filter {
        let mut filter = Filter { program: Vec::new() };
        filter.op(LOAD, offset_of!(seccomp_data, arch) as u32, 0, 0);
        filter.op(IS, ARCH, 1, 0);
        filter.op(ANSWER, other, 0, 0);
        filter.load_number();
        // x32 is the same architecture to the kernel, with a bit set in the numbers
        // (`asm/unistd.h`).
        #[cfg(target_arch = "x86_64")]
        {
            filter.op(FROM, 0x4000_0000, 0, 1);
            filter.op(ANSWER, other, 0, 0);
        }
        filter
    }

    /// Answers this call with `SECCOMP_RET_*`.
    pub(crate) fn on(mut self, call: libc::c_long, answer: u32) -> Filter {
        self.op(IS, call as u32, 0, 1);
        self.op(ANSWER, answer, 0, 0);
        self
    }

    /// Answers this call if its argument (counted from 0) is this number.
    pub(crate) fn on_value(
        self,
        call: libc::c_long,
        argument: usize,
        value: u32,
        answer: u32,
    ) -> Filter {
        self.on_masked(call, argument, u32::MAX, value, answer)
    }

    /// Answers this call if its argument (counted from 0) has these bits of `mask`.
    pub(crate) fn on_masked(
        self,
        call: libc::c_long,
        argument: usize,
        mask: u32,
        value: u32,
        answer: u32,
    ) -> Filter {
        self.compare(call, argument, mask, (value, true), answer)
    }

    /// Answers this call if one of the bits of `mask` is set in its argument (counted from 0).
    pub(crate) fn on_bits(
        self,
        call: libc::c_long,
        argument: usize,
        mask: u32,
        answer: u32,
    ) -> Filter {
        self.compare(call, argument, mask, (0, false), answer)
    }

    /// Answers this call if its argument (counted from 0) is none of these numbers.
    pub(crate) fn on_others(
        mut self,
        call: libc::c_long,
        argument: usize,
        known: &[u32],
        answer: u32,
    ) -> Filter {
        let many = known.len() as u8;
        self.op(IS, call as u32, 0, many + 3);
        self.op(LOAD, lower_half(argument), 0, 0);
        for (value, left) in known.iter().zip((1..=many).rev()) {
            self.op(IS, *value, left, 0);
        }
        self.op(ANSWER, answer, 0, 0);
        self.load_number();
        self
    }

    /// Answers this call if the bits of `mask` in its argument are `value`, or if they are not.
    /// More rules for the same call may follow.
    fn compare(
        mut self,
        call: libc::c_long,
        argument: usize,
        mask: u32,
        (value, equal): (u32, bool),
        answer: u32,
    ) -> Filter {
        self.op(IS, call as u32, 0, 5);
        self.op(LOAD, lower_half(argument), 0, 0);
        self.op(AND, mask, 0, 0);
        self.op(IS, value, u8::from(!equal), u8::from(equal));
        self.op(ANSWER, answer, 0, 0);
        self.load_number();
        self
    }

    /// Installs the filter for this process and its future descendants.
    ///
    /// # Errors
    ///
    /// `EACCES` if this process has neither no_new_privs (prctl(2)) nor CAP_SYS_ADMIN.
    pub(crate) fn install(mut self) -> nix::Result<()> {
        self.op(ANSWER, libc::SECCOMP_RET_ALLOW, 0, 0);
        let program =
            libc::sock_fprog { len: self.program.len() as u16, filter: self.program.as_mut_ptr() };
        // SAFETY: `program` and its filter outlive the call; the kernel copies them.
        let set = unsafe {
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
        };
        Errno::result(set).map(drop)
    }

    /// Every rule expects the call's number to be loaded.
    fn load_number(&mut self) {
        self.op(LOAD, offset_of!(seccomp_data, nr) as u32, 0, 0);
    }

    fn op(&mut self, code: u32, k: u32, yes: u8, no: u8) {
        self.program.push(sock_filter { code: code as u16, jt: yes, jf: no, k });
    }
}

/// The offset of an argument's lower half, on a little-endian machine. The kernel reads no more of
/// it where a call takes a C int.
fn lower_half(argument: usize) -> u32 {
    (offset_of!(seccomp_data, args) + argument * size_of::<u64>()) as u32
}

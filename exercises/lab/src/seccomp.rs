//! Filters of system calls (seccomp(2)): small programs of the Berkeley packet filter, which the
//! kernel runs at the entry of every call.

use std::mem::offset_of;

use libc::{seccomp_data, sock_filter};
use nix::errno::Errno;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const IS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
#[cfg(target_arch = "x86_64")]
const FROM: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const ANSWER: u32 = libc::BPF_RET | libc::BPF_K;

/// A filter in the making: it knows calls by number, and lets the others through.
pub(crate) struct Filter {
    program: Vec<sock_filter>,
}

impl Filter {
    /// `other` is the answer to calls of another instruction set (32-bit), which have other
    /// numbers.
    pub(crate) fn new(other: u32) -> Filter {
        let mut filter = Filter { program: Vec::new() };
        filter.op(LOAD, offset_of!(seccomp_data, arch) as u32, 0, 0);
        filter.op(IS, ARCH, 1, 0);
        filter.op(ANSWER, other, 0, 0);
        filter.load_number();
        // x32: the same architecture by name, with a bit set in the numbers (`asm/unistd.h`).
        #[cfg(target_arch = "x86_64")]
        {
            filter.op(FROM, 0x4000_0000, 0, 1);
            filter.op(ANSWER, other, 0, 0);
        }
        filter
    }

    /// Answers this call.
    pub(crate) fn on(mut self, call: libc::c_long, answer: u32) -> Filter {
        self.op(IS, call as u32, 0, 1);
        self.op(ANSWER, answer, 0, 0);
        self
    }

    /// Answers this call where its argument (from 0) is this number.
    pub(crate) fn on_value(
        self,
        call: libc::c_long,
        argument: usize,
        value: u32,
        answer: u32,
    ) -> Filter {
        self.on_masked(call, argument, u32::MAX, value, answer)
    }

    /// Answers this call where the bits of `mask` are these in its argument (from 0).
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

    /// Answers this call where one of the bits of `mask` is set in its argument (from 0).
    pub(crate) fn on_bits(
        self,
        call: libc::c_long,
        argument: usize,
        mask: u32,
        answer: u32,
    ) -> Filter {
        self.compare(call, argument, mask, (0, false), answer)
    }

    /// Answers this call where its argument (from 0) is none of these numbers.
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

    /// Answers this call where the bits of `mask` in its argument are a value, or are not. There may
    /// be more rules for the same call.
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

    /// Puts the filter over this process and all that it will start. It needs no_new_privs
    /// (prctl(2)) or CAP_SYS_ADMIN.
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

    /// Every rule begins with the call's number.
    fn load_number(&mut self) {
        self.op(LOAD, offset_of!(seccomp_data, nr) as u32, 0, 0);
    }

    fn op(&mut self, code: u32, k: u32, yes: u8, no: u8) {
        self.program.push(sock_filter { code: code as u16, jt: yes, jf: no, k });
    }
}

/// Where the lower half of an argument is, on a little-endian machine: who takes a C int there, looks
/// at no more.
fn lower_half(argument: usize) -> u32 {
    (offset_of!(seccomp_data, args) + argument * size_of::<u64>()) as u32
}

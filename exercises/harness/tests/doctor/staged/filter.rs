//! seccomp(2) filters under which calls fail as in containers and on old kernels.

use nix::errno::Errno;

type Filter = Vec<libc::sock_filter>;

/// All namespace flags, as in Docker's profile.
const NAMESPACES: u32 = 0x7e02_0000;

/// The calls that matter here of moby/profiles, seccomp/default.json, without CAP_SYS_ADMIN.
pub(super) fn like_docker() -> Result<(), String> {
    let mut filter = Vec::new();
    answer(&mut filter, libc::SYS_clone3, Errno::ENOSYS);
    for call in [libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_umount2] {
        answer(&mut filter, call, Errno::EPERM);
    }
    answer_flags(&mut filter, libc::SYS_clone, NAMESPACES, Errno::EPERM);
    load(filter)
}

pub(super) fn without_mount() -> Result<(), String> {
    let mut filter = Vec::new();
    answer(&mut filter, libc::SYS_mount, Errno::EPERM);
    load(filter)
}

/// As on a kernel without namespaces.
pub(super) fn without_namespaces() -> Result<(), String> {
    let mut filter = Vec::new();
    for call in [libc::SYS_clone3, libc::SYS_unshare, libc::SYS_setns] {
        answer(&mut filter, call, Errno::ENOSYS);
    }
    answer_flags(&mut filter, libc::SYS_clone, NAMESPACES, Errno::ENOSYS);
    load(filter)
}

/// As systemd's SystemCallFilter= does by default.
pub(super) fn that_kills() -> Result<(), String> {
    let kill = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_KILL_PROCESS);
    load(vec![jump(libc::BPF_JEQ, libc::SYS_mount as u32, 0, 1), kill])
}

/// As on a kernel without CONFIG_TIME_NS.
pub(super) fn without_time() -> Result<(), String> {
    let mut filter = Vec::new();
    answer_flags(&mut filter, libc::SYS_unshare, libc::CLONE_NEWTIME as u32, Errno::EINVAL);
    load(filter)
}

/// As with Docker's profile on kernels before 4.8.
pub(super) fn without_ptrace() -> Result<(), String> {
    let mut filter = Vec::new();
    answer(&mut filter, libc::SYS_ptrace, Errno::EPERM);
    load(filter)
}

/// As on Linux 5.10.
pub(super) fn like_an_old_kernel() -> Result<(), String> {
    let mut filter = Vec::new();
    answer(&mut filter, libc::SYS_mount_setattr, Errno::ENOSYS);
    load(filter)
}

/// One call fails with an errno.
fn answer(filter: &mut Filter, call: libc::c_long, errno: Errno) {
    filter.extend([
        jump(libc::BPF_JEQ, call as u32, 0, 1),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32),
    ]);
}

/// One call fails with an errno if its first argument has one of these bits.
fn answer_flags(filter: &mut Filter, call: libc::c_long, flags: u32, errno: Errno) {
    let number = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    // The lower half comes first: x86_64 and aarch64 are little-endian.
    let argument = std::mem::offset_of!(libc::seccomp_data, args) as u32;
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    filter.extend([
        jump(libc::BPF_JEQ, call as u32, 0, 4),
        statement(load, argument),
        jump(libc::BPF_JSET, flags, 0, 1),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(load, number),
    ]);
}

fn jump(condition: u32, value: u32, yes: u8, no: u8) -> libc::sock_filter {
    let code = (libc::BPF_JMP | condition | libc::BPF_K) as u16;
    libc::sock_filter { code, jt: yes, jf: no, k: value }
}

fn statement(code: u32, value: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k: value }
}

/// Loads a filter that allows all other calls. `PR_SET_NO_NEW_PRIVS` makes that possible without
/// capabilities.
fn load(rules: Filter) -> Result<(), String> {
    let number = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, number)];
    filter.extend(rules);
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    nix::sys::prctl::set_no_new_privs().map_err(|errno| format!("no_new_privs: {errno}"))?;
    // SAFETY: `program` and its filter outlive the call; the kernel copies them.
    let loaded =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    Errno::result(loaded).map(drop).map_err(|errno| format!("seccomp: {errno}"))
}

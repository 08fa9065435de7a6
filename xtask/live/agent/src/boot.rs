//! The first process of the machine in a page: mounts what the labs take, and becomes the agent.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::process::ExitCode;
use std::thread;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{chdir, chroot, execve, sethostname};

use crate::{confine, serve};

/// What the second start of this program is called, when the root directory is one that can be pivoted.
const AGENT: &str = "agent";

/// How many seconds each step of making a lab may take.
const PATIENCE: u32 = 60;

const PORTS: [&str; 2] = ["/dev/ttyS0", "/dev/ttyS1"];

/// Started by the kernel as `init`, and then once more by itself. Does not return as long as all is well.
pub fn main() -> ExitCode {
    let second = std::env::args().next().is_some_and(|name| name.ends_with(AGENT));
    let error = match if second { agent() } else { root().map(|never| match never {}) } {
        Ok(()) => "the page closed the port of the agent".to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("the machine has no agent: {error}");
    // The kernel panics when PID 1 ends, and would hide the message.
    loop {
        thread::park();
    }
}

/// Puts a tmpfs over the first root directory, which pivot_root(2) refuses to move. The programs are not
/// copied: the new one shows them by bind mounts.
fn root() -> io::Result<Infallible> {
    let new = "/new";
    fs::create_dir_all(new)?;
    mounted("tmpfs", new, "tmpfs", Some("mode=755,size=50%,nr_inodes=8k"))?;
    for folder in ["usr", "opt"] {
        let to = format!("{new}/{folder}");
        fs::create_dir_all(&to)?;
        fs::create_dir_all(format!("/{folder}"))?;
        let from = format!("/{folder}");
        mount(Some(from.as_str()), to.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    for folder in ["proc", "sys", "dev", "run", "tmp", "etc", "root", "mnt", "var"] {
        fs::create_dir(format!("{new}/{folder}"))?;
    }
    for link in ["bin", "sbin", "lib"] {
        symlink(format!("usr/{link}"), format!("{new}/{link}"))?;
    }
    chdir(new)?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>)?;
    chroot(".")?;
    chdir("/")?;
    let program = c"/usr/lib/book/agent";
    let text = |text: String| CString::new(text).expect("it has no zero byte");
    // The lab's own patience is that of a processor, not of an emulated one in a busy browser.
    let environment = [text(format!("{}={PATIENCE}", lab::env::PATIENCE))];
    Ok(execve(program, &[text(AGENT.to_owned())], &environment)?)
}

fn mounted(source: &str, at: &str, kind: &str, options: Option<&str>) -> nix::Result<()> {
    mount(Some(source), at, Some(kind), MsFlags::empty(), options)
}

fn agent() -> io::Result<()> {
    mounted("proc", "/proc", "proc", None)?;
    mounted("sys", "/sys", "sysfs", None)?;
    match mounted("dev", "/dev", "devtmpfs", None) {
        // The kernel has mounted it itself.
        Ok(()) | Err(Errno::EBUSY) => {}
        Err(errno) => return Err(errno.into()),
    }
    fs::create_dir_all("/dev/pts")?;
    fs::create_dir_all("/dev/shm")?;
    mounted("devpts", "/dev/pts", "devpts", Some("mode=620,ptmxmode=666"))?;
    mounted("shm", "/dev/shm", "tmpfs", None)?;
    mounted("cgroup2", "/sys/fs/cgroup", "cgroup2", None)?;
    confine::prepare()?;
    sethostname("machine")?;
    // The loader's list of libraries, which the labs show.
    symlink("/usr/lib/book/ld.so.cache", "/etc/ld.so.cache")?;
    let [console, port] = PORTS.map(|path| File::options().read(true).write(true).open(path));
    let (console, port) = (console?, port?);
    for file in [&console, &port] {
        let mut settings = tcgetattr(file)?;
        cfmakeraw(&mut settings);
        tcsetattr(file, SetArg::TCSANOW, &settings)?;
    }
    let answers = port.try_clone()?;
    (&console).write_all(b"ready\r\n")?;
    serve(BufReader::new(port), answers, &console)
}

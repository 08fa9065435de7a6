//! ch17-line FILE…: executes each FILE in a child, and reports the errno if that has failed.

use std::ffi::CString;
use std::io::{Read as _, Write as _, pipe};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, execv, fork};

fn main() -> anyhow::Result<()> {
    for file in std::env::args().skip(1) {
        let name = CString::new(file.as_str())?;
        // Both ends are close-on-exec.
        let (mut hear, mut say) = pipe()?;
        // SAFETY: this process has one thread.
        let child = match unsafe { fork() }? {
            ForkResult::Parent { child } => child,
            ForkResult::Child => {
                // This call returns only if it has failed.
                let Err(errno) = execv(&name, &[&name]);
                _ = say.write_all(&(errno as i32).to_ne_bytes());
                // SAFETY: _exit takes an integer, and never returns.
                unsafe { libc::_exit(127) }
            }
        };
        // As long as this process has the child's end, the next read does not come to its end.
        drop(say);
        let mut bytes = Vec::new();
        hear.read_to_end(&mut bytes)?;
        let WaitStatus::Exited(_, status) = waitpid(child, None)? else { continue };
        match <[u8; 4]>::try_from(bytes) {
            Ok(errno) => println!("{file}: {}", Errno::from_raw(i32::from_ne_bytes(errno))),
            Err(_) => println!("{file}: executed, and its status was {status}"),
        }
    }
    Ok(())
}

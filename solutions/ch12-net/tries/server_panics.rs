//! Named: nothing
//! The server for outside panics at its first client, which gets no word.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::{mem, thread};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [port, outside, inside, dashes, command, args @ ..] if dashes == "--" => {
            number(port).and_then(|port| run(port, outside, inside, command, args))
        }
        _ => Err(anyhow!("usage: ch12-net PORT OUTSIDE INSIDE -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch12-net: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn number(port: &OsStr) -> Result<u16> {
    let number = port.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{port:?} is not a port"))
}

fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
fn run(
    port: u16,
    outside: &OsStr,
    inside: &OsStr,
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    let here = TcpListener::bind(("127.0.0.1", port))?;
    thread::spawn(move || {
        for stream in here.incoming() {
            let mut s = stream.unwrap();
            let mut line = [0; 4];
            s.set_nonblocking(true).unwrap();
            s.read_exact(&mut line).unwrap();
        }
    });
    unshare(CloneFlags::CLONE_NEWNET)?;
    lo_up()?;
    let there = TcpListener::bind(("127.0.0.1", port))?;
    serve(there, inside.as_bytes().to_vec());
    go(command, args)
}

fn serve(listener: TcpListener, text: Vec<u8>) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            if let Ok(mut stream) = stream {
                _ = stream.write_all(&text);
            }
        }
    });
}

fn lo_up() -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    request.ifr_name[0] = b'l' as _;
    request.ifr_name[1] = b'o' as _;
    Errno::result(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &mut request)
    })
    .context("SIOCGIFFLAGS")?;
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as i16 };
    Errno::result(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &mut request)
    })
    .context("SIOCSIFFLAGS")?;
    Ok(())
}

fn go(command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    Command::new(command).args(args).status().context("execve")
}

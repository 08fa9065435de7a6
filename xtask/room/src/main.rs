//! `cargo xtask room`, which builds this program and starts it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use room::keep::Kept;
use room::serve::{Shared, serve};
use room::state::Room;
use tokio::signal::unix::{SignalKind, signal};
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::edition::edition;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::room::{Address, PORT, USAGE};
use xtask::shared::screen;

fn main() -> ExitCode {
    command(Arguments::new(std::env::args_os().skip(1))).unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}

fn command(mut arguments: Arguments) -> Result {
    let (mut port, mut keep) = (PORT, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("port") => {
                let word = arguments.value("a number")?;
                let number = word.to_str().and_then(|word| word.parse().ok());
                port = number.ok_or_else(|| {
                    Failure::usage(format!("`{}` is no port", word.display()))
                        .help("a port is a number up to 65535; 0 takes any that is free")
                })?;
            }
            Argument::Long("keep") => keep = Some(PathBuf::from(arguments.value("a file")?)),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let listener = listen(port)?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    let (kept, known) = match &keep {
        Some(file) => Kept::open(file).map(|(kept, known)| (Some(kept), known))?,
        None => (None, None),
    };
    let went_on = known.is_some();
    let room = match known {
        Some(room) => room,
        None => Room::new(&code()?),
    };
    if let (Some(kept), Some(file)) = (&kept, &keep) {
        kept.write(&room).map_err(|error| {
            Failure::file(format!("could not write `{}`", file.display()), &error)
        })?;
    }
    let address = |host: IpAddr| {
        Address { host: host.to_string(), port, code: room.code.clone() }.to_string()
    };
    let own = own_addresses();
    let first = address(own.first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let mut said = match went_on {
        true => "the room is open again, with all who were in it\n".to_owned(),
        false => "the room is open\n".to_owned(),
    };
    said += &format!("its page:     {first}/\n");
    for other in own.iter().skip(1) {
        said += &format!("        or    {}/\n", address(*other));
    }
    said += &format!("participants: cargo xtask join {first} NAME\n");
    said += &match &keep {
        Some(file) => {
            format!("it is kept in `{}`; the same command opens it again\n", file.display())
        }
        None => "it is kept nowhere, and forgets all when it ends\n".to_owned(),
    };
    let failure =
        |error: String| Failure::machine(format!("the room could not be opened: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(|error| failure(error.to_string()))?.block_on(async {
        let [mut interrupt, mut terminate] =
            [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let shared = Arc::new(Shared::new(room, kept, first, edition()));
        let interrupt = interrupt.as_mut().map_err(|error| error.to_string())?;
        let terminate = terminate.as_mut().map_err(|error| error.to_string())?;
        // Only now, because who reads it may act on it.
        screen::print(&(said + "Ctrl-C ends it\n"));
        tokio::select! {
            never = serve(listener, shared) => never.map(|_| ()).map_err(|error| error.to_string()),
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    });
    ended.map_err(failure)?;
    screen::print(&match keep {
        Some(file) => format!("\nthe room has ended; `{}` has it\n", file.display()),
        None => "\nthe room has ended, and has forgotten all\n".to_owned(),
    });
    Ok(ExitCode::SUCCESS)
}

/// Listens on all addresses of this machine, of IPv4 and, where there is one, of IPv6.
fn listen(port: u16) -> Result<TcpListener> {
    let both = TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
    let bound = match both {
        Err(error)
            if error.kind() != ErrorKind::AddrInUse
                && error.kind() != ErrorKind::PermissionDenied =>
        {
            TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
        }
        both => both,
    };
    bound.map_err(|error| {
        let failure = Failure::machine(format!("could not listen on port {port}: {error}"));
        match error.kind() {
            ErrorKind::AddrInUse => failure.help(
                "another program listens there, perhaps a room; choose another with `--port N`, where 0 \
                 takes any that is free",
            ),
            ErrorKind::PermissionDenied => failure.help("ports below 1024 are root's; choose a higher one"),
            _ => failure,
        }
    })
}

/// The addresses at which others may reach this machine, those of IPv4 first, because they are shorter to type.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = getifaddrs().into_iter().flatten();
    let up = interfaces.filter(|interface| {
        interface.flags.contains(InterfaceFlags::IFF_UP)
            && !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK)
    });
    let addresses = up.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        let v6 = || address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()));
        v4.or_else(v6)
    });
    // One that is valid on a cable only cannot be typed without its interface's name.
    let is_shared = |address: &IpAddr| match address {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    };
    let mut addresses: Vec<IpAddr> = addresses.filter(is_shared).collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    addresses
}

/// Six characters that nobody takes for one another.
fn code() -> Result<String> {
    const CHARACTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 6];
    let random = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    random.map_err(|error| Failure::file("could not read `/dev/urandom`", &error))?;
    Ok(bytes
        .map(|byte| char::from(CHARACTERS[usize::from(byte) % CHARACTERS.len()]))
        .iter()
        .collect())
}

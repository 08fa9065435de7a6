//! Messages between the processes of a sandbox: bytes and descriptors over a Unix socket that
//! keeps message boundaries (`SOCK_SEQPACKET`).
//!
//! Both ends are the same program, so the encoding is private ([`Wire`]).

use std::ffi::OsString;
use std::io::{IoSlice, IoSliceMut};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use nix::Result;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixCredentials, recv, recvmsg, sendmsg, socketpair,
};

/// The most bytes of a message, such as a request with its arguments. The default socket buffer is
/// larger (208 KiB).
pub(crate) const LONGEST: usize = 128 * 1024;

/// A pair of connected sockets, both close-on-exec.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
}

/// Sends one message with descriptors.
///
/// # Errors
///
/// `E2BIG` for more than [`LONGEST`] bytes, which the receiver would cut, and those of sendmsg(2).
pub(crate) fn send(socket: BorrowedFd, bytes: &[u8], fds: &[BorrowedFd]) -> Result<()> {
    if bytes.len() > LONGEST {
        return Err(Errno::E2BIG);
    }
    let raw: Vec<_> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &[][..] } else { &rights[..] };
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    Ok(())
}

/// One message as it arrived.
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
    /// The sender's pid, uid and gid as they are here, from the kernel. Only a socket with
    /// `SO_PASSCRED` receives them (unix(7)).
    pub(crate) sender: Option<UnixCredentials>,
}

/// The next message; `None` when every copy of the other end is closed.
pub(crate) fn receive(socket: BorrowedFd) -> Result<Option<Received>> {
    let mut control = nix::cmsg_space!([i32; 64], UnixCredentials);
    // The length first, because zeroing a buffer for the longest message takes longer than reading
    // most.
    let peek = MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
    let length = loop {
        match recv(socket.as_raw_fd(), &mut [], peek) {
            Err(Errno::EINTR) => {}
            length => break length?,
        }
    };
    let mut bytes = vec![0; length.min(LONGEST)];
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    let (mut fds, mut sender) = (Vec::new(), None);
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::ScmRights(raw) => {
                // SAFETY: the kernel has just made these descriptors, and they have no other owner.
                fds.extend(raw.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
            ControlMessageOwned::ScmCredentials(ids) => sender = Some(ids),
            _ => {}
        }
    }
    let length = message.bytes;
    bytes.truncate(length);
    Ok((length > 0).then_some(Received { bytes, fds, sender }))
}

/// A value that travels in a message. A number takes eight bytes; a text or a list, its length and
/// its items; a structure, its fields in their order; an enumeration, a number before its fields.
pub(crate) trait Wire: Sized {
    fn encode(&self, to: &mut Vec<u8>);

    /// Takes the value from the front of `from`; `None` if that ends too early or is not such a
    /// value.
    fn decode(from: &mut &[u8]) -> Option<Self>;

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }

    /// The value that the bytes are, all of them.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let value = Self::decode(&mut bytes)?;
        bytes.is_empty().then_some(value)
    }
}

macro_rules! wire_numbers {
    ($($number:ty)*) => {$(
        impl Wire for $number {
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend((*self as u64).to_le_bytes());
            }

            fn decode(from: &mut &[u8]) -> Option<$number> {
                let (number, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(u64::from_le_bytes(*number) as $number)
            }
        }
    )*};
}

wire_numbers!(u8 u16 u32 i32 u64);

impl Wire for bool {
    fn encode(&self, to: &mut Vec<u8>) {
        u64::from(*self).encode(to);
    }

    fn decode(from: &mut &[u8]) -> Option<bool> {
        Some(u64::decode(from)? != 0)
    }
}

impl Wire for Errno {
    fn encode(&self, to: &mut Vec<u8>) {
        (*self as i32).encode(to);
    }

    fn decode(from: &mut &[u8]) -> Option<Errno> {
        Some(Errno::from_raw(i32::decode(from)?))
    }
}

impl Wire for OsString {
    fn encode(&self, to: &mut Vec<u8>) {
        (self.len() as u64).encode(to);
        to.extend(self.as_bytes());
    }

    fn decode(from: &mut &[u8]) -> Option<OsString> {
        let length = usize::try_from(u64::decode(from)?).ok()?;
        let (bytes, rest) = from.split_at_checked(length)?;
        *from = rest;
        Some(OsString::from_vec(bytes.to_vec()))
    }
}

impl Wire for String {
    fn encode(&self, to: &mut Vec<u8>) {
        (self.len() as u64).encode(to);
        to.extend(self.as_bytes());
    }

    fn decode(from: &mut &[u8]) -> Option<String> {
        OsString::decode(from)?.into_string().ok()
    }
}

impl Wire for IpAddr {
    fn encode(&self, to: &mut Vec<u8>) {
        self.to_string().encode(to);
    }

    fn decode(from: &mut &[u8]) -> Option<IpAddr> {
        String::decode(from)?.parse().ok()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        (self.len() as u64).encode(to);
        self.iter().for_each(|item| item.encode(to));
    }

    fn decode(from: &mut &[u8]) -> Option<Vec<T>> {
        // Collected item by item: the length may be any number, so it reserves no memory.
        (0..u64::decode(from)?).map(|_| T::decode(from)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.is_some().encode(to);
        self.iter().for_each(|value| value.encode(to));
    }

    fn decode(from: &mut &[u8]) -> Option<Option<T>> {
        Some(if bool::decode(from)? { Some(T::decode(from)?) } else { None })
    }
}

impl<T: Wire, E: Wire> Wire for std::result::Result<T, E> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.is_ok().encode(to);
        match self {
            Ok(value) => value.encode(to),
            Err(error) => error.encode(to),
        }
    }

    fn decode(from: &mut &[u8]) -> Option<std::result::Result<T, E>> {
        Some(if bool::decode(from)? { Ok(T::decode(from)?) } else { Err(E::decode(from)?) })
    }
}

impl Wire for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
    }

    fn decode(from: &mut &[u8]) -> Option<(A, B)> {
        Some((A::decode(from)?, B::decode(from)?))
    }
}

/// Implements [`Wire`] for a structure by its fields, all of them, or for an enumeration by its
/// variants, each with a number of its own.
macro_rules! wire {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::helper::wire::Wire for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.encode(to);)*
            }

            fn decode(from: &mut &[u8]) -> Option<Self> {
                $(let $field = $crate::helper::wire::Wire::decode(from)?;)*
                Some(Self { $($field),* })
            }
        }
    };
    (enum $name:ident {
        $($number:literal => $variant:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)?
    }) => {
        impl $crate::helper::wire::Wire for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($($item),*))? $({ $($field),* })? => {
                        $crate::helper::wire::Wire::encode(&($number as u64), to);
                        $($($item.encode(to);)*)?
                        $($($field.encode(to);)*)?
                    })*
                }
            }

            fn decode(from: &mut &[u8]) -> Option<Self> {
                match <u64 as $crate::helper::wire::Wire>::decode(from)? {
                    $($number => {
                        $($(let $item = $crate::helper::wire::Wire::decode(from)?;)*)?
                        $($(let $field = $crate::helper::wire::Wire::decode(from)?;)*)?
                        Some(Self::$variant $(($($item),*))? $({ $($field),* })?)
                    })*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use wire;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

    #[test]
    fn a_message_arrives_whole_with_its_descriptors() {
        let (one, other) = pair().unwrap();
        let message = (7_u64, ("größer".to_owned(), vec![Some(-1_i32), None]));
        send(one.as_fd(), &message.to_bytes(), &[one.as_fd()]).unwrap();
        let received = receive(other.as_fd()).unwrap().unwrap();
        assert_eq!(Wire::from_bytes(&received.bytes), Some(message));
        assert_eq!(received.fds.len(), 1);
    }

    #[test]
    fn a_message_that_is_too_short_or_too_long_is_refused() {
        let message = vec!["abc".to_owned(), "def".to_owned()].to_bytes();
        for length in 0..message.len() {
            assert_eq!(Vec::<String>::from_bytes(&message[..length]), None, "{length} bytes");
        }
        assert_eq!(Vec::<String>::from_bytes(&[&message[..], b"x"].concat()), None);
        assert_eq!(Vec::<String>::from_bytes(&u64::MAX.to_le_bytes()), None);
    }

    #[test]
    fn what_would_be_cut_is_not_sent() {
        let (one, _other) = pair().unwrap();
        assert_eq!(send(one.as_fd(), &[0; LONGEST + 1], &[]), Err(Errno::E2BIG));
        assert_eq!(send(one.as_fd(), &[0; LONGEST], &[]), Ok(()));
    }

    #[test]
    fn an_end_is_not_a_message() {
        let (one, other) = pair().unwrap();
        drop(one);
        assert!(receive(other.as_fd()).unwrap().is_none());
    }
}

//! Messages between the processes of a sandbox: bytes and descriptors over a Unix socket that
//! keeps message boundaries (`SOCK_SEQPACKET`).
//!
//! The two ends are the same program, so the encoding is private: a string is its length and its
//! bytes, a list its length and its items.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::Result;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixCredentials, recv, recvmsg, sendmsg, socketpair,
};

/// The longest message: a request with its arguments. Under the default socket buffer (208 KiB).
pub(crate) const LONGEST: usize = 128 * 1024;

/// A pair of connected sockets, both close-on-exec.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
}

/// # Errors
///
/// `E2BIG` for a message that the other end would have to cut, and those of sendmsg(2).
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
    /// The sender's ids, translated by the kernel into ours; only where the socket asks for them
    /// with `SO_PASSCRED` (unix(7)).
    pub(crate) sender: Option<UnixCredentials>,
}

/// The next message; `None` when every writer has closed its end.
pub(crate) fn receive(socket: BorrowedFd) -> Result<Option<Received>> {
    receive_with(socket, nix::cmsg_space!([i32; 64], UnixCredentials))
}

/// The same from somebody who may send anything. There is room for their ids and for no
/// descriptor, so the kernel takes none of theirs into our table; a message with some is an error
/// (`ENOBUFS`).
pub(crate) fn receive_untrusted(socket: BorrowedFd) -> Result<Option<Received>> {
    receive_with(socket, nix::cmsg_space!(UnixCredentials))
}

fn receive_with(socket: BorrowedFd, mut control: Vec<u8>) -> Result<Option<Received>> {
    // Its length first: to clear room for the longest takes longer than to read most of them.
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
                // SAFETY: the kernel just made these descriptors for us.
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

/// Builds a message.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn list<T>(
        &mut self,
        items: &[T],
        mut each: impl FnMut(&mut Self, &T),
    ) -> &mut Self {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }
}

/// Takes a message apart. `None` where it ends too early or is not what was asked for.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn bytes(&mut self) -> Option<Vec<u8>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }

    pub(crate) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| each(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

    #[test]
    fn a_message_arrives_whole_with_its_descriptors() {
        let (ours, theirs) = pair().unwrap();
        let mut message = Writer::default();
        message.number(7).text("größer").list(&["a", "b"], |w, s| {
            w.text(s);
        });
        send(ours.as_fd(), &message.0, &[ours.as_fd()]).unwrap();
        let received = receive(theirs.as_fd()).unwrap().unwrap();
        let mut reader = Reader(&received.bytes);
        assert_eq!(reader.number(), Some(7));
        assert_eq!(reader.text().as_deref(), Some("größer"));
        assert_eq!(reader.list(|r| r.text()), Some(vec!["a".into(), "b".into()]));
        assert_eq!(received.fds.len(), 1);
    }

    #[test]
    fn a_cut_message_is_refused() {
        let mut message = Writer::default();
        message.list(&["abc", "def"], |w, s| {
            w.text(s);
        });
        for length in 0..message.0.len() {
            assert_eq!(Reader(&message.0[..length]).list(|r| r.text()), None, "{length} bytes");
        }
        assert_eq!(Reader(&u64::MAX.to_le_bytes()).list(|r| r.text()), None);
    }

    #[test]
    fn what_would_be_cut_is_not_sent() {
        let (ours, _theirs) = pair().unwrap();
        assert_eq!(send(ours.as_fd(), &[0; LONGEST + 1], &[]), Err(Errno::E2BIG));
        assert_eq!(send(ours.as_fd(), &[0; LONGEST], &[]), Ok(()));
    }

    #[test]
    fn the_end_is_told_from_a_message() {
        let (ours, theirs) = pair().unwrap();
        drop(ours);
        assert!(receive(theirs.as_fd()).unwrap().is_none());
    }
}

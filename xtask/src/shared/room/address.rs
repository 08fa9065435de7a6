//! Where a room is: `http://HOST:PORT/CODE`.

use std::fmt;

use crate::shared::failure::{Failure, Result};

/// The room listens there if nobody says otherwise.
pub const PORT: u16 = 8440;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, or a number; a number of IPv6 without its brackets.
    pub host: String,
    pub port: u16,
    /// As [`code_of`] returns it.
    pub code: String,
}

impl Address {
    /// Reads what a person has copied from a wall: `http://` may be missing, and so may the port.
    ///
    /// # Errors
    ///
    /// It is none, and why.
    pub fn read(text: &str) -> Result<Address> {
        let shown: String = text.chars().take(80).collect();
        let failure = |why: &str| {
            Failure::usage(format!("`{shown}` is no address of a room: {why}"))
                .help("copy it from the room's page; it looks like `http://192.0.2.7:8440/k7qm3w`")
        };
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("https://") {
            return Err(failure("a room speaks `http://`, and not `https://`"));
        }
        let rest = if lower.starts_with("http://") { &text["http://".len()..] } else { text };
        if rest.contains("://") {
            return Err(failure("it begins with another scheme than `http://`"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains(['@', '?', '#']) || path.contains(['?', '#']) {
            return Err(failure("it has more than a host, a port and a code"));
        }
        let path = path.trim_end_matches('/');
        let code = code_of(path).ok_or_else(|| match path {
            "" => failure("the code of the room is missing behind the slash"),
            _ => failure("a code has six letters and digits, and nothing follows it"),
        })?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) =
                    rest.split_once(']').ok_or_else(|| failure("a `]` is missing"))?;
                (host, after.strip_prefix(':').or(after.is_empty().then_some("")))
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("")),
            },
        };
        let is_number_of_ipv6 = authority.starts_with('[');
        let of_a_host = |c: char| {
            c.is_ascii_alphanumeric()
                || "-._".contains(c)
                || (is_number_of_ipv6 && ":%".contains(c))
        };
        if host.is_empty() || host.len() > 253 || !host.chars().all(of_a_host) {
            return Err(failure("the host is missing, or is none"));
        }
        let port = match port {
            Some("") => PORT,
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(failure("the port is no number from 1 to 65535")),
            },
            None => return Err(failure("what follows the `]` is no port")),
        };
        Ok(Address { host: host.to_owned(), port, code })
    }

    /// `HOST:PORT`, as a request names it.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "http://{}/{}", self.authority(), self.code)
    }
}

/// How many letters and digits a code has.
pub(super) const LENGTH: usize = 6;

/// A code as it is compared: people type capitals and dashes.
pub fn code_of(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (code.len() == LENGTH && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_is_understood() {
        for (text, wanted) in [
            ("http://192.0.2.7:8440/k7qm3w", "http://192.0.2.7:8440/k7qm3w"),
            ("HTTP://192.0.2.7:8440/K7Q-M3W/", "http://192.0.2.7:8440/k7qm3w"),
            ("192.0.2.7/k7qm3w", "http://192.0.2.7:8440/k7qm3w"),
            ("teacher.local:80/k7qm3w", "http://teacher.local:80/k7qm3w"),
            ("http://[2001:db8::1]:81/k7qm3w", "http://[2001:db8::1]:81/k7qm3w"),
            ("[fe80::1%eth0]/k7qm3w", "http://[fe80::1%eth0]:8440/k7qm3w"),
        ] {
            let address = Address::read(text).unwrap();
            assert_eq!(address.to_string(), wanted, "{text}");
            assert_eq!(Address::read(&address.to_string()).unwrap(), address);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("https://192.0.2.7:8440/k7qm3w", "speaks `http://`"),
            ("ftp://192.0.2.7/k7qm3w", "another scheme"),
            ("http://192.0.2.7:8440", "the code of the room is missing"),
            ("http://192.0.2.7:8440/", "the code of the room is missing"),
            ("http://192.0.2.7:8440/k7qm3", "a code has six"),
            ("http://192.0.2.7:8440/k7qm3w/x", "a code has six"),
            ("http://192.0.2.7:8440/k7qm3ü", "a code has six"),
            ("http://192.0.2.7:99999/k7qm3w", "the port"),
            ("http://192.0.2.7:0/k7qm3w", "the port"),
            ("http://192.0.2.7:/x7qm3w?a", "more than"),
            ("http://me@192.0.2.7/k7qm3w", "more than"),
            ("http:///k7qm3w", "the host"),
            ("http://a b/k7qm3w", "the host"),
            ("http://a\r\nX: y/k7qm3w", "the host"),
            ("http://::1/k7qm3w", "the host"),
            ("http://[::1/k7qm3w", "a `]`"),
            ("http://[::1]x/k7qm3w", "no port"),
            ("", "the code"),
        ] {
            let failure = Address::read(text).unwrap_err();
            assert!(failure.to_string().contains(why), "{text}: {failure}");
            assert_eq!(failure.code(), 2);
        }
    }
}

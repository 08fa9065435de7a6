//! Random numbers: every machine begins with the same saved state, and would print the same ones to each reader.

use std::fs::File;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;

const BYTES: usize = 32;

/// Of `linux/random.h`; the libc crate lacks them.
const RNDADDENTROPY: libc::Ioctl = 0x4008_5203;
const RNDRESEEDCRNG: libc::Ioctl = 0x5207;

/// What RNDADDENTROPY takes (random(4)).
#[repr(C)]
struct Pool {
    bits: libc::c_int,
    length: libc::c_int,
    bytes: [u8; BYTES],
}

/// Mixes these bytes, as hexadecimal digits, into the kernel's random numbers.
pub(crate) fn seed(digits: &str) -> Result<(), String> {
    let pool = Pool { bits: 8 * BYTES as i32, length: BYTES as i32, bytes: bytes(digits)? };
    let device = File::options().write(true).open("/dev/urandom");
    let device = device.map_err(|error| format!("open(/dev/urandom): {error}"))?;
    // SAFETY: the kernel reads one Pool, which has as many bytes as it says.
    let added = unsafe { libc::ioctl(device.as_raw_fd(), RNDADDENTROPY, &raw const pool) };
    Errno::result(added).map_err(|errno| format!("RNDADDENTROPY: {errno}"))?;
    // The kernel would use them only at its next turn, which may be minutes away.
    // SAFETY: it takes no argument.
    let drawn = unsafe { libc::ioctl(device.as_raw_fd(), RNDRESEEDCRNG) };
    Errno::result(drawn).map_err(|errno| format!("RNDRESEEDCRNG: {errno}"))?;
    Ok(())
}

fn bytes(digits: &str) -> Result<[u8; BYTES], String> {
    let refused = || format!("`bytes` are {} hexadecimal digits", 2 * BYTES);
    let is_right = digits.len() == 2 * BYTES && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_right {
        return Err(refused());
    }
    let mut bytes = [0; BYTES];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).map_err(|_| refused())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_strictly() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(bytes(&digits).unwrap()[..4], [0x01, 0x23, 0x45, 0x67]);
        for wrong in
            [String::new(), digits[2..].to_owned(), digits.replace('f', "g"), digits + "00"]
        {
            assert!(bytes(&wrong).is_err(), "{wrong}");
        }
    }
}

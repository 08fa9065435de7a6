//! How much one address may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// So many addresses are remembered. A network with more than these is no room.
const MOST: usize = 4096;

/// A bucket for each address: what is asked takes a drop out of it, and it fills again by itself.
pub struct Limits {
    size: f64,
    /// Drops a second.
    filling: f64,
    buckets: HashMap<IpAddr, (f64, Instant)>,
}

impl Limits {
    pub fn new(size: f64, filling: f64) -> Limits {
        Limits { size, filling, buckets: HashMap::new() }
    }

    /// Whether there is a drop left.
    pub fn has(&mut self, address: IpAddr, now: Instant) -> bool {
        *self.level(address, now) >= 1.0
    }

    /// Takes a drop, if there is one. Returns whether there was.
    pub fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        let level = self.level(address, now);
        let is_there = *level >= 1.0;
        if is_there {
            *level -= 1.0;
        }
        is_there
    }

    fn level(&mut self, address: IpAddr, now: Instant) -> &mut f64 {
        let address = network(address);
        if self.buckets.len() >= MOST && !self.buckets.contains_key(&address) {
            let Limits { size, filling, buckets } = self;
            // What is full again says nothing. If all are at work, none is remembered.
            let is_full =
                |level: f64, then: Instant| level + seconds(then, now) * *filling >= *size;
            buckets.retain(|_, (level, then)| !is_full(*level, *then));
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let (level, then) = self.buckets.entry(address).or_insert((self.size, now));
        *level = (*level + seconds(*then, now) * self.filling).min(self.size);
        *then = now;
        level
    }
}

fn seconds(then: Instant, now: Instant) -> f64 {
    now.saturating_duration_since(then).as_secs_f64()
}

/// One machine has all addresses of a network of IPv6, 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_is_emptied_and_fills_again() {
        let (mut limits, start) = (Limits::new(3.0, 0.5), Instant::now());
        let ada: IpAddr = "192.0.2.1".parse().unwrap();
        let taken = (0..5).filter(|_| limits.take(ada, start)).count();
        assert_eq!(taken, 3);
        assert!(limits.take("192.0.2.2".parse().unwrap(), start), "another address");
        assert!(!limits.take("::ffff:192.0.2.1".parse().unwrap(), start), "the same");
        assert!(!limits.has(ada, start + Duration::from_secs(1)));
        assert!(limits.take(ada, start + Duration::from_secs(3)));
        assert!(!limits.take(ada, start + Duration::from_secs(3)));
        // A clock that goes backwards is no machine's monotonic one, and harms nothing.
        assert!(!limits.take(ada, start));
        let [one, other]: [IpAddr; 2] =
            ["2001:db8::1", "2001:db8::2"].map(|address| address.parse().unwrap());
        (0..3).for_each(|_| _ = limits.take(one, start));
        assert!(!limits.take(other, start), "the same network");
    }

    #[test]
    fn many_addresses_are_forgotten() {
        let (mut limits, now) = (Limits::new(1.0, 0.0), Instant::now());
        for number in 0..20_000_u32 {
            assert!(limits.take(IpAddr::from(number.to_be_bytes()), now));
        }
        assert!(limits.buckets.len() <= MOST);
    }
}

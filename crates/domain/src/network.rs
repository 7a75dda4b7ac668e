//! How the network's range is cut into subnets: rules and templates both use this one place.
//!
//! The range is cut in quarters. The first three are the private subnets of zones a, b and c: big, because nodes and
//! pods take their addresses there. The last quarter is cut in sixteen: three public subnets, three for databases,
//! the rest is free. A /16 gives private subnets of 16384 addresses, a /20 of 1024.

use ipnet::Ipv4Net;

/// Largest range a network may have.
pub const LARGEST_PREFIX: u8 = 16;
/// Smallest range a network may have: its public subnets are then /26.
pub const SMALLEST_PREFIX: u8 = 20;

/// Subnets of a network, one of each sort in each zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnets {
    /// For nodes, pods and caches.
    pub private: Vec<Ipv4Net>,
    /// For load balancers and NAT gateways.
    pub public: Vec<Ipv4Net>,
    /// For databases.
    pub database: Vec<Ipv4Net>,
}

/// The subnets of a range over so many zones, at most three; empty where the range has no room.
pub fn subnets(cidr: Ipv4Net, zones: u8) -> Subnets {
    let zones = usize::from(zones.min(3));
    let quarters = cut(cidr, 2);
    let small = quarters.get(3).map_or_else(Vec::new, |last| cut(*last, 4));
    Subnets {
        private: quarters.into_iter().take(zones).collect(),
        public: small.iter().copied().take(zones).collect(),
        database: small.into_iter().skip(3).take(zones).collect(),
    }
}

fn cut(range: Ipv4Net, bits: u8) -> Vec<Ipv4Net> {
    range.subnets(range.prefix_len().saturating_add(bits)).map_or_else(|_| Vec::new(), Iterator::collect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_into_large_private_and_small_other_subnets() {
        let cut = subnets("10.0.0.0/16".parse().unwrap(), 3);
        let words = |ranges: &[Ipv4Net]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&cut.private), "10.0.0.0/18 10.0.64.0/18 10.0.128.0/18");
        assert_eq!(words(&cut.public), "10.0.192.0/22 10.0.196.0/22 10.0.200.0/22");
        assert_eq!(words(&cut.database), "10.0.204.0/22 10.0.208.0/22 10.0.212.0/22");
    }

    #[test]
    fn subnets_never_overlap_and_stay_inside() {
        for prefix in LARGEST_PREFIX..=SMALLEST_PREFIX {
            let range = Ipv4Net::new([10, 32, 0, 0].into(), prefix).unwrap();
            let cut = subnets(range, 3);
            let all: Vec<_> = cut.private.iter().chain(&cut.public).chain(&cut.database).collect();
            assert_eq!(all.len(), 9);
            for (index, one) in all.iter().enumerate() {
                assert!(range.contains(*one));
                assert!(
                    all.iter().skip(index + 1).all(|other| !one.contains(*other) && !other.contains(*one))
                );
            }
        }
    }

    #[test]
    fn a_range_without_room_gives_none() {
        assert_eq!(subnets("10.0.0.0/32".parse().unwrap(), 3).private, []);
    }
}

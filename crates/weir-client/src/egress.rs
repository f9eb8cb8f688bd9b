//! Where requests may lead.
//!
//! A server makes requests to addresses that others name: whoever makes a webhook, or writes what a provider says of itself. What they
//! name must not be the machine itself, or what only the machine can ask. It is checked on the addresses that a name was resolved to, and
//! what is connected to is exactly those: a name server that answers otherwise a second time leads nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// How far requests may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Wherever somebody says: it is their own program that asks.
    #[default]
    Anywhere,
    /// To other machines: not to this one, nor to what answers on the same link only, as the metadata of a cloud do.
    OtherMachines,
    /// To what is reached from everywhere: not into private networks either.
    Public,
}

/// Which addresses may be connected to, whatever name led there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Egress {
    reach: Reach,
    besides: Vec<IpNet>,
}

impl Egress {
    /// As far as `reach`, and to the networks `besides` all the same.
    pub fn new(reach: Reach, besides: Vec<IpNet>) -> Self {
        Self { reach, besides }
    }

    /// Whether an address may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = plain(address);
        if self.besides.iter().any(|network| network.contains(&address)) {
            return true;
        }
        match self.reach {
            Reach::Anywhere => true,
            Reach::OtherMachines => !is_local(address),
            Reach::Public => !is_local(address) && !is_private(address),
        }
    }

    /// Whether one of the networks that were named besides has it.
    pub fn names(&self, address: IpAddr) -> bool {
        self.besides.iter().any(|network| network.contains(&plain(address)))
    }
}

/// An address of IPv4 that is written, or reached, as one of IPv6 is what it stands for: mapped, and through NAT64 (RFC 6052) or 6to4.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address.to_canonical() else { return address.to_canonical() };
    let four = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match six.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] | [0, 0, 0, 0, 0, 0, high, low]
            if six != Ipv6Addr::UNSPECIFIED && six != Ipv6Addr::LOCALHOST =>
        {
            four(high, low)
        }
        _ => IpAddr::V6(six),
    }
}

/// This machine, its link, and what is no single machine's.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, ..] = four.octets();
            // `0.0.0.0/8` is this machine to many systems; from 224 on nothing is one machine.
            four.is_loopback() || four.is_link_local() || first == 0 || first >= 224
        }
        IpAddr::V6(six) => {
            // Two clouds answer for their metadata in a private network.
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            six.is_loopback()
                || six.is_unspecified()
                || six.is_multicast()
                || six.is_unicast_link_local()
                || six == metadata
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, third, _] = four.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let reserved =
                (first, second, third) == (192, 0, 0) || (first == 198 && (18..20).contains(&second));
            four.is_private() || four.is_documentation() || shared || reserved
        }
        IpAddr::V6(six) => {
            // What is not global unicast (RFC 4291), and the site-local addresses of old with it.
            let [first, second, ..] = six.segments();
            first & 0xe000 != 0x2000 || (first == 0x2001 && second == 0x0db8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Egress, Reach};

    fn allows(reach: Reach, besides: &[&str], address: &str) -> bool {
        let besides = besides.iter().map(|network| network.parse().unwrap()).collect();
        Egress::new(reach, besides).allows(address.parse().unwrap())
    }

    #[test]
    fn nobody_is_led_to_this_machine_or_its_link() {
        for local in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(!allows(Reach::OtherMachines, &[], local), "{local}");
            assert!(!allows(Reach::Public, &[], local), "{local}");
            assert!(allows(Reach::Anywhere, &[], local), "{local}");
        }
    }

    #[test]
    fn private_networks_are_other_machines_and_not_public() {
        for private in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "fec0::1",
        ] {
            assert!(allows(Reach::OtherMachines, &[], private), "{private}");
            assert!(!allows(Reach::Public, &[], private), "{private}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(allows(Reach::Public, &[], public), "{public}");
        }
    }

    #[test]
    fn what_is_named_besides_is_reached() {
        assert!(allows(Reach::Public, &["10.0.0.0/8", "127.0.0.1/32"], "10.1.2.3"));
        assert!(allows(Reach::Public, &["127.0.0.1/32"], "::ffff:127.0.0.1"));
        assert!(!allows(Reach::Public, &["127.0.0.1/32"], "127.0.0.2"));
    }
}

//! What a server reaches others with: the registries above its own, identity providers, and those who are told what happens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use weir_client::{Authorities, Egress, HttpClient, HttpOptions, ProxyChoice, Reach};
use weir_model::Unobserved;
use weir_policy::Principal;
use weir_reach::{Interrupt, Owners, Secrets, Session};

use crate::data::DataFolder;

/// What a server is given to reach other registries with.
#[derive(Clone, Default)]
pub struct Outside {
    /// What proves to other servers who asks, besides `credentials.toml` in the data folder.
    pub secrets: Secrets,
    /// A file with the certificates of the authorities that vouch for servers, in place of Mozilla's list.
    pub authorities: Option<PathBuf>,
}

/// For so long an identity provider is waited for: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer of one, in bytes.
const LONGEST_REPLY: u64 = 256 << 10;

/// This machine, by its addresses.
fn loopback() -> Vec<IpNet> {
    let net = |address: IpAddr, length| IpNet::new(address, length).ok();
    [net(Ipv4Addr::LOCALHOST.into(), 8), net(Ipv6Addr::LOCALHOST.into(), 128)].into_iter().flatten().collect()
}

impl Outside {
    /// What asks identity providers: other machines, and this one only where that is said.
    pub(crate) fn client(&self, allow_loopback: bool) -> HttpClient {
        let this_machine = if allow_loopback { loopback() } else { Vec::new() };
        self.asking(Egress::new(Reach::OtherMachines, this_machine), 2)
    }

    /// What tells others what happens, wherever `egress` lets it: once, for who was not reached is told later.
    pub(crate) fn teller(&self, egress: Egress) -> HttpClient {
        self.asking(egress, 1)
    }

    fn asking(&self, egress: Egress, attempts: u32) -> HttpClient {
        let authorities = Authorities { instead: self.authorities.clone(), besides: None };
        HttpClient::new(HttpOptions {
            connect_timeout: PATIENCE,
            response_timeout: PATIENCE,
            stall_timeout: PATIENCE,
            attempts,
            proxy: ProxyChoice::Environment,
            authorities,
            egress,
            longest_reply: LONGEST_REPLY,
            whole_exchange: Some(2 * PATIENCE),
            ..HttpOptions::default()
        })
    }

    /// The same as the libraries ask for it. It is nobody's project that is worked on.
    pub(crate) fn session(self, data: &DataFolder) -> Session {
        Session {
            home: data.home(),
            store: None,
            offline: false,
            registry: None,
            platform: None,
            authorities: self.authorities,
            owners: Owners::default(),
            principal: Principal::Anonymous,
            secrets: self.secrets,
            now: Timestamp::now(),
            threads: 1,
            observer: Arc::new(Unobserved),
            looks_only: false,
            interrupt: Interrupt::default(),
        }
    }
}

//! `[federation]`.

use super::{ConfigError, one_or_many, ranges::expected};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};
use weft_net::{Admission, Connections, NetConfig, NetError, PeerKey};
use weft_wire::{NodeName, federation::FederationPolicy, limits::PEER_ADDRESSES_MAX};

/// What an address of a node looks like, for operators.
const ADDRESS_FORM: &str = "it looks like /ip4/192.0.2.7/udp/8441/quic-v1 or /dns/home.example/tcp/8441";

/// Other nodes: whom this one talks to, and how they find each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederationConfig {
    /// Whom the node talks to. With `closed` it opens no port for others and calls nobody.
    pub policy: FederationPolicy,
    /// Multiaddresses to listen on for other nodes; port 0 takes a free one. Empty: this node calls, and is called over relays.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<String>,
    /// Multiaddresses at which others reach this node, where the operator knows them: a forwarded port.
    #[serde(deserialize_with = "one_or_many")]
    pub external: Vec<String>,
    /// Whether others reach this node at the addresses it listens on, and it reaches others, whatever the addresses look like: a
    /// closed network.
    pub announce_listeners: bool,
    /// Look for nodes in the same local network.
    pub mdns: bool,
    /// Look for nodes among what others know, and let others look; ask them whether this one can be reached.
    pub discovery: bool,
    /// Whether DNS is asked for a node under whose name nothing answers over HTTPS.
    pub dns: DnsTrust,
    /// Ask the router to forward the ports.
    pub upnp: bool,
    /// Nodes over which this one may be called, as `ADDRESS/p2p/PEER`.
    #[serde(deserialize_with = "one_or_many")]
    pub relays: Vec<String>,
    /// Nodes to begin with when looking for others, as `ADDRESS/p2p/PEER`.
    #[serde(deserialize_with = "one_or_many")]
    pub first_contacts: Vec<String>,
    /// Whether others may be called over this node.
    pub relay_for_others: bool,
    /// Open connections with other nodes.
    pub connections_max: usize,
    /// How long what is for another node waits for it; then it fails, visibly to who sent it.
    pub retention_days: u32,
    /// Nodes with which this one speaks in no case.
    #[serde(deserialize_with = "one_or_many")]
    pub blocked: Vec<String>,
    /// Nodes that the operator names, and trusts.
    pub peers: Vec<PeerConfig>,
}

/// What is believed of what DNS says of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsTrust {
    /// Nothing: it is not asked.
    Off,
    /// What DNSSEC proves.
    Proven,
    /// All: whoever can answer for a name when a node is first met can pretend to be it.
    Any,
}

/// A node that the operator names: `[[federation.peers]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// The right half of its people's addresses.
    pub name: String,
    /// Its peer id; not needed where that is its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Multiaddresses at which it is reached.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Per cent of the usual budgets; as `weft peer limit`, which this overrules at each start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl Default for FederationConfig {
    fn default() -> Self {
        FederationConfig {
            policy: FederationPolicy::Open,
            listen: NetConfig::default().listen,
            external: Vec::new(),
            announce_listeners: false,
            mdns: true,
            discovery: true,
            dns: DnsTrust::Proven,
            upnp: false,
            relays: Vec::new(),
            first_contacts: Vec::new(),
            relay_for_others: false,
            connections_max: Connections::default().total_max,
            retention_days: 7,
            blocked: Vec::new(),
            peers: Vec::new(),
        }
    }
}

impl PeerConfig {
    /// Name and key, if they are what they should be.
    pub fn identity(&self) -> Option<(NodeName, PeerKey)> {
        let name: NodeName = self.name.parse().ok()?;
        let by_name = name.key().map(PeerKey);
        let by_key = if self.key.is_empty() { by_name } else { self.key.parse().ok() };
        by_key.filter(|key| by_name.is_none_or(|named| named == *key)).map(|key| (name, key))
    }

    /// Name and key, or what is wrong with the entry: the same for the configuration and for `weft peer add`.
    pub(crate) fn check(&self) -> Result<(NodeName, PeerKey), String> {
        check_name(&self.name)?;
        let Some((name, key)) = self.identity() else {
            let key = "expected a name, and with a DNS name the peer id of its key (`key = \"12D3KooW…\"`)";
            return Err(key.to_owned());
        };
        if self.limit.is_some_and(|percent| !(1..=10_000).contains(&percent)) {
            return Err("a limit is 1 to 10,000 per cent".to_owned());
        }
        if self.addresses.len() > PEER_ADDRESSES_MAX {
            return Err(format!("at most {PEER_ADDRESSES_MAX} addresses"));
        }
        for text in &self.addresses {
            weft_net::check_address(key, text)
                .map_err(|error| format!("the address \"{text}\": {error}; {ADDRESS_FORM}"))?;
        }
        Ok((name, key))
    }
}

/// What is wrong with the name of a node that would pass for one of DNS.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || name.parse::<IpAddr>().is_ok() {
        return Err(format!(
            "\"{name}\" is an address; a node is called by what stands behind the @ of its people's addresses"
        ));
    }
    let looks_like_a_key = !name.contains('.') && name.to_ascii_lowercase().starts_with("12d3koow");
    if looks_like_a_key && !name.parse().is_ok_and(|name: NodeName| name.is_peer_id()) {
        return Err(format!(
            "\"{name}\" looks like a peer id and is none: it has 52 characters, large and small"
        ));
    }
    Ok(())
}

impl FederationConfig {
    /// Whether the node speaks with others at all.
    pub fn is_on(&self) -> bool {
        self.policy != FederationPolicy::Closed
    }

    /// What the network is told. `trusted` are the nodes on the operator's list.
    pub fn net(&self, trusted: BTreeSet<PeerKey>, blocked: BTreeSet<PeerKey>) -> NetConfig {
        let usual = Connections::default();
        NetConfig {
            listen: self.listen.clone(),
            external: self.external.clone(),
            announce_listeners: self.announce_listeners,
            first_contacts: self.first_contacts.clone(),
            relays: self.relays.clone(),
            relay_for_others: self.relay_for_others,
            mdns: self.mdns,
            kademlia: self.discovery,
            autonat: self.discovery,
            upnp: self.upnp,
            admission: self.admission(trusted),
            blocked,
            connections: Connections {
                total_max: self.connections_max,
                incoming_max: self.connections_max * usual.incoming_max / usual.total_max,
                ..usual
            },
            ..NetConfig::default()
        }
    }

    /// Who may connect: where only those on the list may speak, strangers do not get as far as a connection.
    pub fn admission(&self, trusted: BTreeSet<PeerKey>) -> Admission {
        if self.policy != FederationPolicy::AllowList {
            return Admission::Everyone;
        }
        let helpers = self.relays.iter().chain(&self.first_contacts);
        let helpers = helpers.filter_map(|text| text.rsplit_once("/p2p/")?.1.parse().ok());
        Admission::Only(trusted.into_iter().chain(helpers).collect())
    }

    /// Names of [`Self::blocked`].
    pub fn blocked_nodes(&self) -> BTreeSet<NodeName> {
        self.blocked.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// `own` is the name of this node, where one is configured.
    pub(super) fn check(&self, own: Option<&NodeName>) -> Result<(), ConfigError> {
        for text in &self.blocked {
            let parsed = text.parse::<NodeName>().map_err(|_| format!("\"{text}\" is no name of a node"));
            let checked = parsed.and_then(|_| check_name(text));
            checked.map_err(|why| ConfigError::value("federation.blocked", why))?;
        }
        let blocked = self.blocked_nodes();
        // The very look that the start of the network takes.
        match self.net(BTreeSet::new(), BTreeSet::new()).check() {
            Err(NetError::Address { field, text, source }) => {
                let key = format!("federation.{field}");
                let expected = expected(&key).map(|words| format!("; expected {words}")).unwrap_or_default();
                return Err(ConfigError::value(&key, format!("found \"{text}\": {source}{expected}")));
            }
            Err(error) => return Err(ConfigError::Rule(error.to_string())),
            Ok(()) => {}
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for peer in &self.peers {
            let (name, key) = peer.check().map_err(|why| of_peer(peer, &why))?;
            if blocked.contains(&name) || blocked.contains(&NodeName::of_key(&key.0)) {
                return Err(of_peer(peer, "it stands in `federation.blocked` as well"));
            }
            if !names.insert(name) {
                return Err(of_peer(peer, "it stands here twice"));
            }
            if !keys.insert(key) {
                return Err(of_peer(peer, "another node stands here with the same key"));
            }
        }
        own.map_or(Ok(()), |own| self.check_others(own, None))
    }

    /// Whether none of the nodes that are named is this one. What it is called by its key is known only once that is.
    pub(crate) fn check_others(&self, own: &NodeName, own_key: Option<PeerKey>) -> Result<(), ConfigError> {
        for peer in &self.peers {
            match peer.identity() {
                Some((name, _)) if name == *own => return Err(of_peer(peer, "that is this node itself")),
                Some((_, key)) if Some(key) == own_key => {
                    return Err(of_peer(peer, "that is the key of this node itself"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn of_peer(peer: &PeerConfig, why: &str) -> ConfigError {
    ConfigError::value("federation.peers", format!("the node \"{}\": {why}", peer.name))
}

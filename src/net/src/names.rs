//! Names of DNS in addresses. Whoever tells of a name decides where it leads, also a moment later, so that it is looked at what
//! comes of it.

use crate::{NetError, address::OWN_NETWORKS};
use hickory_resolver::system_conf;
use libp2p::dns::{ResolverConfig, ResolverOpts};

/// How names are looked up: as this machine does it. Unless the network is a closed one, no name leads into it.
pub(crate) fn resolver(closed_network: bool) -> Result<(ResolverConfig, ResolverOpts), NetError> {
    let (config, options) = system_conf::read_system_conf().map_err(NetError::setup)?;
    Ok((config, if closed_network { options } else { outward(options) }))
}

/// What leads into the own network is taken out of every answer. The machine's list of hosts speaks of nothing else, and is left
/// aside.
fn outward(mut options: ResolverOpts) -> ResolverOpts {
    options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    let own = OWN_NETWORKS.iter().map(|(ip, bits)| format!("{ip}/{bits}"));
    // The same in the dress of IPv6.
    let in_v6 = OWN_NETWORKS.iter().filter(|(ip, _)| ip.is_ipv4());
    let in_v6 = in_v6.map(|(ip, bits)| format!("::ffff:{ip}/{}", 96 + bits));
    for text in own.chain(in_v6) {
        if let Ok(network) = text.parse() {
            options.deny_answers.push(network);
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::{
        TokioResolver,
        config::{ConnectionConfig, NameServerConfig},
        net::runtime::TokioRuntimeProvider,
    };
    use std::net::{IpAddr, Ipv4Addr};
    use tokio::net::UdpSocket;

    /// A server of DNS that knows one address for every name.
    async fn server(ip: Ipv4Addr) -> ResolverConfig {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut bytes = [0; 1_500];
            while let Ok((_, from)) = socket.recv_from(&mut bytes).await {
                let name = bytes[12..].iter().position(|byte| *byte == 0).unwrap();
                let question = &bytes[12..12 + name + 5];
                let is_ipv4 = question[name + 2] == 1;
                let head = [bytes[0], bytes[1], 0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0];
                let mut answer = [&head, question].concat();
                if is_ipv4 {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                    answer.extend(ip.octets());
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
        ResolverConfig::from_parts(None, vec![], vec![server])
    }

    async fn leads(ip: Ipv4Addr, options: ResolverOpts) -> Vec<IpAddr> {
        let resolver = TokioResolver::builder_with_config(server(ip).await, TokioRuntimeProvider::default());
        let resolver = resolver.with_options(options).build().unwrap();
        let found = resolver.lookup_ip("somewhere.example.").await;
        found.map(|found| found.iter().collect()).unwrap_or_default()
    }

    #[tokio::test]
    async fn no_name_leads_into_the_own_network() {
        for ip in ["127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254"] {
            let ip: Ipv4Addr = ip.parse().unwrap();
            assert_eq!(leads(ip, ResolverOpts::default()).await, [ip], "the server answers");
            assert!(leads(ip, outward(ResolverOpts::default())).await.is_empty(), "{ip}");
        }
        let far: Ipv4Addr = "9.9.9.9".parse().unwrap();
        assert_eq!(leads(far, outward(ResolverOpts::default())).await, [far]);
    }

    #[test]
    fn every_network_is_understood() {
        let v4 = OWN_NETWORKS.iter().filter(|(ip, _)| ip.is_ipv4()).count();
        let denied = outward(ResolverOpts::default()).deny_answers.len();
        assert_eq!(denied, OWN_NETWORKS.len() + v4);
    }
}

//! What DNS says of a node: TXT records of `_weft.NAME`, for names under which nothing answers over HTTPS.
//!
//! A record is `weft1=` and the signed node record in base64url, over as many strings as it takes. The signature says that whoever
//! holds the key made it, not that the name is theirs: that is the word of DNS. So what DNSSEC does not prove is taken only where
//! the operator says so.

use crate::config::DnsTrust;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hickory_resolver::{
    Resolver, TokioResolver,
    net::NetError,
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};
use weft_wire::{NodeName, Signed, codec, federation::NodeRecord, signed::Signable};

const LABEL: &str = "_weft";
const TAG: &str = "weft1=";
/// Bytes of one string of a TXT record (RFC 1035, 3.3).
const STRING_BYTES_MAX: usize = 255;
const RECORD_BYTES_MAX: usize = NodeRecord::BYTES_MAX + 1024;
/// Records of one name that are looked at.
const RECORDS_MAX: usize = 8;

/// Of why DNS gave no answer, so much is logged.
const REASON_CHARS_MAX: usize = 120;

/// Asks DNS.
pub(super) struct Txt {
    resolver: TokioResolver,
    trust: DnsTrust,
}

impl Txt {
    /// By the servers that this machine uses.
    pub fn new(trust: DnsTrust) -> Result<Option<Txt>, NetError> {
        match trust {
            DnsTrust::Off => Ok(None),
            _ => Txt::with(Resolver::builder_tokio()?, trust).map(Some),
        }
    }

    fn with(
        mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>,
        trust: DnsTrust,
    ) -> Result<Txt, NetError> {
        builder.options_mut().validate = trust == DnsTrust::Proven;
        // A name that turns up in DNS is asked for at once; one that goes is not answered for.
        builder.options_mut().cache_size = 0;
        Ok(Txt { resolver: builder.build()?, trust })
    }

    /// The record of a name, if there is one that may be believed. What it says is for the caller to check.
    pub async fn find(&self, name: &NodeName) -> Option<Signed<NodeRecord>> {
        let found = match self.resolver.lookup(format!("{LABEL}.{name}."), RecordType::TXT).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => {
                tracing::debug!(node = %name, "DNS says nothing of a node");
                return None;
            }
            Err(error) => {
                tracing::warn!(node = %name, why = in_a_line(&error), "DNS gave no answer about a node that can be used");
                return None;
            }
        };
        let believed = |record: &&hickory_resolver::proto::rr::Record| {
            self.trust == DnsTrust::Any || record.proof.is_secure()
        };
        found.answers().iter().take(RECORDS_MAX).filter(believed).find_map(|record| match &record.data {
            RData::TXT(text) => read(&text.txt_data.concat()),
            _ => None,
        })
    }
}

/// What went wrong, short: the text of an error may hold a whole answer, which strangers have written.
fn in_a_line(error: &NetError) -> String {
    let text = error.to_string();
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(REASON_CHARS_MAX)
        .collect()
}

fn read(text: &[u8]) -> Option<Signed<NodeRecord>> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix(TAG)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= RECORD_BYTES_MAX)?;
    codec::decode(&bytes, RECORD_BYTES_MAX).ok()
}

/// The strings of the TXT record that says this.
fn strings(record: &Signed<NodeRecord>) -> Vec<String> {
    let text = format!("{TAG}{}", URL_SAFE_NO_PAD.encode(codec::encode(record)));
    let bytes: Vec<char> = text.chars().collect();
    bytes.chunks(STRING_BYTES_MAX).map(|chunk| chunk.iter().collect()).collect()
}

/// The line for the zone of a name.
pub(crate) fn zone_line(name: &NodeName, record: &Signed<NodeRecord>) -> String {
    let strings: Vec<_> = strings(record).iter().map(|part| format!("\"{part}\"")).collect();
    format!("{LABEL}.{name}. 3600 IN TXT {}", strings.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig},
        proto::{
            op::{Message, OpCode},
            rr::{Record, rdata::TXT},
        },
    };
    use tokio::net::UdpSocket;
    use weft_wire::federation::{FederationPolicy, PROTOCOL};

    fn record(name: &str) -> Signed<NodeRecord> {
        let key = SigningKey::from_bytes(&[3; 32]);
        let record = NodeRecord {
            name: name.parse().unwrap(),
            key: key.verifying_key().to_bytes(),
            addresses: vec!["/dns/other.example/udp/8441/quic-v1".to_owned(); 4],
            protocols: vec![PROTOCOL],
            policy: FederationPolicy::Open,
            created_ms: 9,
        };
        Signed::sign(&record, &key)
    }

    /// Answers every question with these TXT records; gives where.
    async fn server(texts: Vec<Vec<String>>) -> u16 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            loop {
                let (count, from) = socket.recv_from(&mut bytes).await.unwrap();
                let asked = Message::from_vec(&bytes[..count]).unwrap();
                let mut answer = Message::response(asked.metadata.id, OpCode::Query);
                answer.add_queries(asked.queries.clone());
                for text in &texts {
                    let name = asked.queries[0].name().clone();
                    let data = RData::TXT(TXT::new(text.clone()));
                    answer.add_answer(Record::from_rdata(name, 60, data));
                }
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        port
    }

    fn asking(port: u16, trust: DnsTrust) -> Txt {
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new([127, 0, 0, 1].into(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        Txt::with(builder, trust).unwrap()
    }

    #[tokio::test]
    async fn a_record_comes_out_of_dns_as_it_was_put_in_among_what_else_stands_there() {
        let name: NodeName = "other.example".parse().unwrap();
        let signed = record("other.example");
        assert!(strings(&signed).len() > 1, "it does not fit one string");
        let others = vec![vec!["v=spf1 -all".to_owned()], vec!["weft1=nonsense".to_owned()]];
        let port = server([others, vec![strings(&signed)]].concat()).await;
        let found = asking(port, DnsTrust::Any).find(&name).await.unwrap();
        assert_eq!(found.open_for(&name).unwrap(), signed.open().unwrap());
    }

    #[tokio::test]
    async fn what_nothing_proves_is_not_believed_unless_the_operator_says_so() {
        let name: NodeName = "other.example".parse().unwrap();
        let port = server(vec![strings(&record("other.example"))]).await;
        assert!(asking(port, DnsTrust::Proven).find(&name).await.is_none());
        assert!(asking(port, DnsTrust::Any).find(&name).await.is_some());
        assert!(Txt::new(DnsTrust::Off).unwrap().is_none());
    }

    #[test]
    fn what_went_wrong_is_told_in_one_short_line() {
        let error =
            NetError::Msg(format!("no proof\u{1b}[31m {}\nResponse: Message {{ … }}", "x".repeat(500)));
        let told = in_a_line(&error);
        assert!(told.starts_with("no proof[31m xxx") && !told.contains("Message"), "{told}");
        assert_eq!(told.chars().count(), REASON_CHARS_MAX);
    }

    #[test]
    fn the_line_for_the_zone_holds_the_whole_record() {
        let signed = record("other.example");
        let line = zone_line(&"other.example".parse().unwrap(), &signed);
        let text = line.strip_prefix("_weft.other.example. 3600 IN TXT ").unwrap();
        assert!(text.split(' ').all(|part| part.len() <= STRING_BYTES_MAX + 2));
        let joined = text.split(' ').map(|part| part.trim_matches('"')).collect::<String>();
        assert_eq!(read(joined.as_bytes()), Some(signed));
    }
}

//! What a node with a DNS name says of itself, and how another one asks.

use anyhow::Result;
use tokio_rustls::rustls::RootCertStore;
use weft_net::LinkError;
use weft_node::federation::WellKnown;
use weft_service::federation::Directory;
use weft_testkit::{TestNode, cluster, tls::Files};
use weft_wire::{NodeName, federation::NodeRecordError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_asked_over_https_and_its_word_is_checked() -> Result<()> {
    let files = Files::new()?;
    let certificate = files.renew()?;
    let node = TestNode::start_with(|config| {
        files.adapt(config);
        cluster::open(config);
        config.node.name = "localhost".to_owned();
    })
    .await?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let directory = WellKnown::closed(roots, node.address.port())?;
    let name: NodeName = "localhost".parse()?;
    let record = directory.find(&name).await?;
    let opened = record.open_for(&name)?;
    assert_eq!(opened.addresses.len(), 2, "QUIC and TCP: {:?}", opened.addresses);
    assert!(opened.addresses.iter().all(|address| address.starts_with("/ip4/127.0.0.1/")));
    let other: NodeName = "other.example".parse()?;
    assert!(matches!(record.open_for(&other), Err(NodeRecordError::Name { .. })));

    // A certificate that no authority of ours has signed, and a node that speaks with nobody.
    let distrusting = WellKnown::closed(RootCertStore::empty(), node.address.port())?;
    assert_eq!(distrusting.find(&name).await.unwrap_err(), LinkError::Unreachable);
    node.stop().await?;
    let certificate = files.renew()?;
    let silent = TestNode::start_with(|config| files.adapt(config)).await?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let directory = WellKnown::closed(roots, silent.address.port())?;
    assert_eq!(directory.find(&name).await.unwrap_err(), LinkError::Unreachable);
    silent.stop().await
}

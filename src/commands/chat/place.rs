//! Who one is, and where their node is, when not all of it was said.

use super::refused;
use crate::commands::{NodeArgs, advice};
use anyhow::{Context, Result, bail, ensure};
use std::str::FromStr;
use weft_client::{Client, Options};
use weft_engine::api::{Call, Reply};
use weft_node::{
    Config, configured_name, configured_url,
    control::{self, Answer, Request},
};
use weft_wire::{NameError, NodeName, UserAddress, UserName};

/// Where a node listens that was told nothing else.
const USUAL_URL: &str = "http://127.0.0.1:8440";

/// `alice@home.example`, or `alice` for somebody of the node at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    name: UserName,
    node: Option<NodeName>,
}

impl FromStr for Who {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Who, NameError> {
        if text.contains('@') {
            let UserAddress { name, node } = text.parse()?;
            return Ok(Who { name, node: Some(node) });
        }
        Ok(Who { name: text.parse()?, node: None })
    }
}

/// An account, and the address under which its node is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub account: UserAddress,
    pub url: String,
}

/// The node whose data are at hand: what it is called, and where it is.
struct Local {
    name: NodeName,
    url: String,
}

/// Fills in what was not said: from the URL, from the node of this folder, from the account's own address.
pub async fn find(who: &Who, url: Option<&str>, plain_http: bool) -> Result<Place> {
    let place = |node: &NodeName, url: String| Place {
        account: UserAddress::new(who.name.clone(), node.clone()),
        url,
    };
    if let Some(url) = url {
        let node = match &who.node {
            Some(node) => node.clone(),
            None => name_at(url, plain_http).await?,
        };
        return Ok(place(&node, url.to_owned()));
    }
    let config = NodeArgs::default().load();
    match &who.node {
        Some(node) => match config {
            // Elsewhere, whatever node may be in this folder.
            Ok(config) if !node.is_peer_id() && config.node.name().as_ref() != Some(node) => {
                Ok(place(node, url_of(node, None)))
            }
            Ok(config) => Ok(place(node, url_of(node, local(&config).await.as_ref()))),
            // Most likely the configuration is not that of this node.
            Err(error) => {
                super::out::note(format_args!("* the configuration here is left aside: {error}"));
                Ok(place(node, url_of(node, None)))
            }
        },
        None => match local(&config?).await {
            Some(local) => Ok(place(&local.name, url_of(&local.name, Some(&local)))),
            None => {
                let node = name_at(USUAL_URL, plain_http).await.with_context(|| {
                    format!(
                        "which node? There is none in this folder and none at {USUAL_URL}; write {}@NODE, or say where it is \
                         with --node URL",
                        who.name
                    )
                })?;
                Ok(place(&node, USUAL_URL.to_owned()))
            }
        },
    }
}

/// Where a node is by its name. A peer id cannot be looked up; whether the node at the usual place is the one is checked
/// before anything is told to it.
fn url_of(node: &NodeName, local: Option<&Local>) -> String {
    // No certificate is made out to a loopback address.
    let unproven = |url: &str| url.starts_with("https:") && advice::opens_here_only(url);
    match local {
        Some(local) if local.name == *node && !unproven(&local.url) => local.url.clone(),
        _ if node.is_peer_id() => USUAL_URL.to_owned(),
        _ => format!("https://{node}"),
    }
}

/// The node that the configuration here means, if there is one. Its store is not opened: that would keep a node from starting
/// at this moment, and leave files of whoever talks here in it.
async fn local(config: &Config) -> Option<Local> {
    match control::ask_socket(config, &Request::Status).await {
        Ok(Some(Answer::Status { name, url, .. })) => Some(Local { name: name.parse().ok()?, url }),
        // Not running, just starting, or somebody else's: what it will say of itself, as far as that can be seen.
        _ => Some(Local { name: configured_name(config)?, url: configured_url(config) }),
    }
}

/// What the node at an address calls itself.
async fn name_at(url: &str, plain_http: bool) -> Result<NodeName> {
    let client = Client::start(Options { plain_http, ..Options::memory(url) }).await?;
    let answer = client.call(Call::Node).await;
    client.stop().await;
    let Reply::Node(node) = answer.map_err(refused).with_context(|| url.to_owned())? else {
        bail!("the engine did not say which node this is")
    };
    Ok(node.name.parse()?)
}

/// Before an account is opened or made: is the node there the one that is meant?
pub async fn check(client: &Client, place: &Place) -> Result<()> {
    let Place { account, url } = place;
    let answer = client.call(Call::Node).await;
    let Reply::Node(node) = answer.map_err(refused).with_context(|| url.clone())? else {
        bail!("the engine did not say which node this is")
    };
    ensure!(
        node.name == account.node.as_str(),
        "the node at {url} is {}, not {}; say with --node URL where that one is",
        super::out::plain(&node.name),
        account.node
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    #[test]
    fn a_name_or_an_address_says_who_one_is() {
        let alice = |node| Who { name: "alice".parse().unwrap(), node };
        assert_eq!("alice".parse(), Ok(alice(None)));
        assert_eq!("Alice@Home.Example".parse(), Ok(alice(Some(node("home.example")))));
        assert!("alice@".parse::<Who>().is_err() && "a".parse::<Who>().is_err());
    }

    #[test]
    fn a_node_is_where_its_name_or_its_folder_says() {
        let by_key = NodeName::of_key(&[7; 32]);
        let local = |name: &NodeName| Local { name: name.clone(), url: "http://127.0.0.1:9000".into() };
        assert_eq!(url_of(&node("home.example"), None), "https://home.example");
        assert_eq!(url_of(&node("home.example"), Some(&local(&by_key))), "https://home.example");
        assert_eq!(
            url_of(&node("home.example"), Some(&local(&node("home.example")))),
            "http://127.0.0.1:9000"
        );
        assert_eq!(url_of(&by_key, Some(&local(&by_key))), "http://127.0.0.1:9000");
        assert_eq!(url_of(&by_key, None), USUAL_URL);
        let files = Local { name: node("home.example"), url: "https://127.0.0.1:443".into() };
        assert_eq!(url_of(&node("home.example"), Some(&files)), "https://home.example");
    }
}

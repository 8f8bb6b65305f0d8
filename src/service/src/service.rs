//! The handle that the API and the node hold.

use crate::{
    Accounts, Clock, Contacts, Entropy, Fault, Federation, Flows, Health, Invites, KeyPackages, Limits,
    Rooms, ServiceConfig, Sync, Vault, Wallet, aging::Aging, context::Ctx, federation::Nodes, inbox::Inbox,
    seal::Sealer, sync::Fanout,
};
use std::sync::Arc;
use weft_store::Store;
use weft_wire::{Blob, NodeName, node::NodeInfo};

/// Who the node is.
pub struct NodeIdentity {
    /// ed25519 key of the node. Seals of tickets follow from it.
    pub key: ed25519_dalek::SigningKey,
    /// The right half of every address here.
    pub name: NodeName,
}

/// Everything that a service needs from outside.
pub struct Deps {
    /// Where all is kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// Key and name of the node.
    pub identity: NodeIdentity,
    /// What the operator decided.
    pub config: ServiceConfig,
}

/// All behaviour of a node. Cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    ctx: Arc<Ctx>,
    accounts: Accounts,
    invites: Invites,
    contacts: Contacts,
    key_packages: KeyPackages,
    rooms: Rooms,
    vault: Vault,
    wallet: Wallet,
    flows: Flows,
    federation: Federation,
    sync: Sync,
    health: Health,
}

impl Service {
    /// Opens the service on a store; on a new one it makes the node's OPAQUE keys.
    ///
    /// # Errors
    /// [`Fault::Store`], or [`Fault::Record`] when the store was written by a newer version; [`Fault::OtherKey`] and
    /// [`Fault::Renamed`] when it is that of another node.
    pub async fn open(deps: Deps) -> Result<Service, Fault> {
        let own = deps.identity.key.verifying_key().to_bytes();
        let sealer = Sealer::of_node(&deps.identity.key);
        let config = &deps.config;
        let limits = Limits::new(deps.clock.clone(), config.rate_limit_factor, config.written_mib_per_day);
        let aging = Aging::new(deps.clock.steady_ms());
        let ctx = Arc::new(Ctx {
            store: deps.store,
            clock: deps.clock,
            entropy: deps.entropy,
            node: deps.identity.name,
            config: deps.config,
            limits,
            sealer,
            aging,
        });
        ctx.settle(own).await?;
        let accounts = Accounts::open(ctx.clone()).await?;
        let invites = Invites::new(ctx.clone());
        let contacts = Contacts::new(ctx.clone());
        let key_packages = KeyPackages::new(ctx.clone());
        let rooms = Rooms::new(ctx.clone());
        let vault = Vault::new(ctx.clone());
        let wallet = Wallet::new(ctx.clone(), deps.identity.key);
        let inbox = Inbox::new(ctx.clone());
        let nodes = Nodes::new(ctx.clone());
        let fanout = Arc::new(Fanout::new(ctx.store.clone()));
        let flows = Flows::new(
            ctx.clone(),
            accounts.clone(),
            invites.clone(),
            contacts.clone(),
            key_packages.clone(),
            rooms.clone(),
            inbox.clone(),
            wallet.clone(),
            nodes.clone(),
            fanout.clone(),
        );
        let federation = Federation::new(nodes, Arc::new(flows.clone()));
        let sync = Sync::new(
            ctx.clone(),
            accounts.clone(),
            key_packages.clone(),
            rooms.clone(),
            inbox,
            vault.clone(),
            wallet.clone(),
            flows.clone(),
            fanout,
        );
        let health = Health::new(ctx.clone(), accounts.clone(), rooms.clone(), sync.clone());
        Ok(Service(Arc::new(Inner {
            ctx,
            accounts,
            invites,
            contacts,
            key_packages,
            rooms,
            vault,
            wallet,
            flows,
            federation,
            sync,
            health,
        })))
    }

    /// Sign-in, sessions, devices, people.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Invites to the node.
    pub fn invites(&self) -> &Invites {
        &self.0.invites
    }

    /// The contact list and personal links.
    pub fn contacts(&self) -> &Contacts {
        &self.0.contacts
    }

    /// KeyPackages in stock.
    pub fn key_packages(&self) -> &KeyPackages {
        &self.0.key_packages
    }

    /// Rooms: messages, logs, items.
    pub fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    /// Records that the devices of one account share.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The time by which requests are judged.
    pub fn now_ms(&self) -> weft_wire::Millis {
        self.0.ctx.now()
    }

    /// Accounts and payments.
    pub fn wallet(&self) -> &Wallet {
        &self.0.wallet
    }

    /// What spans features: sign-up, sign-out, contact requests, taking KeyPackages, making rooms, commits.
    pub fn flows(&self) -> &Flows {
        &self.0.flows
    }

    /// Other nodes: what answers them, what carries to them, what the operator decides about them.
    pub fn federation(&self) -> &Federation {
        &self.0.federation
    }

    /// Sockets.
    pub fn sync(&self) -> &Sync {
        &self.0.sync
    }

    /// Numbers for health checks and metrics.
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// Rate limits. The API takes [`crate::Budget::Request`] for each request; verbs take the rest by themselves.
    pub fn limits(&self) -> &Limits {
        &self.0.ctx.limits
    }

    /// `GET node`: what the node says of itself to everyone.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn node_info(&self) -> Result<NodeInfo, Fault> {
        let ctx = &self.0.ctx;
        Ok(NodeInfo {
            name: ctx.node.clone(),
            title: ctx.config.title.clone(),
            accent: ctx.config.accent.clone(),
            signup: ctx.config.signup,
            claimed: self.0.accounts.is_claimed().await?,
            addresses: self.0.federation.own_addresses(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time_ms: ctx.now(),
            key: Some(Blob(self.0.wallet.public_key().to_vec())),
        })
    }
}

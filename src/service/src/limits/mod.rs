//! Rate limits by account and by address: named budgets in bounded memory.
//!
//! A budget is a burst and a steady rate (GCRA, by `governor`). Verbs take from their budget before they do any work, so
//! that a flood costs the node one look into a map.

#[cfg(test)]
mod tests;

use crate::{Caller, Clock, Fault};
use governor::{
    InsufficientCapacity, NotUntil, Quota, RateLimiter, clock, middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};
use parking_lot::Mutex;
use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};
use weft_wire::{Millis, NodeName, RoomId, UserAddress, UserName};

/// Keys that one budget remembers. Whoever comes when it is full shares one key with the others who do: memory stays
/// bounded, and a flood of addresses slows itself and newcomers, not those who are known.
const KEYS_MAX: usize = 50_000;
const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// Whom a budget counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// A client's address. Of IPv6 the /64, since that is what one household gets.
    Address(IpAddr),
    /// An account of this node, or a name that somebody tries.
    Account(UserName),
    /// An account, or a name that somebody tries, from one address.
    Pair(UserName, IpAddr),
    /// Another node.
    Peer(NodeName),
    /// Somebody on another node.
    Person(UserAddress),
    /// An account of this node, and somebody who wants something of it.
    Of(UserName, UserAddress),
    /// An account of this node, and a room.
    In(UserName, RoomId),
    /// All who found the budget's memory full.
    Crowd,
}

impl LimitKey {
    /// The key of an address.
    pub fn address(address: IpAddr) -> Self {
        LimitKey::Address(network(address))
    }

    /// The key of whoever asks, here or on another node.
    pub fn caller(caller: &Caller) -> Self {
        match caller.session.is_far() {
            true => LimitKey::Person(caller.user().clone()),
            false => LimitKey::Account(caller.name().clone()),
        }
    }

    /// The key of somebody, here or on another node.
    pub fn user(user: &UserAddress, here: &NodeName) -> Self {
        match user.node == *here {
            true => LimitKey::Account(user.name.clone()),
            false => LimitKey::Person(user.clone()),
        }
    }

    /// The key of a name from an address.
    pub fn pair(name: &UserName, address: IpAddr) -> Self {
        LimitKey::Pair(name.clone(), network(address))
    }
}

/// What counts as one address: of IPv6 the /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

macro_rules! budgets {
    ($($(#[$doc:meta])* $name:ident = $burst:literal then $count:literal per $seconds:literal s;)*) => {
        /// What is limited. Each budget counts every key on its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Budget { $($(#[$doc])* $name,)* }

        impl Budget {
            /// Every budget.
            pub const ALL: &'static [Budget] = &[$(Budget::$name),*];

            /// At once, then so many in so many seconds.
            fn rate(self) -> (u32, u32, u32) {
                match self { $(Budget::$name => ($burst, $count, $seconds),)* }
            }

            /// The name in metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Budget::$name => stringify!($name),)* }
            }
        }
    };
}

budgets! {
    /// Payment orders, by account.
    Payment = 60 then 60 per 60 s;
    /// What other nodes newly say of invoices, by whose they are to pay.
    FarInvoice = 120 then 60 per 60 s;
    /// Invoices and packets of other nodes that are looked at, by account: they count for this whole node there.
    FarLook = 240 then 240 per 60 s;
    /// Shops of other nodes that are to be paid, and packets that are opened there, by account: what stands in chats does not use that up.
    FarVisit = 120 then 120 per 60 s;
    /// Codes of customers that were typed by their digits, by shop.
    CodeTry = 60 then 60 per 60 s;
    /// Notices of payment providers, by address: before anything of one is read.
    Webhook = 120 then 120 per 60 s;
    /// Any request, by address; the API takes from it before it looks at anything else.
    Request = 600 then 100 per 1 s;
    /// Sign-ups, by address.
    SignUp = 20 then 10 per 600 s;
    /// Tries of an invite code, by address.
    InviteTry = 20 then 10 per 60 s;
    /// Steps of a sign-in (there are three), by address. This and the four below: see `accounts/login.rs`.
    Login = 20 then 10 per 60 s;
    /// Tries of one name from one address.
    LoginPair = 10 then 10 per 600 s;
    /// Tries of one name from all addresses that are strange to it.
    LoginName = 100 then 100 per 3600 s;
    /// Steps of a sign-in by one name from an address where that account signed in lately.
    LoginStep = 60 then 60 per 600 s;
    /// Tries of one name from an address where that account signed in lately.
    LoginFamiliar = 20 then 20 per 600 s;
    /// Recoveries, by address.
    Recover = 10 then 10 per 600 s;
    /// Devices added, by account: each leaves a row for a year when it is signed out.
    AddDevice = 20 then 20 per 86400 s;
    /// New tokens for known devices, by address.
    Renew = 60 then 30 per 60 s;
    /// Invites made, by account.
    Invite = 20 then 20 per 3600 s;
    /// Invites made by somebody who is not the owner, by account: each lets in several, who may write as much each. Enough for
    /// the links that a person makes.
    MemberInvite = 5 then 5 per 86400 s;
    /// Look-ups of people, by account.
    Lookup = 60 then 60 per 60 s;
    /// Contact requests, by account.
    ContactRequest = 30 then 30 per 3600 s;
    /// Other changes to contacts, by account.
    ContactChange = 60 then 60 per 60 s;
    /// Times that somebody asks to be let into a group, by account here and at the hub.
    Join = 30 then 30 per 3600 s;
    /// Changes at the doors of groups, by account: links, and who is declined.
    Door = 60 then 60 per 60 s;
    /// Times that KeyPackages are taken, by who takes them: it eats the stock of others.
    Claim = 60 then 60 per 600 s;
    /// The same for a group in which they decide who comes in: the largest is filled in ten minutes.
    GroupClaim = 500 then 500 per 600 s;
    /// Of one person by one other, whatever for.
    ClaimOfOne = 20 then 20 per 600 s;
    /// Of one person for one room into which they have asked to be let, by whomever.
    ClaimAsked = 10 then 10 per 3600 s;
    /// By all people of another node, of people who are no contacts of theirs, by node.
    PeerClaim = 300 then 60 per 60 s;
    /// KeyPackages published, by account.
    Publish = 30 then 30 per 60 s;
    /// Rooms made, by account.
    CreateRoom = 30 then 60 per 3600 s;
    /// Messages, by account.
    Message = 200 then 50 per 1 s;
    /// Commits, by account: each costs the hub a look into the whole group.
    Commit = 60 then 60 per 60 s;
    /// Pages read, by account.
    Read = 400 then 100 per 1 s;
    /// Room items and vault records, by account.
    Write = 200 then 20 per 1 s;
    /// Ephemeral events, by account.
    Ephemeral = 60 then 20 per 1 s;
    /// Sockets opened, by address.
    Socket = 300 then 10 per 1 s;
    /// Rooms that sockets begin to follow, by account: each costs a few reads. All devices of the largest account at once.
    Follow = 65536 then 8192 per 60 s;
    /// Frames that a client sends on a socket, by account; those of the WebSocket itself (pings) count as well.
    Frame = 600 then 100 per 1 s;
    /// Events that another node sends, by node. A burst holds some full batches.
    PeerEvents = 5120 then 1000 per 1 s;
    /// Kilobytes of its batches, by node: a burst of 64 MiB, then 4 MiB a second.
    PeerKilobytes = 65536 then 4096 per 1 s;
    /// Questions of another node, by node.
    PeerQuestions = 600 then 100 per 1 s;
    /// What it says of payments, by node: what its people ask does not hold that up.
    PeerPosts = 600 then 100 per 1 s;
    /// Statements of a link that stands still, by node: each is a look through all of its payments.
    PeerStatement = 30 then 30 per 60 s;
    /// Codes of payers by which another node asks for money, by node: it may have many shops, and should not try codes for long.
    PeerCharge = 600 then 600 per 60 s;
    /// Look-ups of people by another node, by node: many of its people may ask, but not for everybody.
    PeerLookup = 300 then 60 per 60 s;
    /// The same of all nodes together with which nobody here has to do: names that are keys are free to make.
    PeerLookups = 3000 then 600 per 60 s;
    /// People of another node who ask to be let into groups, by node.
    PeerJoin = 300 then 60 per 60 s;
    /// Batches and questions of a key under a name that is not pinned to it, by key: each may cost a look at that name's record.
    PeerStranger = 10 then 10 per 60 s;
    /// Nodes that come for the first time, together: each leaves a row.
    PeerFirst = 200 then 60 per 60 s;
    /// Nodes that are looked for for the first time, by the account or the node that wants it: each leaves a row.
    PeerSought = 60 then 30 per 600 s;
    /// KiB that an account has written, as far as they stay on disk. How many a day is the operator's to say.
    Written = 262_144 then 262_144 per 86400 s;
}

/// Our clock as governor wants it: a budget must fill again though somebody sets the time back.
#[derive(Clone)]
struct GovernorClock(Arc<dyn Clock>);

impl clock::Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.steady_ms())
    }
}

type Limiter = RateLimiter<LimitKey, HashMapStateStore<LimitKey>, GovernorClock, NoOpMiddleware<Duration>>;

/// All budgets of a node.
pub struct Limits {
    /// In the order of [`Budget::ALL`]; empty when limits are lifted.
    limiters: Vec<Limiter>,
    factor: f64,
    clock: Arc<dyn Clock>,
    /// The whole of [`Budget::Written`].
    written_kib: NonZeroU32,
    /// One shrinking at a time is enough.
    shrinking: Mutex<()>,
}

impl Limits {
    /// Budgets times `factor`, and `written_mib` a day of [`Budget::Written`], which is about the disk and not about how many
    /// share an address. A factor of 0 lifts them all.
    pub fn new(clock: Arc<dyn Clock>, factor: f64, written_mib: u32) -> Self {
        let lifted = factor.is_nan() || factor <= 0.0;
        let written_kib = written_mib.saturating_mul(1024);
        let limiter = |budget: &Budget| {
            let quota = match (budget, budget.rate()) {
                (Budget::Written, (.., seconds)) => quota((written_kib, written_kib, seconds), 1.0),
                (_, rate) => quota(rate, factor),
            };
            RateLimiter::hashmap_with_clock(quota, GovernorClock(clock.clone()))
        };
        let limiters = if lifted { Vec::new() } else { Budget::ALL.iter().map(limiter).collect() };
        let written_kib = NonZeroU32::new(written_kib).unwrap_or(NonZeroU32::MIN);
        Limits { limiters, factor, clock, written_kib, shrinking: Mutex::new(()) }
    }

    /// Takes one from a budget.
    ///
    /// # Errors
    /// [`Fault::RateLimited`].
    pub fn take(&self, budget: Budget, key: &LimitKey) -> Result<(), Fault> {
        self.take_many(budget, key, NonZeroU32::MIN)
            .map_err(|retry_after_ms| Fault::RateLimited { retry_after_ms })
    }

    /// Takes from what somebody may write in a day, a KiB at least: what is short has its price on disk as well.
    ///
    /// # Errors
    /// [`Fault::WrittenTooMuch`].
    pub fn take_bytes(&self, key: &LimitKey, bytes: usize) -> Result<(), Fault> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        // What is larger than a small budget must not wait for ever.
        let kib = NonZeroU32::new(kib).unwrap_or(NonZeroU32::MIN).min(self.written_kib);
        self.take_many(Budget::Written, key, kib)
            .map_err(|retry_after_ms| Fault::WrittenTooMuch { retry_after_ms })
    }

    /// Takes several at once, or none; and says after how many milliseconds there will be so many.
    fn take_many(&self, budget: Budget, key: &LimitKey, count: NonZeroU32) -> Result<(), Millis> {
        let Some(limiter) = self.limiters.get(budget as usize) else { return Ok(()) };
        if limiter.len() >= KEYS_MAX {
            self.make_room(limiter);
            if limiter.len() >= KEYS_MAX {
                // Names times addresses are endless: a crowd of them would lock out everybody at once. The budgets of the
                // address and of the name hold without it.
                if budget == Budget::LoginPair {
                    return Ok(());
                }
                return self.answer(limiter.check_key_n(&LimitKey::Crowd, count));
            }
        }
        self.answer(limiter.check_key_n(key, count))
    }

    /// Takes several at once, or none. More than a burst counts as a whole burst: it could never be had otherwise.
    ///
    /// # Errors
    /// [`Fault::RateLimited`].
    pub fn take_several(&self, budget: Budget, key: &LimitKey, count: u32) -> Result<(), Fault> {
        let Some(count) = NonZeroU32::new(count.min(burst(budget.rate().0, self.factor))) else {
            return Ok(());
        };
        self.take_many(budget, key, count).map_err(|retry_after_ms| Fault::RateLimited { retry_after_ms })
    }

    /// [`Self::take`] for an address.
    ///
    /// # Errors
    /// [`Fault::RateLimited`].
    pub fn take_address(&self, budget: Budget, from: IpAddr) -> Result<(), Fault> {
        self.take(budget, &LimitKey::address(from))
    }

    /// [`Self::take`] for an account.
    ///
    /// # Errors
    /// [`Fault::RateLimited`].
    pub fn take_account(&self, budget: Budget, name: &UserName) -> Result<(), Fault> {
        self.take(budget, &LimitKey::Account(name.clone()))
    }

    /// [`Self::take`] for whoever asks, here or on another node.
    ///
    /// # Errors
    /// [`Fault::RateLimited`].
    pub fn take_caller(&self, budget: Budget, caller: &Caller) -> Result<(), Fault> {
        self.take(budget, &LimitKey::caller(caller))
    }

    /// Forgets the keys whose budget is full again. A worker calls it every minute.
    pub fn shrink(&self) {
        for limiter in &self.limiters {
            self.make_room(limiter);
            limiter.shrink_to_fit();
        }
    }

    /// How many keys are remembered, over all budgets.
    pub fn keys(&self) -> usize {
        self.limiters.iter().map(RateLimiter::len).sum()
    }

    fn make_room(&self, limiter: &Limiter) {
        if let Some(_alone) = self.shrinking.try_lock() {
            limiter.retain_recent();
        }
    }

    fn answer(
        &self,
        answer: Result<Result<(), NotUntil<Duration>>, InsufficientCapacity>,
    ) -> Result<(), Millis> {
        // More than the whole budget is never there; callers ask for less.
        let Ok(answer) = answer else { return Err(DAY_MS) };
        answer.map_err(|not_until| {
            let now = Duration::from_millis(self.clock.steady_ms());
            let wait = not_until.wait_time_from(now).as_millis();
            u64::try_from(wait).unwrap_or(u64::MAX).max(1)
        })
    }
}

/// How much may be had at once.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
fn burst(burst: u32, factor: f64) -> u32 {
    (f64::from(burst) * factor).clamp(1.0, f64::from(u32::MAX)) as u32
}

fn quota((burst, count, seconds): (u32, u32, u32), factor: f64) -> Quota {
    let burst = NonZeroU32::new(self::burst(burst, factor)).unwrap_or(NonZeroU32::MIN);
    let per_one = f64::from(seconds) / (f64::from(count) * factor);
    let per_one = Duration::try_from_secs_f64(per_one)
        .unwrap_or(Duration::from_secs(3600))
        .max(Duration::from_nanos(1));
    // `with_period` refuses a period of nothing only.
    Quota::with_period(per_one).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst)
}

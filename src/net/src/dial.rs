//! Where peers may be found, and when each is tried again.

use crate::{PeerKey, address::Addresses};
use libp2p::Multiaddr;
use parking_lot::Mutex;
use rand::Rng;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// Peers whose addresses are remembered; past it, the one longest unused is forgotten. At sixteen short addresses each,
/// some ten megabytes.
const PEERS_KNOWN_MAX: usize = 8_192;
/// After the first failure a peer is left alone for about so long, then twice as long each time.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
/// The longest pause: a node that was off all night is found within minutes. Learning of it, or its own call, ends any pause.
const BACK_OFF_MAX: Duration = Duration::from_secs(5 * 60);
/// The longest pause for an anchor. They are few, their operators know of this node, and without one it may reach nobody.
const ANCHOR_BACK_OFF_MAX: Duration = Duration::from_secs(10);
/// Peers that are tried again at once when an anchor is back, at most so often: an anchor may come and go.
const WOKEN_MAX: usize = 64;
const WAKE_PAUSE: Duration = Duration::from_secs(60);
/// Doublings after which the longest pause is surely reached.
const DOUBLINGS_MAX: u32 = 10;

/// The address book. Shared: callers write what they learn, the swarm's task reads when it dials.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// Relays and first contacts that the operator named. Where one of them comes back, it was this node that was away.
    anchors: HashSet<PeerKey>,
    woken_at: Option<Instant>,
    known: HashMap<PeerKey, Known>,
    /// Counts up with every use, so that the longest unused is known.
    uses: u64,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Addresses,
    failures: u32,
    retry_at: Option<Instant>,
    used: u64,
}

impl Book {
    pub(crate) fn new(anchors: HashSet<PeerKey>) -> Book {
        Book(Mutex::new(Pages { anchors, ..Pages::default() }))
    }

    /// Adds addresses, the new ones first. A peer of which something new is learned may be tried at once.
    pub(crate) fn learn(&self, peer: PeerKey, addresses: &[Multiaddr]) {
        if addresses.is_empty() {
            return;
        }
        let mut pages = self.0.lock();
        let known = pages.page(peer);
        let is_news = addresses.iter().any(|address| !known.addresses.as_slice().contains(address));
        let all = addresses.iter().chain(known.addresses.as_slice()).cloned();
        known.addresses = Addresses::collect(all);
        if is_news {
            known.failures = 0;
            known.retry_at = None;
        }
    }

    pub(crate) fn addresses(&self, peer: PeerKey) -> Vec<Multiaddr> {
        let mut pages = self.0.lock();
        if pages.known.contains_key(&peer) {
            pages.page(peer).addresses.as_slice().to_vec()
        } else {
            Vec::new()
        }
    }

    /// Whether the peer is to be left alone at this moment.
    pub(crate) fn rests(&self, peer: PeerKey, now: Instant) -> bool {
        let pages = self.0.lock();
        pages.known.get(&peer).and_then(|known| known.retry_at).is_some_and(|at| now < at)
    }

    /// It is left alone no longer.
    pub(crate) fn wake(&self, peer: PeerKey) {
        if let Some(known) = self.0.lock().known.get_mut(&peer) {
            known.retry_at = None;
        }
    }

    /// No way led to the peer.
    pub(crate) fn failed(&self, peer: PeerKey, now: Instant) {
        let mut pages = self.0.lock();
        let longest = if pages.anchors.contains(&peer) { ANCHOR_BACK_OFF_MAX } else { BACK_OFF_MAX };
        let known = pages.page(peer);
        known.failures = known.failures.saturating_add(1);
        known.retry_at = Some(now + pause(known.failures, longest, &mut rand::thread_rng()));
    }

    /// The peer is connected. Returns who is to be tried again now: if an anchor could not be reached for a while, the others
    /// probably were not away either, and need not be left alone for as long as that took.
    pub(crate) fn reached(&self, peer: PeerKey, now: Instant) -> Vec<PeerKey> {
        let mut pages = self.0.lock();
        let Some(known) = pages.known.get_mut(&peer) else { return Vec::new() };
        known.retry_at = None;
        let was_away = std::mem::take(&mut known.failures) > 0;
        let is_due = pages.woken_at.is_none_or(|at| now >= at + WAKE_PAUSE);
        if !was_away || !is_due || !pages.anchors.contains(&peer) {
            return Vec::new();
        }
        pages.woken_at = Some(now);
        pages.wake()
    }
}

impl Pages {
    /// Those who were used last rest no more. Their failures stay: who is really away rests soon again.
    fn wake(&mut self) -> Vec<PeerKey> {
        let mut resting: Vec<_> =
            self.known.iter_mut().filter(|(_, known)| known.retry_at.is_some()).collect();
        resting.sort_by_key(|(_, known)| std::cmp::Reverse(known.used));
        resting.truncate(WOKEN_MAX);
        resting.into_iter().map(|(peer, known)| (known.retry_at.take(), *peer).1).collect()
    }

    fn page(&mut self, peer: PeerKey) -> &mut Known {
        if !self.known.contains_key(&peer) && self.known.len() >= PEERS_KNOWN_MAX {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.used).map(|(peer, _)| *peer);
            oldest.and_then(|peer| self.known.remove(&peer));
        }
        self.uses += 1;
        let known = self.known.entry(peer).or_default();
        known.used = self.uses;
        known
    }
}

/// Half to all of the doubled pause: peers that lost the same node do not all come back to it in one second.
fn pause(failures: u32, longest: Duration, random: &mut impl Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    let full = BACK_OFF_FIRST.saturating_mul(1 << doublings).min(longest);
    full.mul_f64(random.gen_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use weft_wire::limits::PEER_ADDRESSES_MAX;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for failures in 1..100 {
            let pauses: Vec<Duration> = (0..20).map(|_| pause(failures, BACK_OFF_MAX, &mut random)).collect();
            let full = BACK_OFF_FIRST.saturating_mul(1 << (failures - 1).min(10)).min(BACK_OFF_MAX);
            assert!(pauses.iter().all(|pause| *pause <= full && *pause >= full / 2));
            assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
        }
        assert!(pause(u32::MAX, BACK_OFF_MAX, &mut random) <= BACK_OFF_MAX);
    }

    #[test]
    fn a_dead_peer_rests_until_something_new_is_learned() {
        let (book, peer, now) = (Book::default(), PeerKey([1; 32]), Instant::now());
        book.learn(peer, &[address(1)]);
        assert!(!book.rests(peer, now));
        book.failed(peer, now);
        assert!(book.rests(peer, now) && !book.rests(peer, now + BACK_OFF_FIRST));
        book.learn(peer, &[address(1)]);
        assert!(book.rests(peer, now), "nothing new in that");
        book.learn(peer, &[address(2)]);
        assert!(!book.rests(peer, now));
        assert_eq!(book.addresses(peer), [address(2), address(1)]);
        book.failed(peer, now);
        book.reached(peer, now);
        assert!(!book.rests(peer, now));
    }

    #[test]
    fn an_anchor_that_comes_back_ends_the_pauses_of_all() {
        let (relay, friend, stranger) = (PeerKey([1; 32]), PeerKey([2; 32]), PeerKey([3; 32]));
        let (book, now) = (Book::new(HashSet::from([relay])), Instant::now());
        for _ in 0..20 {
            [relay, friend, stranger].into_iter().for_each(|peer| book.failed(peer, now));
        }
        assert!(!book.rests(relay, now + ANCHOR_BACK_OFF_MAX), "an anchor is never left alone for long");
        assert!(book.rests(friend, now + ANCHOR_BACK_OFF_MAX));
        assert!(book.reached(stranger, now).is_empty(), "of one that is no anchor nothing follows");
        assert_eq!(book.reached(relay, now), [friend]);
        assert!(!book.rests(friend, now));
        book.failed(friend, now);
        assert!(book.rests(friend, now + ANCHOR_BACK_OFF_MAX), "its failures were not forgotten");
        assert!(book.reached(relay, now + WAKE_PAUSE).is_empty(), "it was not away");
        book.failed(relay, now);
        assert!(book.reached(relay, now).is_empty(), "it comes and goes");
        assert!(book.rests(friend, now));
    }

    #[test]
    fn the_book_is_bounded() {
        let book = Book::default();
        let peer = |n: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            PeerKey(key)
        };
        for n in 0..PEERS_KNOWN_MAX {
            book.learn(peer(n), &[address(1)]);
        }
        assert_eq!(book.addresses(peer(0)), [address(1)]);
        book.learn(peer(PEERS_KNOWN_MAX), &[address(1)]);
        assert_eq!(book.0.lock().known.len(), PEERS_KNOWN_MAX);
        assert_eq!(book.addresses(peer(0)), [address(1)], "it was used");
        assert!(book.addresses(peer(1)).is_empty(), "it was not");
        (0..100).for_each(|port| book.learn(peer(0), &[address(port)]));
        assert_eq!(book.addresses(peer(0)).len(), PEER_ADDRESSES_MAX);
        assert_eq!(book.addresses(peer(0))[0], address(99));
    }
}

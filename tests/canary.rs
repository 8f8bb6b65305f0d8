//! What people write, call themselves and sign in with is nowhere on the node: not in its data, not in its logs, not in any
//! byte that it was sent.

// A test fails where something is not as it should be.
use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::path::Path;
use weft_engine::api::Call;
use weft_testkit::{NodeProcess, Person, Tap, person::SignUp};

/// Random strings: three passwords, three display names, four greetings and forty messages.
const MESSAGES: usize = 40;

struct Canaries {
    rng: ChaCha20Rng,
    all: Vec<String>,
}

impl Canaries {
    /// Twenty letters and digits: long enough that none comes about by chance, short enough to stay whole in any encoding.
    fn next(&mut self) -> String {
        const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let canary: String =
            (0..20).map(|_| char::from(ALPHABET[self.rng.gen_range(0..ALPHABET.len())])).collect();
        self.all.push(canary.clone());
        canary
    }
}

#[tokio::test]
async fn nothing_that_people_write_is_seen_by_the_node() -> Result<()> {
    let seed = std::env::var("WEFT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(50_u64);
    let mut canaries = Canaries { rng: ChaCha20Rng::seed_from_u64(seed), all: Vec::new() };
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[("WEFT_LOG__FILTER", "trace")]).await?;
    let tap = Tap::before(node.address).await?;
    let url = format!("http://{}", tap.address);

    let mut people = Vec::new();
    for name in ["alice", "bob", "carol"] {
        let who = SignUp { name: name.to_owned(), display_name: canaries.next(), password: canaries.next() };
        let password = who.password.clone();
        let person = Person::sign_up(&url, who, Some(node.invite().await?)).await?;
        people.push((person, name, password));
    }
    let [(alice, ..), (bob, name, password), (carol, ..)] = &people[..] else { panic!("three people") };
    for other in [bob, carol] {
        let target = alice.link().await?;
        other.call(Call::AddContact { target, greeting: canaries.next() }).await?;
        alice.until("the contact", async |me: &Person| accepted(me, &other.address).await).await?;
    }
    alice.call(Call::SetDisplayName { name: canaries.next() }).await?;
    // A sign-in on a second device travels another way than the sign-up.
    let phone = SignUp { name: (*name).to_owned(), display_name: String::new(), password: password.clone() };
    let phone = Person::sign_in(&url, phone).await?;
    let mut last = String::new();
    for number in 0..MESSAGES {
        let (from, to) = [(alice, bob), (bob, alice), (alice, carol), (carol, alice)][number % 4];
        last = canaries.next();
        from.say(&to.address, &last).await?;
        if number % 8 == 0 {
            let chat = from.chat(&to.address).await?.chat;
            from.call(Call::SetDraft { chat, text: canaries.next() }).await?;
        }
        to.hears(&from.address, &last).await?;
    }
    assert!(canaries.all.len() >= 50 && !last.is_empty());
    drop(phone);

    // The tap hears what is said: the public names are there, in the clear.
    let heard = tap.heard();
    assert!(find(&heard, b"alice") && heard.len() > 50_000, "the tap heard {} bytes", heard.len());
    node.terminate().await?;
    let log = node.log();
    assert!(log.contains("stopped"), "the log is there");
    for canary in &canaries.all {
        assert!(!seen(&heard, canary), "seed {seed}: {canary} travelled to the node");
        assert!(!seen(log.as_bytes(), canary), "seed {seed}: {canary} is in the log");
    }
    let mut files = 0;
    search(&node.data(), &canaries.all, &mut files);
    assert!(files >= 3, "the data folder was searched");
    Ok(())
}

async fn accepted(me: &Person, user: &str) -> Result<Option<()>> {
    let weft_engine::api::Reply::Contacts(contacts) = me.call(Call::Contacts).await? else { return Ok(None) };
    Ok(contacts.iter().any(|contact| contact.user == user && contact.state == "accepted").then_some(()))
}

fn search(folder: &Path, canaries: &[String], files: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, canaries, files);
        } else if path.is_file() {
            *files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for canary in canaries {
                assert!(!seen(&bytes, canary), "{canary} is in {}", path.display());
            }
        }
    }
}

/// As it is, and as hexadecimal digits; base64 in its three alignments would not survive the alphabet's length unnoticed,
/// so its middle is looked for as well.
fn seen(bytes: &[u8], canary: &str) -> bool {
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    find(bytes, canary.as_bytes())
        || find(bytes, hex.as_bytes())
        || base64(canary).iter().any(|text| find(bytes, text.as_bytes()))
}

/// The part of each of the three alignments of base64 that does not depend on what stands around.
fn base64(canary: &str) -> Vec<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes = canary.as_bytes();
    (0..3)
        .map(|skip| {
            bytes[skip..]
                .chunks_exact(3)
                .flat_map(|three| {
                    let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
                    [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 63) as usize]))
                })
                .collect()
        })
        .collect()
}

fn find(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let mut bytes = bytes;
    while let Some(at) = bytes.iter().position(|byte| byte == first) {
        bytes = &bytes[at + 1..];
        if bytes.starts_with(rest) {
            return true;
        }
    }
    false
}

#[test]
fn a_canary_would_be_found() {
    assert!(seen(b"..canary-0123456789..", "canary-0123456789"));
    assert!(seen(b"..63616e6172792d30..", "canary-0"));
    for padding in ["", "x", "xy"] {
        let text = format!("{padding}canary-0123456789");
        let encoded = &base64(&text)[0];
        assert!(seen(format!("..{encoded}..").as_bytes(), "canary-0123456789"), "{padding:?}");
    }
    assert!(!seen(b"canary-012345678", "canary-0123456789"));
}

//! Contacts, links, KeyPackages, devices and vault records of the node in memory.

use super::node::{Answer, Node, answer, problem, read};
use std::collections::BTreeMap;
use weft_mls::config::KEY_PACKAGE_LIFETIME_MS;
use weft_wire::accounts::{DeviceInfo, DeviceList};
use weft_wire::contacts::*;
use weft_wire::invites::{CreateInvite, InviteCreated};
use weft_wire::sync::{InboxItem, ServerFrame};
use weft_wire::vault::{PutVaultRecords, VaultPage, VaultRecord};
use weft_wire::{Blob, Code, DeviceId, UserAddress};

/// Claims are counted for so long.
const CLAIMS_MS: u64 = 600_000;

impl Node {
    pub fn people_route(
        &mut self,
        method: &str,
        words: &[&str],
        query: &str,
        user: &UserAddress,
        device: DeviceId,
        body: &[u8],
    ) -> Answer {
        match (method, words) {
            ("GET", ["devices"]) => {
                let devices = self.account(user)?.devices.iter();
                let info = |(device, kept): (&DeviceId, &super::accounts::Device)| DeviceInfo {
                    device: *device,
                    cert: kept.cert.clone(),
                    seen_ms: 0,
                };
                answer(&DeviceList { devices: devices.map(info).collect() })
            }
            ("DELETE", ["devices", id]) => self.revoke(user, id.parse().unwrap()),
            ("GET", ["users", who]) => {
                let who: UserAddress = who.parse().unwrap();
                answer(&UserLookup { identity: self.account(&who)?.identity.clone() })
            }
            ("POST", ["users", who, "key-packages"]) => {
                self.claim(user, device, &who.parse().unwrap(), query)
            }
            ("GET", ["key-packages"]) => self.stock(user, device),
            ("POST", ["key-packages"]) => {
                let request: PublishKeyPackages = read(body)?;
                if self.refuse_published {
                    return Err(problem(Code::StorageUnavailable));
                }
                let (now, forget) = (self.now, self.forget_published);
                let kept = self.account(user)?.devices.get_mut(&device).unwrap();
                // The same ones again change nothing, even when some were handed out meanwhile.
                for package in request.packages {
                    let known = kept.key_packages.iter().any(|(known, _)| *known == package);
                    if !known && !kept.used.contains(&package) {
                        kept.key_packages.push((package, now + KEY_PACKAGE_LIFETIME_MS));
                    }
                }
                kept.drop_ended(now);
                if forget {
                    kept.used.extend(kept.key_packages.drain(..).map(|(package, _)| package));
                }
                assert!(kept.key_packages.len() <= weft_wire::limits::KEY_PACKAGES_PER_DEVICE_MAX);
                kept.last_resort = request.last_resort.or(kept.last_resort.take());
                self.stock(user, device)
            }
            ("POST", ["invites"]) => {
                let request: CreateInvite = read(body)?;
                let expires_ms = self.now + request.lifetime_ms;
                answer(&InviteCreated { code: "an-invite".into(), expires_ms })
            }
            ("GET", ["contacts"]) => self.contacts(user),
            ("POST", ["contacts", "links"]) => {
                let request: CreateContactLink = read(body)?;
                self.links.insert(request.token_hash, user.clone());
                Ok(Vec::new())
            }
            ("POST", ["contacts", "requests"]) => self.ask(user, read(body)?),
            ("POST", ["contacts", who, verb]) => self.decide(user, &who.parse().unwrap(), verb, body),
            ("PUT", ["vault", "records"]) => {
                let request: PutVaultRecords = read(body)?;
                assert!(request.records.len() <= 64);
                let max = self.vault_bytes_max;
                let mut after = self.account(user)?.vault.clone();
                after.extend(request.records.iter().map(|record| (record.name, record.clone())));
                let bytes = |vault: &BTreeMap<[u8; 32], VaultRecord>| -> usize {
                    vault.values().map(|record| record.sealed.len()).sum()
                };
                if bytes(&after) > bytes(&self.account(user)?.vault).max(max) {
                    return Err(problem(Code::Quota));
                }
                for record in &request.records {
                    let vault = &mut self.account(user)?.vault;
                    if vault.get(&record.name).is_none_or(|old| old.version < record.version) {
                        vault.insert(record.name, record.clone());
                    }
                }
                self.push(user, Some(device), &ServerFrame::Vault { records: request.records });
                Ok(Vec::new())
            }
            ("GET", ["vault", "records"]) => {
                // Small pages, so that paging is used.
                let after = query.strip_prefix("after=").unwrap_or_default().to_owned();
                let hex = |name: &[u8; 32]| name.iter().map(|b| format!("{b:02x}")).collect::<String>();
                let vault = self.account(user)?.vault.values();
                let rest: Vec<_> = vault.filter(|record| hex(&record.name) > after).cloned().collect();
                answer(&VaultPage { more: rest.len() > 2, records: rest.into_iter().take(2).collect() })
            }
            _ => Err(problem(Code::NoRoute).detail(format!("{method} {words:?}"))),
        }
    }

    fn stock(&mut self, user: &UserAddress, device: DeviceId) -> Answer {
        let now = self.now;
        let kept = self.account(user)?.devices.get_mut(&device).unwrap();
        kept.drop_ended(now);
        let left = kept.key_packages.len() as u32;
        answer(&KeyPackageStock { left, last_resort: kept.last_resort.is_some() })
    }

    fn claim(&mut self, by: &UserAddress, device: DeviceId, of: &UserAddress, query: &str) -> Answer {
        let accepted =
            self.account(by)?.contacts.get(of).is_some_and(|(state, _)| *state == ContactState::Accepted);
        if by != of && !accepted && !self.has_asked(query, by, of) {
            return Err(problem(Code::NoConsent));
        }
        let now = self.now;
        self.claims.retain(|at| at + CLAIMS_MS > now);
        let none = self.gives_none_of.as_ref() == Some(of);
        if none || self.claims_max.is_some_and(|max| self.claims.len() >= max) {
            let wait = self.claims.first().map_or(CLAIMS_MS, |first| first + CLAIMS_MS - now);
            let mut later = problem(Code::RateLimited);
            later.retry_after_ms = Some(wait);
            return Err(later);
        }
        self.claims.push(now);
        let doubles = self.doubles_key_packages;
        let account = self.account(of)?;
        let identity = account.identity.clone();
        let mut packages = Vec::new();
        for (id, kept) in account.devices.iter_mut().filter(|(id, _)| **id != device) {
            kept.drop_ended(now);
            let single = kept.key_packages.pop().map(|(package, _)| package);
            kept.used.extend(single.clone());
            if let Some(key_package) = single.or(kept.last_resort.clone()) {
                let one = DeviceKeyPackage { device: *id, key_package };
                packages.extend(std::iter::repeat_n(one, if doubles { 2 } else { 1 }));
            }
        }
        answer(&ClaimedKeyPackages { identity, packages })
    }

    fn contacts(&mut self, user: &UserAddress) -> Answer {
        let contacts = self.account(user)?.contacts.clone();
        let mut rows = Vec::new();
        for (other, (state, sealed)) in contacts {
            let identity = self.account(&other)?.identity.clone();
            rows.push(Contact { user: other, state, identity, sealed, since_ms: self.now });
        }
        answer(&ContactList { contacts: rows, more: false })
    }

    fn ask(&mut self, from: &UserAddress, request: ContactRequest) -> Answer {
        let to = request.to;
        self.account(&to)?;
        let by_link = match &request.token {
            Some(token) if self.links.get(blake3::hash(token.as_slice()).as_bytes()) == Some(&to) => true,
            Some(_) => return Err(problem(Code::InviteInvalid)),
            None => false,
        };
        let crossed =
            self.account(from)?.contacts.get(&to).is_some_and(|(s, _)| *s == ContactState::Incoming);
        if by_link || crossed {
            self.set(from, &to, Some(ContactState::Accepted), None);
            self.set(&to, from, Some(ContactState::Accepted), Some(request.sealed));
            return answer(&ContactAnswer { state: ContactState::Accepted });
        }
        self.set(from, &to, Some(ContactState::Outgoing), None);
        self.set(&to, from, Some(ContactState::Incoming), Some(request.sealed));
        answer(&ContactAnswer { state: ContactState::Outgoing })
    }

    fn decide(&mut self, user: &UserAddress, other: &UserAddress, verb: &str, body: &[u8]) -> Answer {
        match verb {
            "accept" => {
                let request: ContactAccept = read(body)?;
                match self.account(user)?.contacts.get(other).map(|(state, _)| *state) {
                    Some(ContactState::Incoming | ContactState::Accepted) => {}
                    _ => return Err(problem(Code::NotFound)),
                }
                self.set(user, other, Some(ContactState::Accepted), None);
                self.set(other, user, Some(ContactState::Accepted), Some(request.sealed));
                answer(&ContactAnswer { state: ContactState::Accepted })
            }
            "decline" => {
                self.set(user, other, None, None);
                Ok(Vec::new())
            }
            "block" => {
                self.set(user, other, Some(ContactState::Blocked), None);
                Ok(Vec::new())
            }
            "remove" => {
                self.set(user, other, None, None);
                self.set(other, user, None, None);
                Ok(Vec::new())
            }
            _ => Err(problem(Code::NoRoute)),
        }
    }

    fn set(
        &mut self,
        user: &UserAddress,
        other: &UserAddress,
        state: Option<ContactState>,
        sealed: Option<Blob>,
    ) {
        let identity = self.account(other).unwrap().identity.clone();
        let contacts = &mut self.account(user).unwrap().contacts;
        let kept = sealed.clone().or(contacts.get(other).and_then(|(_, sealed)| sealed.clone()));
        match state {
            Some(state) => drop(contacts.insert(other.clone(), (state, kept))),
            None => drop(contacts.remove(other)),
        }
        self.tell(user, InboxItem::Contact { user: other.clone(), state, identity, sealed });
    }
}

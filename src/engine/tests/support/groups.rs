//! Groups of the node in memory: followed by the hub's own code, with the rules that every node has.

use super::node::{Answer, Node, answer, problem, read};
use super::rooms::Room;
use std::collections::BTreeMap;
use weft_mls::commit::device_ref;
use weft_mls::{HubGroup, MlsError, Submission, policy};
use weft_wire::rooms::*;
use weft_wire::{Code, DeviceId, Problem, RoomId, UserAddress};

/// What a group's hub keeps besides the log.
pub struct Group {
    pub mls: HubGroup,
    pub left: Vec<UserAddress>,
    /// Whom the hub names as members besides.
    pub also: Vec<UserAddress>,
    /// Hash of the token, and whether somebody has to agree.
    pub links: Vec<([u8; 32], bool)>,
    pub requests: Vec<JoinRequest>,
}

impl Group {
    pub fn new(mls: HubGroup) -> Self {
        Group { mls, left: Vec::new(), also: Vec::new(), links: Vec::new(), requests: Vec::new() }
    }

    pub fn devices(&self) -> Vec<DeviceRef> {
        self.mls.members().unwrap().iter().map(device_ref).collect()
    }

    pub fn role(&self, user: &UserAddress) -> RoomRole {
        self.mls.roles().unwrap().unwrap().of(user)
    }

    pub fn people(&self) -> Vec<UserAddress> {
        let mut people: Vec<_> = self.devices().into_iter().map(|device| device.user).collect();
        people.extend(self.also.iter().cloned());
        people.sort();
        people.dedup();
        people.retain(|user| !self.left.contains(user));
        people
    }
}

impl Room {
    /// Judges a commit as a hub does, and moves the group on.
    pub fn follow(&mut self, request: &SubmitCommit, now: u64) -> Result<(), Problem> {
        let envelope = request.envelope.peek().unwrap();
        let Some(group) = &mut self.group else { return Ok(()) };
        let submission = Submission {
            commit: envelope.body.as_slice(),
            group_info: request.group_info.as_slice(),
            welcome: request.welcome.as_ref().map(|welcome| welcome.as_slice()),
        };
        let checked = group.mls.check_commit(&submission, now).map_err(|error| match error {
            MlsError::WrongEpoch { expected, .. } => problem(Code::StaleEpoch).current(expected),
            error => problem(Code::BadMls).detail(error),
        })?;
        let present = group.mls.members().unwrap();
        let roles = group.mls.roles().unwrap().unwrap();
        let rules = policy::Rules {
            kind: &RoomKind::Group,
            present: &present,
            roles: roles.named(),
            gone: &self.gone,
        };
        policy::check(&rules, &checked.facts).map_err(|error| problem(Code::Forbidden).detail(error))?;
        group.mls.apply(checked).unwrap();
        let inside: Vec<DeviceId> = group.devices().into_iter().map(|device| device.device).collect();
        self.gone.retain(|gone| inside.contains(&gone.device));
        let people: Vec<UserAddress> = group.devices().into_iter().map(|device| device.user).collect();
        group.left.retain(|user| people.contains(user));
        let people = group.people();
        group.requests.retain(|one| !people.contains(&one.user));
        Ok(())
    }
}

impl Node {
    /// Routes of groups, but for what they have in common with other rooms.
    pub fn group_route(
        &mut self,
        method: &str,
        words: &[&str],
        user: &UserAddress,
        body: &[u8],
    ) -> Option<Answer> {
        let id: RoomId = words.get(1)?.parse().ok()?;
        if (method, words[2]) == ("POST", "join") {
            return Some(self.ask_to_join(id, user, body));
        }
        let room = self.rooms.get_mut(&id).filter(|room| room.people().contains(user))?;
        let group = room.group.as_mut()?;
        let manages = group.role(user) >= RoomRole::Admin;
        let forbidden = || Some(Err(problem(Code::Forbidden)));
        match (method, &words[2..]) {
            ("POST", ["leave"]) => {
                if let Some(problem) = &self.refuse_leaving {
                    return Some(Err(problem.clone()));
                }
                let present = group.devices();
                let roles = group.mls.roles().unwrap().unwrap();
                if policy::may_leave(&present, roles.named(), &room.gone, user).is_err() {
                    return forbidden();
                }
                group.left.push(user.clone());
                room.gone.extend(present.into_iter().filter(|device| device.user == *user));
                room.version += 1;
                Some(Ok(Vec::new()))
            }
            ("POST" | "DELETE" | "GET", ["links" | "requests", ..]) if !manages => forbidden(),
            ("POST", ["links"]) => {
                let request: CreateGroupLink = read(body).unwrap();
                if request.only {
                    group.links.clear();
                }
                group.links.push((request.token_hash, request.approval));
                Some(Ok(Vec::new()))
            }
            ("DELETE", ["links"]) => {
                group.links.clear();
                Some(Ok(Vec::new()))
            }
            ("GET", ["requests"]) => Some(answer(&JoinRequests { requests: group.requests.clone() })),
            ("DELETE", ["requests", who]) => {
                group.requests.retain(|one| one.user.to_string() != **who);
                room.version += 1;
                Some(Ok(Vec::new()))
            }
            _ => None,
        }
    }

    fn ask_to_join(&mut self, id: RoomId, user: &UserAddress, body: &[u8]) -> Answer {
        let request: AskToJoin = read(body)?;
        let (identity, asked_ms) = (self.account(user)?.identity.clone(), self.now);
        let room = self.rooms.get_mut(&id).ok_or(problem(Code::InviteInvalid))?;
        let inside = room.people().contains(user);
        let group = room.group.as_mut().ok_or(problem(Code::InviteInvalid))?;
        let hash = *blake3::hash(request.token.as_slice()).as_bytes();
        let link = group.links.iter().find(|(known, _)| *known == hash);
        let approval = link.ok_or(problem(Code::InviteInvalid))?.1;
        if inside {
            return answer(&JoinAnswer::Member);
        }
        group.requests.retain(|one| one.user != *user);
        group.requests.push(JoinRequest {
            user: user.clone(),
            identity,
            asked_ms,
            approval,
            proof: request.proof,
        });
        room.version += 1;
        answer(&JoinAnswer::Asked)
    }

    /// Whether somebody has asked to be let into a room that this person manages.
    pub fn has_asked(&mut self, query: &str, by: &UserAddress, who: &UserAddress) -> bool {
        let Some(Ok(room)) = query.strip_prefix("room=").map(str::parse::<RoomId>) else { return false };
        let group = self.rooms.get(&room).and_then(|room| room.group.as_ref());
        group.is_some_and(|group| {
            group.role(by) >= RoomRole::Admin && group.requests.iter().any(|one| one.user == *who)
        })
    }

    /// Who is in a room by the hub's book, with their roles.
    pub fn members_of(&self, room: RoomId) -> BTreeMap<String, RoomRole> {
        let group = self.rooms[&room].group.as_ref().unwrap();
        group.people().iter().map(|user| (user.name.to_string(), group.role(user))).collect()
    }
}

//! Rooms of the node in memory: a log with compare-and-set on the epoch. Groups are followed by the hub's own checks.

use super::groups::Group;
use super::node::{Answer, Node, Socket, answer, problem, read};
use std::collections::BTreeMap;
use weft_mls::HubGroup;
use weft_wire::rooms::*;
use weft_wire::sync::{InboxItem, ServerFrame};
use weft_wire::{Blob, Code, DeviceId, MessageId, NodeName, RoomId, RoomNonce, UserAddress};

pub struct Room {
    pub nonce: RoomNonce,
    pub kind: RoomKind,
    /// What the node says that it is, if that is something else.
    pub said: Option<RoomKind>,
    /// And where the node says that its hub is.
    pub said_hub: Option<NodeName>,
    pub epoch: u64,
    pub log: Vec<LogEntry>,
    pub group_info: Blob,
    pub delivered: BTreeMap<UserAddress, u64>,
    /// What nobody's devices have below that.
    pub missed: Vec<(u64, u64)>,
    pub items: BTreeMap<(UserAddress, String), RoomItem>,
    pub gone: Vec<DeviceRef>,
    pub folded: Option<RoomId>,
    /// Grows with everything that a description shows.
    pub version: u64,
    pub answers: BTreeMap<(DeviceId, MessageId), (Vec<u8>, Accepted)>,
    /// Entries up to this number are gone.
    pub trimmed: u64,
    /// Of a group.
    pub group: Option<Group>,
}

impl Room {
    pub fn people(&self) -> Vec<UserAddress> {
        match &self.kind {
            RoomKind::Direct { members: (a, b) } => vec![a.clone(), b.clone()],
            RoomKind::Group => self.group.as_ref().map(Group::people).unwrap_or_default(),
        }
    }

    fn describe(&self, room: RoomId, node: &NodeName, to: &UserAddress) -> RoomState {
        let decides = self.group.as_ref().filter(|group| group.role(to) >= RoomRole::Admin);
        let member = |user: &UserAddress| RoomMember {
            user: user.clone(),
            role: self.group.as_ref().map_or(RoomRole::Member, |group| group.role(user)),
            delivered: self.delivered.get(user).copied().unwrap_or(0),
            missed: self.missed.clone(),
        };
        RoomState {
            room,
            kind: self.said.as_ref().unwrap_or(&self.kind).clone(),
            hub: self.said_hub.as_ref().unwrap_or(node).clone(),
            nonce: Some(self.nonce),
            epoch: self.epoch,
            head: self.log.len() as u64,
            tail: self.trimmed + 1,
            members: self.people().iter().map(member).collect(),
            items: self.items.values().cloned().collect(),
            gone: self.gone.clone(),
            asking: decides.map_or(0, |group| group.requests.len() as u32),
        }
    }
}

impl Node {
    pub fn room_route(
        &mut self,
        method: &str,
        words: &[&str],
        query: &str,
        user: &UserAddress,
        device: DeviceId,
        body: &[u8],
    ) -> Answer {
        if let ("POST", ["rooms"]) = (method, words) {
            return self.create_room(user, read(body)?);
        }
        if let ("GET", ["rooms"]) = (method, words) {
            let after: Option<RoomId> = query.strip_prefix("after=").map(|id| id.parse().unwrap());
            let name = self.name.clone();
            let mine =
                self.rooms.iter().filter(|(_, room)| room.people().contains(user) && room.folded.is_none());
            let rest: Vec<_> = mine.filter(|(id, _)| after.is_none_or(|after| **id > after)).collect();
            let more = rest.len() > 1;
            let rooms = rest.into_iter().take(1).map(|(id, room)| room.describe(*id, &name, user)).collect();
            return answer(&RoomList { rooms, more });
        }
        if let Some(answer) = self.group_route(method, words, user, body) {
            return answer;
        }
        let id: RoomId = words[1].parse().unwrap();
        let room = self.rooms.get_mut(&id).filter(|room| room.people().contains(user));
        let room = room.ok_or(problem(Code::NotFound))?;
        match (method, words[2]) {
            ("GET", "group-info") => answer(&GroupInfoAnswer {
                epoch: room.epoch,
                head: room.log.len() as u64,
                group_info: room.group_info.clone(),
            }),
            ("PUT", "items") => {
                let put: PutItem = read(body)?;
                let item =
                    RoomItem { user: user.clone(), kind: put.kind, version: put.version, sealed: put.sealed };
                room.items.insert((user.clone(), item.kind.clone()), item.clone());
                for person in room.people() {
                    self.push(&person, Some(device), &ServerFrame::Item { room: id, item: item.clone() });
                }
                Ok(Vec::new())
            }
            ("POST", "messages") => {
                if let Some(problem) = &self.refuse_messages {
                    return Err(problem.clone());
                }
                let request: SubmitMessage = read(body)?;
                let envelope = request.envelope.peek().unwrap();
                assert_eq!(envelope.kind, EntryKind::Message);
                let same = weft_wire::encode(&request.envelope);
                if let Some((bytes, accepted)) = room.answers.get(&(device, envelope.message_id)) {
                    return if *bytes == same { answer(accepted) } else { Err(problem(Code::IdConflict)) };
                }
                if room.folded.is_some() {
                    return Err(problem(Code::Conflict));
                }
                if self.messages_are_late || envelope.epoch + 2 < room.epoch {
                    return Err(problem(Code::StaleEpoch).current(room.epoch));
                }
                self.append(id, device, envelope.message_id, same, request.envelope, None)
            }
            ("POST", "commits") => self.commit(id, device, read(body)?),
            _ => Err(problem(Code::NoRoute)),
        }
    }

    fn create_room(&mut self, user: &UserAddress, request: CreateRoom) -> Answer {
        if let Some(problem) = &self.refuse_rooms {
            return Err(problem.clone());
        }
        if let Some(room) = self.rooms.get(&request.room) {
            let (epoch, existing) = (room.epoch, room.folded);
            return answer(&RoomCreated { epoch, existing });
        }
        let group = match &request.kind {
            RoomKind::Direct { members: (a, b) } => {
                assert!(a < b && (a == user || b == user));
                None
            }
            RoomKind::Group => {
                let (mls, creator) =
                    HubGroup::create(request.room, request.group_info.as_slice(), self.now).unwrap();
                assert_eq!(creator.user, *user);
                Some(Group::new(mls))
            }
        };
        let same = |room: &Room| group.is_none() && room.kind == request.kind && room.folded.is_none();
        let other = self.rooms.iter().find(|(_, room)| same(room)).map(|(id, _)| *id);
        if let Some(existing) = other.filter(|other| *other < request.room) {
            return answer(&RoomCreated { epoch: 0, existing: Some(existing) });
        }
        assert_eq!(RoomId::of_hub(&self.name, request.nonce), request.room);
        let room = Room {
            nonce: request.nonce,
            kind: request.kind,
            said: None,
            said_hub: None,
            epoch: 0,
            log: Vec::new(),
            group_info: request.group_info,
            delivered: BTreeMap::new(),
            missed: Vec::new(),
            items: BTreeMap::new(),
            gone: Vec::new(),
            folded: None,
            version: 1,
            answers: BTreeMap::new(),
            trimmed: 0,
            group,
        };
        let people = room.people();
        self.rooms.insert(request.room, room);
        if let Some(from) = other {
            self.rooms.get_mut(&from).unwrap().folded = Some(request.room);
            for person in people {
                self.tell(&person, InboxItem::RoomFolded { from, into: request.room });
            }
        }
        answer(&RoomCreated { epoch: 0, existing: None })
    }

    fn commit(&mut self, id: RoomId, device: DeviceId, request: SubmitCommit) -> Answer {
        let room = self.rooms.get_mut(&id).unwrap();
        let envelope = request.envelope.peek().unwrap();
        assert_eq!(envelope.kind, EntryKind::Commit);
        let same = weft_wire::encode(&request.envelope);
        if let Some((bytes, accepted)) = room.answers.get(&(device, envelope.message_id)) {
            return if *bytes == same { answer(accepted) } else { Err(problem(Code::IdConflict)) };
        }
        if room.folded.is_some() {
            return Err(problem(Code::Conflict));
        }
        if envelope.epoch != room.epoch {
            return Err(problem(Code::StaleEpoch).current(room.epoch));
        }
        room.follow(&request, self.now)?;
        room.epoch += 1;
        room.version += 1;
        // Whoever commits removes those that are gone, or does it next time: tests look at the result.
        room.group_info = request.group_info;
        let seq = room.log.len() as u64 + 1;
        let epoch = room.epoch;
        for to in request.welcome_to {
            let welcome = request.welcome.clone().unwrap();
            self.tell_device(&to.user, to.device, InboxItem::Welcome { room: id, seq, welcome });
        }
        self.append(id, device, envelope.message_id, same, request.envelope, Some(epoch))
    }

    fn append(
        &mut self,
        id: RoomId,
        device: DeviceId,
        message: MessageId,
        same: Vec<u8>,
        envelope: weft_wire::Signed<Envelope>,
        epoch: Option<u64>,
    ) -> Answer {
        let now = self.now;
        let room = self.rooms.get_mut(&id).unwrap();
        let seq = room.log.len() as u64 + 1;
        room.log.push(LogEntry { seq, time_ms: now, envelope });
        let accepted = Accepted { seq, time_ms: now, epoch: epoch.unwrap_or(room.epoch) };
        room.answers.insert((device, message), (same, accepted.clone()));
        answer(&accepted)
    }

    pub fn acked(&mut self, id: RoomId, user: &UserAddress, seq: u64) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        assert!(seq <= room.log.len() as u64, "acknowledged what never was");
        let delivered = room.delivered.entry(user.clone()).or_default();
        if seq > *delivered {
            *delivered = seq;
            let missed = room.missed.clone();
            for person in room.people() {
                self.push(
                    &person,
                    None,
                    &ServerFrame::Delivered { room: id, user: user.clone(), seq, missed: missed.clone() },
                );
            }
        }
    }

    pub fn device_gone(&mut self, user: &UserAddress, device: DeviceId) {
        for room in self.rooms.values_mut().filter(|room| room.people().contains(user)) {
            room.gone.push(DeviceRef { user: user.clone(), device });
            room.version += 1;
        }
    }

    pub fn room_frames(&mut self, socket: &mut Socket, user: &UserAddress) {
        let out = |id: &RoomId| self.rooms.get(id).is_none_or(|room| !room.people().contains(user));
        let left: Vec<RoomId> = socket.follows.keys().copied().filter(out).collect();
        for id in left {
            socket.follows.remove(&id);
            socket.described.remove(&id);
            let problem = problem(Code::NotFound);
            socket.out.push(ServerFrame::Problem { problem, room: Some(id), fatal: false });
        }
        for (id, room) in self.rooms.iter().filter(|(_, room)| room.people().contains(user)) {
            if socket.described.get(id) != Some(&room.version) {
                socket.described.insert(*id, room.version);
                socket.out.push(ServerFrame::Room { state: room.describe(*id, &self.name, user) });
            }
            let Some(after) = socket.follows.get_mut(id) else { continue };
            if *after < room.trimmed {
                let problem = problem(Code::CursorLost).current(room.trimmed + 1);
                socket.out.push(ServerFrame::Problem { problem, room: Some(*id), fatal: false });
                socket.follows.remove(id);
                continue;
            }
            let entries: Vec<_> = room.log.iter().filter(|entry| entry.seq > *after).cloned().collect();
            if let Some(last) = entries.last() {
                *after = last.seq;
                socket.out.push(ServerFrame::Entries { room: *id, entries });
            }
        }
    }
}

//! How groups look.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The group that a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GroupPreview {
    /// What it is called; from the link, so not proven. Empty: it has no name.
    pub name: String,
    /// The node that orders it.
    pub node: String,
    /// The chat, if one is in it.
    pub chat: Option<String>,
}

/// A person, to be shown by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PersonView {
    /// Address.
    pub user: String,
    /// What they call themselves; the name of their account when that is not known.
    pub name: String,
}

/// What a chat's list row and head say of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChatGroup {
    /// How many people are in it.
    pub members: u32,
    /// One's own role: `owner`, `admin` or `member`.
    pub role: String,
    /// `making` (members are still being brought in), `active`, `left`, `removed`, `not_made` (the node did not take it).
    pub state: String,
    /// Whether this device is out of step, and the person decides whether it enters anew: [`GroupView::unsure`].
    pub unsure: bool,
    /// How many people ask to be let in; 0 unless one may decide that.
    pub asking: u32,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GroupView {
    /// Chat id.
    pub chat: String,
    /// As it was named; empty: it was not.
    pub name: String,
    /// The node that orders it.
    pub node: String,
    /// One's own role: `owner`, `admin` or `member`.
    pub role: String,
    /// As in [`ChatGroup`].
    pub state: String,
    /// Owners, admins, members; within these by name.
    pub members: Vec<MemberView>,
    /// Those who ask to be let in, oldest first; none unless one may decide that.
    pub asking: Vec<AskingView>,
    /// This device could not follow the group, or was out of it, and does not enter by itself what the node says that the group is
    /// now. The person decides, by [`super::Call::EnterAnew`] or [`super::Call::LeaveGroup`]. None: all is well.
    pub unsure: Option<AnewView>,
}

/// A group as the node says that it is now, which this device does not enter by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AnewView {
    /// Names exactly these people, their keys and roles, and who vouches for that: what a person agrees to.
    pub print: String,
    /// Who would be in it, those who are new first. Empty: what the node says cannot be verified, and there is nothing to enter.
    pub people: Vec<UnsureView>,
}

/// Somebody who would be in a group that this device does not enter by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UnsureView {
    /// Address.
    pub user: String,
    /// As in [`PersonView`].
    pub name: String,
    /// `owner`, `admin` or `member`: what they would be.
    pub role: String,
    /// Whether they were not in it when this device followed it last.
    pub new: bool,
    /// Whether their role is a higher one than it was.
    pub risen: bool,
    /// Whether they come with another key than the one they were there with.
    pub changed: bool,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MemberView {
    /// Address.
    pub user: String,
    /// As in [`PersonView`].
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Whether it is oneself.
    pub me: bool,
    /// Whether one may send them away.
    pub removable: bool,
    /// They have said that they go, and are still there: what is written, they can read.
    pub leaving: bool,
    /// How they stand to oneself: a state of [`super::ContactView`], if they do.
    pub state: Option<String>,
    /// Whether their key was verified in person.
    pub verified: bool,
}

/// Somebody who asks to be let in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AskingView {
    /// Address.
    pub user: String,
    /// As in [`PersonView`].
    pub name: String,
    /// When they asked, ms.
    pub asked_ms: f64,
}

/// A group's link to give away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GroupLinkView {
    /// The URL; also the content of the QR code.
    pub url: String,
    /// When it ends, ms.
    pub expires_ms: f64,
    /// Whether somebody has to agree to each who comes by it.
    pub approval: bool,
}

/// What came of asking to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinedView {
    /// `asked` or `member`.
    pub state: String,
    /// The chat, if one is in it.
    pub chat: Option<String>,
}

//! A group that this device does not enter by itself: what is shown of it, and what the person decides.

use super::screen;
use super::talk::Talk;
use crate::commands::out;
use weft_engine::api::{AnewView, Call, CallError, ChatView, GroupView, Reply};

/// What `/enter` comes to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// All is well with the group.
    Nothing,
    /// There is nothing that could be entered.
    Unproven,
    /// The person has not seen who would be there, or somebody else would be by now.
    Look,
    /// With this print: what they have seen.
    Enter(String),
}

fn step(seen: Option<&AnewView>, now: Option<&AnewView>) -> Step {
    match now {
        None => Step::Nothing,
        Some(now) if now.people.is_empty() => Step::Unproven,
        Some(now) if seen == Some(now) => Step::Enter(now.print.clone()),
        Some(_) => Step::Look,
    }
}

impl Talk<'_> {
    /// Enters a group anew, once the person has seen who would be there.
    pub(super) async fn enter(&mut self, name: &str) -> Result<(), CallError> {
        let Some(chat) = self.meant(name).await? else { return Ok(()) };
        let call = Call::Group { chat: chat.clone() };
        let Reply::Group(group) = self.client.call(call).await? else { return Ok(()) };
        match step(self.seen.get(&chat), group.unsure.as_ref()) {
            Step::Nothing => {
                out::note("* there is nothing to decide: this device is in step with that group")
            }
            Step::Unproven | Step::Look => {
                self.seen.remove(&chat);
                self.group_changed(&group);
            }
            Step::Enter(print) => {
                self.client.call(Call::EnterAnew { chat, print }).await?;
                out::note("* entering");
            }
        }
        Ok(())
    }

    pub(super) async fn leave(&mut self, name: &str) -> Result<(), CallError> {
        if let Some(chat) = self.meant(name).await? {
            self.client.call(Call::LeaveGroup { chat }).await?;
            out::note("* done");
        }
        Ok(())
    }

    /// Shows who would be in a group, when it is for the person to decide and they have not seen it yet.
    pub(super) fn group_changed(&mut self, group: &GroupView) {
        let Some(anew) = &group.unsure else {
            self.seen.remove(&group.chat);
            return;
        };
        if self.seen.get(&group.chat) != Some(anew) {
            let title = self.groups.get(&group.chat).unwrap_or(&group.name);
            screen::unsure(title, &anew.people).iter().for_each(out::line);
            self.seen.insert(group.chat.clone(), anew.clone());
        }
    }

    /// A group may have waited for a decision since before anybody was looking.
    pub(super) async fn look_at(&mut self, chat: &ChatView) {
        if chat.group.as_ref().is_some_and(|group| group.unsure)
            && let Ok(Reply::Group(group)) = self.client.call(Call::Group { chat: chat.chat.clone() }).await
        {
            self.group_changed(&group);
        }
    }

    /// The group that is named, or else the one that is being talked in.
    async fn meant(&self, name: &str) -> Result<Option<String>, CallError> {
        let chat = match name {
            "" => self.chat.clone().filter(|chat| chat.group.is_some()),
            name => self.group(name).await?,
        };
        if chat.is_none() {
            out::note("* which group? Its name, or first /to NAME");
        }
        Ok(chat.map(|chat| chat.chat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_engine::api::UnsureView;

    #[test]
    fn nobody_enters_what_they_have_not_seen() {
        let person = |user: &str| UnsureView {
            user: user.into(),
            name: user.into(),
            role: "member".into(),
            new: true,
            risen: false,
            changed: false,
        };
        let view = |print: &str, people| AnewView { print: print.into(), people };
        let bob = view("1", vec![person("bob")]);
        let both = view("2", vec![person("bob"), person("mallory")]);
        let other_key = AnewView { print: "3".into(), ..bob.clone() };
        let nobody = view("0", Vec::new());
        assert_eq!(step(None, None), Step::Nothing);
        assert_eq!(step(Some(&bob), None), Step::Nothing);
        assert_eq!(step(None, Some(&bob)), Step::Look);
        assert_eq!(step(Some(&bob), Some(&both)), Step::Look, "somebody has come meanwhile");
        assert_eq!(step(Some(&bob), Some(&other_key)), Step::Look, "somebody else vouches for it");
        assert_eq!(step(Some(&bob), Some(&bob)), Step::Enter("1".into()));
        assert_eq!(step(Some(&nobody), Some(&nobody)), Step::Unproven);
    }
}

//! Who works in a shop: asked by those who lead it, and in their own word.

use super::{
    WalletError,
    records::{MerchantRecord, PlacesRecord},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use std::collections::BTreeSet;
use weft_store::tables;
use weft_wire::{
    UserAddress, UserName,
    limits::{SHOP_STAFF_MAX, SHOPS_PER_PERSON_MAX},
    wallet::{ChangeShop, ShopMember, ShopRole},
};

impl MerchantRecord {
    /// Whether a change is that somebody who works there, or is asked to, goes, and nothing else.
    pub(super) fn is_left_by(&self, user: &UserAddress, wish: &ChangeShop) -> bool {
        let others = || self.staff.iter().filter(|member| member.user != *user).map(|member| &member.user);
        let by_member = wish.member.as_ref().is_none_or(|gone| gone.user == *user && gone.role.is_none());
        let is_same = |one: &&ShopMember| self.member(&one.user).is_some_and(|known| known.role == one.role);
        let by_list = wish.staff.as_ref().is_none_or(|staff| {
            staff.iter().map(|member| &member.user).eq(others()) && staff.iter().all(|one| is_same(&one))
        });
        let is_said = wish.member.is_some() || wish.staff.is_some();
        let is_alone = wish.details.is_none() && wish.open.is_none();
        is_alone && is_said && by_member && by_list && self.member(user).is_some()
    }
}

fn is_possible(role: ShopRole) -> bool {
    matches!(role, ShopRole::Manager | ShopRole::Cashier)
}

fn unfit() -> Stop {
    let why = "each once, as manager or cashier, beside the owner";
    Fault::Invalid { field: "staff", why }.into()
}

fn too_many(what: &'static str, max: usize) -> Stop {
    Fault::TooMany { what, max }.into()
}

impl Sheet<'_> {
    /// A whole list, as clients wrote it before there was [`ChangeShop::member`]. Whoever is new in it is asked.
    pub(super) fn set_staff(
        &mut self,
        name: &UserName,
        record: &mut MerchantRecord,
        staff: &[ShopMember],
    ) -> Result<(), Stop> {
        if staff.len() > SHOP_STAFF_MAX {
            return Err(too_many("people in a shop", SHOP_STAFF_MAX));
        }
        let owner = record.owner.clone();
        let mut people = BTreeSet::from([&owner]);
        if !staff.iter().all(|member| people.insert(&member.user) && is_possible(member.role)) {
            return Err(unfit());
        }
        let before: Vec<_> = record.staff.iter().map(|member| member.user.clone()).collect();
        for gone in before.iter().filter(|user| !people.contains(user)) {
            self.set_member(name, record, gone, None)?;
        }
        for member in staff {
            self.set_member(name, record, &member.user, Some(member.role))?;
        }
        Ok(())
    }

    /// Asks somebody to work there, changes what they do there, or has them go.
    pub(super) fn set_member(
        &mut self,
        name: &UserName,
        record: &mut MerchantRecord,
        user: &UserAddress,
        role: Option<ShopRole>,
    ) -> Result<(), Stop> {
        if *user == record.owner || role.is_some_and(|role| !is_possible(role)) {
            return Err(unfit());
        }
        let Some(role) = role else {
            record.staff.retain(|member| member.user != *user);
            return self.drop_place(user, name);
        };
        match record.staff.iter_mut().find(|member| member.user == *user) {
            Some(member) => member.role = role,
            None => {
                if record.staff.len() >= SHOP_STAFF_MAX {
                    return Err(too_many("people in a shop", SHOP_STAFF_MAX));
                }
                let mut places = self.places(user)?;
                if places.invited.len() >= SHOPS_PER_PERSON_MAX {
                    return Err(too_many("invitations", SHOPS_PER_PERSON_MAX));
                }
                places.invited.push(name.clone());
                self.put_places(user, &places);
                record.staff.push(ShopMember { user: user.clone(), role, invited: true });
            }
        }
        Ok(())
    }

    /// Somebody who was asked agrees, or does not. To have agreed before is no error.
    pub(super) fn answer_invitation(
        &mut self,
        by: &UserAddress,
        name: &UserName,
        record: &mut MerchantRecord,
        join: bool,
    ) -> Result<(), Stop> {
        let found = record.staff.iter_mut().find(|member| member.user == *by);
        let member = found.ok_or(WalletError::NotFound("invitation"))?;
        match (join, member.invited) {
            (true, false) => Ok(()),
            (false, false) => Err(WalletError::NotFound("invitation").into()),
            (false, true) => {
                record.staff.retain(|member| member.user != *by);
                self.drop_place(by, name)
            }
            (true, true) => {
                let mut places = self.places(by)?;
                if places.staff.len() >= SHOPS_PER_PERSON_MAX {
                    return Err(too_many("places of work", SHOPS_PER_PERSON_MAX));
                }
                member.invited = false;
                places.invited.retain(|place| place != name);
                places.staff.push(name.clone());
                self.put_places(by, &places);
                Ok(())
            }
        }
    }

    fn drop_place(&mut self, of: &UserAddress, name: &UserName) -> Result<(), Stop> {
        let mut places = self.places(of)?;
        places.staff.retain(|place| place != name);
        places.invited.retain(|place| place != name);
        self.put_places(of, &places);
        Ok(())
    }

    pub(super) fn places(&self, of: &UserAddress) -> Result<PlacesRecord, Stop> {
        Ok(self.get(tables::MERCHANTS_OF, joined(of.name.as_str(), []))?.unwrap_or_default())
    }

    pub(super) fn put_places(&mut self, of: &UserAddress, places: &PlacesRecord) {
        self.put(tables::MERCHANTS_OF, joined(of.name.as_str(), []), places);
    }
}

//! What the owner of the node decides about money.

use super::{amount, id, some};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::Cx;
use weft_wire::UserAddress;
use weft_wire::wallet::{ChangeAccount, DefineAsset, IssueAsset};

/// What [`crate::api::Call::DefineAsset`] says.
pub(super) struct Definition<'a> {
    pub code: &'a str,
    pub scale: u8,
    pub title: String,
    pub backing: String,
    pub payment_max: &'a str,
    pub day_max: &'a str,
    pub issue_max: &'a str,
}

/// The node issues something.
pub(super) async fn define(cx: &Cx, wish: Definition<'_>) -> Result<(), Refusal> {
    let request = DefineAsset {
        code: id("code", wish.code)?,
        scale: wish.scale,
        title: wish.title,
        backing: wish.backing,
        payment_max: amount("payment_max", wish.payment_max)?,
        day_max: amount("day_max", wish.day_max)?,
        issue_max: amount("issue_max", wish.issue_max)?,
    };
    Ok(http::tell(cx, "PUT", "wallet/admin/assets", Some(&request)).await?)
}

/// Money comes into the world, or leaves it.
pub(super) async fn issue(
    cx: &Cx,
    wish: &str,
    user: &str,
    asset: &str,
    sum: &str,
    redeem: bool,
) -> Result<(), Refusal> {
    let request = IssueAsset {
        id: id("id", wish)?,
        asset: id("asset", asset)?,
        user: address(user)?,
        amount: some("amount", sum)?,
        redeem,
    };
    Ok(http::tell(cx, "POST", "wallet/admin/issue", Some(&request)).await?)
}

/// Stops payments from an account, or lets them go on.
pub(super) async fn freeze(cx: &Cx, user: &str, asset: &str, frozen: bool) -> Result<(), Refusal> {
    let request = ChangeAccount { user: address(user)?, asset: id("asset", asset)?, frozen };
    Ok(http::tell(cx, "POST", "wallet/admin/accounts", Some(&request)).await?)
}

fn address(user: &str) -> Result<UserAddress, Refusal> {
    user.parse().map_err(|error| field_error("user", error))
}

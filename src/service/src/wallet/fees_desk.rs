//! Fees for the operator's command: as people write them.

use super::{Result, Wallet, WalletError};
use crate::Fault;
use weft_ledger::{format_amount, parse_amount};
use weft_wire::{
    admin::{FeeRow, FeesRow},
    wallet::{Asset, AssetCode, Fee, SetFee},
};

/// Decimals of a percentage: basis points are hundredths.
const PERCENT_SCALE: u8 = 2;

impl Wallet {
    /// What is taken for payments of each asset that this node issues, and what was earned.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn fee_rows(&self) -> Result<Vec<FeesRow>> {
        let mut rows = Vec::new();
        for info in self.assets().await?.assets {
            if info.asset.issuer != self.ctx.node {
                continue;
            }
            let earned = self.fees_earned(info.id).await?.available;
            let fees = info.fees.iter().map(|fee| written(&info.asset, fee)).collect();
            rows.push(FeesRow {
                earned: format_amount(earned.into(), info.asset.scale),
                fees,
                asset: info.asset,
            });
        }
        Ok(rows)
    }

    /// As [`Wallet::set_fee`], of an asset by its code, and sums as people write them.
    ///
    /// # Errors
    /// As there; [`Fault::Invalid`] for what is no sum.
    pub async fn set_fee_of(&self, code: &AssetCode, row: &FeeRow) -> Result<()> {
        let asset = self.own_asset(code).await?;
        let read = |field, text: &str, scale| {
            parse_amount(text, scale).map_err(|_| Fault::Invalid { field, why: "this is no such sum" })
        };
        let sum = |field, text| read(field, text, asset.scale);
        let points = u32::try_from(read("percent", &row.percent, PERCENT_SCALE)?).unwrap_or(u32::MAX);
        let (fixed, least) = (sum("fixed", &row.fixed)?, sum("least", &row.least)?);
        let fee = Fee { kind: row.kind, fixed, points, least, most: sum("most", &row.most)? };
        self.set_fee(SetFee { asset: asset.id(), fee }).await
    }

    /// An asset that this node issues.
    pub(super) async fn own_asset(&self, code: &AssetCode) -> Result<Asset> {
        let known = self.assets_known().await?.into_iter().map(|known| known.asset);
        let mut own = known.filter(|asset| asset.issuer == self.ctx.node && asset.code == *code);
        own.next().ok_or(WalletError::NotFound("asset"))
    }
}

fn written(asset: &Asset, fee: &Fee) -> FeeRow {
    let sum = |minor: u64| format_amount(minor.into(), asset.scale);
    FeeRow {
        kind: fee.kind,
        fixed: sum(fee.fixed),
        percent: format_amount(fee.points.into(), PERCENT_SCALE),
        least: sum(fee.least),
        most: sum(fee.most),
    }
}

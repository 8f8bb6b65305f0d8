//! What the operator asks of dual control, of cash agents and of fees.

use super::{Answer, Control, FeeRow};
use weft_wire::{
    Code, Problem, TransferId, UserAddress, UserName,
    wallet::{AssetCode, ChangeApprover},
};

impl Control {
    pub(super) async fn guard(&self) -> Result<Answer, Problem> {
        Ok(Answer::Guard(self.service().wallet().guard_rows().await?))
    }

    pub(super) async fn change_approver(&self, name: UserName, appoint: bool) -> Result<Answer, Problem> {
        let user = UserAddress::new(name, self.service().node_info().await?.name);
        let done = self.service().flows().change_approver(ChangeApprover { user, appoint }).await;
        done_or_waits(done.map_err(Problem::from))
    }

    pub(super) async fn set_threshold(&self, code: &AssetCode, amount: &str) -> Result<Answer, Problem> {
        done_or_waits(self.service().wallet().set_threshold_of(code, amount).await.map_err(Problem::from))
    }

    pub(super) async fn withdraw_proposal(&self, id: TransferId) -> Result<Answer, Problem> {
        self.service().wallet().withdraw_proposal(id).await?;
        Ok(Answer::Done)
    }

    pub(super) async fn fees(&self) -> Result<Answer, Problem> {
        Ok(Answer::Fees(self.service().wallet().fee_rows().await?))
    }

    pub(super) async fn set_fee(&self, code: &AssetCode, fee: &FeeRow) -> Result<Answer, Problem> {
        self.service().wallet().set_fee_of(code, fee).await?;
        tracing::info!(%code, ?fee, "the operator has changed a fee");
        Ok(Answer::Done)
    }

    pub(super) async fn agents(&self) -> Result<Answer, Problem> {
        Ok(Answer::Agents(self.service().wallet().agent_rows().await?))
    }
}

fn done_or_waits(done: Result<(), Problem>) -> Result<Answer, Problem> {
    match done {
        Err(problem) if problem.code == Code::NeedsApproval => Ok(Answer::Waits),
        done => done.map(|()| Answer::Done),
    }
}

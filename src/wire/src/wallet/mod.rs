//! Money: assets, signed payment orders, receipts, and what a member sees of their accounts.
//!
//! `GET wallet/assets` · `GET wallet/accounts` · `PUT wallet/order-key` · `POST wallet/orders` · `POST wallet/transfers/ID` ·
//! `GET wallet/transfers/ID` · `GET wallet/requests/ID?asset=ASSET` · `GET wallet/packets/ID` · `POST wallet/packets/ID` · `GET wallet/history`; for the
//! owner `PUT wallet/admin/assets` · `POST wallet/admin/issue` · `POST wallet/admin/accounts`. Those of shops are in `shops`, those of banks in
//! `topups`, those of invoices in `invoices`, those of escrow in `escrow`, those of mandates in `mandates`, those of the day's roots in `roots`,
//! those of dual control in `guard`, those of cash agents in `agents`, those of fees in `fees`.
//!
//! Amounts are integers in the asset's minor units. Whoever pays signs: a node cannot move a member's money to somebody without an
//! order that the member's device has signed with its order key, and which it keeps beside the transfer. It can take its own money out
//! of the world again (`issue` with `redeem`), which stands in the member's history as such.

mod agents;
mod assets;
mod cards;
mod escrow;
mod fees;
mod guard;
mod invoices;
mod mandates;
mod orders;
mod packets;
mod roots;
mod shops;
mod topups;
mod views;

pub use agents::{Agent, AgentInfo, AgentList, SetAgent, SettleAgent};
pub use assets::{Asset, AssetCode, AssetCodeError, SCALE_MAX};
pub use cards::{InvoiceCard, PaidCard, RequestCard, RequestPart, TransferCard};
pub use escrow::{EscrowAct, EscrowInfo, EscrowList, EscrowState, EscrowTerms, SettlePayee};
pub use fees::{FEE_POINTS_MAX, Fee, FeeKind, SetFee, fee_due};
pub use guard::{
    Approval, AssetAmount, BankFile, ChangeApprover, DecideProposal, GuardInfo, MoneyFor, ProposalInfo,
    ProposalState, Proposed, ThresholdInfo,
};
pub use invoices::{
    InvoiceInfo, InvoiceLine, InvoiceList, InvoicePaid, InvoicePayee, InvoiceState, InvoiceSums, InvoiceTax,
    SendInvoice,
};
pub use mandates::{
    GiveMandate, MandateAct, MandateCollection, MandateInfo, MandateList, MandatePeriod, MandateState,
    MandateTerms,
};
pub use orders::{Exchange, Intent, OrderKeyCert, Payee, PaymentOrder, Receipt, TransferState};
pub use packets::{
    PacketCard, PacketClaim, PacketInfo, PacketKind, PacketPromise, PacketSeed, PacketState, PacketTerms,
};
pub use roots::{
    AccountProof, AssetSum, BalancePiece, DayRoot, EventProof, Hash, RootInfo, RootList, Sum, TransferProof,
    TreeNode, Witness, WitnessWord,
};
pub use shops::{
    BearerPayee, ChangeShop, ChargeCode, CodeCharge, CodeShown, MerchantPayee, OpenSale, OpenShop, PutCode,
    SaleInfo, SaleKind, SaleList, SalePaid, SaleState, ShopDetails, ShopInfo, ShopList, ShopMember, ShopName,
    ShopRole, ShopSign, ShopView, StaffChange,
};
pub use topups::{
    BankAccount, BankAccountInfo, BankAccountList, BankBalance, BankImport, BankLine, BankLineList,
    BankLineState, BankPayee, DecideBankLine, DecideWithdrawal, ImportBank, TopUpList, TopUpNotice,
    TopUpTaken, TopUpWay, WithdrawalInfo, WithdrawalList, WithdrawalState,
};
pub use views::{
    AccountList, AccountView, Answer, AnswerTransfer, AssetInfo, AssetList, ChangeAccount, DefineAsset,
    Exchanged, History, HistoryLine, IssueAsset, LinkedNode, LinkedRate, PutOrderKey, Rejection,
    RequestPayments, SubmitOrder, TransferInfo,
};

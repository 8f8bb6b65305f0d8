//! Files of banks, as they come and as nobody should believe them.

// What a test cannot do without fails it there and then, in helpers as well.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod camt053;
mod hostile;
mod keys;
mod mt940;

/// What a test looks at in a line: day, amount, who, the text, and the creditor references in it.
fn gist(line: &weft_bank::Line) -> String {
    let references: Vec<String> = line.creditor_references().iter().map(ToString::to_string).collect();
    let account = line.counterparty_account.as_ref().map_or("-", |account| account.as_str());
    let who = line.counterparty.as_deref().unwrap_or("-");
    let amount = line.amount_minor;
    format!("{} {amount} {who} ({account}): {} {references:?}", line.booked, line.text)
}

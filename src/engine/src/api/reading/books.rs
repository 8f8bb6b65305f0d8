//! Reading a call about signed days.

use super::{Said, need};
use crate::api::BooksCall;

impl Said {
    pub(super) fn books_call(&mut self, call: &str) -> Result<Option<BooksCall>, String> {
        Ok(Some(match call {
            "books" => BooksCall::Books { before: self.before.take() },
            "books_own" => BooksCall::BooksOwn { day: need(&mut self.day, "day")? },
            "books_line" => BooksCall::BooksLine {
                id: need(&mut self.id, "id")?,
                number: need(&mut self.number, "number")?,
                amount: need(&mut self.amount, "amount")?,
                asset: need(&mut self.asset, "asset")?,
            },
            _ => return Ok(None),
        }))
    }
}

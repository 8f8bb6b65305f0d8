//! How measurements are printed.

/// A line of a table.
pub fn row(what: &str, value: impl std::fmt::Display, goal: &str) {
    println!("| {what:<52} | {:>16} | {goal:<14} |", value.to_string());
}

/// The head of a table.
pub fn head(title: &str) {
    println!("\n{title}\n");
    row("what", "measured", "goal");
    println!("| {:-<52} | {:->16} | {:-<14} |", "", ":", "");
}

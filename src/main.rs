//! The `weft` command.
fn main() -> anyhow::Result<()> {
    Ok(())
}

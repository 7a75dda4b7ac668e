//! Single values that the platform keeps about itself. No secrets.

use crate::{
    Reader, Result, Tx,
    db::{Query, values},
};

/// A value by its name.
///
/// # Errors
/// When the database is not available.
pub async fn get(reader: &impl Reader, name: &str) -> Result<Option<String>> {
    let row = reader.optional("SELECT value FROM settings WHERE name = $1", values![name]).await?;
    row.map(|row| row.get("value")).transpose()
}

/// Keeps a value.
///
/// # Errors
/// When the database is not available.
pub async fn set(tx: &Tx, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, values![name, value]).await?;
    Ok(())
}

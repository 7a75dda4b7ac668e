//! API tokens, by the SHA-256 of their secret. The secret itself is never here.

use alethia_domain::{ids::TokenId, role::Role};
use chrono::{DateTime, Utc};

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, found, values},
};

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Id.
    pub id: TokenId,
    /// Name, unique on the platform; shown as author of what it does.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it stops being valid.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Name.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// SHA-256 of its secret, as lowercase hexadecimal.
    pub token_hash: String,
    /// When it stops being valid.
    pub expires_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "SELECT id, name, role, expires_at, created_at FROM api_tokens";

/// Makes a token.
///
/// # Errors
/// [`Conflict::NameTaken`].
pub async fn insert(tx: &Tx, new: &NewToken, now: DateTime<Utc>) -> Result<Token> {
    let id = TokenId::generate();
    let sql = "INSERT INTO api_tokens (id, name, role, token_hash, expires_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    let inserted =
        tx.execute(sql, values![id, new.name, new.role, new.token_hash, new.expires_at, now]).await;
    inserted
        .map_err(|error| error.or_taken(Conflict::NameTaken { noun: "token", name: new.name.clone() }))?;
    let row = tx.one(&format!("{SELECT} WHERE id = $1"), values![id]).await?;
    token(&row)
}

/// The valid token with this hash.
///
/// # Errors
/// When the database is not available.
pub async fn by_hash(reader: &impl Reader, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Token>> {
    let sql = format!("{SELECT} WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > $2)");
    reader.optional(&sql, values![token_hash, now]).await?.as_ref().map(token).transpose()
}

/// Whether there is a token with this name.
///
/// # Errors
/// When the database is not available.
pub async fn exists(reader: &impl Reader, name: &str) -> Result<bool> {
    Ok(reader.optional("SELECT id FROM api_tokens WHERE name = $1", values![name]).await?.is_some())
}

/// Tokens, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, page: PageRequest) -> Result<Page<Token>> {
    let sql = format!("{SELECT} WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let rows = reader.all(&sql, values![page.before(), page.fetch()]).await?;
    let tokens = rows.iter().map(token).collect::<Result<Vec<_>>>()?;
    Ok(page.page(tokens, |token| token.id.0))
}

/// Deletes a token. It is refused from then on.
///
/// # Errors
/// When there is none.
pub async fn delete(tx: &Tx, id: TokenId) -> Result<()> {
    let deleted = tx.execute("DELETE FROM api_tokens WHERE id = $1", values![id]).await?;
    found((deleted > 0).then_some(()), "token", id)
}

fn token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.id("id")?,
        name: row.get("name")?,
        role: row.word("role")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
    })
}

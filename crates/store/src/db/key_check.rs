//! Whether the master key is the one that this database's content is sealed with.
//!
//! A second Console with a key of its own would seal what the first can't open, and find out only when somebody needs
//! it. So the database keeps a known word, sealed; whoever can't open it does not start.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Store;
use crate::{Result, StoreError, settings};

/// Name of the setting, and the place that the word is sealed for.
const PLACE: &str = "key_check";
const WORD: &[u8] = b"alethia";

/// Refuses a ring of keys that does not open what is sealed; seals the word anew, so that the newest key is the one
/// that counts from then on.
pub(super) async fn check(store: &Store) -> Result<()> {
    let tx = store.begin().await?;
    if let Some(sealed) = settings::get(&tx, PLACE).await? {
        let sealed = STANDARD.decode(sealed).map_err(StoreError::corrupt)?;
        store.keyring().open(PLACE, &sealed).map_err(wrong_key)?;
    }
    settings::set(&tx, PLACE, &STANDARD.encode(store.keyring().seal(PLACE, WORD))).await?;
    tx.commit().await
}

fn wrong_key(error: StoreError) -> StoreError {
    StoreError::corrupt(format!(
        "the master key is not the one that this database is sealed with; copy the key file of the Console that \
         was first ({error})"
    ))
}

//! Pages between the wire and the store: the limit within 1 to 200, the cursor a text that only the Console reads.

use std::str::FromStr;

use alethia_api::page::Page;
use alethia_store::PageRequest;

use crate::error::{Error, Result};

const USUAL: u16 = 50;
const LARGEST: u16 = 200;

/// The page that a query asks for.
pub(super) fn request<C: FromStr>(limit: Option<u16>, cursor: Option<&str>) -> Result<PageRequest<C>> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=LARGEST).contains(&limit) {
        return Err(Error::field("limit", format!("{limit} is out of range; allowed: 1 to {LARGEST}")));
    }
    let after = cursor.map(str::parse).transpose();
    let after =
        after.map_err(|_| Error::field("cursor", "it is no cursor; take `next` of the page before"))?;
    Ok(PageRequest { after, limit })
}

/// A page of the store as clients see it.
pub(super) fn answer<T, U, C: ToString>(
    page: alethia_store::Page<T, C>,
    view: impl FnMut(T) -> U,
) -> Page<U> {
    Page { items: page.items.into_iter().map(view).collect(), next: page.next.map(|next| next.to_string()) }
}

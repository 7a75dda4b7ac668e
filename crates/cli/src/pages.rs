//! Lists longer than a page, read to their end.

use alethia_api::{
    client::ClientError,
    page::{Page, PageQuery},
};

/// The largest page that a Console gives.
const LARGEST_PAGE: u16 = 200;

/// Reads page after page.
pub(crate) async fn all<T>(
    read: impl AsyncFn(PageQuery) -> Result<Page<T>, ClientError>,
) -> anyhow::Result<Vec<T>> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = read(PageQuery { limit: Some(LARGEST_PAGE), cursor }).await?;
        items.extend(page.items);
        if page.next.is_none() {
            return Ok(items);
        }
        cursor = page.next;
    }
}

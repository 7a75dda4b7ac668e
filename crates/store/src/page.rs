//! Lists in pages, by keyset: a cursor names the last row seen, so pages stay right while rows are added.

use uuid::Uuid;

/// Which page: at most `limit` rows after the one that `after` names.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<C = Uuid> {
    /// `next` of the page before; `None` for the first page.
    pub after: Option<C>,
    /// How many rows, 1 to 200.
    pub limit: u16,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T, C = Uuid> {
    /// The rows.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last one.
    pub next: Option<C>,
}

impl PageRequest {
    /// The id that all rows of the page are below.
    pub(crate) fn before(&self) -> Uuid {
        self.after.unwrap_or(Uuid::max())
    }
}

impl<C> PageRequest<C> {
    /// The first page.
    pub fn first(limit: u16) -> Self {
        Self { after: None, limit }
    }

    /// One row more than asked for tells whether there is a next page.
    pub(crate) fn fetch(&self) -> i64 {
        i64::from(self.limit.clamp(1, 200)) + 1
    }

    /// The page that the fetched rows make.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> C) -> Page<T, C> {
        let limit = usize::from(self.limit.clamp(1, 200));
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Page { items: rows, next }
    }
}

//! How far a client has read.

use alethia_store::logs::LogCursor;

use crate::{
    app::logs as app_logs,
    error::{Error, Result},
};

/// How far a client has read: both sides of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) event: i64,
    pub(super) log: LogCursor,
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (event, log) = text.split_once('.').map_or((text, None), |(event, log)| (event, Some(log)));
        let event = event
            .parse()
            .map_err(|_| Error::Malformed("the Last-Event-ID is none of this stream".to_owned()))?;
        let log = log.map(app_logs::parse).transpose()?.unwrap_or_default();
        Ok(Self { event, log })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.event, app_logs::print(self.log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_was_printed() {
        let place = Place { event: 7, log: LogCursor { attempt: 2, sequence: 31 } };
        assert_eq!(Place::parse(&place.to_string()).unwrap(), place);
        assert_eq!(Place::parse("7").unwrap(), Place { event: 7, ..Place::default() });
        assert!(Place::parse("x").is_err());
    }
}

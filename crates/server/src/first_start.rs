//! What a Console makes at its first start and finds again at every later one: its private folder and the token of its
//! owner. The folder is 0700, the file 0600.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    config::Config,
    secret::{Token, TokenKind},
};

/// Why the data folder or a file in it can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FirstStartError {
    /// The file system says no.
    #[error("can't use {}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Others may read what they should not.
    #[error("{} may be read by others; chmod 600 it", .0.display())]
    Readable(PathBuf),
    /// There is no owner's token in the file.
    #[error("{} holds no token; remove it, and the next start makes a new one", .0.display())]
    NoToken(PathBuf),
}

/// Makes the folder where it is missing.
pub(crate) fn private_folder(path: &Path) -> Result<(), FirstStartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| FirstStartError::Io { path: path.to_owned(), source })
}

/// The owner's token, made at the first start.
pub(crate) fn owner_token(config: &Config) -> Result<Token, FirstStartError> {
    let path = config.owner_token_file();
    let failed = |source| FirstStartError::Io { path: path.clone(), source };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let token = Token::generate(TokenKind::Api);
            file.write_all(token.reveal().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(token)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => existing(&path),
        Err(error) => Err(failed(error)),
    }
}

fn existing(path: &Path) -> Result<Token, FirstStartError> {
    let failed = |source| FirstStartError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(FirstStartError::Readable(path.to_owned()));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    match TokenKind::of(text.trim()) {
        Some(TokenKind::Api) => Ok(Token::from_text(text.trim())),
        Some(TokenKind::Runner | TokenKind::Job) | None => Err(FirstStartError::NoToken(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_token_is_private_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path());
        let first = owner_token(&config).unwrap();
        let mode = fs::metadata(config.owner_token_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(owner_token(&config).unwrap(), first);
    }

    #[test]
    fn a_token_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path());
        owner_token(&config).unwrap();
        fs::set_permissions(config.owner_token_file(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(owner_token(&config), Err(FirstStartError::Readable(_))));
    }
}

//! API tokens, and what lies in the data folder.

use std::{fs, os::unix::fs::PermissionsExt};

use alethia_api::{client::Client, problem::Code, tokens::NewToken};
use alethia_domain::role::Role;
use alethia_server::{Config, Server, owner_token_file};
use chrono::{TimeDelta, Utc};

use crate::support::{Console, code, refused};

#[tokio::test]
async fn a_revoked_token_is_refused() {
    let console = Console::start().await;
    let new = NewToken { name: "deployer".to_owned(), role: Role::Operator, expires_at: None };
    let created = console.client.create_token(&new).await.unwrap();
    let client = Client::new(&console.server.url(), &created.secret).unwrap();
    client.zones(&Default::default()).await.unwrap();
    console.client.revoke_token(created.token.id).await.unwrap();
    assert_eq!(code(client.zones(&Default::default()).await), Code::Unauthenticated);
    assert_eq!(code(console.client.revoke_token(created.token.id).await), Code::NotFound);
}

#[tokio::test]
async fn a_token_names_the_author_and_is_never_listed_with_its_secret() {
    let console = Console::start().await;
    let secret = console.token(Role::Admin).await;
    let listed = console.client.tokens(&Default::default()).await.unwrap();
    let text = serde_json::to_string(&listed).unwrap();
    assert!(text.contains("a-admin") && !text.contains(&secret), "{text}");
}

#[tokio::test]
async fn a_token_that_is_over_or_taken_is_not_made() {
    let console = Console::start().await;
    let over = NewToken {
        name: "over".to_owned(),
        role: Role::Viewer,
        expires_at: Some(Utc::now() - TimeDelta::seconds(1)),
    };
    assert_eq!(refused(console.client.create_token(&over).await).errors[0].path, "expires_at");
    let taken = NewToken { name: "owner".to_owned(), role: Role::Viewer, expires_at: None };
    assert_eq!(code(console.client.create_token(&taken).await), Code::Conflict);
}

#[tokio::test]
async fn a_console_finds_its_owner_and_its_data_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(Config::new(folder.path())).await.unwrap();
    let token = first.owner_token().to_owned();
    first.shutdown().await;
    assert_eq!(fs::read_to_string(owner_token_file(folder.path())).unwrap(), token);
    for file in ["owner-token", "master-key", "alethia.db"] {
        let mode = fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    let second = Server::start(Config::new(folder.path())).await.unwrap();
    assert_eq!(second.owner_token(), token);
    let client = Client::new(&second.url(), &token).unwrap();
    assert_eq!(client.tokens(&Default::default()).await.unwrap().items.len(), 1);
}

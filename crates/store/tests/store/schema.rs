//! The schema on both databases.

use alethia_domain::component::ComponentKind;
use alethia_store::Store;
use sea_orm::{ConnectionTrait, Database};

use crate::fixture::{World, network, on_both};

on_both!(
    a_later_schema_is_refused,
    opening_again_changes_nothing,
    every_relation_of_the_domain_is_there,
    the_database_keeps_one_singleton
);

async fn opening_again_changes_nothing(world: World) {
    let spec = world.spec("shop").await;
    let again = Store::open(&world.config, world.after(60)).await.unwrap();
    assert_eq!(alethia_store::specs::get(&again, spec).await.unwrap().name, "shop");
    again.ping().await.unwrap();
    again.close().await;
}

async fn a_later_schema_is_refused(world: World) {
    let connection = Database::connect(&world.config.database_url).await.unwrap();
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('9999_later', 0)";
    connection.execute_unprepared(later).await.unwrap();
    let refused = Store::open(&world.config, world.now).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("later version"), "{refused}");
}

async fn every_relation_of_the_domain_is_there(world: World) {
    let spec = world.spec("shop").await;
    let tx = world.store.begin().await.unwrap();
    alethia_store::components::sync(&tx, spec, &[network()], world.now).await.unwrap();
    tx.commit().await.unwrap();
    let connection = Database::connect(&world.config.database_url).await.unwrap();
    let tables = ["zones", "specs", "cloud_identities", "provision_jobs", "provision_job_logs", "runners"]
        .map(str::to_owned);
    let views = ComponentKind::ALL.map(|kind| format!("spec_{}", kind.section()));
    for relation in tables.iter().chain(&views) {
        connection.execute_unprepared(&format!("SELECT * FROM {relation}")).await.unwrap();
    }
    let rows = connection
        .query_all_raw(sea_orm::Statement::from_string(
            connection.get_database_backend(),
            "SELECT status FROM spec_network",
        ))
        .await
        .unwrap();
    assert_eq!(rows[0].try_get::<String>("", "status").unwrap(), "PENDING");
}

async fn the_database_keeps_one_singleton(world: World) {
    world.spec("shop").await;
    let connection = Database::connect(&world.config.database_url).await.unwrap();
    let insert = |id: &str, name: &str| {
        let id = match connection.get_database_backend() {
            sea_orm::DbBackend::Postgres => format!("'{id}'"),
            _ => format!("x'{}'", id.replace('-', "")),
        };
        format!(
            "INSERT INTO components (id, spec_id, kind, name, status, outputs, created_at, updated_at) \
             SELECT {id}, s.id, 'dns', '{name}', 'PENDING', '{{}}', s.created_at, s.created_at FROM specs s"
        )
    };
    let first = insert("00000000-0000-7000-8000-000000000001", "dns");
    connection.execute_unprepared(&first).await.unwrap();
    let second = insert("00000000-0000-7000-8000-000000000002", "another");
    assert!(connection.execute_unprepared(&second).await.is_err());
}

#[tokio::test]
async fn a_folder_with_a_strange_name_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("what? 100% private");
    let config = alethia_store::StoreConfig::in_folder(&folder).unwrap();
    let store = Store::open(&config, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("blobs")), 0o700);
    for file in ["alethia.db", "alethia.db-wal", "alethia.db-shm", "key"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    store.close().await;
}

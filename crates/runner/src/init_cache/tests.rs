use std::{collections::BTreeMap, process::Command};

use axum::{Router, http::StatusCode, routing::any};
use tokio::net::TcpListener;

use super::*;
use crate::tool::Tool;

fn root_after_init(folder: &Path, provider: &Path) -> PathBuf {
    let root = folder.join("root");
    let providers = root.join(DATA).join(PROVIDERS).join("registry/aws");
    fs::create_dir_all(&providers).unwrap();
    symlink(provider, providers.join("linux_amd64")).unwrap();
    fs::create_dir_all(root.join(DATA).join("modules")).unwrap();
    fs::write(root.join(DATA).join("modules/modules.json"), "{}").unwrap();
    fs::write(root.join(DATA).join("terraform.tfstate"), "backend").unwrap();
    fs::write(root.join(LOCK_FILE), "locked").unwrap();
    root
}

#[tokio::test]
async fn what_was_prepared_serves_the_next_job_until_its_providers_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let provider = folder.path().join("package");
    fs::create_dir(&provider).unwrap();
    let cache = InitCache::open(&folder.path().join("cache")).unwrap();
    let root = root_after_init(folder.path(), &provider);
    let lock = cache.lock(&StopSignal::new()).await.unwrap().unwrap();
    cache.keep(&lock, "k", &root).unwrap();

    let next = folder.path().join("next");
    fs::create_dir(&next).unwrap();
    assert!(cache.reuse("k", &next).unwrap());
    assert!(next.join(".terraform/providers/registry/aws/linux_amd64").is_dir());
    assert_eq!(fs::read_to_string(next.join(".terraform/terraform.tfstate")).unwrap(), "backend");
    assert_eq!(fs::read_to_string(next.join(LOCK_FILE)).unwrap(), "locked");

    fs::remove_dir(&provider).unwrap();
    assert!(!cache.reuse("k", &next).unwrap());
    assert!(!cache.reuse("other", &next).unwrap());
}

#[tokio::test]
async fn only_one_at_a_time_may_run_init() {
    let folder = tempfile::tempdir().unwrap();
    let cache = InitCache::open(folder.path()).unwrap();
    let stop = StopSignal::new();
    let first = cache.lock(&stop).await.unwrap().unwrap();
    let waiting = cache.lock(&stop);
    tokio::pin!(waiting);
    let early = tokio::time::timeout(LOCK_POLL * 2, &mut waiting).await;
    assert!(early.is_err());
    drop(first);
    assert!(waiting.await.unwrap().is_some());
}

#[tokio::test]
async fn a_job_that_is_to_stop_does_not_wait_for_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let cache = InitCache::open(folder.path()).unwrap();
    let stop = StopSignal::new();
    let _held = cache.lock(&stop).await.unwrap().unwrap();
    stop.raise(Stop::Cancel);
    assert!(cache.lock(&stop).await.unwrap().is_none());
}

#[test]
fn the_key_follows_everything_that_init_depends_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cli");
    fs::write(&file, "a").unwrap();
    let base = Recipe {
        bundle: "b",
        components: b"c",
        tool: "terraform 1.11.4",
        access: "aws",
        configuration: Some(&file),
    };
    let key = |recipe: Recipe<'_>| InitCache::key(&recipe).unwrap();
    let first = key(base);
    assert_eq!(first, key(base));
    assert_ne!(first, key(Recipe { bundle: "c", ..base }));
    assert_ne!(first, key(Recipe { components: b"d", ..base }));
    assert_ne!(first, key(Recipe { tool: "tofu 1.11.4", ..base }));
    assert_ne!(first, key(Recipe { access: "sandbox", ..base }));
    assert_ne!(first, key(Recipe { configuration: None, ..base }));
    fs::write(&file, "b").unwrap();
    assert_ne!(first, key(base));
}

/// A state backend that knows no state and takes everything.
async fn empty_state() -> String {
    let answer = |request: axum::extract::Request| async move {
        if request.method() == "GET" { StatusCode::NOT_FOUND } else { StatusCode::OK }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/state", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/state", any(answer))).await });
    address
}

async fn terraform(
    tool: &Tool,
    root: &Path,
    state: &str,
    arguments: &'static [&'static str],
) -> (bool, String) {
    let mut command = Command::new(&tool.path);
    let variables = ["TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"];
    let environment: BTreeMap<&str, &str> = variables.map(|name| (name, state)).into();
    command.args(arguments).current_dir(root).env_clear().envs(environment).env("CHECKPOINT_DISABLE", "1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test]
async fn real_terraform_plans_and_applies_in_a_root_that_was_made_ready_elsewhere() {
    let path = std::env::var_os("PATH");
    let tool = Tool::find(None, path.as_deref()).await.unwrap();
    let (folder, state) = (tempfile::tempdir().unwrap(), empty_state().await);
    let root = |name: &str| {
        let root = folder.path().join(name);
        fs::create_dir_all(root.join("modules/inner")).unwrap();
        let main =
            "terraform {\n  backend \"http\" {}\n}\nmodule \"inner\" {\n  source = \"./modules/inner\"\n}\n";
        fs::write(root.join("main.tf"), main).unwrap();
        fs::write(root.join("modules/inner/main.tf"), "resource \"terraform_data\" \"x\" {}\n").unwrap();
        fs::write(root.join(LOCK_FILE), "").unwrap();
        root
    };
    let (first, second) = (root("first"), root("second"));
    let (well, said) = terraform(&tool, &first, &state, &["init", "-input=false"]).await;
    assert!(well, "{said}");

    let cache = InitCache::open(&folder.path().join("cache")).unwrap();
    let lock = cache.lock(&StopSignal::new()).await.unwrap().unwrap();
    cache.keep(&lock, "k", &first).unwrap();
    fs::remove_dir_all(&first).unwrap();
    assert!(cache.reuse("k", &second).unwrap());

    let (well, said) = terraform(&tool, &second, &state, &["plan", "-input=false", "-out=plan.bin"]).await;
    assert!(well && said.contains("1 to add"), "{said}");
    let (well, said) = terraform(&tool, &second, &state, &["apply", "-input=false", "plan.bin"]).await;
    assert!(well && said.contains("1 added"), "{said}");
}

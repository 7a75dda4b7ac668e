//! `alethia apply` against Terraform by hand: the same rendered root, the same simulated cloud, wall time of both side by
//! side.
//!
//! By hand it is `terraform init && terraform plan -out && terraform apply`. Cold means that nothing is there: no data
//! folder, no initialised root. Warm means that the same was done before and is gone again: by hand the root is still
//! initialised, with Alethia the data folder is there and the Spec is another one of the same shape. Each pair runs in
//! both orders in turn.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use alethia_domain::{
    access::CloudAccess,
    ids::SpecId,
    spec::{self, Document},
};
use alethia_terraform::export;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tokio::{fs, process::Command};

use crate::{
    console,
    figure::{Figure, Reach},
    ground::Ground,
    runner,
};

const EXAMPLE: &str = include_str!("../../../examples/staging.yaml");

/// Terraform by hand in a folder.
struct ByHand {
    folder: PathBuf,
    document: Document,
}

/// Alethia with a data folder.
struct Platform {
    folder: PathBuf,
}

/// Seconds of both.
struct Pair {
    by_hand: f64,
    alethia: f64,
}

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let runs = ground.times(5, 2);
    let (mut cold, mut warm, mut resources) = (Vec::new(), Vec::new(), 0);
    for run in 0..runs {
        ground.say(&format!("apply, pair {} of {runs}", run + 1));
        let by_hand = ByHand::prepare(ground.folder()?).await?;
        let platform = Platform { folder: ground.folder()? };
        cold.push(pair(run, &by_hand, &platform, "cold").await?);
        resources = by_hand.resources().await?;
        by_hand.forget().await?;
        warm.push(pair(run, &by_hand, &platform, "warm").await?);
        for folder in [by_hand.folder, platform.folder] {
            fs::remove_dir_all(folder).await?;
        }
    }
    let figures = [("cold", cold, 1.05), ("warm", warm, 0.9)];
    Ok(figures
        .into_iter()
        .flat_map(|(how, pairs, most)| self::figures(how, resources, &pairs, most))
        .collect())
}

fn figures(how: &str, resources: usize, pairs: &[Pair], most: f64) -> [Figure; 3] {
    let of = |value: fn(&Pair) -> f64| pairs.iter().map(value).collect::<Vec<f64>>();
    let what = format!("`alethia apply` by `terraform init && plan && apply`, {resources} resources, {how}");
    [
        Figure::new(what, Reach::AtMost(most), "x", of(|pair| pair.alethia / pair.by_hand)),
        Figure::new(format!("alethia, {how}"), Reach::Told, "s", of(|pair| pair.alethia)),
        Figure::new(format!("terraform by hand, {how}"), Reach::Told, "s", of(|pair| pair.by_hand)),
    ]
}

/// Both, one after the other; who begins changes from run to run.
async fn pair(run: usize, by_hand: &ByHand, platform: &Platform, name: &str) -> Result<Pair> {
    if run.is_multiple_of(2) {
        let seconds = by_hand.run().await?;
        return Ok(Pair { by_hand: seconds, alethia: platform.apply(name).await? });
    }
    let seconds = platform.apply(name).await?;
    Ok(Pair { alethia: seconds, by_hand: by_hand.run().await? })
}

impl ByHand {
    async fn prepare(folder: PathBuf) -> Result<Self> {
        let parsed = spec::parse("staging.yaml", EXAMPLE).map_err(|problems| anyhow!("{problems:?}"))?;
        let document = parsed.document;
        export::export(&document, SpecId::generate(), &CloudAccess::Sandbox).write(&folder.join("root"))?;
        alethia_sandbox::mirror::write(&folder.join("mirror"))?;
        Ok(Self { folder, document })
    }

    async fn run(&self) -> Result<f64> {
        let start = Instant::now();
        self.terraform(&["init", "-input=false"]).await?;
        self.terraform(&["plan", "-input=false", "-out=plan.bin"]).await?;
        self.terraform(&["apply", "-input=false", "plan.bin"]).await?;
        Ok(start.elapsed().as_secs_f64())
    }

    async fn terraform(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let mirror = alethia_sandbox::mirror::write(&self.folder.join("mirror"))?;
        let program = crate::ground::target()?.join("release").join("alethia");
        let mut command = Command::new(runner::terraform()?);
        command.args(arguments).current_dir(self.folder.join("root")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.folder);
        command.env("TF_IN_AUTOMATION", "1").envs(mirror.environment(&program, &self.folder.join("cloud")));
        finish(command).await
    }

    async fn resources(&self) -> Result<usize> {
        let list = String::from_utf8(self.terraform(&["state", "list"]).await?)?;
        let resources = list.lines().filter(|line| !line.contains(".data.")).count();
        ensure!(resources > 0 && !self.document.components().is_empty(), "nothing was made");
        Ok(resources)
    }

    /// What was made is gone; the root stays initialised.
    async fn forget(&self) -> Result<()> {
        for file in ["terraform.tfstate", "plan.bin"] {
            fs::remove_file(self.folder.join("root").join(file)).await?;
        }
        fs::remove_dir_all(self.folder.join("cloud")).await.context("the cloud is not where it was")
    }
}

impl Platform {
    /// Applies the example under this name.
    async fn apply(&self, name: &str) -> Result<f64> {
        let file = self.folder.join(format!("{name}.yaml"));
        let named = EXAMPLE.replacen("\nname: shop-staging", &format!("\nname: {name}"), 1);
        fs::write(&file, named).await?;
        let mut command = console::alethia()?;
        command.args(["apply", "--yes", "--output", "json"]).arg(&file).arg("--data-dir").arg(self.data());
        command.env("HOME", &self.folder);
        let start = Instant::now();
        let output = finish(command).await?;
        let seconds = start.elapsed().as_secs_f64();
        let told: Value = serde_json::from_slice(&output)?;
        ensure!(told["spec"]["status"] == "ACTIVE", "the Spec is {}", told["spec"]["status"]);
        Ok(seconds)
    }

    fn data(&self) -> PathBuf {
        Path::join(&self.folder, "data")
    }
}

async fn finish(mut command: Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?} ended with {}: {said}", command.as_std(), output.status);
    Ok(output.stdout)
}

//! Zones: their limits, and what is said where there is none.

use alethia_api::{
    problem::Code,
    specs::SpecQuery,
    zones::{ChangeZone, NewZone},
};
use alethia_domain::lifecycle::JobType;

use crate::support::{Console, claim_request, document, refused, take};

const ONE: ChangeZone = ChangeZone { max_jobs: Some(Some(1)), description: None };

#[tokio::test]
async fn a_zone_at_its_limit_lets_no_other_job_start() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let limited = console.client.change_zone("default", &ONE).await.unwrap();
    assert_eq!(limited.max_jobs, Some(1));
    for name in ["shop", "blog"] {
        let mut document = document(&["orders"]);
        document["name"] = name.into();
        let spec = console.put(document).await;
        console.create_job(spec.spec.id, JobType::Plan).await;
    }
    take(&runner).await;
    assert!(runner.claim(&claim_request(0)).await.unwrap().is_none());
    let lifted = ChangeZone { max_jobs: Some(None), ..ChangeZone::default() };
    assert_eq!(console.client.change_zone("default", &lifted).await.unwrap().max_jobs, None);
    take(&runner).await;
}

#[tokio::test]
async fn a_zone_is_made_with_a_limit_and_keeps_what_is_not_changed() {
    let console = Console::start().await;
    let description = Some("payments".to_owned());
    let new = NewZone { name: "payments".to_owned(), description: description.clone(), max_jobs: Some(7) };
    assert_eq!(console.client.create_zone(&new).await.unwrap().max_jobs, Some(7));
    let changed = console.client.change_zone("payments", &ONE).await.unwrap();
    assert_eq!((changed.max_jobs, changed.description), (Some(1), description));
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    let console = Console::start().await;
    for limit in [0, 10_001] {
        let change = ChangeZone { max_jobs: Some(Some(limit)), ..ChangeZone::default() };
        let problem = refused(console.client.change_zone("default", &change).await);
        assert_eq!((problem.code, problem.errors[0].path.as_str()), (Code::Invalid, "max_jobs"));
    }
}

#[tokio::test]
async fn only_who_writes_into_a_missing_zone_is_told_how_to_make_it() {
    let console = Console::start().await;
    let list = Some("alethia zone list".to_owned());
    let query = SpecQuery { zone: Some("nowhere".to_owned()), ..SpecQuery::default() };
    assert_eq!(refused(console.client.delete_zone("nowhere").await).hint, list);
    assert_eq!(refused(console.client.change_zone("nowhere", &ONE).await).hint, list);
    assert_eq!(refused(console.client.specs(&query).await).hint, list);
    let mut document = document(&["orders"]);
    document["zone"] = "nowhere".into();
    let put = alethia_api::specs::PutSpec { document, message: None };
    let missing = refused(console.client.put_spec("nowhere", "shop", &put, None).await);
    assert_eq!(missing.hint.as_deref(), Some("alethia zone create nowhere"));
}

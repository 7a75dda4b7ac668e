//! Cloud Identities: ways into clouds, without keys. The sandbox's is always there.

use alethia_api::{
    identities::{CloudIdentity, NewCloudIdentity},
    page::{Page, PageQuery},
};
use alethia_domain::access::CloudAccess;
use alethia_store::identities;

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::{Error, Result},
};

/// Cloud Identities, the newest first.
///
/// # Errors
/// When the query is wrong or the store is not available.
pub async fn list(app: &App, _: &Viewer, query: &PageQuery) -> Result<Page<CloudIdentity>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let page = identities::list(&app.store, request).await?;
    Ok(page::answer(page, view))
}

/// Makes a Cloud Identity.
///
/// # Errors
/// When the name is none or taken, or the way in makes no sense.
pub async fn create(
    app: &App,
    admin: &Admin,
    new: NewCloudIdentity,
    key: Option<String>,
) -> Result<CloudIdentity> {
    check::name("name", &new.name)?;
    check_access(&new.access)?;
    let (once, now) = (Once::new(admin, key, "cloud-identities".to_owned(), &new), app.now());
    let tx = app.store.begin().await?;
    if let Some(identity) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(identity);
    }
    let identity = view(identities::insert(&tx, &new.name, &new.access, now).await?);
    once.keep(&tx, &identity).await?;
    audit::done(&tx, &admin.name, "cloud_identity.create", &identity.name, audit::nothing(), now);
    tx.commit().await?;
    Ok(identity)
}

/// Deletes a Cloud Identity that no Spec uses.
///
/// # Errors
/// When there is none, or a Spec uses it.
pub async fn delete(app: &App, admin: &Admin, name: &str) -> Result<()> {
    if name == identities::SANDBOX {
        return Err(Error::conflict(format!("the cloud identity {name} is always there")));
    }
    let (tx, now) = (app.store.begin().await?, app.now());
    identities::delete(&tx, name).await?;
    audit::done(&tx, &admin.name, "cloud_identity.delete", name, audit::nothing(), now);
    Ok(tx.commit().await?)
}

fn check_access(access: &CloudAccess) -> Result<()> {
    match access {
        CloudAccess::Sandbox => Err(Error::field(
            "access.type",
            "the sandbox has an identity of its own, named sandbox; allowed: aws",
        )),
        CloudAccess::Aws { role_arn: None, external_id: Some(_) } => {
            Err(Error::field("access.external_id", "it goes with a role; name one in role_arn"))
        }
        CloudAccess::Aws { role_arn: Some(arn), .. } if !is_role(arn) => Err(Error::field(
            "access.role_arn",
            format!("{arn:?} is no role; allowed: such as arn:aws:iam::123456789012:role/alethia"),
        )),
        CloudAccess::Aws { .. } => Ok(()),
    }
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts.as_slice() else { return false };
    *scheme == "arn"
        && partition.starts_with("aws")
        && (*service, *region) == ("iam", "")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

fn view(identity: identities::CloudIdentity) -> CloudIdentity {
    let identities::CloudIdentity { id, name, access, revision, created_at } = identity;
    CloudIdentity { id, name, access, revision, created_at }
}

#[cfg(test)]
mod tests {
    use super::is_role;

    #[test]
    fn a_role_is_told_by_its_arn() {
        assert!(is_role("arn:aws:iam::123456789012:role/alethia"));
        assert!(is_role("arn:aws-cn:iam::123456789012:role/path/alethia"));
        for wrong in
            ["alethia", "arn:aws:iam::12:role/a", "arn:aws:iam::123456789012:user/a", "arn:aws:s3:::b"]
        {
            assert!(!is_role(wrong), "{wrong}");
        }
    }
}

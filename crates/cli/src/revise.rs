//! Putting a Spec file as the newest Revision, without overtaking other people unseen.
//!
//! The Revision that is the newest at the start has to be the newest still when the file arrives. A file that follows
//! another person's Revision replaces it: the last one wins, but that is said, with what to type to see the difference.

use alethia_api::{
    client::{Client, ClientError},
    page::PageQuery,
    problem::Code,
    specs::{PutSpec, Revision, SpecDetail},
};
use alethia_domain::spec::Parsed;

use crate::{error::OrHint, session::Session, target::SpecName};

/// Stores a document as the newest Revision of its Spec. The same document again makes no new one.
///
/// # Errors
/// When the Console refuses it, or somebody else was faster.
pub(crate) async fn put(
    session: &Session,
    parsed: &Parsed,
    message: Option<String>,
) -> anyhow::Result<SpecDetail> {
    let client = session.client();
    let name = SpecName { zone: parsed.document.zone.clone(), name: parsed.document.name.clone() };
    let before = newest(client, &name).await?;
    let put = PutSpec { document: parsed.written.clone(), message };
    let after = match client.put_spec(&name.zone, &name.name, &put, before).await {
        Err(error) if error.code() == Some(Code::PreconditionFailed) => {
            return Err(error).or_hint(
                format!("somebody else changed {name} at the same time; nothing was changed"),
                format!("see what was done with `alethia spec diff {name}`, then try again"),
            );
        }
        answer => answer?,
    };
    if before.is_some_and(|before| before < after.spec.revision) {
        say_whom_it_follows(session, &after, &name).await?;
    }
    Ok(after)
}

/// Number of the newest Revision, where the Spec exists.
async fn newest(client: &Client, name: &SpecName) -> Result<Option<u32>, ClientError> {
    match client.spec_by_name(&name.zone, &name.name).await {
        Ok(detail) => Ok(Some(detail.spec.revision)),
        Err(error) if error.code() == Some(Code::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn say_whom_it_follows(session: &Session, spec: &SpecDetail, name: &SpecName) -> anyhow::Result<()> {
    let two = PageQuery { limit: Some(2), cursor: None };
    let revisions = session.client().revisions(spec.spec.id, &two).await?.items;
    if let [own, before] = &revisions[..]
        && own.author != before.author
    {
        session.typed().tell(&whom_it_follows(own, before, name));
    }
    Ok(())
}

fn whom_it_follows(own: &Revision, before: &Revision, name: &SpecName) -> String {
    let message = before.message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default();
    format!(
        "Revision {} replaces Revision {} of {}{message}; see what differs with `alethia spec diff {name}`",
        own.number, before.number, before.author
    )
}

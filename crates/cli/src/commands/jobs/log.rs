//! The log of a job: as Terraform and the Runner wrote it, or in its pieces for programs.

use alethia_api::{
    client::StreamItem,
    logs::{LogChunk, LogQuery},
};
use alethia_domain::ids::JobId;

use crate::{
    follow::Interrupts,
    output::{self, Format},
    session::Session,
    settings::Settings,
};

/// How many pieces are read at a time.
const PAGE: u16 = 200;

/// Prints what there is so far, or of that the lines with a text. As data it is one list of all pieces.
pub(super) async fn print(
    settings: &Settings,
    session: &Session,
    id: JobId,
    search: Option<String>,
) -> anyhow::Result<()> {
    let mut pieces = Vec::new();
    let mut cursor = None;
    loop {
        let page = session
            .client()
            .logs(id, &LogQuery { cursor, limit: Some(PAGE), search: search.clone() })
            .await?;
        match settings.output.value {
            Format::Table => page.items.iter().try_for_each(|piece| output::write(&piece.text))?,
            Format::Json | Format::Yaml => pieces.extend(page.items),
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    match settings.output.value {
        Format::Table => Ok(()),
        data @ (Format::Json | Format::Yaml) => output::print(data, &pieces, String::new),
    }
}

/// Goes on printing until the job has ended, or the person leaves. As data each piece is a document of its own: a line
/// of JSON, or YAML between `---`.
pub(super) async fn follow(settings: &Settings, session: &Session, id: JobId) -> anyhow::Result<()> {
    let mut interrupts = Interrupts::listen()?;
    let mut stream = session.client().follow_job(id, None);
    loop {
        tokio::select! {
            item = stream.next() => match item? {
                Some(StreamItem::Log(piece)) => write(settings.output.value, &piece)?,
                Some(StreamItem::Change(_)) => {}
                None => break,
            },
            () = interrupts.next() => {
                session.typed().tell(&format!("come back to it with `alethia jobs logs -f {id}`"));
                return Ok(());
            }
        }
    }
    let job = session.client().job(id).await?;
    eprintln!("{} {}", job.job_type, job.status);
    Ok(())
}

fn write(format: Format, piece: &LogChunk) -> anyhow::Result<()> {
    match format {
        Format::Table => output::write(&piece.text),
        Format::Json => output::write(&serde_json::to_string(piece)?),
        Format::Yaml => output::write(&format!("---\n{}", serde_saphyr::to_string(piece)?)),
    }
}

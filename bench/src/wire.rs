//! A client of HTTP/1.1 that costs next to nothing: the clients that load a Console share its cores.
//!
//! One connection, one request at a time, kept open. It speaks what a Console speaks and no more: bodies with a length, or
//! in chunks when it is a stream of events. No redirects, no TLS, no retries: what is unexpected ends the measurement.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Nothing that is measured takes so long: a claim waits half a minute, a stream says something four times a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a Console, speaking with one token.
pub(crate) struct Wire {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
    /// How much of the buffer was read by the caller.
    taken: usize,
}

/// What a Console answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A stream of events.
pub(crate) struct Events {
    wire: Wire,
    text: String,
}

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Wire {
    /// Connects to `HOST:PORT`.
    pub(crate) async fn connect(address: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("the Console can't be reached")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, head: head(address, token), buffer: Vec::new(), taken: 0 })
    }

    /// Speaks with another token from now on.
    pub(crate) fn speak_as(&mut self, token: &str) {
        let address =
            self.head.lines().next().and_then(|line| line.strip_prefix("host: ")).unwrap_or_default();
        self.head = head(address, token);
    }

    /// Sends a request and reads its answer. `path` is below `/api/v1`.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<Answer> {
        timeout(PATIENCE, async {
            self.send(method, path, body).await?;
            self.answer().await
        })
        .await
        .with_context(|| format!("{method} {path} was not answered"))?
    }

    /// The same, for an answer that must be a success with JSON in it.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.call(method, path, &text).await?;
        let said = String::from_utf8_lossy(&answer.body);
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {said}", answer.status);
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer.body)?) }
    }

    /// Makes the connection a stream of events.
    pub(crate) async fn events(mut self, path: &str) -> Result<Events> {
        self.send("GET", path, "").await?;
        let (status, length) = timeout(PATIENCE, self.read_head()).await.context("no stream in time")??;
        if status != 200 {
            let body = self.exactly(length.unwrap_or_default()).await?;
            bail!("GET {path}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(Events { wire: self, text: String::new() })
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\n{}{kind}content-length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        );
        Ok(self.stream.write_all(request.as_bytes()).await?)
    }

    async fn answer(&mut self) -> Result<Answer> {
        let (status, length) = self.read_head().await?;
        let body = match length {
            Some(length) => self.exactly(length).await?,
            None if status == 204 => Vec::new(),
            None => bail!("an answer of {status} has no length"),
        };
        Ok(Answer { status, body })
    }

    /// Status, and length of the body where there is one.
    async fn read_head(&mut self) -> Result<(u16, Option<usize>)> {
        let first = self.line().await?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("{first:?} begins no answer"))?;
        let mut length = None;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.parse()?);
            }
        }
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<String> {
        let mut looked = self.taken;
        loop {
            if let Some(at) = self.buffer[looked..].windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8(self.buffer[self.taken..looked + at].to_vec())?;
                self.taken = looked + at + 2;
                return Ok(line);
            }
            let rest = self.buffer.len() - self.taken;
            self.fill().await?;
            looked = rest.saturating_sub(1) + self.taken;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.buffer.len() - self.taken < length {
            self.fill().await?;
        }
        let bytes = self.buffer[self.taken..self.taken + length].to_vec();
        self.taken += length;
        Ok(bytes)
    }

    async fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the Console closed the connection");
        Ok(())
    }
}

impl Events {
    /// The next event; `None` at the end of the stream. Comments are skipped.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                match event(&block) {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                }
            }
            let Some(chunk) = timeout(PATIENCE, self.chunk()).await.context("the stream is silent")?? else {
                return Ok(None);
            };
            self.text.push_str(std::str::from_utf8(&chunk)?);
        }
    }

    async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let size = self.wire.line().await?;
        let size = usize::from_str_radix(&size, 16).with_context(|| format!("{size:?} begins no chunk"))?;
        if size == 0 {
            return Ok(None);
        }
        let mut chunk = self.wire.exactly(size + 2).await?;
        chunk.truncate(size);
        Ok(Some(chunk))
    }
}

fn head(address: &str, token: &str) -> String {
    format!("host: {address}\r\nauthorization: Bearer {token}\r\n")
}

/// `None` for a comment.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start().to_owned())
    };
    Some(Event { name: field("event:").unwrap_or_default(), data: field("data:")? })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers whatever comes with this.
    async fn answering(answer: &'static str) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            for part in answer.as_bytes().chunks(7) {
                stream.write_all(part).await.unwrap();
                stream.flush().await.unwrap();
            }
        });
        Wire::connect(&address, "token").await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_no_further() {
        let mut wire = answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}HTTP/1.1 204 No Content\r\n\r\n",
        )
        .await;
        assert_eq!(wire.json("GET", "/zones", &Value::Null).await.unwrap(), serde_json::json!({}));
        assert_eq!(wire.answer().await.unwrap().status, 204);
    }

    #[tokio::test]
    async fn events_are_read_whole_from_chunks() {
        let wire = answering(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n:\n\n\r\n1c\r\nid: 1.2\nevent: log\ndata: {}\n\r\n\
             1\r\n\n\r\n0\r\n\r\n",
        );
        let mut events = wire.await.events("/events").await.unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event, Some(Event { name: "log".to_owned(), data: "{}".to_owned() }));
        assert_eq!(events.next().await.unwrap(), None);
    }
}

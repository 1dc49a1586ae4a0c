//! Following a stream of changes over as many connections as it takes.
//!
//! In scope: resuming from the last cursor after a drop, with pauses that double. Out of scope:
//! what is followed and how it is printed ([`super::watch`], [`super::notice`]).

use std::time::Duration;

use tonic::{Code, Status, Streaming};

use super::connect::Client;
use super::failure::Failure;
use super::{Context, status_text};

/// First wait after a drop; doubled up to the longest.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// Longest wait between two tries.
const WAIT_LONGEST: Duration = Duration::from_secs(15);

/// What is followed.
pub(super) trait Followed {
    /// One message of the stream.
    type Message;
    /// The command that goes on from a cursor, without it.
    const COMMAND: &'static str;
    /// Where it stands; empty before the first message.
    fn cursor(&self) -> &str;
    /// The cursor is gone for good: whether to go on from the present instead.
    fn begin_anew(&mut self) -> bool {
        false
    }
    /// Opens a stream from where it stands.
    async fn open(&self, client: &Client) -> Result<Streaming<Self::Message>, Status>;
    /// Prints a message and moves the cursor; true when that was the last one asked for.
    fn take(&mut self, message: &Self::Message) -> bool;
}

/// How one stream ended.
enum Ended {
    /// As many changes as asked for.
    Enough,
    /// It broke; resume.
    Dropped(Failure),
}

/// Follows until Ctrl-C, the last change asked for, or a refusal; says how to go on.
///
/// # Errors
/// [`Failure`] when the node refuses to resume.
pub(super) async fn follow<F: Followed>(
    context: &Context,
    client: Client,
    mut what: F,
) -> Result<(), Failure> {
    let ended = tokio::select! {
        ended = follow_on(context, client, &mut what) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    let (cursor, command) = (what.cursor(), F::COMMAND);
    if !cursor.is_empty() {
        eprintln!(
            "{}",
            context.lang.pick(
                format!("续接：{command} --cursor {cursor}"),
                format!("to go on: {command} --cursor {cursor}"),
            )
        );
    }
    ended
}

async fn follow_on<F: Followed>(
    context: &Context,
    client: Client,
    what: &mut F,
) -> Result<(), Failure> {
    let mut client = Some(client);
    let mut wait = WAIT_FIRST;
    loop {
        let before = what.cursor().to_owned();
        let ended = match client.take() {
            Some(client) => one_stream(context, &client, what).await?,
            None => match context.connect().await {
                Ok(client) => one_stream(context, &client, what).await?,
                Err(failure) => Ended::Dropped(failure),
            },
        };
        let Ended::Dropped(failure) = ended else { return Ok(()) };
        if what.cursor() != before {
            wait = WAIT_FIRST;
        }
        eprintln!(
            "{}",
            context.lang.pick(
                format!("连接中断（{}），{} 毫秒后续接", failure.what, wait.as_millis()),
                format!("dropped ({}), resuming in {} ms", failure.what, wait.as_millis()),
            )
        );
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_LONGEST);
    }
}

/// Follows one stream to its end. An error here is final.
async fn one_stream<F: Followed>(
    context: &Context,
    client: &Client,
    what: &mut F,
) -> Result<Ended, Failure> {
    let mut stream = match what.open(client).await {
        Ok(stream) => stream,
        Err(status) => return judge(client, &status, what),
    };
    loop {
        match stream.message().await {
            Ok(Some(message)) => {
                if what.take(&message) {
                    return Ok(Ended::Enough);
                }
            }
            Ok(None) => {
                let said = context.lang.pick("节点结束了推送", "the node ended the stream");
                return Ok(Ended::Dropped(Failure::local(said)));
            }
            Err(status) => return judge(client, &status, what),
        }
    }
}

/// Whether a failed stream is worth another try.
fn judge<F: Followed>(client: &Client, status: &Status, what: &mut F) -> Result<Ended, Failure> {
    let failure = client.failure(status);
    if failure.reason == "CURSOR_GONE" && what.begin_anew() {
        return Ok(Ended::Dropped(failure));
    }
    let lost = status_text::transport_cause(status).is_some();
    let passing = lost
        || matches!(
            status.code(),
            Code::Unavailable | Code::Cancelled | Code::Aborted | Code::ResourceExhausted
        );
    if passing { Ok(Ended::Dropped(failure)) } else { Err(failure) }
}

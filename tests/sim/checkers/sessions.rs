//! P9: a session never reads older state than it has read or written, whatever happens to its
//! node in between. And what a caller was given to go on reading with is worth nothing to another
//! caller, for another list, or after a restart.

use std::collections::BTreeMap;

use liandong::ids::{AgreementId, Position, SubjectId};
use liandong::rpc::page_token::Seal;
use liandong::view::{self, CaseView, ReadRows};

use super::Checks;
use crate::sim::node::{Node, SimReader};
use crate::sim::tally::{State, Tally};

/// Cases that a session looks at closely.
const CASES_SHOWN: usize = 4;
/// Own writes that a session looks for again.
const WRITES_SHOWN: usize = 8;

/// What one caller has seen at one process.
#[derive(Default)]
struct Session {
    life: u64,
    /// The last entry of a case, and its place in the order of application.
    cases: BTreeMap<(AgreementId, SubjectId), (u64, Position)>,
    wrote: Vec<Position>,
    /// A token for a list.
    token: String,
}

#[derive(Default)]
pub struct Sessions {
    /// By process and caller.
    of: BTreeMap<(usize, usize), Session>,
}

impl Sessions {
    /// A process goes on from another disk: whoever read there begins anew.
    pub fn forget(&mut self, at: usize) {
        self.of.retain(|(node, _), _| *node != at);
    }
}

/// The last entry of a case, looked for from a place on.
fn last_entry(
    rows: &impl ReadRows,
    (agreement, subject): (AgreementId, SubjectId),
    from: u64,
) -> Option<(u64, Position)> {
    let mut last = None;
    view::history(rows, agreement, subject, from, &mut |entry| {
        last = Some((entry.apply, entry.position));
        true
    });
    last
}

impl Checks {
    /// A caller reads some cases at a process.
    pub fn session_reads(
        &mut self,
        at: usize,
        node: &Node,
        caller: usize,
        agreement: AgreementId,
        cases: &[(SubjectId, CaseView)],
        tally: &mut Tally,
    ) {
        let Some(reader) = node.reader.as_ref().filter(|_| !self.rotted.contains(&at)) else {
            return;
        };
        let session = self.sessions.of.entry((at, caller)).or_default();
        if session.life != node.life && !session.cases.is_empty() {
            tally.reached(State::ReadAgain);
        }
        let rows = reader.view();
        let mut wrong = None;
        for (case, (apply, position)) in session.cases.range((agreement, SubjectId::new([0; 16]))..)
        {
            if case.0 != agreement {
                break;
            }
            let mut first = None;
            view::history(&rows, agreement, case.1, *apply, &mut |entry| {
                first = Some((entry.apply, entry.position));
                false
            });
            if first != Some((*apply, *position)) {
                wrong = Some(format!("{position} at {apply} of case {}, now {first:?}", case.1));
            }
        }
        let gone = session.wrote.iter().find(|p| view::applied_entry(&rows, **p).is_none());
        wrong = gone.map(|p| format!("{p}, which it wrote")).or(wrong);
        for (subject, _) in cases.iter().take(CASES_SHOWN) {
            let case = (agreement, *subject);
            let from = session.cases.get(&case).map_or(0, |(apply, _)| *apply);
            session.cases.extend(last_entry(&rows, case, from).map(|last| (case, last)));
        }
        let token = check_tokens(at, reader, node.life, caller, session, tally);
        if let Some(what) = wrong {
            self.fail(format!("P9 session of {caller} at {at} has read {what}"));
        } else if let Err(what) = token {
            self.fail(format!("a page token of {caller} at {at}: {what}"));
        }
    }

    /// A caller was told that something is written.
    pub fn session_wrote(&mut self, at: usize, caller: usize, position: Position) {
        let session = self.sessions.of.entry((at, caller)).or_default();
        session.wrote.push(position);
        if session.wrote.len() > WRITES_SHOWN {
            session.wrote.remove(0);
        }
    }
}

/// Goes on with a token as its owner, as somebody else, in another list, and from before a start.
fn check_tokens(
    at: usize,
    reader: &SimReader,
    life: u64,
    caller: usize,
    session: &mut Session,
    tally: &mut Tally,
) -> Result<(), String> {
    // Another one after every start, as the shell draws it.
    let mut page_key = [at as u8; 32];
    page_key[..8].copy_from_slice(&life.to_be_bytes());
    let seal = |caller: usize, list: &str| {
        let reader = reader.clone();
        let tag = Box::new(move |fields: &[&[u8]]| reader.seal(fields));
        Seal::by(tag, page_key, &format!("coordinator/{caller}"), list.as_bytes().to_vec())
    };
    let own = seal(caller, "open cases");
    let refusal = |seal: &Seal, token: &str| seal.open::<1>(token).err().map(|why| why.reason());
    if !session.token.is_empty() && session.life != life {
        tally.reached(State::TokenExpired);
        if refusal(&own, &session.token) != Some("TOKEN_EXPIRED") {
            return Err("from before a start is taken".to_owned());
        }
    }
    session.token = own.close(&[life]);
    session.life = life;
    if own.open::<1>(&session.token).ok() != Some(Some([life])) {
        return Err("cannot be used".to_owned());
    }
    for (who, list) in [(caller + 1, "open cases"), (caller, "all cases")] {
        if refusal(&seal(who, list), &session.token) != Some("PAGE_TOKEN") {
            return Err(format!("serves {who} in {list}"));
        }
    }
    Ok(())
}

//! The node that drafts clues and takes the bytes that they list.
//!
//! In scope: calls, what their refusals mean for trying again. Out of scope: what is kept meanwhile
//! ([`super::desk`]).
//!
//! A clue has one number for each station and time (`external_ref`), and a node takes a number
//! once: the same packet twice makes one clue and one file, whoever sends it, also after a lost
//! answer. Other packets of that time are listed in the clue that is there, each once.

use std::collections::BTreeMap;
use std::io::Cursor;

use indicatif::ProgressBar;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::clue::{Clue, SYSTEM};
use super::report::Outcome;
use crate::cli::case::Session;
use crate::cli::evidence::{Parcel, Unsent, deliver};
use crate::cli::failure::{Exit, Failure};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Refusals of a file that end when somebody at the node makes room; clues can be drafted.
pub const NO_ROOM: [&str; 3] =
    ["EVIDENCE_FOLDER_FULL", "EVIDENCE_PENDING_FULL", "ATTACHMENT_TOO_LARGE"];
/// Codes that say nothing about the clue: too many calls, or a full disk over there.
const PASSING: [Code; 5] = [
    Code::Unavailable,
    Code::DeadlineExceeded,
    Code::Cancelled,
    Code::Aborted,
    Code::ResourceExhausted,
];

/// No list of the case has these bytes.
const NOT_LISTED: &str = "EVIDENCE_NOT_LISTED";

/// What is said of a clue whose file is not sent.
fn not_sent(lang: Lang) -> &'static str {
    lang.pick(
        "线索已登记，证据文件尚未上传",
        "the clue is drafted; the file of its evidence is not uploaded yet",
    )
}

/// The node that drafts.
pub struct Office {
    /// The connection.
    pub session: Session,
    /// Agreements by what stations call them; `None` for those that name none.
    pub parents: BTreeMap<Option<String>, String>,
    /// Certificate number of the officer a system acts for.
    pub officer: Option<String>,
}

impl Office {
    /// Drafts a clue, or finds the one that has its number, and uploads the bytes if it lists them.
    ///
    /// # Errors
    /// [`Failure`]: `Refused` when it is about this clue, else about all of them.
    pub async fn draft(&self, clue: &Clue, lang: Lang) -> Result<Outcome, Failure> {
        let (case, mut outcome) = self.open(clue, lang).await?;
        let mut uploaded = self.upload(case.clone(), clue).await;
        // The same hour sent anew: the clue rests on other packets, and these go beside them.
        let is_other = |failure: &Failure| failure.reason == NOT_LISTED;
        if outcome == Outcome::AlreadyThere && uploaded.as_ref().is_err_and(is_other) {
            self.add(case.clone(), clue).await?;
            outcome = Outcome::Added;
            uploaded = self.upload(case, clue).await;
        }
        uploaded.map(|()| outcome).map_err(|failure| failure.detail(not_sent(lang)))
    }

    /// Lists packets that are beyond no limit in the case that has their number, and uploads them;
    /// `None` where there is no such case.
    ///
    /// # Errors
    /// [`Failure`], as [`Self::draft`].
    pub async fn list_anew(&self, clue: &Clue, lang: Lang) -> Result<Option<Outcome>, Failure> {
        let Some(case) = self.numbered(clue).await?.into_iter().next() else { return Ok(None) };
        let uploaded = self.upload(case.clone(), clue).await;
        match uploaded {
            Ok(()) => return Ok(Some(Outcome::AlreadyThere)),
            Err(failure) if failure.reason == NOT_LISTED => self.add(case.clone(), clue).await?,
            Err(failure) => return Err(failure),
        }
        let uploaded = self.upload(case, clue).await;
        uploaded.map(|()| Some(Outcome::Added)).map_err(|failure| failure.detail(not_sent(lang)))
    }

    /// Lists the packets of a clue in the case that has its number.
    async fn add(&self, name: String, clue: &Clue) -> Result<(), Failure> {
        let request = clue.addition(name, self.officer.as_deref());
        let added = self.session.client.cases().add_evidence(request).await;
        added.map(drop).map_err(|status| self.failure(&status))
    }

    /// The case's name, and whether it is new.
    async fn open(&self, clue: &Clue, lang: Lang) -> Result<(String, Outcome), Failure> {
        let parent = self.parents.get(&clue.agreement).cloned().unwrap_or_default();
        let request = clue.request(parent, self.officer.as_deref());
        let status = match self.session.client.cases().create_case(request).await {
            Ok(answer) => {
                let case = answer.into_inner().case.unwrap_or_default();
                return Ok((case.name, Outcome::Drafted(case.number)));
            }
            Err(status) => status,
        };
        let info = status.get_details_error_info();
        let Some(info) = info.filter(|info| info.reason == "EXTERNAL_REF_TAKEN") else {
            return Err(self.failure(&status));
        };
        let taken_by = info.metadata.get("taken_by").map(String::as_str).unwrap_or_default();
        Ok((self.find(clue, taken_by, lang).await?, Outcome::AlreadyThere))
    }

    /// The name of the case that has a clue's number; its agreement may be another than today's.
    async fn find(&self, clue: &Clue, taken_by: &str, lang: Lang) -> Result<String, Failure> {
        let mut names = self.numbered(clue).await?.into_iter();
        names.find(|name| name.ends_with(taken_by)).ok_or_else(|| {
            Failure::new(
                Exit::Unreachable,
                "NOT_FOUND",
                lang.pick(
                    "编号已登记，但暂时查不到案件，稍后重试",
                    "its number is taken by a case that is not listed yet; it is tried again",
                ),
            )
        })
    }

    /// Names of the cases that have a clue's number in this system: another one may call a case so.
    async fn numbered(&self, clue: &Clue) -> Result<Vec<String>, Failure> {
        let request = pb::ListCasesRequest {
            parent: "agreements/-".to_owned(),
            external_number: clue.number.clone(),
            ..pb::ListCasesRequest::default()
        };
        let answer = self.session.client.cases().list_cases(request).await;
        let cases = answer.map_err(|status| self.failure(&status))?.into_inner().cases;
        let ours = |case: &pb::Case| {
            case.external_ref.as_ref().is_some_and(|external| external.system == SYSTEM)
        };
        Ok(cases.into_iter().filter(ours).map(|case| case.name).collect())
    }

    async fn upload(&self, case_name: String, clue: &Clue) -> Result<(), Failure> {
        let parcel = Parcel {
            case_name,
            sha256: clue.sha256.as_bytes().to_vec(),
            sm3: clue.sm3.to_vec(),
            size: clue.evidence.len() as u64,
            display_name: clue.file_name(),
        };
        let open = || Ok(Cursor::new(clue.evidence.clone().into_bytes()));
        let hidden = |_| ProgressBar::hidden();
        match deliver(&self.session.client, &parcel, open, hidden).await {
            Ok(_) => Ok(()),
            Err(Unsent::Answered(status)) => Err(self.failure(&status)),
            Err(Unsent::Unread(error)) => Err(Failure::local(error.to_string())),
        }
    }

    fn failure(&self, status: &Status) -> Failure {
        let mut failure = self.session.client.failure(status);
        let is_passing = PASSING.contains(&status.code());
        if is_passing && !NO_ROOM.contains(&failure.reason.as_str()) {
            failure.exit = Exit::Unreachable;
        }
        failure
    }
}

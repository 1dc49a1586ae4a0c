//! Legal bases that are to be written, against the catalogue.
//!
//! In scope: which bases of a request are new, and the refusal. Out of scope: the rule
//! ([`crate::domain::catalogue::check`]).
//!
//! What is stored is never judged again: whoever changes a title sends the whole record, and its
//! bases may have been written under another catalogue or by an older program.

use super::case_read;
use super::case_service::CaseApi;
use crate::domain::catalogue::check::Circumstances;
use crate::domain::catalogue::{Act, Basis};
use crate::domain::law::LegalBasis;
use crate::domain::{CaseFacts, CaseRecord, Invalid};
use crate::ids::{AgreementId, SubjectId};
use crate::wire::case as read;
use crate::wire::status::{Refused, bad_fields};

/// How many candidates a refusal names.
const NAMED_MAX: usize = 8;

impl CaseApi {
    /// Checks the bases of a record that is to be written; `case` is the one that has a record
    /// already.
    ///
    /// # Errors
    /// `ARTICLE_UNKNOWN` or `LAW_REPEALED`, with every field that is wrong and what is possible.
    pub(super) fn check_bases(
        &self,
        record: &CaseRecord,
        facts: &CaseFacts,
        case: Option<(AgreementId, SubjectId)>,
    ) -> Result<(), Refused> {
        let of = Circumstances {
            occurred_from: facts.occurred_from,
            occurred_to: facts.occurred_to,
            reasoned: record.law_choice.is_some(),
        };
        let check = |(nth, basis): (usize, &LegalBasis)| {
            let wrong = self.catalogue.check(basis, of).err()?;
            Some((basis.clone(), wrong.at(&format!("record.legal_bases[{nth}]"))))
        };
        let mut wrong: Vec<(LegalBasis, Invalid)> =
            record.legal_basis.iter().enumerate().filter_map(check).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let stored = case.map(|case| self.stored_bases(case)).unwrap_or_default();
        wrong.retain(|(basis, _)| !stored.contains(basis));
        let Some((first, _)) = wrong.first() else { return Ok(()) };
        let (law, article) = (first.law.to_string(), first.article.to_string());
        let refused = bad_fields(wrong.into_iter().map(|(_, wrong)| wrong).collect());
        let possible = self.possible(facts);
        Err(refused.with("law", law).with("article", article).with("possible", possible))
    }

    fn stored_bases(&self, (agreement, subject): (AgreementId, SubjectId)) -> Vec<LegalBasis> {
        let stored = case_read::read(&self.node, agreement, subject).and_then(|case| case.record);
        let stored = stored.and_then(|record| read::record(Some(&record)).ok());
        stored.map(|record| record.legal_basis).unwrap_or_default()
    }

    /// Articles that the catalogue offers for these facts, as people write them.
    fn possible(&self, facts: &CaseFacts) -> String {
        let Some(today) = self.node.today() else { return String::new() };
        let Ok(act) = Act::new(facts.occurred_from, facts.occurred_to, today) else {
            return String::new();
        };
        let choice = self.catalogue.choose(facts.violation, act);
        let flagged = choice.later.iter().filter(|later| later.verdict.is_flagged());
        let mut all: Vec<&Basis> = choice.in_force.clone();
        all.extend(flagged.map(|later| later.basis));
        let named = |basis: &&Basis| {
            let item = basis.item.map_or_else(String::new, |item| format!("({item})"));
            format!("{} {}{item}", basis.law.name.zh, basis.article)
        };
        let names: Vec<String> = all.iter().take(NAMED_MAX).map(named).collect();
        names.join("; ")
    }
}

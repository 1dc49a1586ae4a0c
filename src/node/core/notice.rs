//! Own notices: from what is asked to what will be written.
//!
//! In scope: whom a notice and what is said of it goes to. Out of scope: who may do what
//! ([`crate::domain::notice`]), building entries ([`super::write`]), ringing
//! ([`crate::node::alert`]).

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::notice::{self, Notice, NoticeAct, NoticeKind, NoticeLevel, NoticeRecord};
use crate::domain::{Event, Misfit, Refusal};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::journal::Disk;
use crate::log::{Audience, Subject, SubjectKind};
use crate::node::core::write::{Decided, Draft};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::view::{self, NoticeView, ReadRows};

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_notice(
        &self,
        agreement: AgreementId,
        what: (NoticeKind, Option<NoticeLevel>),
        addressees: &[CityCode],
        record: &NoticeRecord,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement);
        let by = self.settings.city;
        let issued = notice::decide_issue(by, members, what, addressees)?;
        let audience = audience(&issued, members);
        let Notice { kind, level, addressees, issuer: _ } = issued;
        let content = PartContent::Notice(Box::new(record.clone()));
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Notice, id: None },
            prev: None,
            event: Event::NoticeIssued { kind, level, addressees },
            parts: vec![NewPart { audience, content }],
        };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    pub(super) fn decide_act(
        &mut self,
        agreement: AgreementId,
        subject: SubjectId,
        act: NoticeAct,
        text: Option<&String>,
    ) -> Result<Decided, WriteError> {
        let found = view::notice(&self.group_rows(), agreement, subject);
        let NoticeView { notice, opened_at, needs_newer, acknowledged, ended, .. } =
            found.ok_or(WriteError::NotFound)?;
        // Reading a notice does not rest on what newer programs have added to it.
        if needs_newer && act != NoticeAct::Acknowledged {
            return Err(WriteError::NeedsNewerVersion);
        }
        // A person signs for what can be read here.
        let lacks = self.group_rows().get(&keys::missing_part(opened_at, 0)).is_some();
        if lacks && act == NoticeAct::Acknowledged {
            return Err(WriteError::NoticeArriving);
        }
        self.check_leaning(agreement, subject, None)?;
        let by = self.settings.city;
        let members = self.logs.members(agreement);
        if !members.contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
        let done = match act {
            NoticeAct::Acknowledged => acknowledged.iter().any(|(city, _)| *city == by),
            NoticeAct::Ended => ended.is_some(),
            NoticeAct::Reported => false,
        };
        notice::decide_act(&notice, by, act, done)?;
        let audience = audience(&notice, members);
        let part = |text: &String| NewPart {
            audience: audience.clone(),
            content: PartContent::Text(text.clone()),
        };
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Notice, id: Some(subject) },
            prev: None,
            event: Event::NoticeAct(act),
            parts: text.map(part).into_iter().collect(),
        };
        let opened_at = Some(opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }
}

/// Who may read what is said of a notice: its issuer and those it is for, where they are members.
fn audience(notice: &Notice, members: &[CityCode]) -> Audience {
    let may = |city: &CityCode| *city == notice.issuer || notice.addressees.contains(city);
    let mut cities: Vec<CityCode> = members.iter().copied().filter(may).collect();
    if cities.len() == members.len() {
        return Audience::AllMembers;
    }
    cities.sort_unstable();
    Audience::Cities(cities)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_notice_names_its_readers_are_members_in_order() {
        let city = |code| CityCode::from_u32(code).unwrap();
        let members = [130_400, 371_400, 371_500, 410_900].map(city);
        let of = |codes: &[u32]| {
            let addressees = codes.iter().map(|code| city(*code)).collect();
            let (kind, level, issuer) = (NoticeKind::General, None, city(371_500));
            audience(&Notice { kind, level, issuer, addressees }, &members)
        };
        let two = Audience::Cities(vec![city(130_400), city(371_500)]);
        assert_eq!(of(&[130_400]), two);
        assert_eq!(of(&[130_400, 130_400, 370_900]), two);
        assert_eq!(of(&[410_900, 371_400, 130_400]), Audience::AllMembers);
    }
}

//! What somebody at a desk might do next about notices: issue one, acknowledge, report, end;
//! mostly what fits, sometimes not.

use liandong::api::request::Command;
use liandong::domain::notice::NoticeDraft;
use liandong::domain::{NoticeAct, NoticeKind, NoticeLevel, NoticeRecord};
use liandong::ids::{AgreementId, CityCode, SubjectId};
use liandong::view::{self, NoticeView, ReadRows};

use super::rng::Rng;

/// Notices a person looks at.
const SHOWN: usize = 6;

/// The newest notices of an agreement.
pub fn newest(rows: &impl ReadRows, agreement: AgreementId) -> Vec<(SubjectId, NoticeView)> {
    let mut all = Vec::new();
    view::notices_newest_first(rows, agreement, None, &mut |subject, notice| {
        all.push((subject, notice));
        all.len() < SHOWN
    });
    all
}

/// A new notice to some members or to all.
pub fn issue(
    agreement: AgreementId,
    (code, members): (CityCode, &[CityCode]),
    text: &str,
    rng: &mut Rng,
) -> Command {
    let others: Vec<CityCode> = members.iter().copied().filter(|city| *city != code).collect();
    let kind = rng.pick(&[NoticeKind::General, NoticeKind::Emergency, NoticeKind::HeavyPollution]);
    let level = kind.rings().then_some(NoticeLevel::Three);
    // Now and then to oneself, or without the level it needs.
    let addressees = match rng.below(6) {
        0 | 1 => Vec::new(),
        2 => others.clone(),
        3 if rng.one_in(4) => vec![code],
        _ => vec![rng.pick(&others)],
    };
    let level = level.filter(|_| !rng.one_in(20));
    let draft = NoticeDraft { title: text, text, ..NoticeDraft::default() };
    let record = Box::new(NoticeRecord::parse(draft).unwrap());
    Command::IssueNotice { agreement, kind, level, addressees, record }
}

/// Something to add to one of these notices.
pub fn act(
    agreement: AgreementId,
    (code, all): (CityCode, &[(SubjectId, NoticeView)]),
    text: String,
    rng: &mut Rng,
) -> Command {
    let awaited: Vec<_> = all.iter().filter(|(_, notice)| notice.awaits(code)).collect();
    let (subject, act) = if !awaited.is_empty() && !rng.one_in(4) {
        (rng.pick(&awaited).0, NoticeAct::Acknowledged)
    } else {
        let act = rng.pick(&[NoticeAct::Acknowledged, NoticeAct::Reported, NoticeAct::Ended]);
        (rng.pick(all).0, act)
    };
    let text = rng.one_in(2).then_some(text);
    Command::ActOnNotice { agreement, subject, act, text }
}

//! What somebody at a desk might do next about joint meetings: call one, record minutes, confirm
//! them, cancel; mostly what fits, sometimes not.

use liandong::api::request::{Command, PartContent};
use liandong::domain::{Date, MeetingAct, MeetingRecord};
use liandong::ids::{AgreementId, CityCode, Hash, SubjectId};
use liandong::view::{self, MeetingView, ReadRows};

use super::rng::Rng;

/// Meetings a person looks at.
const SHOWN: usize = 6;

/// The newest meetings of an agreement.
pub fn newest(rows: &impl ReadRows, agreement: AgreementId) -> Vec<(SubjectId, MeetingView)> {
    let mut all = Vec::new();
    view::meetings_newest_first(rows, agreement, None, &mut |subject, meeting| {
        all.push((subject, meeting));
        all.len() < SHOWN
    });
    all
}

/// A new meeting, or something to add to one of these.
pub fn next(
    agreement: AgreementId,
    (code, all): (CityCode, &[(SubjectId, MeetingView)]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> Command {
    let record = Box::new(MeetingRecord::parse(text, text, "").unwrap());
    if all.is_empty() || rng.one_in(5) {
        // Mostly without a look at the rota.
        let out_of_turn = !rng.one_in(3);
        return Command::CallMeeting { agreement, on: today, chair: None, out_of_turn, record };
    }
    let awaited: Vec<_> = all.iter().filter(|(_, meeting)| meeting.awaits(code)).collect();
    let confirm = !awaited.is_empty() && !rng.one_in(3);
    let (subject, meeting) =
        if confirm { rng.pick(&awaited).clone() } else { rng.pick(all).clone() };
    let recorded = meeting.minutes.map_or(Hash::new([7; 32]), |minutes| minutes.digest);
    let said = rng.one_in(2).then(|| PartContent::Text(text.to_owned()));
    let (act, said) = match rng.below(6) {
        _ if confirm => (MeetingAct::MinutesConfirmed { digest: recorded }, said),
        0 => (MeetingAct::Cancelled, said),
        1 => (MeetingAct::MinutesConfirmed { digest: recorded }, said),
        _ => {
            let digest = Hash::new([u8::try_from(rng.below(200)).unwrap_or(0); 32]);
            let act = MeetingAct::MinutesRecorded { digest, held_on: today };
            (act, Some(PartContent::Meeting(record)))
        }
    };
    Command::ActOnMeeting { agreement, subject, act, said }
}

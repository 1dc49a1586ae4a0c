//! What somebody at a desk might do next about joint meetings: call one, record minutes, confirm
//! them, cancel; mostly what fits, sometimes not.

use liandong::api::request::{Command, PartContent};
use liandong::domain::{Date, MeetingAct, MeetingRecord, MeetingState};
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
    (code, members, all): (CityCode, &[CityCode], &[(SubjectId, MeetingView)]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> Command {
    let record = Box::new(MeetingRecord::parse(text, text, "").unwrap());
    let awaited: Vec<_> = all.iter().filter(|(_, meeting)| meeting.awaits(code)).collect();
    let open = |meeting: &MeetingView| {
        let mine = [meeting.meeting.chair, meeting.meeting.convener].contains(&code);
        mine && meeting.state() == MeetingState::Called
    };
    let ahead: Vec<_> = all.iter().filter(|(_, meeting)| open(meeting)).collect();
    let confirm = !awaited.is_empty() && !rng.one_in(4);
    let hold = !confirm && !ahead.is_empty() && !rng.one_in(4);
    if all.is_empty() || (!confirm && !hold && rng.one_in(2)) {
        // Mostly without a look at the rota.
        let out_of_turn = !rng.one_in(3);
        // Under another chair both may record minutes at once.
        let chair = (!rng.one_in(3)).then(|| rng.pick(members));
        return Command::CallMeeting { agreement, on: today, chair, out_of_turn, record };
    }
    let (subject, meeting) = match (confirm, hold) {
        (true, _) => rng.pick(&awaited).clone(),
        (false, true) => rng.pick(&ahead).clone(),
        (false, false) => rng.pick(all).clone(),
    };
    let recorded = meeting.minutes.map_or(Hash::new([7; 32]), |minutes| minutes.digest);
    let said = rng.one_in(2).then(|| PartContent::Text(text.to_owned()));
    let (act, said) = match rng.below(6) {
        _ if confirm => (MeetingAct::MinutesConfirmed { digest: recorded }, said),
        0 => (MeetingAct::Cancelled, said),
        1 if !hold => (MeetingAct::MinutesConfirmed { digest: recorded }, said),
        _ => {
            let digest = Hash::new([u8::try_from(rng.below(200)).unwrap_or(0); 32]);
            let act = MeetingAct::MinutesRecorded { digest, held_on: today };
            (act, Some(PartContent::Meeting(record)))
        }
    };
    Command::ActOnMeeting { agreement, subject, act, said }
}

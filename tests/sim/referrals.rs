//! What somebody at a desk might do next about police, procuratorate and campaigns: mostly what
//! fits the city that handles a case as far as it knows, sometimes not.

use liandong::api::request::{NewPart, PartContent};
use liandong::domain::{
    Campaign, CaseContribution, CopiedPaper, Date, PoliceAnswer, ProcuratorateOpinion, Referral,
    ReferralAct, ReferralKind, ReferralPaper, ReferralRecord,
};
use liandong::ids::{AgreementId, CityCode, Position, SubjectId};
use liandong::log::Audience;
use liandong::view::{self, CaseView, ReadRows};

use super::rng::Rng;

/// Campaigns that desks choose from: few, so that they take each other's tags off.
const CAMPAIGNS: usize = 3;

/// A word about one of the cases. A city that has offered a case speaks of it more than others: if
/// it is cut off, it does so beside the one that has accepted it.
pub fn next(
    rows: &impl ReadRows,
    (agreement, cases): (AgreementId, &[(SubjectId, CaseView)]),
    code: CityCode,
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> (SubjectId, CaseContribution, Vec<NewPart>) {
    let handled: Vec<_> = cases.iter().filter(|(_, v)| v.case.handling == code).collect();
    let offered: Vec<_> =
        handled.iter().copied().filter(|(_, view)| view.case.transfer.is_some()).collect();
    let (subject, view) = match () {
        () if !offered.is_empty() && !rng.one_in(3) => rng.pick(&offered),
        () if !handled.is_empty() && !rng.one_in(8) => rng.pick(&handled),
        () => rng.pick(&cases.iter().collect::<Vec<_>>()),
    };
    let referrals: Vec<(Position, Referral)> = view::referral_words(rows, agreement, *subject)
        .into_iter()
        .filter_map(|word| match word.act {
            ReferralAct::Referred { referral, .. } => Some((word.line.position, referral)),
            _ => None,
        })
        .collect();
    let act = act(view, &referrals, today, rng);
    let content = match &act {
        ReferralAct::Tagged { campaign: Campaign::OTHER, .. } => {
            Some((Audience::AllMembers, PartContent::Text(text.to_owned())))
        }
        ReferralAct::Tagged { .. } => None,
        _ => {
            let record = ReferralRecord::parse(text, "", "").unwrap();
            Some((Audience::HandlingCity, PartContent::Referral(Box::new(record))))
        }
    };
    let part = |(audience, content)| NewPart { audience, content };
    let parts = content.map(part).into_iter().collect();
    (*subject, CaseContribution::Referral(act), parts)
}

fn act(
    view: &CaseView,
    referrals: &[(Position, Referral)],
    today: Date,
    rng: &mut Rng,
) -> ReferralAct {
    let before = today.plus_days(-1).unwrap_or(today);
    let kind = rng.pick(ReferralKind::ALL);
    let handed_over_on = (!rng.one_in(4)).then_some(if rng.one_in(8) { before } else { today });
    let decided_on = if rng.one_in(2) { before } else { today };
    let mut papers = vec![rng.pick(ReferralPaper::ALL)];
    if rng.one_in(10) {
        // Twice the same, which is refused.
        papers.extend(papers.clone());
    }
    let refer =
        ReferralAct::Referred { referral: Referral { kind, decided_on, handed_over_on }, papers };
    let number = u32::try_from(rng.below(CAMPAIGNS)).unwrap_or(0) + 1;
    let campaign = Campaign::from_number(number).unwrap();
    let has = view.campaigns().any(|one| one == campaign);
    let tag = ReferralAct::Tagged { campaign, on: has == rng.one_in(8) };
    let named = referrals.last().copied().filter(|_| !rng.one_in(12));
    let referral = named.map_or(view.opened_at, |(at, _)| at);
    let fitting = |answer: &PoliceAnswer| named.is_none_or(|(_, one)| answer.is_of(one.kind));
    let answers: Vec<PoliceAnswer> =
        PoliceAnswer::ALL.iter().copied().filter(|one| rng.one_in(9) || fitting(one)).collect();
    let on = if rng.one_in(6) { before } else { today };
    match rng.below(8) {
        0 | 1 => refer,
        2 | 3 if !referrals.is_empty() => {
            ReferralAct::Answered { referral, answer: rng.pick(&answers), on }
        }
        4 if !referrals.is_empty() => {
            ReferralAct::Copied { referral, paper: rng.pick(CopiedPaper::ALL), on }
        }
        5 => {
            let about = (named.is_some() && rng.one_in(2)).then_some(referral);
            let opinion = rng.pick(ProcuratorateOpinion::ALL);
            ReferralAct::Opined { referral: about, opinion, on }
        }
        _ => tag,
    }
}

//! What somebody at a desk might do next about sites: register one, change or list it, record a
//! check; mostly of the own city, sometimes not.
//!
//! Of two enterprises each has a pool of its own, so that a checker sees in headers whose site it
//! is: credit codes are parts.

use liandong::api::request::{Command, PartContent};
use liandong::domain::site::{
    CheckMode, Listing, ListingStatus, MonitoringKind, RemovalBasis, SiteAct, SiteCheck, SiteDraft,
    SiteFacts, SiteRecord, SiteTier, VisitException,
};
use liandong::domain::{CountyCode, Date, Medium, Uscc};
use liandong::ids::{AgreementId, CityCode, SubjectId};
use liandong::view::{self, ReadRows, SiteView};

use super::rng::Rng;

/// Sites a person looks at.
const SHOWN: usize = 8;

/// So few that a short run comes to it.
pub const CHECKS_A_YEAR: u32 = 2;

const FIRMS: [(SiteTier, &str); 2] =
    [(SiteTier::Key, "91371522YYYY90011A"), (SiteTier::General, "91130425YYYY9002XX")];

/// The newest sites of an agreement.
pub fn newest(rows: &impl ReadRows, agreement: AgreementId) -> Vec<(SubjectId, SiteView)> {
    let mut all = Vec::new();
    view::sites_newest_first(rows, agreement, None, &mut |subject, site| {
        all.push((subject, site));
        all.len() < SHOWN
    });
    all
}

fn facts(code: CityCode, tier: SiteTier, rng: &mut Rng) -> SiteFacts {
    SiteFacts {
        county: CountyCode::from_u32(code.as_u32() + 22).unwrap(),
        tier,
        media: vec![Medium::Water],
        permit: None,
        closed: rng.one_in(8),
    }
}

/// An enterprise of one site, by the number in a text.
fn uscc_of(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let fits = |code: &String| Uscc::parse(code).is_ok();
    let ends = ('0'..='9').chain('A'..='Z');
    let codes = ends.clone().flat_map(|org| ends.clone().map(move |check| (org, check)));
    codes.map(|(org, check)| format!("91371522{digits:0>8.8}{org}{check}")).find(fits).unwrap()
}

/// Those of the tier that is kept for draws are of no enterprise with other sites.
pub fn record(text: &str, tier: SiteTier) -> Box<SiteRecord> {
    let shared = FIRMS.iter().find(|(of, _)| *of == tier).map(|(_, uscc)| (*uscc).to_owned());
    let uscc = shared.unwrap_or_else(|| uscc_of(text));
    let draft = SiteDraft { name: text.into(), uscc, ..SiteDraft::default() };
    Box::new(SiteRecord::parse(&draft).unwrap())
}

/// A new site, or something to say of one of these.
pub fn next(
    agreement: AgreementId,
    (code, members, all): (CityCode, &[CityCode], &[(SubjectId, SiteView)]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> Command {
    let mine: Vec<_> = all.iter().filter(|(_, site)| site.city == code).collect();
    if mine.is_empty() || rng.one_in(5) {
        // Mostly the same enterprise, in each agreement.
        let (tier, _) = if rng.one_in(4) { rng.pick(&FIRMS) } else { FIRMS[0] };
        // Now and then in the area of another city, which is refused.
        let county = if rng.one_in(9) { rng.pick(members) } else { code };
        let facts = facts(county, tier, rng);
        let another_plant = !rng.one_in(3);
        return Command::RegisterSite {
            agreement,
            facts,
            record: record(text, tier),
            another_plant,
        };
    }
    let (subject, site) = if rng.one_in(9) { rng.pick(all) } else { rng.pick(&mine).clone() };
    let (tier, newest) = (site.facts.1.tier, site.newest().at);
    // Somebody has looked too long ago.
    let etag = if rng.one_in(9) { site.opened_at } else { newest };
    let said = rng.one_in(2).then(|| PartContent::Text(text.to_owned()));
    let (etag, act, said) = match rng.below(6) {
        0 => {
            let act = SiteAct::Changed { facts: facts(code, tier, rng) };
            (Some(etag), act, Some(PartContent::Site(record(text, tier))))
        }
        1 => {
            let removed = rng.one_in(3);
            let listing = Listing {
                status: if removed { ListingStatus::Removed } else { ListingStatus::Active },
                admitted_on: today,
                expires_on: today.plus_days(30).unwrap(),
                removed_for: removed.then_some(RemovalBasis::Lapse),
                monitoring: vec![MonitoringKind::Power],
            };
            (Some(etag), SiteAct::Listed(listing), said)
        }
        _ => {
            let exception = rng.one_in(4).then_some(VisitException::Complaint);
            let mode = if rng.one_in(5) { CheckMode::OffSite } else { CheckMode::OnSite };
            let check = SiteCheck { on: today, mode, exception, plan: None, taken_back: false };
            (None, SiteAct::Checked(check), said)
        }
    };
    Command::ActOnSite { agreement, subject, etag, act, said, another_plant: false }
}

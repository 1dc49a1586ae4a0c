//! Monthly statistics: every case, site and plan of the agreements asked for, counted as of one
//! moment.
//!
//! A reading keeps the writer waiting, so records are read one at a time; what changed between the
//! first and the last is read from the feed and counted anew, and the cursor of the moment at which
//! nothing was left goes with the answer.
//!
//! In scope: which records, and adding up. Out of scope: what counts as what
//! ([`crate::domain::statistics`]).
//!
//! Invariant: the counts are those of all records as of the cursor, and of no agreement that the
//! own city is no member of. (`f36_months_of_the_samples_are_counted`,
//! `f36_checks_and_joint_actions_of_a_month_are_counted`)

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_service::CaseApi;
use super::cursor;
use crate::domain::statistics::{CheckCounts, Counts, Month, Tally};
use crate::domain::{Campaign, Date};
use crate::ids::{AgreementId, CaseKey, SubjectId};
use crate::limits::STATISTICS_CASES_MAX;
use crate::log::SubjectKind;
use crate::node::pieces;
use crate::node::plan_look::Desk;
use crate::node::reader::Reader;
use crate::view::{self, FeedEntry, PlanView, SiteView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// Openings or feed entries read at a time.
const CHUNK: usize = 256;
/// What a case comes to, and its campaigns.
type Counted = (Counts, Box<[Campaign]>);

/// What the records come to: of sites and plans those of which anything is counted.
#[derive(Default)]
struct Sums {
    cases: HashMap<CaseKey, Counted>,
    /// How many of the cases have something in the month itself.
    of_month: usize,
    sites: HashMap<CaseKey, Tally>,
    plans: HashMap<CaseKey, Tally>,
}

impl Sums {
    /// Takes a case in, or anew. Those filed in other months are kept as well, some 100 bytes each,
    /// and do not count for the limit: there are more of them from month to month.
    fn take_case(&mut self, key: CaseKey, counted: Counted) -> Result<(), Refused> {
        let (counts, campaigns) = &counted;
        self.of_month += usize::from(counts.has_of_month());
        let before = if *counts == Counts::default() && campaigns.is_empty() {
            self.cases.remove(&key)
        } else {
            self.cases.insert(key, counted)
        };
        self.of_month -= usize::from(before.is_some_and(|(counts, _)| counts.has_of_month()));
        if self.of_month > STATISTICS_CASES_MAX {
            let refused = Refused::new("STATISTICS_TOO_LARGE");
            return Err(refused.with("limit", STATISTICS_CASES_MAX));
        }
        Ok(())
    }
}

/// When somebody else's count may be over.
const COME_BACK: Duration = Duration::from_secs(1);

impl CaseApi {
    /// Counts a month, off the threads that serve calls.
    pub(super) async fn statistics(
        &self,
        who: Called,
        asked: pb::ComputeStatisticsRequest,
    ) -> Result<pb::ComputeStatisticsResponse, Refused> {
        let method = "/liandong.v1.CaseService/ComputeStatistics";
        let line = AuditLine::new(self.door(), &who, method, &asked.parent);
        let place = self.counting.clone().try_acquire_owned();
        let Ok(place) = place else {
            let busy = Err(Refused::new("BUSY").retry_after(COME_BACK));
            line.end(&busy);
            return busy;
        };
        let api = self.clone();
        let counted = tokio::task::spawn_blocking(move || {
            // Held until the walk is over, also when its caller has given up.
            let _place = place;
            let counted = api.count(&asked);
            line.end(&counted);
            counted
        });
        counted.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn count(
        &self,
        asked: &pb::ComputeStatisticsRequest,
    ) -> Result<pb::ComputeStatisticsResponse, Refused> {
        let today = self.node.today().ok_or(Refused::new("OUTSIDE_TERM"))?;
        let month = month(asked, today)?;
        let book = self.node.book();
        let agreements: Vec<AgreementId> = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let (counted, as_of) = self.count_records(&agreements, (month, today))?;
        let mut sums: HashMap<AgreementId, Counts> = HashMap::new();
        let mut tags: BTreeMap<Campaign, (Counts, u32)> = BTreeMap::new();
        for ((agreement, _), (counts, campaigns)) in counted.cases {
            let sum = sums.entry(agreement).or_default();
            *sum = sum.plus(counts);
            for campaign in campaigns {
                let (sum, tagged) = tags.entry(campaign).or_default();
                (*sum, *tagged) = (sum.plus(counts), *tagged + 1);
            }
        }
        let mut checks: HashMap<AgreementId, Tally> = HashMap::new();
        for ((agreement, _), tally) in counted.sites.iter().chain(&counted.plans) {
            checks.entry(*agreement).or_default().add(tally);
        }
        let of = |id: &AgreementId| sums.get(id).copied().unwrap_or_default();
        let checks_of = |id: &AgreementId| checks.get(id).map(Tally::counts).unwrap_or_default();
        let total = agreements.iter().map(of).fold(Counts::default(), Counts::plus);
        let checks = agreements.iter().map(checks_of);
        let total_checks = checks.fold(CheckCounts::default(), CheckCounts::plus);
        let lines = agreements.iter().map(|id| pb::AgreementCounts {
            agreement: format!("agreements/{id}"),
            counts: Some(counts_out(of(id))),
            checks: Some(checks_out(checks_of(id))),
        });
        Ok(pb::ComputeStatisticsResponse {
            agreements: lines.collect(),
            total: Some(counts_out(total)),
            total_checks: Some(checks_out(total_checks)),
            until: Some(read::date_out(month.until)),
            cursor: cursor::at(&self.node, as_of),
            campaigns: tags.into_iter().map(campaign_out).collect(),
        })
    }

    /// What every record comes to, and the apply number as of which it is so.
    fn count_records(
        &self,
        agreements: &[AgreementId],
        (month, today): (Month, Date),
    ) -> Result<(Sums, u64), Refused> {
        let reader = self.node.reader();
        let mut as_of = reader.apply_number(&reader.view());
        let mut sums = Sums::default();
        for agreement in agreements {
            let mut below = None;
            loop {
                let mut openings: Vec<(u64, SubjectId)> = Vec::new();
                view::openings(&reader.view(), *agreement, below, &mut |apply, subject| {
                    openings.push((apply, subject));
                    openings.len() < CHUNK
                });
                let Some((lowest, _)) = openings.last().copied() else { break };
                for (_, subject) in openings {
                    self.count_case(&reader, (*agreement, subject), month, &mut sums)?;
                }
                below = Some(lowest);
            }
            pieces::sites(&reader, *agreement, None, &mut |subject, site| {
                count_site((*agreement, subject), &site, month, &mut sums.sites);
                true
            });
            pieces::plans(&reader, *agreement, None, &mut |subject, plan| {
                let key = (*agreement, subject);
                self.count_plan(&reader, (key, plan), (month, today), &mut sums.plans);
                true
            });
        }
        loop {
            let (rows, mut changes) = (reader.view(), Vec::<FeedEntry>::new());
            view::feed(&rows, as_of + 1, &mut |entry| {
                changes.push(entry);
                changes.len() < CHUNK
            });
            drop(rows);
            let Some(last) = changes.last().map(|entry| entry.apply) else {
                return Ok((sums, as_of));
            };
            changes.retain(|change| agreements.contains(&change.agreement));
            for case in changed(&changes, SubjectKind::Case) {
                self.count_case(&reader, case, month, &mut sums)?;
            }
            for key in changed(&changes, SubjectKind::Site) {
                let site = view::site(&reader.view(), key.0, key.1);
                site.inspect(|site| count_site(key, site, month, &mut sums.sites));
            }
            for key in changed(&changes, SubjectKind::Plan) {
                let Some(plan) = view::plan(&reader.view(), key.0, key.1) else { continue };
                self.count_plan(&reader, (key, plan), (month, today), &mut sums.plans);
            }
            as_of = last;
        }
    }

    fn count_case(
        &self,
        reader: &Reader,
        (agreement, subject): CaseKey,
        month: Month,
        sums: &mut Sums,
    ) -> Result<(), Refused> {
        let rows = reader.view();
        let Some(found) = view::case(&rows, agreement, subject) else { return Ok(()) };
        let facts = view::moved(&rows, agreement, subject);
        let source = found.case.facts.source;
        let counts = Counts::of_case(self.node.city(), source, &facts, month);
        sums.take_case((agreement, subject), (counts, found.campaigns().collect()))
    }

    fn count_plan(
        &self,
        reader: &Reader,
        (key, plan): (CaseKey, PlanView),
        (month, today): (Month, Date),
        plans: &mut HashMap<CaseKey, Tally>,
    ) {
        let days = &plan.plan.facts.days;
        let ends = days.first().zip(days.last()).map(|(first, last)| (first.at.on, last.at.on));
        // What is reported of a plan is of its days, and what is under way is not revised.
        if !ends.is_some_and(|(first, last)| month.touches(first, last)) {
            plans.remove(&key);
            return;
        }
        let (rows, journal) = (reader.in_pieces(), reader.journal());
        let (own, agreements) = (self.node.city(), [key.0]);
        let (agreements, rules) = (agreements.as_slice(), self.node.plan_rules());
        let desk = Desk { rows: &rows, journal: &journal, own, most: 0, agreements, today, rules };
        put(plans, key, Tally::of_plan(&desk.held(key, plan), month));
    }
}

fn count_site(key: CaseKey, site: &SiteView, month: Month, sites: &mut HashMap<CaseKey, Tally>) {
    put(sites, key, Tally::of_site(key.1, &site.months, month));
}

fn put(tallies: &mut HashMap<CaseKey, Tally>, key: CaseKey, tally: Tally) {
    if tally.is_empty() {
        tallies.remove(&key);
    } else {
        tallies.insert(key, tally);
    }
}

/// The records of a kind that changes are about, each once, however often it is written to.
fn changed(changes: &[FeedEntry], kind: SubjectKind) -> BTreeSet<CaseKey> {
    changes.iter().filter_map(|one| Some((one.agreement, one.record_of(kind)?))).collect()
}

fn month(asked: &pb::ComputeStatisticsRequest, today: Date) -> Result<Month, Refused> {
    let refused = || {
        let now = format!("{:04}-{:02}", today.year(), today.month());
        Refused::new("MONTH").at("month").with("now", now)
    };
    let month = u8::try_from(asked.month).map_err(|_| refused())?;
    Month::new(asked.year, month, today).ok().flatten().ok_or_else(refused)
}

fn campaign_out((campaign, (counts, tagged)): (Campaign, (Counts, u32))) -> pb::CampaignCounts {
    let (campaign, counts) = (u32::from(campaign.number()), Some(counts_out(counts)));
    pb::CampaignCounts { campaign, counts, tagged }
}

fn counts_out(counts: Counts) -> pb::MonthCounts {
    pb::MonthCounts {
        opened: counts.opened,
        off_site: counts.off_site,
        joint_checks: counts.joint_checks,
        transfers: counts.transfers,
        transfers_out: counts.transfers_out,
        transfers_in: counts.transfers_in,
        accepted: counts.accepted,
        returned: counts.returned,
        filed_so_far: counts.filed_so_far,
        ended_so_far: counts.ended_so_far,
    }
}

const fn checks_out(counts: CheckCounts) -> pb::CheckCounts {
    pb::CheckCounts {
        checks: counts.checks,
        off_site: counts.off_site,
        joint_checks: counts.joint,
        sites: counts.sites,
        actions: counts.actions,
        actions_summarized: counts.summarized,
        problems: counts.problems,
        clues: counts.clues,
        cases: counts.cases,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_other_months_never_fill_a_month() {
        let key = |nth: usize| {
            let id = u128::try_from(nth).unwrap().to_be_bytes();
            (AgreementId::new([1; 16]), SubjectId::new(id))
        };
        let filed = Counts { filed_so_far: 1, ..Counts::default() };
        let opened = Counts { opened: 1, ..filed };
        let mut sums = Sums::default();
        let mut take = |nth, counts| sums.take_case(key(nth), (counts, Box::default()));
        // A city's twenty years, of which nothing is of this month.
        for nth in 0..=2 * STATISTICS_CASES_MAX {
            take(nth, filed).unwrap();
        }
        for nth in 0..STATISTICS_CASES_MAX {
            take(nth, opened).unwrap();
        }
        take(0, opened).unwrap();
        let last = STATISTICS_CASES_MAX;
        assert_eq!(take(last, opened).unwrap_err().reason(), "STATISTICS_TOO_LARGE");
        // What was counted anew and has nothing of the month any more makes room.
        take(last, filed).unwrap();
        take(0, Counts::default()).unwrap();
        take(last, opened).unwrap();
    }
}

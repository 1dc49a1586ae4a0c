//! A plan is proposed, and the cities say what they think of it; one of them is cut off from all
//! others.
//!
//! In scope: the draft, opinions, answers. Out of scope: what follows ([`super::results`]).

use super::acts::{act, answered};
use super::sample::{Said, Sample};
use super::{Play, Player, SYSTEM, shared};
use crate::cli::demo::cities::Cities;
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

impl Player<'_> {
    pub(super) async fn propose(&self, play: &mut Play<'_>) -> Result<(), Failure> {
        let (sample, caller) = (play.sample, self.caller(play.sample.initiator)?);
        let request = pb::CreatePlanRequest {
            parent: play.agreement.to_owned(),
            draft: Some(self.draft(play)?),
            request_id: play.next_id(),
            ..pb::CreatePlanRequest::default()
        };
        play.plan = answered!(caller, plans().create_plan(request))?.plan.unwrap_or_default();
        let number = &play.plan.number;
        self.show.say(
            &format!("{} 发起 {number}《{}》", self.names.city(sample.initiator), sample.title),
            &format!("{} proposes {number} {}", self.names.city(sample.initiator), sample.title),
        );
        Ok(())
    }

    fn draft(&self, play: &Play<'_>) -> Result<pb::PlanDraft, Failure> {
        let sample = play.sample;
        let visit = |(nth, uscc): (usize, &String)| {
            Ok(pb::VisitDraft {
                site: self.site(play, uscc)?,
                first: sample.half_day(nth),
                ..pb::VisitDraft::default()
            })
        };
        let drawn = || {
            Ok::<_, Failure>(pb::DrawDraft {
                sites: u32::try_from(sample.targets.len()).unwrap_or(u32::MAX),
                host_officers: 2,
                guest_officers: 1,
                pool: sample
                    .pool
                    .iter()
                    .map(|uscc| self.site(play, uscc))
                    .collect::<Result<_, _>>()?,
                ..pb::DrawDraft::default()
            })
        };
        let named = if sample.draws() { &[][..] } else { sample.targets.as_slice() };
        Ok(pb::PlanDraft {
            kind: sample.kind.into(),
            cities: sample.participants.iter().map(|city| needs(sample, *city)).collect(),
            departments: sample.departments.iter().map(|one| i32::from(*one)).collect(),
            days: sample.days.clone(),
            visits: named.iter().enumerate().map(visit).collect::<Result<_, Failure>>()?,
            draw: sample.draws().then(drawn).transpose()?,
            record: Some(pb::PlanRecord {
                title: sample.title.clone(),
                theme: sample.theme.clone(),
                text: "样例方案，行动日按演示当日推算".to_owned(),
                meeting_place: "示例集合点".to_owned(),
                external_system: SYSTEM.to_owned(),
                external_number: sample.id.clone(),
                ..pb::PlanRecord::default()
            }),
        })
    }

    fn site(&self, play: &Play<'_>, uscc: &str) -> Result<String, Failure> {
        let key = (play.agreement.to_owned(), uscc.to_owned());
        let found = self.register.sites.get(&key).cloned();
        found.ok_or_else(|| Failure::local(format!("{uscc} is not registered")))
    }

    /// Resource names of a city's units by their labels.
    pub(super) fn units(&self, play: &Play<'_>, city: u32, labels: &[String]) -> Vec<String> {
        let key = |label: &String| (play.agreement.to_owned(), city, label.clone());
        labels.iter().filter_map(|one| self.register.units.get(&key(one)).cloned()).collect()
    }

    pub(super) async fn answer(&self, play: &mut Play<'_>, said: &Said) -> Result<(), Failure> {
        let confirms = said.kind == pb::PlanAnswerKind::Confirm;
        let revision = play.plan.revision_entry.clone();
        act!(
            self,
            play,
            said.city,
            answer_plan(AnswerPlanRequest {
                revision,
                kind: said.kind.into(),
                hold_until: None,
                sent: confirms.then(|| self.sends(play, said.city)),
                periods: Vec::new(),
                text: said.text.clone(),
                lifted: Vec::new(),
            })
        );
        if let Some(resolution) = said.resolution {
            self.resolve(play, said.city, resolution).await?;
        }
        Ok(())
    }

    async fn resolve(
        &self,
        play: &mut Play<'_>,
        city: u32,
        resolution: pb::PlanResolution,
    ) -> Result<(), Failure> {
        let answer = play.plan.answers.iter().find(|one| one.city == city);
        let answer = answer.map(|one| one.entry.clone()).unwrap_or_default();
        let revision = play.plan.revision_entry.clone();
        act!(
            self,
            play,
            play.sample.initiator,
            resolve_answer(ResolveAnswerRequest {
                revision,
                answer,
                resolution: resolution.into(),
                text: String::new(),
            })
        );
        Ok(())
    }

    fn sends(&self, play: &Play<'_>, city: u32) -> pb::SentDraft {
        let team = play.sample.teams.iter().find(|team| team.city == city);
        let labels = team.map(|one| [&*one.officers, &*one.vehicles, &*one.drones].concat());
        let units = self.units(play, city, &labels.unwrap_or_default());
        let unit = |unit| pb::UnitDraft { unit, ..pb::UnitDraft::default() };
        pb::SentDraft { units: units.into_iter().map(unit).collect(), recusals: Vec::new() }
    }

    /// A city confirms while it is cut off: its node serves it alone, and the others hear of it
    /// when it is back.
    pub(super) async fn answer_apart(
        &self,
        play: &mut Play<'_>,
        said: &Said,
        cities: &mut Cities,
    ) -> Result<(), Failure> {
        self.until_held(play, said.city).await?;
        let name = self.names.city(said.city);
        cities.kill(said.city)?;
        cities.start_offline(said.city).await?;
        cities.ready(said.city).await?;
        self.answer(play, said).await?;
        let others = self.get(play, play.sample.initiator).await?;
        if shared(&others) == shared(&play.plan) {
            return Err(Failure::local(format!("{name}: the others know what it said alone")));
        }
        self.show.say(
            &format!("{name} 断网，仍在本市节点确认参加 {}；其他市尚未收到", play.plan.number),
            &format!("{name} is cut off and confirms {} on its own node", play.plan.number),
        );
        cities.kill(said.city)?;
        cities.start(said.city).await?;
        cities.ready(said.city).await?;
        self.until_held(play, play.sample.initiator).await?;
        self.show.say(
            &format!("{name} 恢复联网，其确认已送达各市"),
            &format!("{name} is back, and its confirmation is with the others"),
        );
        Ok(())
    }
}

/// What a city is asked to bring: what the samples say it sent.
fn needs(sample: &Sample, city: u32) -> pb::CityNeeds {
    let team = sample.teams.iter().find(|team| team.city == city);
    let counts = team.map(|team| {
        [
            (pb::UnitKind::Officer, team.officers.len()),
            (pb::UnitKind::Vehicle, team.vehicles.len()),
            (pb::UnitKind::Uav, team.drones.len()),
        ]
    });
    let counts = counts.into_iter().flatten().filter(|(_, count)| *count > 0);
    let need = |(kind, count): (pb::UnitKind, usize)| pb::UnitNeed {
        kind: kind.into(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        department: 0,
    };
    pb::CityNeeds { city, needs: counts.map(need).collect() }
}

//! The joint actions of the demo: the sample plans, each from its proposal to the state that is
//! recorded of it, every act through the API of the city that makes it. One city answers while it
//! is cut off from all others.
//!
//! In scope: the course of a plan, waiting until a city holds what its act rests on. Out of scope:
//! what samples say ([`sample`]), what has to be registered before ([`place`]).
//!
//! Invariants:
//! 1. A city acts only on what its node holds. (`five_cities_agree_and_strangers_can_check_it`)
//! 2. A plan that is there already is left alone. (`a_second_run_adds_nothing`)

use std::collections::BTreeMap;
use std::time::Instant;

use self::acts::{Caller, PATIENCE, TRY_AGAIN, act, answered};
use self::place::Register;
use self::sample::{Said, Sample};
use super::cities::{Cities, Door};
use super::show::Show;
use crate::cli::failure::{Exit, Failure};
use crate::cli::fleet::Fleet;
use crate::cli::names::Names;
use crate::domain::Date;
use crate::import::draft::Draft;
use crate::node::clock::wall_ms;
use crate::wire::pb::v1 as pb;

mod acts;
mod place;
mod proposal;
mod recorded;
mod results;
pub mod sample;

/// Own system's name under which the demo's plans are numbered.
const SYSTEM: &str = "liandong-demo";

/// What came of a sample plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// Its number in the file.
    pub sample: String,
    /// As its initiator's node has it.
    pub plan: pb::Plan,
    /// It was played now, and not in an earlier run.
    pub new: bool,
    /// The city that answered while it was cut off.
    pub apart: Option<u32>,
}

/// Plays plans.
struct Player<'a> {
    callers: BTreeMap<u32, Caller>,
    agreements: &'a BTreeMap<Vec<u32>, String>,
    register: Register,
    show: &'a Show,
    names: Names,
}

/// A plan under way.
struct Play<'a> {
    sample: &'a Sample,
    agreement: &'a str,
    plan: pb::Plan,
    acts: usize,
}

/// Who answers which plan while it is cut off: the last to confirm one with most participants.
#[must_use]
pub fn apart(plans: &[Sample]) -> Option<(&str, u32)> {
    let confirms = |plan: &Sample| {
        let confirms =
            |one: &&Said| one.city != plan.initiator && one.kind == pb::PlanAnswerKind::Confirm;
        plan.said.iter().rfind(confirms).map(|one| one.city)
    };
    let widest = plans.iter().filter(|plan| confirms(plan).is_some());
    let widest = widest.max_by_key(|plan| plan.participants.len())?;
    confirms(widest).map(|city| (widest.id.as_str(), city))
}

/// The sample plans that these cities can play from today on.
///
/// # Errors
/// [`Failure`] when this machine's clock is far off, or the samples cannot be read.
pub fn of(fleet: &Fleet) -> Result<Vec<Sample>, Failure> {
    let today = Date::beijing(wall_ms());
    let today = today.ok_or_else(|| Failure::local("this machine's clock"))?;
    let agreements: Vec<Vec<u32>> = fleet.agreements.iter().map(|a| a.members.clone()).collect();
    let cities: Vec<u32> = fleet.cities.iter().map(|city| city.code).collect();
    sample::all(&cities, &agreements, today)
}

/// Plays them.
///
/// # Errors
/// The first [`Failure`], naming the plan.
pub async fn play(
    cities: &mut Cities,
    doors: &BTreeMap<u32, Door>,
    samples: (&[Sample], &[Draft]),
    show: &Show,
) -> Result<Vec<Played>, Failure> {
    let all = cities.fleet.agreements.iter();
    let agreements = all.map(|one| (one.members.clone(), one.name())).collect();
    let player = Player::begin(doors, &agreements, samples, show).await?;
    player.play_all(samples.0, cities).await
}

impl<'a> Player<'a> {
    /// Registers what the plans name.
    async fn begin(
        doors: &BTreeMap<u32, Door>,
        agreements: &'a BTreeMap<Vec<u32>, String>,
        samples: (&[Sample], &[Draft]),
        show: &'a Show,
    ) -> Result<Self, Failure> {
        let caller = |(city, door): (&u32, &Door)| {
            (*city, Caller { city: *city, client: door.coordinator.clone() })
        };
        let callers: BTreeMap<u32, Caller> = doors.iter().map(caller).collect();
        let register = place::register(&callers, agreements, samples).await?;
        Ok(Self { callers, agreements, register, show, names: Names::new(show.lang()) })
    }

    /// Plays all, one after the other.
    async fn play_all(
        &self,
        plans: &[Sample],
        cities: &mut Cities,
    ) -> Result<Vec<Played>, Failure> {
        let apart = apart(plans);
        let mut all = Vec::new();
        for sample in plans {
            let apart = apart.filter(|(id, _)| *id == sample.id).map(|(_, city)| city);
            let played = self.play(sample, (apart, cities)).await;
            all.push(played.map_err(|failure| failure.detail(sample.id.clone()))?);
        }
        Ok(all)
    }

    async fn play(
        &self,
        sample: &Sample,
        (apart, cities): (Option<u32>, &mut Cities),
    ) -> Result<Played, Failure> {
        let agreement = self.agreements.get(&sample.members);
        let agreement = agreement.ok_or_else(|| Failure::local("no agreement"))?;
        if let Some(plan) = self.found(sample, agreement).await? {
            if plan.state() != sample.state {
                let number = &plan.number;
                self.show.say(
                    &format!("{number} 是先前的演示留下的，未办到样例所记的状态，不再处理"),
                    &format!("{number} was left half-way by an earlier demo, and is left alone"),
                );
            }
            return Ok(Played { sample: sample.id.clone(), plan, new: false, apart: None });
        }
        let mut play = Play { sample, agreement, plan: pb::Plan::default(), acts: 0 };
        self.propose(&mut play).await?;
        for said in &sample.said {
            if apart == Some(said.city) && said.kind == pb::PlanAnswerKind::Confirm {
                self.answer_apart(&mut play, said, cities).await?;
            } else {
                self.answer(&mut play, said).await?;
            }
        }
        self.settle(&mut play).await?;
        self.carry_out(&mut play).await?;
        self.close(&mut play).await?;
        for member in &sample.members {
            self.until_held(&play, *member).await?;
        }
        if play.plan.state() != sample.state {
            let state = play.plan.state().as_str_name();
            return Err(Failure::local(format!("{state}, not {}", sample.state.as_str_name())));
        }
        Ok(Played { sample: sample.id.clone(), plan: play.plan, new: true, apart })
    }

    fn caller(&self, city: u32) -> Result<&Caller, Failure> {
        self.callers.get(&city).ok_or_else(|| Failure::local(format!("{city}")))
    }

    /// The plan of an earlier run.
    async fn found(&self, sample: &Sample, agreement: &str) -> Result<Option<pb::Plan>, Failure> {
        let caller = self.caller(sample.initiator)?;
        let mut request = pb::ListPlansRequest {
            parent: agreement.to_owned(),
            page_size: 200,
            ..pb::ListPlansRequest::default()
        };
        loop {
            let page = answered!(caller, plans().list_plans(request.clone()))?;
            let is = |plan: &pb::Plan| {
                plan.record.as_ref().is_some_and(|one| {
                    one.external_system == SYSTEM && one.external_number == sample.id
                })
            };
            if let Some(plan) = page.plans.into_iter().find(is) {
                return Ok(Some(plan));
            }
            if page.next_page_token.is_empty() {
                return Ok(None);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn step(
        &self,
        play: &mut Play<'_>,
        step: pb::PlanStep,
        text: &str,
    ) -> Result<(), Failure> {
        let etag = play.plan.etag.clone();
        act!(
            self,
            play,
            play.sample.initiator,
            move_plan(MovePlanRequest { etag, step: step.into(), text: text.to_owned() })
        );
        Ok(())
    }

    async fn get(&self, play: &Play<'_>, city: u32) -> Result<pb::Plan, Failure> {
        let request = pb::GetPlanRequest { name: play.plan.name.clone() };
        let answer = answered!(self.caller(city)?, plans().get_plan(request))?;
        Ok(answer.plan.unwrap_or_default())
    }

    /// Waits until a city's node holds every act so far.
    async fn until_held(&self, play: &Play<'_>, city: u32) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let missing = match self.get(play, city).await {
                Ok(plan) if shared(&plan) == shared(&play.plan) => return Ok(()),
                Ok(plan) => Failure::new(Exit::NotSynced, "NOT_SYNCED", plan.etag),
                Err(failure) => failure,
            };
            if begun.elapsed() > PATIENCE {
                return Err(missing.detail(format!("{city:06}")));
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}

impl Play<'_> {
    fn next_id(&mut self) -> String {
        self.acts += 1;
        format!("demo-{}-{}", self.sample.id, self.acts)
    }
}

/// What of a plan is the same on all nodes that have applied the same: without what a city finds by
/// what it alone knows.
fn shared(plan: &pb::Plan) -> pb::Plan {
    let answer = |answer: &pb::PlanAnswer| pb::PlanAnswer { sent: None, ..answer.clone() };
    pb::Plan {
        findings: Vec::new(),
        findings_are_partial: false,
        remarks: Vec::new(),
        awaited: Vec::new(),
        answers: plan.answers.iter().map(answer).collect(),
        last_move: None,
        booked_revision: String::new(),
        ..plan.clone()
    }
}

//! The cases that no record exists of: one returned, one disputed, one archived, one for all.
//!
//! In scope: their steps and what people say in them. Out of scope: facts and records, which lie
//! in `demo/scripted-cases.json` in the shape of the samples.

use super::script::{Act, Script, Step};
use crate::cli::failure::Failure;
use crate::cli::when;
use crate::import::draft::{self, Draft};
use crate::wire::pb::v1::CaseStep;

const CASES: &str = include_str!("../../../demo/scripted-cases.json");
const LIAOCHENG: u32 = 371_500;
const HANDAN: u32 = 130_400;

/// Steps put together one after the other.
struct Lines(Vec<Step>);

impl Lines {
    fn and(mut self, city: u32, on: &str, act: Act, text: &str) -> Result<Self, Failure> {
        let on = (!on.is_empty()).then(|| when::parse_date(on)).transpose();
        let on = on.map_err(Failure::local)?;
        self.0.push(Step { city, act, on, text: text.to_owned() });
        Ok(self)
    }

    fn step(self, city: u32, on: &str, step: CaseStep) -> Result<Self, Failure> {
        self.and(city, on, Act::Step(step), "")
    }

    fn beside(self, city: u32, act: Act, text: &str) -> Result<Self, Failure> {
        self.and(city, "", act, text)
    }
}

/// A case of theirs, by its id.
///
/// # Errors
/// [`Failure`] when there is none, or it cannot be read.
pub fn draft(id: &str) -> Result<Draft, Failure> {
    draft::read(CASES, Some(id)).map_err(|e| Failure::local(format!("{id}: {e}")))
}

fn open(id: &str, city: u32, on: &str) -> Result<Lines, Failure> {
    Lines(Vec::new()).and(city, on, Act::Open(Box::new(draft(id)?)), "")
}

fn script(id: &str, members: &[u32], lines: Lines) -> Script {
    let mut members = members.to_vec();
    members.sort_unstable();
    Script { id: id.to_owned(), members, steps: lines.0 }
}

/// The scripted cases that these cities can play.
///
/// # Errors
/// [`Failure`] naming the case that cannot be read.
pub fn all(cities: &[u32]) -> Result<Vec<Script>, Failure> {
    let mut all = Vec::new();
    if cities.contains(&LIAOCHENG) && cities.contains(&HANDAN) {
        all.extend([returned()?, disputed()?, archived()?]);
        if cities.len() > 2 {
            all.push(common(cities)?);
        }
    }
    Ok(all)
}

/// Offered to Handan, returned with a reason, filed where it began.
fn returned() -> Result<Script, Failure> {
    let id = "DEMO-RETURNED";
    let lines = open(id, LIAOCHENG, "2026-11-02")?
        .step(LIAOCHENG, "2026-11-03", CaseStep::VerificationStarted)?
        .and(LIAOCHENG, "2026-11-04", Act::Offer(HANDAN), "来水疑自邯郸境内汇入，移送核查")?
        .beside(HANDAN, Act::Acknowledge, "已签收，两日内现场核查")?
        .and(
            HANDAN,
            "2026-11-06",
            Act::Return,
            "现场核查：排放口位于界桩以东约八十米，属冠县，退回",
        )?
        .and(LIAOCHENG, "2026-11-09", Act::Step(CaseStep::Filed), "按属地管辖立案")?
        .step(LIAOCHENG, "2026-11-10", CaseStep::InvestigationStarted)?;
    Ok(script(id, &[LIAOCHENG, HANDAN], lines))
}

/// Offered to Liaocheng, disputed there, designated by the ministry.
fn disputed() -> Result<Script, Failure> {
    let id = "DEMO-DISPUTED";
    let document = "环执法函〔2026〕示例12号";
    let designated = Act::Designate { city: LIAOCHENG, document };
    let lines = open(id, HANDAN, "2026-10-12")?
        .step(HANDAN, "2026-10-13", CaseStep::VerificationStarted)?
        .and(HANDAN, "2026-10-15", Act::Offer(LIAOCHENG), "运输车辆与货主均在莘县，移送管辖")?
        .beside(LIAOCHENG, Act::Acknowledge, "已签收")?
        .and(LIAOCHENG, "2026-10-19", Act::Dispute, "倾倒地在大名县一侧，提请指定管辖")?
        .beside(HANDAN, Act::Note, "补充：滩地权属图与车辆轨迹已随函报送")?
        .and(LIAOCHENG, "2026-10-28", designated, "依指定管辖通知办理")?
        .and(LIAOCHENG, "2026-10-29", Act::Accept, "按指定接收")?
        .beside(LIAOCHENG, Act::ReceiveParts, "移送材料已收齐")?
        .step(LIAOCHENG, "2026-10-30", CaseStep::Filed)?;
    Ok(script(id, &[LIAOCHENG, HANDAN], lines))
}

/// From the report to the archive, with a word from downstream.
fn archived() -> Result<Script, Failure> {
    let id = "DEMO-ARCHIVED";
    let city = LIAOCHENG;
    let lines = open(id, city, "2026-03-02")?
        .step(city, "2026-03-03", CaseStep::VerificationStarted)?
        .step(city, "2026-03-06", CaseStep::Filed)?
        .step(city, "2026-03-09", CaseStep::InvestigationStarted)?
        .beside(HANDAN, Act::Note, "下游断面三月十日至十二日监测数据已核对，未见持续超标")?
        .step(city, "2026-03-25", CaseStep::NoticeServed)?
        .step(city, "2026-04-07", CaseStep::Decided)?
        .step(city, "2026-04-09", CaseStep::EnforcementStarted)?
        .and(city, "2026-05-12", Act::Step(CaseStep::Closed), "罚款已缴清，整改已验收")?
        .and(city, "2026-05-20", Act::Step(CaseStep::Archived), "")?;
    Ok(script(id, &[LIAOCHENG, HANDAN], lines))
}

/// A clue that concerns every city: each adds what it knows, one proposes, one adopts.
fn common(cities: &[u32]) -> Result<Script, Failure> {
    let id = "DEMO-COMMON";
    let known = [
        (HANDAN, "邯郸：大名县走航监测未见异常高值，已加密夜间巡查"),
        (410_900, "濮阳：南乐县两家橡胶企业夜间生产，已责令提供台账"),
        (370_900, "泰安：东平湖周边站点同期数据平稳，可排除本市来源"),
        (371_400, "德州：齐河县方向当夜为下风向，未接到同类投诉"),
    ];
    let mut lines = open(id, LIAOCHENG, "2026-11-09")?.step(
        LIAOCHENG,
        "2026-11-10",
        CaseStep::VerificationStarted,
    )?;
    for (city, text) in known.into_iter().filter(|(city, _)| cities.contains(city)) {
        lines = lines.beside(city, Act::Note, text)?;
    }
    let proposal = lines.0.len();
    lines = lines
        .beside(HANDAN, Act::Propose, "建议将溯源范围扩大到县界两侧五公里，统一在夜间采样")?
        .and(LIAOCHENG, "2026-11-13", Act::Adopt(proposal), "采纳，按此组织联合采样")?;
    Ok(script(id, cities, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_played() {
        let five = [371_500, 130_400, 410_900, 371_400, 370_900];
        let scripts = all(&five).unwrap();
        assert_eq!(scripts.len(), 4);
        let has = |act: &Act| scripts.iter().flat_map(|s| &s.steps).any(|s| s.act == *act);
        assert!(has(&Act::Return) && has(&Act::Dispute) && has(&Act::Step(CaseStep::Archived)));
        let common = scripts.last().unwrap();
        for city in five {
            assert!(common.steps.iter().any(|step| step.city == city), "{city} says nothing");
        }
        for script in &scripts {
            assert!(matches!(script.steps[0].act, Act::Open(_)), "{}", script.id);
            let strange = script.steps.iter().find(|s| !script.members.contains(&s.city));
            assert_eq!(strange, None, "{}", script.id);
        }
        assert_eq!(all(&five[..2]).unwrap().len(), 3);
    }
}

//! Drafts of plans: files of this machine, in TOML, which no other city sees.
//!
//! In scope: the shape of a file, and what it says as a message; a plan as the draft that would
//! propose it. Out of scope: whether it is allowed, which the node decides; how a file is written
//! ([`super::template`]).
//!
//! An unknown field is refused, so that a misspelt one is not lost in silence.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::register::Register;
use super::{coded, kind};
use crate::cli::failure::Failure;
use crate::cli::short_id::short;
use crate::cli::unit::slots::parse_unit_need;
use crate::cli::unit::{parse_department, parse_period};
use crate::cli::{files, site, words};
use crate::domain::{HalfDay, Language};
use crate::lang::Lang;
use crate::limits::{PLAN_DRAFT_BYTES_MAX, PLAN_HALF_DAYS_MAX};
use crate::shown::plan::parts;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{half_day_to_pb, period_from_pb};

/// A draft as it stands in a file.
#[derive(Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// The agreement, by short name or name.
    pub agreement: Option<String>,
    /// What sort of action, by its word or code.
    pub kind: String,
    /// Whose departments check.
    pub departments: Vec<String>,
    /// When: half days, days, periods.
    pub days: Vec<String>,
    /// Of these, or besides, those that may be rest days.
    pub overtime: Vec<String>,
    /// Who takes part.
    pub cities: Vec<DraftCity>,
    /// Where.
    pub visits: Vec<DraftVisit>,
    /// How sites are drawn.
    pub draw: Option<DraftDraw>,
    /// What people read of it.
    pub record: DraftRecord,
}

/// A city and what it is to bring.
#[derive(Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DraftCity {
    /// Code or name.
    pub city: String,
    /// Such as `执法人员/水利=1`.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// A visit.
#[derive(Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DraftVisit {
    /// The site: its name, credit code, or the beginning of its id.
    pub site: String,
    /// Half day, day or period.
    pub at: String,
    /// Why in spite of list or cap.
    pub exception: Option<String>,
    /// What a reader of the file is told of it.
    #[serde(skip)]
    pub note: String,
}

/// How sites are drawn.
#[derive(Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DraftDraw {
    /// How many.
    pub sites: u32,
    /// Officers of the host city at each.
    pub host_officers: u32,
    /// Officers of the others at each.
    #[serde(default)]
    pub guest_officers: u32,
    /// Tickets by tier.
    pub weights: Option<DraftWeights>,
    /// Sites of a city that withholds its part are drawn like all others.
    #[serde(default)]
    pub spares_withholders: bool,
    /// From these sites only.
    #[serde(default)]
    pub pool: Vec<String>,
    /// Only what may pollute one of these.
    #[serde(default)]
    pub media: Vec<String>,
    /// Left out for what only its city knows.
    #[serde(default)]
    pub left_out: Vec<DraftLeftOut>,
}

/// Tickets by tier.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DraftWeights {
    /// Of key sites.
    pub key: u32,
    /// Of general ones.
    pub general: u32,
    /// Of special ones.
    pub special: u32,
}

/// A site that may not be drawn.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DraftLeftOut {
    /// The site.
    pub site: String,
    /// Why.
    pub why: String,
}

/// What people read of a plan.
#[derive(Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields of the message PlanRecord, which says what they are")]
pub struct DraftRecord {
    pub title: String,
    pub theme: String,
    pub text: String,
    pub route: String,
    pub safety: String,
    pub contacts: String,
    pub meeting_place: String,
    pub external_system: String,
    pub external_number: String,
}

impl DraftRecord {
    /// As a message.
    #[must_use]
    pub fn message(&self) -> pb::PlanRecord {
        let Self { title, theme, text, route, safety, contacts, .. } = self.clone();
        pb::PlanRecord {
            title,
            theme,
            text,
            route,
            safety,
            contacts,
            meeting_place: self.meeting_place.clone(),
            external_system: self.external_system.clone(),
            external_number: self.external_number.clone(),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// [`Failure`] naming the file, and where in it.
pub fn read(path: &Path, lang: Lang) -> Result<Draft, Failure> {
    let text = files::read_text(path, PLAN_DRAFT_BYTES_MAX, lang)?;
    let shown = path.display();
    toml::from_str(&text).map_err(|error| {
        let error = error.to_string();
        Failure::local(lang.pick(
            format!("{shown}：看不懂\n{}", error.trim_end()),
            format!("{shown}: is not understood\n{}", error.trim_end()),
        ))
        .advise(lang.pick(
            "liandong plan template 生成的草稿有全部字段的说明",
            "liandong plan template writes a draft with every field explained",
        ))
    })
}

/// A value of a draft that cannot be read.
fn wrong(field: &str, why: &str) -> Failure {
    Failure::local(format!("{field}: {why}"))
}

/// The whole of a draft as a message; `city` finds a city by its code or name.
///
/// # Errors
/// [`Failure`] naming the field.
pub fn message(
    draft: &Draft,
    city: &dyn Fn(&str) -> Option<u32>,
    register: &Register,
    lang: Lang,
) -> Result<pb::PlanDraft, Failure> {
    let department = |text: &String| {
        let one = parse_department(text).map_err(|why| wrong("departments", &why))?;
        Ok(i32::from(one))
    };
    let visit = |one: &DraftVisit| visit(one, register, lang);
    let cities = draft.cities.iter().map(|one| needs(one, city, lang));
    Ok(pb::PlanDraft {
        kind: match draft.kind.as_str() {
            "" => 0,
            text => kind(text).map_err(|why| wrong("kind", &why))?.into(),
        },
        cities: cities.collect::<Result<_, _>>()?,
        departments: draft.departments.iter().map(department).collect::<Result<_, Failure>>()?,
        days: days(draft, lang)?,
        visits: draft.visits.iter().map(visit).collect::<Result<_, Failure>>()?,
        draw: draft.draw.as_ref().map(|one| draw(one, register, lang)).transpose()?,
        record: Some(draft.record.message()),
    })
}

fn needs(
    given: &DraftCity,
    city: &dyn Fn(&str) -> Option<u32>,
    lang: Lang,
) -> Result<pb::CityNeeds, Failure> {
    let unknown = || {
        let code = &given.city;
        lang.pick(
            format!("“{code}”不是协议成员市的代码或名称"),
            format!("{code:?} is no city of the agreement"),
        )
    };
    let code = city(&given.city).ok_or_else(|| wrong("cities.city", &unknown()))?;
    let need = |text: &String| parse_unit_need(text).map_err(|why| wrong("cities.needs", &why));
    Ok(pb::CityNeeds { city: code, needs: given.needs.iter().map(need).collect::<Result<_, _>>()? })
}

fn days(draft: &Draft, lang: Lang) -> Result<Vec<pb::PlanDay>, Failure> {
    let mut all: BTreeMap<HalfDay, bool> = BTreeMap::new();
    for (field, texts, overtime) in
        [("days", &draft.days, false), ("overtime", &draft.overtime, true)]
    {
        for text in texts {
            let period = parse_period(text).map_err(|why| wrong(field, &why))?;
            all.extend(period.half_days().map(|at| (at, overtime)));
        }
    }
    if all.len() > PLAN_HALF_DAYS_MAX {
        let most = PLAN_HALF_DAYS_MAX;
        let why =
            lang.pick(format!("最多 {most} 个半天"), format!("{most} half days are the most"));
        return Err(wrong("days", &why));
    }
    let day = |(at, overtime)| pb::PlanDay { at: Some(half_day_to_pb(at)), overtime };
    Ok(all.into_iter().map(day).collect())
}

fn visit(given: &DraftVisit, register: &Register, lang: Lang) -> Result<pb::VisitDraft, Failure> {
    let at = parse_period(&given.at).map_err(|why| wrong("visits.at", &why))?;
    let exception = given.exception.as_deref().filter(|text| !text.is_empty());
    let exception = exception.map(site::exception).transpose();
    Ok(pb::VisitDraft {
        site: register.site(&given.site, lang)?,
        first: Some(half_day_to_pb(at.first())),
        last: Some(half_day_to_pb(at.last())),
        exception: exception.map_err(|why| wrong("visits.exception", &why))?.map_or(0, i32::from),
    })
}

fn draw(given: &DraftDraw, register: &Register, lang: Lang) -> Result<pb::DrawDraft, Failure> {
    let medium =
        |text: &String| site::medium(text).map(i32::from).map_err(|why| wrong("draw.media", &why));
    let left_out = |one: &DraftLeftOut| {
        let name = (pb::LeftOut::as_str_name as fn(&pb::LeftOut) -> _, "LEFT_OUT_");
        let why = coded(&one.why, name, words::left_out, "left-out");
        Ok(pb::SiteLeftOut {
            site: register.site(&one.site, lang)?,
            why: why.map_err(|why| wrong("draw.left_out.why", &why))?.into(),
        })
    };
    let weights = |one: DraftWeights| pb::TierWeights {
        key: one.key,
        general: one.general,
        special: one.special,
    };
    Ok(pb::DrawDraft {
        sites: given.sites,
        host_officers: given.host_officers,
        guest_officers: given.guest_officers,
        weights: given.weights.map(weights),
        spares_withholders: given.spares_withholders,
        pool: given.pool.iter().map(|one| register.site(one, lang)).collect::<Result<_, _>>()?,
        media: given.media.iter().map(medium).collect::<Result<_, _>>()?,
        left_out: given.left_out.iter().map(left_out).collect::<Result<_, Failure>>()?,
    })
}

/// The draft that would propose a plan: what is drawn is drawn anew, and from a list that the node
/// makes anew.
#[must_use]
pub fn copy(plan: &pb::Plan) -> pb::PlanDraft {
    let visit = |one: &pb::PlanVisit| pb::VisitDraft {
        site: one.site.clone(),
        first: one.first,
        last: one.last,
        exception: one.exception,
    };
    let is_drawn = plan.draw_rule.is_some();
    let draw = |rule: &pb::DrawRule| pb::DrawDraft {
        sites: rule.sites,
        host_officers: rule.host_officers,
        guest_officers: rule.guest_officers,
        weights: rule.weights,
        spares_withholders: rule.spares_withholders,
        ..pb::DrawDraft::default()
    };
    pb::PlanDraft {
        kind: plan.kind,
        cities: plan.cities.clone(),
        departments: plan.departments.clone(),
        days: plan.days.clone(),
        visits: if is_drawn { Vec::new() } else { plan.visits.iter().map(visit).collect() },
        draw: plan.draw_rule.as_ref().map(draw),
        record: plan.record.clone(),
    }
}

/// A draft as it stands in a file.
#[must_use]
pub fn of(plan: &pb::PlanDraft, agreement: &str, register: &Register) -> Draft {
    let of = |overtime: bool| {
        let all = parts::periods(&plan.days).into_iter();
        let all = all.filter(|(_, which)| *which == overtime);
        all.map(|(period, _)| period.text(Language::Zh)).collect()
    };
    let visit = |one: &pb::VisitDraft| {
        let at = pb::Period { first: one.first, last: one.last.or(one.first) };
        DraftVisit {
            site: short(&one.site).to_owned(),
            at: period_from_pb(&at).map_or_else(String::new, |at| at.text(Language::Zh)),
            exception: (one.exception != 0)
                .then(|| words::visit_exception(one.exception(), Lang::Zh).to_owned()),
            note: register.labels().label(&one.site),
        }
    };
    Draft {
        agreement: Some(agreement.to_owned()),
        kind: match plan.kind {
            0 => String::new(),
            _ => words::plan_kind(plan.kind(), Lang::Zh).to_owned(),
        },
        departments: plan
            .departments()
            .map(|one| words::department(one, Lang::Zh).to_owned())
            .collect(),
        days: of(false),
        overtime: of(true),
        cities: plan.cities.iter().map(city_of).collect(),
        visits: plan.visits.iter().map(visit).collect(),
        draw: plan.draw.as_ref().map(draw_of),
        record: record_of(&plan.record.clone().unwrap_or_default()),
    }
}

fn city_of(city: &pb::CityNeeds) -> DraftCity {
    let need = |one: &pb::UnitNeed| {
        let (kind, count) = (words::unit_kind(one.kind(), Lang::Zh), one.count);
        match one.department {
            0 => format!("{kind}={count}"),
            _ => format!("{kind}/{}={count}", words::department(one.department(), Lang::Zh)),
        }
    };
    DraftCity { city: format!("{:06}", city.city), needs: city.needs.iter().map(need).collect() }
}

fn draw_of(rule: &pb::DrawDraft) -> DraftDraw {
    let left_out = |one: &pb::SiteLeftOut| DraftLeftOut {
        site: short(&one.site).to_owned(),
        why: words::left_out(one.why(), Lang::Zh).to_owned(),
    };
    let weights = |one: pb::TierWeights| DraftWeights {
        key: one.key,
        general: one.general,
        special: one.special,
    };
    DraftDraw {
        sites: rule.sites,
        host_officers: rule.host_officers,
        guest_officers: rule.guest_officers,
        weights: rule.weights.map(weights),
        spares_withholders: rule.spares_withholders,
        pool: rule.pool.iter().map(|site| short(site).to_owned()).collect(),
        media: rule.media().map(|one| words::medium(one, Lang::Zh).to_owned()).collect(),
        left_out: rule.left_out.iter().map(left_out).collect(),
    }
}

fn record_of(record: &pb::PlanRecord) -> DraftRecord {
    let record = record.clone();
    DraftRecord {
        title: record.title,
        theme: record.theme,
        text: record.text,
        route: record.route,
        safety: record.safety,
        contacts: record.contacts,
        meeting_place: record.meeting_place,
        external_system: record.external_system,
        external_number: record.external_number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
kind = "联合检查"
departments = ["生态环境", "WATER"]
days = ["2026-12-04", "2026-12-05上午"]
overtime = ["2026-12-05上午"]
[[cities]]
city = "聊城"
needs = ["执法人员=2", "执法人员/水利=1"]
[[visits]]
site = "示例1号纸业"
at = "2026-12-04上午"
exception = "投诉举报"
[draw]
sites = 1
host_officers = 2
media = ["水"]
left_out = [{ site = "abcd5678", why = "正面清单" }]
[record]
title = "示例"
"#;

    fn parsed(text: &str) -> Result<pb::PlanDraft, Failure> {
        let register = super::super::register::tests::sample();
        let city = |text: &str| (text == "聊城").then_some(371_500);
        message(&toml::from_str(text).unwrap(), &city, &register, Lang::Zh)
    }

    #[test]
    fn a_file_becomes_what_is_asked_for() {
        let draft = parsed(FILE).unwrap();
        assert_eq!((draft.kind(), draft.departments.len()), (pb::PlanKind::JointInspection, 2));
        let overtime: Vec<bool> = draft.days.iter().map(|day| day.overtime).collect();
        assert_eq!(overtime, [false, false, true]);
        assert_eq!((draft.cities[0].city, draft.cities[0].needs.len()), (371_500, 2));
        let visit = &draft.visits[0];
        assert!(visit.site.contains("/abcd1234") && visit.first == visit.last, "{visit:?}");
        assert_eq!(visit.exception(), pb::VisitException::Complaint);
        let draw = draft.draw.unwrap();
        assert_eq!((draw.media, draw.left_out[0].why()), (vec![2], pb::LeftOut::PositiveList));
    }

    #[test]
    fn what_cannot_be_read_names_its_field() {
        for (old, new, field) in [
            ("联合检查", "随便看看", "kind"),
            ("WATER", "x", "departments"),
            ("\"2026-12-04\"", "\"2026-13-04\"", "days"),
            ("聊城", "北京", "cities.city"),
            ("执法人员=2", "执法人员", "cities.needs"),
            ("投诉举报", "x", "visits.exception"),
            ("[\"水\"]", "[\"x\"]", "draw.media"),
            ("正面清单", "x", "draw.left_out.why"),
            ("示例1号纸业", "x", "检查对象"),
        ] {
            let failure = parsed(&FILE.replacen(old, new, 1)).unwrap_err();
            assert!(failure.what.contains(field), "{field}: {}", failure.what);
        }
        assert!(toml::from_str::<Draft>("titel = \"x\"").is_err(), "a misspelt field");
    }
}

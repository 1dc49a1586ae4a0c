//! `liandong case new`: opens a case from a file, from flags, or from both (flags win).

use std::path::{Path, PathBuf};

use clap::Args;

use super::write::{Prepared, WriteArgs, send};
use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::{catalog, when, words};
use crate::import::draft::{self, Draft, DraftError};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug, Default)]
pub struct NewArgs {
    /// 联动协议：简称或全名 · agreement, by short name or name
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 案件文件（样例格式的 JSON） · the case as JSON in the sample shape
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// 文件中有多件时选哪一件（case_id） · which case of the file
    #[arg(long, value_name = "CASE_ID", requires = "from")]
    pub pick: Option<String>,
    /// 案由 · title
    #[arg(long)]
    pub title: Option<String>,
    /// 简要情况 · summary
    #[arg(long)]
    pub summary: Option<String>,
    /// 线索来源，如 COMPLAINT · source
    #[arg(long)]
    pub source: Option<String>,
    /// 污染要素，如 WATER · medium
    #[arg(long)]
    pub medium: Option<String>,
    /// 违法类型，如 WATER_EXCEED · suspected violation
    #[arg(long)]
    pub violation: Option<String>,
    /// 发现时间 · when it was discovered, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = when::parse_millis)]
    pub discovered: Option<i64>,
    /// 违法行为起始日 · first day of the act
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub occurred_from: Option<pb::Date>,
    /// 违法行为终止日 · last day of the act
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub occurred_to: Option<pb::Date>,
    /// 县级代码 · county code
    #[arg(long, value_name = "CODE", value_parser = county())]
    pub county: Option<u32>,
    /// 经度（CGCS2000） · degrees east
    #[arg(long, requires = "lat", allow_hyphen_values = true)]
    pub lon: Option<String>,
    /// 纬度（CGCS2000） · degrees north
    #[arg(long, requires = "lon", allow_hyphen_values = true)]
    pub lat: Option<String>,
    /// 地址 · address
    #[arg(long)]
    pub address: Option<String>,
    /// 当事单位名称 · name of the accused organisation
    #[arg(long)]
    pub party_name: Option<String>,
    /// 统一社会信用代码 · its credit code
    #[arg(long)]
    pub uscc: Option<String>,
    /// 边界范围以外仍需共享的理由 · why a case outside the belt belongs here
    #[arg(long)]
    pub belt_reason: Option<String>,
    /// 登记日期，默认今天 · legal date of the report
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
    /// 自有系统名称 · name of the own system
    #[arg(long, requires = "external_number")]
    pub external_system: Option<String>,
    /// 自有系统中的编号 · number in the own system
    #[arg(long, requires = "external_system")]
    pub external_number: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

fn county() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(110_000..=829_999)
}

/// Opens the case.
///
/// # Errors
/// [`Failure`] when file or flags are wrong, or the node refuses.
pub async fn run(session: &Session, args: NewArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let read = args.from.as_deref().map(|path| read_draft(path, args.pick.as_deref(), lang));
    let draft = read.transpose()?;
    let parent = match (&args.agreement, &draft) {
        (None, Some(draft)) if !draft.shared_with.is_empty() => {
            name::agreement_of(session, &draft.shared_with).await?
        }
        (given, _) => name::agreement(session, given.as_deref()).await?,
    };
    let prepared = Prepared::opening(parent, &args.write);
    let request = request(args, draft.unwrap_or_default(), &prepared, lang)?;
    let given = request.record.as_ref().is_some_and(|record| !record.legal_bases.is_empty());
    let facts = request.facts.clone().filter(|_| !given && !session.context.json);
    send(session, &prepared, session.client.cases().create_case(request)).await?;
    if let Some(facts) = facts {
        catalog::hint(&session.client, &facts, lang).await;
    }
    Ok(())
}

/// Puts file and flags together; flags win.
fn request(
    args: NewArgs,
    draft: Draft,
    prepared: &Prepared,
    lang: Lang,
) -> Result<pb::CreateCaseRequest, Failure> {
    let reported_on = args.on.or(draft.reported_on);
    let external_ref = args.external_system.clone().zip(args.external_number.clone());
    let person = draft.person.clone();
    let (facts, record) = merge(args, draft, lang)?;
    Ok(pb::CreateCaseRequest {
        parent: prepared.name.clone(),
        facts: Some(facts),
        record: Some(record),
        person,
        external_ref: external_ref.map(|(system, number)| pb::ExternalRef { system, number }),
        effective_on: reported_on,
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    })
}

fn merge(
    args: NewArgs,
    draft: Draft,
    lang: Lang,
) -> Result<(pb::CaseFacts, pb::CaseRecord), Failure> {
    let Draft { mut facts, mut record, .. } = draft;
    let code = |field: &str, given: &str, found: Option<i32>| {
        found.ok_or_else(|| {
            Failure::usage(lang.pick(
                format!("--{field}：没有“{given}”"),
                format!("--{field}: no value {given:?}"),
            ))
            .advise(words_of(field, lang))
        })
    };
    if let Some(given) = &args.source {
        let found = pb::Source::from_str_name(&format!("SOURCE_{given}"));
        facts.source = code("source", given, found.map(i32::from))?;
    }
    if let Some(given) = &args.medium {
        let found = pb::Medium::from_str_name(&format!("MEDIUM_{given}"));
        facts.medium = code("medium", given, found.map(i32::from))?;
    }
    if let Some(given) = &args.violation {
        let found = pb::Violation::from_str_name(&format!("VIOLATION_{given}"));
        facts.violation = code("violation", given, found.map(i32::from))?;
    }
    facts.county_code = args.county.unwrap_or(facts.county_code);
    facts.discover_time_ms = args.discovered.unwrap_or(facts.discover_time_ms);
    facts.occurred_from = args.occurred_from.or(facts.occurred_from);
    facts.occurred_to = args.occurred_to.or(facts.occurred_to);
    if facts.data_level() == pb::DataLevel::Unspecified {
        facts.set_data_level(pb::DataLevel::General);
    }
    set(&mut record.title, args.title);
    set(&mut record.summary, args.summary);
    set(&mut record.belt_reason, args.belt_reason);
    if args.lon.is_some() || args.address.is_some() {
        let at = record.location.get_or_insert_default();
        if let (Some(lon), Some(lat)) = (args.lon, args.lat) {
            (at.longitude, at.latitude) = (lon, lat);
            "EPSG:4490".clone_into(&mut at.crs);
            facts.has_point = true;
        }
        set(&mut at.address, args.address);
    }
    if args.party_name.is_some() || args.uscc.is_some() {
        let party = record.party.get_or_insert_default();
        party.set_type(pb::PartyType::LegalPerson);
        set(&mut party.name, args.party_name);
        set(&mut party.uscc, args.uscc);
    }
    Ok((facts, record))
}

fn set(field: &mut String, given: Option<String>) {
    if let Some(given) = given {
        *field = given;
    }
}

/// The values a flag takes, with their words.
fn words_of(field: &str, lang: Lang) -> String {
    let name = match field {
        "source" => "sources",
        "medium" => "media",
        _ => "violations",
    };
    let list = words::lists().iter().find(|list| list.name == name);
    let words = list.map(|list| (list.words)()).unwrap_or_default();
    let pair = |one: &words::Word| format!("{} ({})", one.code, lang.pick(one.zh, one.en));
    let all: Vec<String> = words.iter().map(pair).collect();
    format!("{}{}", lang.pick("可用：", "use one of: "), all.join(lang.pick("、", ", ")))
}

/// Reads one case from a file.
///
/// # Errors
/// [`Failure`] naming file and field.
pub fn read_draft(path: &Path, pick: Option<&str>, lang: Lang) -> Result<Draft, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
    })?;
    draft::read(&text, pick).map_err(|error| {
        let advice = match &error {
            DraftError::Shape(_) => lang.pick(
                "格式见 demo/sample-cases.json 中的一件",
                "demo/sample-cases.json shows the shape",
            ),
            DraftError::Value { .. } => {
                lang.pick("改正所指字段的值", "mend the value of the field named")
            }
            DraftError::Choice { .. } => {
                lang.pick("加 --pick case_id 选一件", "choose one with --pick CASE_ID")
            }
        };
        Failure::local(lang.pick(
            format!("{shown}：内容不能使用：{error}"),
            format!("{shown}: cannot be used: {error}"),
        ))
        .advise(advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared() -> Prepared {
        let write = WriteArgs { request_id: Some("r".to_owned()), acting_for: None };
        Prepared::opening("agreements/a".to_owned(), &write)
    }

    #[test]
    fn flags_alone_make_a_case() {
        let args = NewArgs {
            title: Some("示例".to_owned()),
            source: Some("COMPLAINT".to_owned()),
            medium: Some("WATER".to_owned()),
            violation: Some("WATER_EXCEED".to_owned()),
            lon: Some("115.4".to_owned()),
            lat: Some("36.2".to_owned()),
            external_system: Some("执法平台".to_owned()),
            external_number: Some("A-1".to_owned()),
            ..NewArgs::default()
        };
        let request = request(args, Draft::default(), &prepared(), Lang::Zh).unwrap();
        let facts = request.facts.unwrap();
        assert!(facts.has_point);
        assert_eq!(facts.data_level(), pb::DataLevel::General);
        assert_eq!(request.record.unwrap().location.unwrap().crs, "EPSG:4490");
        assert_eq!(request.external_ref.unwrap().number, "A-1");
    }

    #[test]
    fn flags_win_over_the_file() {
        let text = include_str!("../../../demo/sample-cases.json");
        let draft = draft::read(text, Some("LD-130400-2025-000001")).unwrap();
        let args = NewArgs { title: Some("新".to_owned()), ..NewArgs::default() };
        let request = request(args, draft.clone(), &prepared(), Lang::Zh).unwrap();
        assert_eq!(request.record.as_ref().unwrap().title, "新");
        assert_eq!(request.record.unwrap().summary, draft.record.summary);
        assert_eq!(request.effective_on, draft.reported_on);
    }

    #[test]
    fn a_wrong_code_lists_the_right_ones() {
        let args = NewArgs { medium: Some("WATTER".to_owned()), ..NewArgs::default() };
        let failure = request(args, Draft::default(), &prepared(), Lang::Zh).unwrap_err();
        assert!(failure.text(Lang::Zh).contains("WATER (水)"), "{failure:?}");
    }
}

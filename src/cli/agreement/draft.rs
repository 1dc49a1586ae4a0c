//! `liandong agreement draft`: the canonical text, from flags or a TOML file.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::paper::Paper;
use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::domain::Date;
use crate::ids::{AgreementId, CityCode};
use crate::lang::Lang;
use crate::limits;
use crate::log::VerifyingKey;
use crate::trust::charter::{Charter, Deadlines, Member};

/// Width of the belt unless the cities agree on another, metres.
const BELT_METRES: u32 = 10_000;

/// Arguments.
#[derive(Args, Debug)]
pub struct DraftArgs {
    /// 以文件给出内容（TOML），命令行选项优先 · values from a TOML file; flags win
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// 协议简称，如 聊邯，用于案件编号 · short name, as in case numbers
    #[arg(long, value_name = "NAME")]
    pub short_name: Option<String>,
    /// 协议全称 · title
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
    /// 生效日期 · first day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub begin_on: Option<String>,
    /// 终止日期 · last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub end_on: Option<String>,
    /// 边界地带宽度（米），默认 10000 · width of the border belt
    #[arg(long, value_name = "METRES")]
    pub belt_metres: Option<u32>,
    /// 成员市 代码:简称:名称:城市公钥，每市一次 · a member: code:short:name:public key
    #[arg(long, value_name = "MEMBER")]
    pub member: Vec<String>,
    /// 接壤的两市 代码:代码，可多次 · two members that share a border
    #[arg(long, value_name = "CODE:CODE")]
    pub border: Vec<String>,
    /// 写到哪里（默认 简称.agreement） · where to write it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The file; every value may also be a flag.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Draft {
    agreement: Option<String>,
    short_name: Option<String>,
    title: Option<String>,
    begin_on: Option<String>,
    end_on: Option<String>,
    belt_metres: Option<u32>,
    deadlines: DraftDeadlines,
    member: Vec<DraftMember>,
    border: Vec<(String, String)>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct DraftDeadlines {
    notice_ack_workdays: Option<u32>,
    transfer_ack_workdays: Option<u32>,
    transfer_answer_workdays: Option<u32>,
    progress_days: Option<u32>,
    outcome_workdays: Option<u32>,
    emergency_minutes: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftMember {
    city: String,
    short_name: String,
    name: String,
    city_key: String,
}

/// Writes a draft.
///
/// # Errors
/// [`Failure`] naming the value that is missing or wrong.
pub fn run(context: &Context, args: DraftArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let out = args.out.clone();
    let charter = charter(read(args, lang)?, lang)?;
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{}.agreement", charter.short_name)));
    files::write_new(&path, charter.text().as_bytes(), lang)?;
    let paper = Paper { charter, lines: Vec::new(), signed: Vec::new() };
    if context.json {
        let mut shape = paper.json();
        if let Some(object) = shape.as_object_mut() {
            object.insert("file".to_owned(), json!(path.display().to_string()));
        }
        context.print_json(&shape);
        return Ok(());
    }
    print!("{}", paper.text(lang));
    let shown = path.display();
    println!(
        "{}",
        lang.pick(
            format!(
                "\n已写入 {shown}\n请逐项核对，尤其是各市公钥（当面或电话）；各市分别签署：\n  \
                 liandong agreement sign {shown} --city-key city.key"
            ),
            format!(
                "\nwrote {shown}\ncheck every line, the keys by telephone; then each city:\n  \
                 liandong agreement sign {shown} --city-key city.key"
            ),
        )
    );
    Ok(())
}

/// The file with the flags over it.
fn read(args: DraftArgs, lang: Lang) -> Result<Draft, Failure> {
    let mut draft = match &args.from {
        Some(path) => {
            let text = files::read_text(path, limits::NOTE_BYTES_MAX, lang)?;
            let shown = path.display();
            toml::from_str(&text).map_err(|error| {
                let error = error.to_string();
                Failure::local(lang.pick(
                    format!("{shown}：看不懂\n{}", error.trim_end()),
                    format!("{shown}: is not understood\n{}", error.trim_end()),
                ))
            })?
        }
        None => Draft::default(),
    };
    draft.short_name = args.short_name.or(draft.short_name);
    draft.title = args.title.or(draft.title);
    draft.begin_on = args.begin_on.or(draft.begin_on);
    draft.end_on = args.end_on.or(draft.end_on);
    draft.belt_metres = args.belt_metres.or(draft.belt_metres);
    for text in &args.member {
        let mut fields = text.splitn(4, ':').map(str::to_owned);
        let (Some(city), Some(short_name), Some(name), Some(city_key)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(wrong("--member", text, lang));
        };
        draft.member.push(DraftMember { city, short_name, name, city_key });
    }
    for text in &args.border {
        let pair = text.split_once(':').ok_or_else(|| wrong("--border", text, lang))?;
        draft.border.push((pair.0.to_owned(), pair.1.to_owned()));
    }
    Ok(draft)
}

fn wrong(what: &str, got: &str, lang: Lang) -> Failure {
    Failure::usage(
        lang.pick(format!("{what}：“{got}”不对"), format!("{what}: {got:?} is not right")),
    )
    .advise(lang.pick(
        "成员写作 371500:聊:聊城市生态环境局:64位公钥；接壤写作 130400:371500；日期写作 2026-01-01",
        "a member is 371500:short:name:64 hex digits; a border 130400:371500; a date 2026-01-01",
    ))
}

fn needed<T>(value: Option<T>, flag: &str, lang: Lang) -> Result<T, Failure> {
    value.ok_or_else(|| {
        Failure::usage(lang.pick(format!("没有给 {flag}"), format!("{flag} is missing")))
            .advise(lang.pick("见 liandong agreement draft --help", "see agreement draft --help"))
    })
}

fn charter(draft: Draft, lang: Lang) -> Result<Charter, Failure> {
    let date = |text: &str| Date::parse(text).map_err(|_| wrong("date", text, lang));
    let city = |text: &str| CityCode::parse(text).map_err(|_| wrong("city", text, lang));
    let agreement = match &draft.agreement {
        Some(text) => uuid::Uuid::parse_str(text).map_err(|_| wrong("agreement", text, lang))?,
        None => uuid::Uuid::now_v7(),
    };
    let member = |m: &DraftMember| {
        Ok(Member {
            city: city(&m.city)?,
            short_name: m.short_name.clone(),
            name: m.name.clone(),
            city_key: VerifyingKey::parse_hex(&m.city_key)
                .map_err(|_| wrong("city_key", &m.city_key, lang))?,
            recovery_key: None,
        })
    };
    let mut members: Vec<Member> =
        draft.member.iter().map(member).collect::<Result<_, Failure>>()?;
    members.sort_by_key(|m| m.city);
    let pair = |(a, b): &(String, String)| -> Result<_, Failure> {
        let (a, b) = (city(a)?, city(b)?);
        Ok((a.min(b), a.max(b)))
    };
    let mut border_pairs: Vec<_> = draft.border.iter().map(pair).collect::<Result<_, _>>()?;
    border_pairs.sort_unstable();
    border_pairs.dedup();
    let charter = Charter {
        agreement: AgreementId::new(*agreement.as_bytes()),
        version: 1,
        supersedes: None,
        short_name: needed(draft.short_name, "--short-name", lang)?,
        title: needed(draft.title, "--title", lang)?,
        begin_on: date(&needed(draft.begin_on, "--begin-on", lang)?)?,
        end_on: date(&needed(draft.end_on, "--end-on", lang)?)?,
        belt_metres: draft.belt_metres.unwrap_or(BELT_METRES),
        deadlines: deadlines(&draft.deadlines),
        members,
        border_pairs,
        amendments: Vec::new(),
    };
    // Read back: a text that does not parse could be signed by nobody.
    Charter::parse(&charter.text()).map_err(|error| {
        Failure::usage(lang.pick(
            format!("协议内容不成立（{}）", super::paper::chain(&error)),
            format!("these values make no agreement ({})", super::paper::chain(&error)),
        ))
        .advise(lang.pick(
            "至少两个成员市，简称一至二字且各不相同，公钥各不相同，接壤只写成员",
            "two members or more, short names of one or two characters and public keys all \
             different, borders between members only",
        ))
    })
}

fn deadlines(draft: &DraftDeadlines) -> Deadlines {
    let usual = Deadlines::default();
    Deadlines {
        notice_ack_workdays: draft.notice_ack_workdays.unwrap_or(usual.notice_ack_workdays),
        transfer_ack_workdays: draft.transfer_ack_workdays.unwrap_or(usual.transfer_ack_workdays),
        transfer_answer_workdays: draft
            .transfer_answer_workdays
            .unwrap_or(usual.transfer_answer_workdays),
        progress_days: draft.progress_days.unwrap_or(usual.progress_days),
        outcome_workdays: draft.outcome_workdays.unwrap_or(usual.outcome_workdays),
        emergency_minutes: draft.emergency_minutes.unwrap_or(usual.emergency_minutes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::SigningKey;

    fn key(seed: u8) -> String {
        SigningKey::from_seed(&[seed; 32]).unwrap().verifying_key().to_string()
    }

    fn draft() -> Draft {
        let text = format!(
            "short_name = \"聊邯\"\ntitle = \"联动协议\"\nbegin_on = \"2026-01-01\"\n\
             end_on = \"2028-12-31\"\nborder = [[\"371500\", \"130400\"]]\n\
             [deadlines]\ntransfer_answer_workdays = 7\n\
             [[member]]\ncity = \"371500\"\nshort_name = \"聊\"\nname = \"聊城\"\n\
             city_key = \"{}\"\n\
             [[member]]\ncity = \"130400\"\nshort_name = \"邯\"\nname = \"邯郸\"\n\
             city_key = \"{}\"\n",
            key(1),
            key(2)
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_draft_is_put_in_its_one_order() {
        let charter = charter(draft(), Lang::Zh).unwrap();
        assert_eq!(charter.members[0].city.as_u32(), 130_400);
        assert!(charter.border_pairs[0].0 < charter.border_pairs[0].1);
        assert_eq!(charter.deadlines.transfer_answer_workdays, 7);
        assert_eq!(charter.belt_metres, BELT_METRES);
    }

    #[test]
    fn what_makes_no_agreement_is_refused() {
        let wrong: [fn(&mut Draft); 5] = [
            |d| d.title = None,
            |d| d.member.truncate(1),
            |d| d.member[0].city_key = "00".to_owned(),
            |d| d.end_on = Some("2025-01-01".to_owned()),
            |d| d.member[0].city_key = d.member[1].city_key.clone(),
        ];
        for (row, spoil) in wrong.into_iter().enumerate() {
            let mut draft = draft();
            spoil(&mut draft);
            assert!(charter(draft, Lang::En).is_err(), "row {row}");
        }
    }
}

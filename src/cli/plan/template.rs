//! `liandong plan template`: a draft file with every field explained, empty or from a plan.
//!
//! In scope: how a file is written, and where. Out of scope: reading it ([`super::draft`]).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::draft::{self, Draft, DraftCity, DraftDraw, DraftLeftOut, DraftRecord, DraftVisit};
use super::register::Register;
use super::{agreement_of, read};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct TemplateArgs {
    /// 由此方案复制（方案号、编号前几位或全名） · copy this plan
    #[arg(long, value_name = "PLAN")]
    pub from: Option<String>,
    /// 写入此文件（默认写到标准输出） · file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Writes an empty draft; needs no node.
///
/// # Errors
/// [`Failure`] when the file is there already or cannot be written.
pub fn blank(context: &Context, args: &TemplateArgs) -> Result<(), Failure> {
    put(context, args.out.as_ref(), &text(&sample()))
}

/// Writes the draft that would propose a plan.
///
/// # Errors
/// [`Failure`] when there is no such plan, or the file cannot be written.
pub async fn copy(session: &Session, args: TemplateArgs) -> Result<(), Failure> {
    let given = args.from.clone().unwrap_or_default();
    let plan = read(session, &given).await?.plan.unwrap_or_default();
    let register = Register::of(session, &plan, &[]).await;
    let draft = draft::of(&copied(&plan), agreement_of(&plan.name), &register);
    put(&session.context, args.out.as_ref(), &text(&draft))
}

/// The copy of a plan.
pub(super) fn copied(plan: &pb::Plan) -> pb::PlanDraft {
    let mut draft = draft::copy(plan);
    if let Some(record) = draft.record.as_mut().filter(|_| !may_be_revised(plan.state())) {
        // The copy is another action, which has another number in other systems.
        record.external_system.clear();
        record.external_number.clear();
    }
    draft
}

/// Whether a copy may be meant as the next revision.
const fn may_be_revised(state: pb::PlanState) -> bool {
    match state {
        pb::PlanState::Consulting | pb::PlanState::Confirming | pb::PlanState::Scheduled => true,
        pb::PlanState::Unspecified
        | pb::PlanState::Executing
        | pb::PlanState::ResultsReported
        | pb::PlanState::Summarized
        | pb::PlanState::Cancelled => false,
    }
}

/// Writes a draft to a file, or to standard output.
pub(super) fn put(context: &Context, out: Option<&PathBuf>, text: &str) -> Result<(), Failure> {
    let Some(path) = out else {
        match context.json {
            true => context.print_json(&json!({ "draft": text })),
            false => print!("{text}"),
        }
        return Ok(());
    };
    let lang = context.lang;
    files::write_new(path, text.as_bytes(), lang)?;
    let shown = path.display().to_string();
    match context.json {
        true => context.print_json(&json!({ "file": shown })),
        false => println!(
            "{}",
            lang.pick(
                format!(
                    "草稿已写入 {shown}；改好后先加 --check 核对，再 liandong plan new 或 revise"
                ),
                format!(
                    "the draft is in {shown}; try it with --check of liandong plan new or revise"
                ),
            )
        ),
    }
    Ok(())
}

fn sample() -> Draft {
    let city =
        |code: &str| DraftCity { city: code.to_owned(), needs: vec!["执法人员=2".into()] };
    Draft {
        kind: "联合检查".into(),
        departments: vec!["生态环境".into()],
        cities: vec![city("371500"), city("130400")],
        ..Draft::default()
    }
}

/// A text as TOML, on one line unless it has several.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(all: &[String]) -> String {
    let all: Vec<String> = all.iter().map(|one| quoted(one)).collect();
    format!("[{}]", all.join(", "))
}

/// A remark in a file: what people typed must not end it.
fn remark(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The file.
#[must_use]
pub fn text(draft: &Draft) -> String {
    let agreement = match &draft.agreement {
        Some(agreement) => format!("agreement = {}", quoted(agreement)),
        None => "# agreement = \"聊邯\"".to_owned(),
    };
    let mut out = format!(
        "\
# 联合行动方案草稿：只在本机，发起之前其他市看不到。
# 核对：liandong plan new --check 本文件；发起：liandong plan new 本文件；
# 修订已有方案：liandong plan revise 方案号 本文件。

# 联动协议：简称或全名；只有一个协议时可省。
{agreement}
# 类型：liandong catalog plan-kinds。
kind = {kind}
# 参加检查的部门：liandong catalog joint-departments；不填为生态环境。
departments = {departments}
# 时间：半天、整天或时段，如 [\"2026-12-01上午\", \"2026-12-02\", \"2026-12-03上午至2026-12-04\"]。
days = {days}
# 休息日加班的时间，写法同上。
overtime = {overtime}

# 参加的市（含本市）和各市应派出的力量：种类=数量，或 种类/部门=数量；种类见 liandong catalog unit-kinds。
",
        kind = quoted(&draft.kind),
        departments = list(&draft.departments),
        days = list(&draft.days),
        overtime = list(&draft.overtime),
    );
    for one in &draft.cities {
        let (city, needs) = (quoted(&one.city), list(&one.needs));
        out.push_str(&format!("[[cities]]\ncity = {city}\nneeds = {needs}\n"));
    }
    visits(&mut out, &draft.visits);
    draw(&mut out, draft.draw.as_ref());
    record(&mut out, &draft.record);
    out
}

fn visits(out: &mut String, visits: &[DraftVisit]) {
    out.push_str(
        "
# 检查对象和时间：企业全称、信用代码或编号前几位；采用随机抽取的不填。
# exception：清单内或已达年度上限仍要检查的例外情形，见 liandong catalog visit-exceptions。
",
    );
    if visits.is_empty() {
        out.push_str(
            "# [[visits]]\n# site = \"示例纸业有限公司\"\n# at = \"2026-12-01上午\"\n\
             # exception = \"投诉举报\"\n",
        );
    }
    for one in visits {
        out.push_str("[[visits]]\n");
        let note = match one.note.as_str() {
            "" => String::new(),
            note => format!("  # {}", remark(note)),
        };
        out.push_str(&format!("site = {}{note}\nat = {}\n", quoted(&one.site), quoted(&one.at)));
        if let Some(exception) = &one.exception {
            out.push_str(&format!("exception = {}\n", quoted(exception)));
        }
    }
}

fn draw(out: &mut String, draw: Option<&DraftDraw>) {
    out.push_str(
        "
# 随机抽取：家数、每家当地人员（至少 2 人）和外市人员、三类对象的权重；名单由节点按各市登记的对象生成。
# spares_withholders：有市不公开随机数时，true 为其对象照常抽取，false 为其对象全部受检。
# pool 只在这些对象中抽取；media 只抽取有这些污染要素的；left_out 为只有所在市知道、不能抽取的。
",
    );
    let Some(one) = draw else {
        out.push_str(
            "# [draw]\n# sites = 3\n# host_officers = 2\n# guest_officers = 1\n\
             # weights = { key = 3, general = 1, special = 1 }\n# spares_withholders = false\n\
             # pool = []\n# media = [\"水\"]\n\
             # left_out = [{ site = \"示例纸业有限公司\", why = \"正面清单\" }]\n",
        );
        return;
    };
    let DraftDraw { sites, host_officers, guest_officers, spares_withholders, .. } = one;
    out.push_str(&format!(
        "[draw]\nsites = {sites}\nhost_officers = {host_officers}\n\
         guest_officers = {guest_officers}\nspares_withholders = {spares_withholders}\n"
    ));
    if let Some(weights) = one.weights {
        let (key, general, special) = (weights.key, weights.general, weights.special);
        out.push_str(&format!(
            "weights = {{ key = {key}, general = {general}, special = {special} }}\n"
        ));
    }
    let left_out = |one: &DraftLeftOut| {
        format!("{{ site = {}, why = {} }}", quoted(&one.site), quoted(&one.why))
    };
    let left_out: Vec<String> = one.left_out.iter().map(left_out).collect();
    // What a plan was drawn from is in it, and not how that was chosen.
    out.push_str("# 由以往方案复制的：下面三项没有带来，限定过抽取范围的请重填；修订时，手工排除过的对象仍不参加。\n");
    out.push_str(&format!("pool = {}\nmedia = {}\n", list(&one.pool), list(&one.media)));
    out.push_str(&format!("left_out = [{}]\n", left_out.join(", ")));
}

fn record(out: &mut String, record: &DraftRecord) {
    out.push_str("\n# 文字：行动名称必填，其余可空；多行写在 \"\"\" 之间。\n[record]\n");
    for (what, name, value) in [
        ("行动名称", "title", &record.title),
        ("检查主题", "theme", &record.theme),
        ("任务分工和工作安排", "text", &record.text),
        ("路线", "route", &record.route),
        ("安全事项", "safety", &record.safety),
        ("各市联系人", "contacts", &record.contacts),
        ("集合地点", "meeting_place", &record.meeting_place),
        ("自有系统的名称", "external_system", &record.external_system),
        ("自有系统中的编号", "external_number", &record.external_number),
    ] {
        out.push_str(&format!("# {what}\n{name} = {}\n", quoted(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::DraftWeights;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let blank: Draft = toml::from_str(&text(&sample())).unwrap();
        assert_eq!(blank, sample());
        let draft = Draft {
            agreement: Some("聊邯".into()),
            days: vec!["2026-12-04上午 至 2026-12-05下午".into()],
            visits: vec![DraftVisit {
                site: "abcd1234".into(),
                at: "2026-12-04上午".into(),
                exception: Some("投诉举报".into()),
                note: String::new(),
            }],
            draw: Some(DraftDraw {
                sites: 3,
                host_officers: 2,
                guest_officers: 1,
                weights: Some(DraftWeights { key: 3, general: 1, special: 0 }),
                spares_withholders: true,
                pool: vec!["abcd1234".into(), "abcd5678".into()],
                media: vec!["水".into()],
                left_out: vec![DraftLeftOut {
                    site: "abcd5678".into(), why: "正面清单".into()
                }],
            }),
            record: DraftRecord {
                title: "聊邯\"联合\\检查".into(),
                text: "一、分工\n二、\u{1b}'''\"\"\"路线".into(),
                ..DraftRecord::default()
            },
            ..sample()
        };
        let written = text(&draft);
        assert_eq!(toml::from_str::<Draft>(&written).unwrap(), draft, "{written}");
        let mut noted = draft.clone();
        noted.visits[0].note = "示例\nkind = 1".into();
        assert_eq!(toml::from_str::<Draft>(&text(&noted)).unwrap(), draft);
    }

    #[test]
    fn everything_that_is_shown_as_an_example_is_understood() {
        let all: String = text(&sample())
            .lines()
            .filter(|line| !line.starts_with("# ") || line.contains(['=', '[']))
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .filter(|line| !line.contains(['：', '；']))
            .map(|line| format!("{line}\n"))
            .collect();
        let draft: Draft = toml::from_str(&all).unwrap();
        assert!(draft.draw.is_some() && draft.visits.len() == 1 && draft.agreement.is_some());
    }
}

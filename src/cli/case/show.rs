//! `liandong case show`: one case, with who has the turn and what may be done now.

use clap::Args;
use serde_json::Value;

use super::{Session, campaign, history, name, referral};
use crate::cli::failure::Failure;
use crate::cli::json;
use crate::cli::names::Names;
use crate::lang::Lang;
use crate::shown::{case as shown_case, grants};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
}

/// Shows.
///
/// # Errors
/// [`Failure`] when it is not found.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let found = name::case(session, &args.case).await?;
    let request = pb::GetCaseRequest { name: found.name };
    let answer = session.client.cases().get_case(request).await;
    let shown = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let case = shown.case.clone().unwrap_or_default();
    // The case is shown all the same where one of its entries cannot be read.
    let entries = history::entries(session, &case.name).await;
    if session.context.json {
        let mut shape = json::case(&case);
        if let Some(fields) = shape.as_object_mut() {
            let deadlines = shown.deadlines.iter().map(json::deadline).collect();
            fields.insert("deadlines".to_owned(), deadlines);
            let acts = shown.same_acts.as_ref().map(json::same_acts);
            fields.insert("same_acts".to_owned(), acts.unwrap_or_default());
            let words = shown.referral_words.iter().map(referral::words::shape).collect();
            fields.insert("referral_words".to_owned(), words);
            let findings = shown.findings.iter().map(json::finding).collect();
            fields.insert("findings".to_owned(), findings);
            let granted =
                |all: Vec<pb::HistoryEntry>| grants::granted(&all).map(json::granted).collect();
            fields.insert("granted".to_owned(), entries.map_or(Value::Null, granted));
        }
        session.context.print_json(&shape);
    } else {
        let lang = session.context.lang;
        let campaigns = campaign::names(&session.client, &case.campaigns, lang).await;
        let granted = match &entries {
            Ok(entries) => grants::lines(entries, &session.names, lang),
            Err(failure) => failure.what.clone(),
        };
        print!("{}", text(&case, &shown, [&campaigns, &granted], &session.names, lang));
    }
    Ok(())
}

/// The case as people read it; campaigns, and what was opened to whom, in words.
#[must_use]
pub fn text(
    case: &pb::Case,
    shown: &pb::GetCaseResponse,
    in_words: [&str; 2],
    names: &Names,
    lang: Lang,
) -> String {
    shown_case::sheet((case, shown, in_words), names, lang).text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> pb::Case {
        let text = include_str!("../../../demo/sample-cases.json");
        let draft = crate::import::draft::read(text, Some("LD-130400-2025-000001")).unwrap();
        pb::Case {
            number: "LD-邯濮-2025-邯0001".to_owned(),
            state: pb::CaseState::TransferredOut.into(),
            originating_city: 130_400,
            handling_city: 130_400,
            turn_city: 410_900,
            transfer_from: 130_400,
            transfer_to: 410_900,
            facts: Some(draft.facts),
            record: Some(draft.record),
            allowed_steps: vec![pb::CaseStep::Filed.into()],
            ..pb::Case::default()
        }
    }

    #[test]
    fn a_case_is_shown_in_the_words_of_its_users() {
        let deadline = pb::Deadline {
            clock: pb::DeadlineClock::Filing.into(),
            city: 371_500,
            due_on: Some(pb::Date { year: 2026, month: 10, day: 19 }),
            ..pb::Deadline::default()
        };
        let hint = pb::SameActHint {
            number: "LD-聊邯-2026-聊0007".to_owned(),
            handling_city: 371_500,
            state: pb::CaseState::Archived.into(),
            metres: Some(80),
            ..Default::default()
        };
        let acts = pb::SameActs { hints: vec![hint], total_size: 3, ..Default::default() };
        let finding = pb::CaseFinding {
            plan_number: "JA-371500-2026-001".to_owned(),
            plan_title: "聊邯联合检查".to_owned(),
            site_name: "示例纸业有限公司".to_owned(),
            ..Default::default()
        };
        let shown = pb::GetCaseResponse {
            findings: vec![finding],
            deadlines: vec![deadline],
            same_acts: Some(acts),
            ..Default::default()
        };
        let text = text(&sample(), &shown, ["“两打”专项行动", ""], &Names::new(Lang::Zh), Lang::Zh);
        assert!(text.contains("LD-聊邯-2026-聊0007（聊城承办，已归档）相距 80 米"), "{text}");
        assert!(text.contains("另有 2 件") && text.contains("第二十九条"), "{text}");
        assert!(text.contains("2026-10-19 聊城 决定是否立案"), "{text}");
        assert!(text.contains("“两打”专项行动"), "{text}");
        let found = "来自联合执法行动 JA-371500-2026-001 聊邯联合检查 对示例纸业有限公司的检查";
        assert!(text.contains(found), "{text}");
        for want in [
            "办理权    现由 濮阳 处理",
            "首报市    邯郸",
            "移送      邯郸 → 濮阳",
            "状态      已移送待接收",
            "罚款 286000.00 元 邯环罚字〔2025〕001号（示例）",
            "可办理    立案",
        ] {
            assert!(text.contains(want), "{want}\n{text}");
        }
        for word in ["epoch", "journal", "纪元", "日志", "受理"] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn a_withheld_record_is_said_to_be() {
        let case = pb::Case { record: None, ..sample() };
        assert!(
            text(&case, &pb::GetCaseResponse::default(), ["", ""], &Names::new(Lang::En), Lang::En)
                .contains("not for this city")
        );
    }
}

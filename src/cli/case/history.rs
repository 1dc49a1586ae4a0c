//! `liandong case history`: what happened, what took effect, and which city holds it since when.

use clap::Args;
use serde_json::json;

use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{json as shape, table, when, words};
use crate::lang::Lang;
use crate::shown::history as shown_history;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
}

/// Shows the whole history.
///
/// # Errors
/// [`Failure`] when the case is not found.
pub async fn run(session: &Session, args: HistoryArgs) -> Result<(), Failure> {
    let case = name::case(session, &args.case).await?;
    let entries = entries(session, &case.name).await?;
    if session.context.json {
        session.context.print_json(&json!({
            "name": case.name,
            "number": case.number,
            "entries": entries.iter().map(shape::history).collect::<Vec<_>>(),
        }));
    } else {
        let own = session.client.me.node_city;
        print!("{}", text(&entries, own, &session.names, session.context.lang));
    }
    Ok(())
}

/// The whole history of a case, oldest first.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn entries(session: &Session, case: &str) -> Result<Vec<pb::HistoryEntry>, Failure> {
    let mut request =
        pb::GetCaseHistoryRequest { name: case.to_owned(), page_size: 200, ..Default::default() };
    let mut entries = Vec::new();
    loop {
        let answer = session.client.cases().get_case_history(request.clone()).await;
        let mut page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        entries.append(&mut page.entries);
        if page.next_page_token.is_empty() {
            return Ok(entries);
        }
        request.page_token = page.next_page_token;
    }
}

/// The history as people read it.
#[must_use]
pub fn text(entries: &[pb::HistoryEntry], own: u32, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["法律日期", "登记时间", "城市", "事项", "结果", "系统送达", "说明", "记录"],
        ["legal date", "recorded", "city", "what", "result", "held by since", "text", "entry"],
    );
    let mut table = table::table(&headers);
    for entry in entries {
        let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
        table.add_row([
            when::date(entry.effective_on.as_ref()),
            shown_history::recorded(entry, lang),
            names.city(entry.city),
            words::event(event, lang).to_owned(),
            shown_history::result(entry, lang),
            shown_history::held(entry, own, names, lang),
            shown_history::said(entry, lang),
            entry.entry.clone(),
        ]);
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_shows_receipts_and_what_did_not_take_effect() {
        let time = when::from_millis(when::parse_millis("2026-11-20T14:05:00+08:00").unwrap());
        let entry = pb::HistoryEntry {
            city: 371_500,
            effect: pb::EntryEffect::Move.into(),
            state: pb::CaseState::Filed.into(),
            holdings: vec![pb::Holding { city: 130_400, hold_time: Some(time) }],
            ..pb::HistoryEntry::default()
        };
        let declined = pb::EvidenceDeclined {
            ground: pb::EvidenceDeclineGround::Laboratory.into(),
            ..Default::default()
        };
        let declined = pb::HistoryEntry {
            effect: pb::EntryEffect::Contribution.into(),
            header: Some(pb::EntryHeader {
                event: Some(pb::entry_header::Event::EvidenceDeclined(declined)),
                ..Default::default()
            }),
            evidence: Some(pb::Evidence {
                id: "E01".into(),
                title: "监测报告".into(),
                ..Default::default()
            }),
            texts: vec!["请补充资质附表".to_owned()],
            ..entry.clone()
        };
        let misfit = pb::HistoryEntry {
            effect: pb::EntryEffect::Misfit.into(),
            misfit_reason: "DOUBLE_MOVE".to_owned(),
            holdings: Vec::new(),
            ..entry.clone()
        };
        let theirs = pb::HistoryEntry {
            city: 410_900,
            effect: pb::EntryEffect::Contribution.into(),
            ..pb::HistoryEntry::default()
        };
        let text =
            text(&[entry, misfit, declined, theirs], 371_500, &Names::new(Lang::Zh), Lang::Zh);
        assert!(text.contains("邯郸已存 2026-11-20 14:05"), "{text}");
        assert!(text.contains("未生效操作（与流程不符：该市在两处同时办理了这一步"), "{text}");
        assert_eq!(text.matches("仅在本市").count(), 1, "what it wrote itself: {text}");
        assert!(text.contains("濮阳、本市"), "{text}");
        let told = "E01 监测报告；监测机构没有相应资质；请补充资质附表";
        assert!(text.contains("不认可证据") && text.contains(told), "{text}");
        let widths: Vec<_> = text.lines().map(table::width).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{text}\n{widths:?}");
    }
}

//! `liandong case list`: pages of cases, newest first.

use clap::Args;
use serde_json::json;

use super::{Session, campaign, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{json as shape, table, when, words};
use crate::domain::division::Area;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::table::columns::Codes;
use crate::wire::case::typed_within;
use crate::wire::pb::v1 as pb;

/// Which cases.
#[derive(Args, Debug)]
pub struct FilterArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只看这些状态，如 已立案 或 FILED · only these states
    #[arg(long, value_parser = state)]
    pub state: Vec<pb::CaseState>,
    /// 承办市 · handled by
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub handling: Option<CityCode>,
    /// 办理权在此市 · the turn is with
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub turn: Option<CityCode>,
    /// 待本市办理 · the turn is with the own city
    #[arg(long, conflicts_with = "turn")]
    pub mine: bool,
    /// 首报市 · reported by
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub reported_by: Option<CityCode>,
    /// 距此市边界 --within 米以内 · near the border with this city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse, requires = "within")]
    pub near: Option<CityCode>,
    /// 案发县（市、区）或设区市代码，如 371522、371500 · in this county or city
    #[arg(long, value_name = "CODE", value_parser = area)]
    pub county: Option<u32>,
    /// 案发地点在此经纬度范围（CGCS2000，西,南,东,北）· its point lies in this rectangle
    #[arg(long = "box", value_name = "W,S,E,N", value_parser = rectangle)]
    pub area: Option<pb::GeoBox>,
    /// 污染要素，可多个 · only these media
    #[arg(long, value_parser = medium)]
    pub medium: Vec<pb::Medium>,
    /// 发现日期不早于 · discovered on this day or later
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 发现日期不晚于 · discovered on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub to: Option<pb::Date>,
    /// 当事人名称中的字词，以空格分开 · words in the name of the party
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    pub party: String,
    /// 当事人统一社会信用代码，可只填前 8 位以上 · credit code of the party, or its first 8 or more
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    pub uscc: String,
    /// 以本机已暂停城市的记录为依据、暂不能办理的 · that rest on a city suspended on this node
    #[arg(long)]
    pub rests_on_suspended: bool,
    /// 距离（米） · metres
    #[arg(long, value_name = "METRES", requires = "near")]
    pub within: Option<u32>,
    /// 本市经办人，须与所填完全一致 · assigned to exactly this name
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub assignee: String,
    /// 只看有此专项行动标记的，如 两打，见 liandong catalog campaigns · only with this campaign tag
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// 只看疑似同一违法行为的 · only cases that may be of the same act as another one
    #[arg(long)]
    pub same_act: bool,
}

/// Arguments.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Which cases.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
    /// 取全部各页 · all pages
    #[arg(long)]
    pub all: bool,
}

fn state(text: &str) -> Result<pb::CaseState, String> {
    words::parse_state(text).ok_or_else(|| {
        let all: Vec<_> =
            words::states().into_iter().map(|one| words::state(one, Lang::Zh)).collect();
        format!("可用 · use one of: {}", all.join("、"))
    })
}

fn area(text: &str) -> Result<u32, String> {
    let code = if text.len() == 6 { text.parse().ok() } else { None };
    code.filter(|code| Area::from_u32(*code).is_some())
        .ok_or_else(|| "6 位县级或市级代码 · a six-digit code of a county or city".to_owned())
}

fn rectangle(text: &str) -> Result<pb::GeoBox, String> {
    typed_within(text).ok_or_else(|| "四个数，以逗号分开 · four numbers apart by comma".to_owned())
}

fn medium(text: &str) -> Result<pb::Medium, String> {
    let code = Codes::Medium.code(text);
    code.and_then(|code| pb::Medium::from_str_name(&format!("MEDIUM_{code}"))).ok_or_else(|| {
        let all: Vec<_> = Codes::Medium.all(Lang::Zh).into_iter().map(|(_, word)| word).collect();
        format!("可用 · use one of: {}", all.join("、"))
    })
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let mut request = args.filter.request(session).await?;
    (request.page_size, request.page_token) = (args.page.page_size, args.page.page_token);
    let (mut cases, mut acts) = (Vec::new(), Vec::new());
    let last = loop {
        let answer = session.client.cases().list_cases(request.clone()).await;
        let mut page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        cases.append(&mut page.cases);
        acts.append(&mut page.same_acts);
        if !args.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token.clone_from(&page.next_page_token);
    };
    if session.context.json {
        session.context.print_json(&json!({
            "cases": cases.iter().map(shape::case).collect::<Vec<_>>(),
            "next_page_token": last.next_page_token,
            "total_size": last.total_size,
            "total_is_partial": last.total_is_partial,
            "cursor": last.cursor,
            "same_acts": acts.iter().map(shape::same_acts).collect::<Vec<_>>(),
        }));
    } else {
        print!("{}", text(&cases, &last, &session.names, session.context.lang));
    }
    Ok(())
}

impl FilterArgs {
    /// A request for the first page.
    ///
    /// # Errors
    /// [`Failure`] when the agreement is not known.
    pub async fn request(&self, session: &Session) -> Result<pb::ListCasesRequest, Failure> {
        let parent = name::parent(session, self.agreement.as_deref()).await?;
        let code = |city: Option<CityCode>| city.map_or(0, CityCode::as_u32);
        let own = session.client.me.node_city;
        let campaign = match &self.campaign {
            Some(text) => campaign::number(&session.client, text, session.context.lang).await?,
            None => 0,
        };
        Ok(pb::ListCasesRequest {
            parent,
            states: self.state.iter().copied().map(i32::from).collect(),
            handling_city: code(self.handling),
            turn_city: if self.mine { own } else { code(self.turn) },
            originating_city: code(self.reported_by),
            near_city: code(self.near),
            near_metres: self.within.unwrap_or(0),
            county_code: self.county.unwrap_or(0),
            within: self.area.clone(),
            media: self.medium.iter().copied().map(i32::from).collect(),
            discovered_from: self.from,
            discovered_to: self.to,
            party_name: self.party.clone(),
            party_uscc: self.uscc.clone(),
            rests_on_suspended: self.rests_on_suspended,
            has_same_act_hints: self.same_act,
            assignee: self.assignee.clone(),
            campaign,
            ..pb::ListCasesRequest::default()
        })
    }
}

fn text(cases: &[pb::Case], page: &pb::ListCasesResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "状态", "办理权", "承办市", "首报市", "法律日期", "案由"],
        ["number", "state", "turn", "handled by", "reported by", "legal date", "title"],
    );
    let mut table = table::table(&headers);
    for case in cases {
        let title = case.record.as_ref().map_or("", |record| record.title.as_str());
        table.add_row([
            table::clean(&case.number),
            words::state(case.state(), lang).to_owned(),
            names.city(case.turn_city),
            names.city(case.handling_city),
            names.city(case.originating_city),
            when::date(case.last_effective_on.as_ref()),
            table::clean(title),
        ]);
    }
    let (shown, total) = (cases.len(), page.total_size);
    let about = if page.total_is_partial { lang.pick("至少 ", "at least ") } else { "" };
    let mut out = lang.pick(
        format!("{table}\n共 {about}{total} 件，显示 {shown} 件\n"),
        format!("{table}\n{shown} of {about}{total} cases\n"),
    );
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_table_with_a_count() {
        let case = pb::Case {
            number: "LD-聊邯-2026-聊0005".to_owned(),
            state: pb::CaseState::ClueVerifying.into(),
            turn_city: 130_400,
            handling_city: 371_500,
            originating_city: 371_500,
            record: Some(pb::CaseRecord {
                title: "示例\u{1b}[2J".to_owned(),
                ..Default::default()
            }),
            ..pb::Case::default()
        };
        let page = pb::ListCasesResponse { total_size: 7, ..Default::default() };
        let text = text(&[case], &page, &Names::new(Lang::Zh), Lang::Zh);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("办理权"), "{text}");
        assert!(lines[2].contains("LD-聊邯-2026-聊0005") && lines[2].contains("邯郸"), "{text}");
        assert_eq!(lines[3], "共 7 件，显示 1 件");
        assert!(!text.contains('\u{1b}'));
        assert_eq!(table::width(lines[0]), table::width(lines[2]));
    }
}

//! `liandong case stats`: what a month comes to, by agreement and in all.

mod checks;

use clap::Args;
use serde_json::{Value, json};

use super::campaign::Known;
use super::{Session, name, patient};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{json as shape, table, when};
use crate::lang::Lang;
use crate::shown::table::{cells, csv};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct StatsArgs {
    /// 月份（按法律日期） · month of legal dates
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    pub month: (i32, i32),
    /// 只统计此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 输出 CSV，供表格软件打开 · CSV for spreadsheets
    #[arg(long)]
    pub csv: bool,
}

fn month(text: &str) -> Result<(i32, i32), String> {
    let bad = || format!("“{text}” 不是月份，应如 2026-09 · not a month such as 2026-09");
    when::parse_date(&format!("{text}-01")).map(|date| (date.year, date.month)).map_err(|_| bad())
}

/// Counts.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: StatsArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let (year, month) = args.month;
    let request = pb::ComputeStatisticsRequest { parent, year, month };
    let answer = patient(|| {
        let (mut cases, request) = (session.client.cases(), request.clone());
        async move { cases.compute_statistics(request).await }
    });
    let counted = answer.await.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "month": format!("{year:04}-{month:02}"),
            "until": when::date(counted.until.as_ref()),
            "agreements": counted.agreements.iter().map(|line| shape::with(
                both(line.counts, line.checks),
                "agreement",
                json!(line.agreement),
            )).collect::<Vec<_>>(),
            "total": both(counted.total, counted.total_checks),
            "campaigns": counted.campaigns.iter().map(|line| shape::with(
                shape::with(counts(&line.counts.unwrap_or_default()), "tagged", json!(line.tagged)),
                "campaign",
                json!(line.campaign),
            )).collect::<Vec<_>>(),
            "cursor": counted.cursor,
        }));
        return Ok(());
    }
    let known = match counted.campaigns.is_empty() {
        true => Known::none(),
        false => Known::ask(&session.client).await?,
    };
    let (rows, of_checks) = rows(&counted, &session.names, &known, lang);
    if args.csv {
        print!("\u{feff}");
        for (nth, row) in rows.iter().enumerate() {
            // What has a tag are cases: the row has nothing of checks.
            let behind = of_checks.get(nth).and_then(|row| row.get(1..));
            let behind = behind.map_or(vec![String::new(); checks::COLUMNS], <[String]>::to_vec);
            let row: Vec<String> =
                row.iter().chain(&behind).map(|cell| cells::escaped(cell)).collect();
            print!("{}", csv::line(&row));
        }
        return Ok(());
    }
    print!("{}", text(&rows, &of_checks, &counted, lang));
    Ok(())
}

fn both(cases: Option<pb::MonthCounts>, of_checks: Option<pb::CheckCounts>) -> Value {
    let checks = checks::value(of_checks.unwrap_or_default());
    shape::with(counts(&cases.unwrap_or_default()), "checks", checks)
}

fn counts(counts: &pb::MonthCounts) -> Value {
    json!({
        "opened": counts.opened,
        "off_site": counts.off_site,
        "off_site_per_mille": per_mille(counts.off_site, counts.opened),
        "joint_checks": counts.joint_checks,
        "transfers": counts.transfers,
        "transfers_out": counts.transfers_out,
        "transfers_in": counts.transfers_in,
        "accepted": counts.accepted,
        "returned": counts.returned,
        "filed_so_far": counts.filed_so_far,
        "ended_so_far": counts.ended_so_far,
        "closing_per_mille": per_mille(counts.ended_so_far, counts.filed_so_far),
    })
}

/// A share in thousandths, rounded half up; none of nothing.
fn per_mille(part: u32, whole: u32) -> Option<u64> {
    let (part, whole) = (u64::from(part), u64::from(whole));
    (part * 1000 + whole / 2).checked_div(whole)
}

/// `12.5%`; a dash for a share of nothing.
fn share(part: u32, whole: u32) -> String {
    match per_mille(part, whole) {
        Some(share) => format!("{}.{}%", share / 10, share % 10),
        None => "—".to_owned(),
    }
}

/// A row: what is counted, and its counts.
fn row(name: String, counts: pb::MonthCounts) -> Vec<String> {
    let number = |number: u32| number.to_string();
    let mut row = vec![name];
    row.extend([
        number(counts.opened),
        number(counts.off_site),
        share(counts.off_site, counts.opened),
        number(counts.joint_checks),
        number(counts.transfers),
        number(counts.transfers_out),
        number(counts.transfers_in),
        number(counts.accepted),
        number(counts.returned),
        number(counts.filed_so_far),
        number(counts.ended_so_far),
        share(counts.ended_so_far, counts.filed_so_far),
    ]);
    row
}

/// Rows, the first of them headings.
type Rows = Vec<Vec<String>>;

/// Of cases: headings, a row for each agreement, the sum of several, and a row for each campaign.
/// Of checks and joint actions: the same without campaigns.
fn rows(
    counted: &pb::ComputeStatisticsResponse,
    names: &Names,
    known: &Known,
    lang: Lang,
) -> (Rows, Rows) {
    let headings = lang.pick(
        [
            "联动协议",
            "登记",
            "其中非现场",
            "非现场占比",
            "其中联合检查",
            "移送",
            "其中移出",
            "其中移入",
            "同意接收",
            "退回",
            "累计立案",
            "其中已结",
            "结案率",
        ],
        [
            "agreement",
            "opened",
            "off-site",
            "off-site share",
            "joint checks",
            "transfers",
            "out",
            "in",
            "accepted",
            "returned",
            "filed so far",
            "ended",
            "closing rate",
        ],
    );
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    let of_checks = checks::headings(lang).map(str::to_owned);
    let named = |name: &str, cells: [String; checks::COLUMNS]| {
        [vec![name.to_owned()], cells.to_vec()].concat()
    };
    let mut check_rows = vec![named(headings.first().copied().unwrap_or_default(), of_checks)];
    let mut put = |name: String, cases: Option<_>, checks: Option<_>| {
        check_rows.push(named(&name, checks::cells(checks.unwrap_or_default())));
        rows.push(row(name, cases.unwrap_or_default()));
    };
    for line in &counted.agreements {
        put(names.agreement(&line.agreement), line.counts, line.checks);
    }
    if counted.agreements.len() != 1 {
        let all = lang.pick("合计", "in all").to_owned();
        put(all, counted.total, counted.total_checks);
    }
    for line in &counted.campaigns {
        let (what, tagged) = (known.word(line.campaign, lang), line.tagged);
        let name = lang.pick(
            format!("专项行动：{what}（共 {tagged} 件）"),
            format!("campaign: {what} ({tagged} in all)"),
        );
        rows.push(row(name, line.counts.unwrap_or_default()));
    }
    (rows, check_rows)
}

fn drawn(rows: &[Vec<String>]) -> String {
    let (first, rest) = rows.split_first().map_or((&[][..], &[][..]), |(f, r)| (f.as_slice(), r));
    let headers: Vec<&str> = first.iter().map(String::as_str).collect();
    let mut lines = table::table(&headers);
    for row in rest {
        lines.add_row(row.iter().map(|cell| table::clean(cell)));
    }
    lines.to_string()
}

fn text(
    rows: &[Vec<String>],
    of_checks: &[Vec<String>],
    counted: &pb::ComputeStatisticsResponse,
    lang: Lang,
) -> String {
    let (lines, checks, note) = (drawn(rows), drawn(of_checks), checks::note(lang));
    let until = when::date(counted.until.as_ref());
    lang.pick(
        format!(
            "{lines}\n按法律日期统计，截至 {until}。非现场：在线监控、用电监控、无人机巡查；\
             联合检查：来源为联合检查的案件；\n\
             结案率：截至该日累计立案中已结案、不予处罚、撤案、决定被撤销或指定至协议外的占比\n\
             {checks}\n{note}\n"
        ),
        format!(
            "{lines}\nby legal dates, until {until}. off-site: online and power monitoring, \
             drones; joint checks: cases whose source\nis a joint inspection; closing rate: of \
             all filed so far, those closed, without penalty, withdrawn, revoked or\n\
             designated outside\n{checks}\n{note}\n"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_of_nothing_there_is_none() {
        assert_eq!(share(1, 3), "33.3%");
        assert_eq!(share(2, 3), "66.7%");
        assert_eq!(share(1, 8), "12.5%");
        assert_eq!(share(5, 5), "100.0%");
        assert_eq!(share(0, 0), "—");
        assert_eq!(per_mille(u32::MAX, u32::MAX), Some(1000));
        assert_eq!(month("2026-09"), Ok((2026, 9)));
        for bad in ["2026-13", "2026-9", "202609", "2026-09-01", "一月"] {
            assert!(month(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_agreements_have_a_sum() {
        let line = |name: &str| pb::AgreementCounts {
            agreement: name.to_owned(),
            counts: Some(pb::MonthCounts { opened: 3, off_site: 1, ..Default::default() }),
            checks: Some(pb::CheckCounts { checks: 8, off_site: 3, ..Default::default() }),
        };
        let total = Some(pb::MonthCounts { opened: 6, off_site: 2, ..Default::default() });
        let mut counted = pb::ComputeStatisticsResponse {
            agreements: vec![line("agreements/a"), line("agreements/b\u{1b}[2J")],
            total,
            total_checks: Some(pb::CheckCounts { checks: 16, off_site: 6, ..Default::default() }),
            ..Default::default()
        };
        let names = Names::new(Lang::Zh);
        let (rows, of_checks) = rows(&counted, &names, &Known::none(), Lang::Zh);
        assert_eq!((rows.len(), of_checks.len()), (4, 4));
        assert_eq!(rows[3][..4], ["合计", "6", "2", "33.3%"].map(str::to_owned));
        assert_eq!(of_checks[3][..4], ["合计", "16", "6", "37.5%"].map(str::to_owned));
        assert!(!text(&rows, &of_checks, &counted, Lang::Zh).contains('\u{1b}'));
        counted.agreements.truncate(1);
        assert_eq!(super::rows(&counted, &names, &Known::none(), Lang::Zh).0.len(), 2);
    }
}

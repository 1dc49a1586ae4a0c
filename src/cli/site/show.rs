//! `liandong site show`.

use clap::Args;
use serde_json::json;

use super::{name, shape, short};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 检查对象：编号前几位、信用代码或全名 · the beginning of its id, its credit code or its name
    #[arg(value_name = "SITE")]
    pub site: String,
}

/// Shows one.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let request = pb::GetSiteRequest { name: name(session, &args.site).await? };
    let answer = session.client.sites().get_site(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let site = answer.site.unwrap_or_default();
    if session.context.json {
        let shown = json!({ "site": shape::site(&site), "cursor": answer.cursor });
        session.context.print_json(&shown);
    } else {
        print!("{}", text(&site, &session.names, session.context.lang));
    }
    Ok(())
}

/// What it may pollute, in words.
pub(super) fn media(facts: &pb::SiteFacts, lang: Lang) -> String {
    let words: Vec<&str> = facts.media().map(|one| words::medium(one, lang)).collect();
    words.join(lang.pick("、", ", "))
}

/// One site for people.
#[must_use]
pub fn text(site: &pb::Site, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    let facts = site.facts.clone().unwrap_or_default();
    sheet.row(lang.pick("编号", "number"), short(&site.name));
    record(&mut sheet, site.record.as_ref(), lang);
    sheet
        .row(lang.pick("所在市", "city"), names.city(site.city))
        .row(lang.pick("县（市、区）", "county"), format!("{:06}", facts.county_code))
        .row(lang.pick("类别", "pool"), words::site_tier(facts.tier(), lang))
        .row(lang.pick("污染要素", "media"), media(&facts, lang));
    if facts.permit_kind != 0 {
        let kind = words::permit_kind(facts.permit_kind(), lang);
        sheet.row(lang.pick("许可管理", "permit"), kind);
    }
    if facts.closed {
        sheet.row(lang.pick("状态", "state"), lang.pick("已关停", "closed"));
    }
    if let Some(listing) = &site.listing {
        let today = match site.listed_today {
            true => lang.pick("，今日有效", ", in force today"),
            false => lang.pick("，今日无效", ", not in force today"),
        };
        sheet.row(
            lang.pick("正面清单", "positive list"),
            format!("{}{today}", listed(listing, lang)),
        );
    }
    for year in &site.years {
        let pb::SiteYear { counted, excepted, off_site, .. } = year;
        let said = lang.pick(
            format!("现场 {counted} 次，例外情形 {excepted} 次，非现场 {off_site} 次"),
            format!("{counted} on site, {excepted} excepted, {off_site} off site"),
        );
        sheet.row(
            &lang.pick(format!("{} 年检查", year.year), format!("checks {}", year.year)),
            said,
        );
    }
    sheet.row(lang.pick("全名", "name"), site.name.clone());
    let mut out = sheet.text();
    for word in &site.words {
        out.push_str(&said(word, names, lang));
    }
    out
}

fn record(sheet: &mut table::Sheet, record: Option<&pb::SiteRecord>, lang: Lang) {
    let Some(record) = record else {
        sheet.row(lang.pick("名称", "name"), lang.pick("已删除", "erased"));
        return;
    };
    sheet
        .row(lang.pick("名称", "enterprise"), table::clean(&record.name))
        .row(lang.pick("信用代码", "credit code"), table::clean(&record.uscc));
    let location = record.location.clone().unwrap_or_default();
    let point = match location.longitude.is_empty() {
        true => String::new(),
        false => format!("{},{}", location.longitude, location.latitude),
    };
    for (label, value) in [
        (lang.pick("许可证编号", "permit number"), &record.permit_number),
        (lang.pick("行业代码", "trade"), &record.industry_code),
        (lang.pick("地址", "address"), &location.address),
        (lang.pick("经纬度", "coordinates"), &point),
    ] {
        if !value.is_empty() {
            sheet.row(label, table::clean(value));
        }
    }
}

/// A listing in one line.
pub(super) fn listed(listing: &pb::SiteListed, lang: Lang) -> String {
    let days = [&listing.admitted_on, &listing.expires_on].map(|on| when::date(on.as_ref()));
    let status = words::listing_status(listing.status(), lang);
    let mut out = lang.pick(
        format!("{status}（{} 至 {}）", days[0], days[1]),
        format!("{status} ({} to {})", days[0], days[1]),
    );
    let kinds: Vec<&str> =
        listing.monitoring().map(|one| words::monitoring_kind(one, lang)).collect();
    let basis =
        (listing.removed_for != 0).then(|| words::removal_basis(listing.removed_for(), lang));
    for more in basis.into_iter().chain(kinds) {
        out.push_str(lang.pick("，", ", "));
        out.push_str(more);
    }
    out
}

fn checked(check: &pb::SiteChecked, lang: Lang) -> String {
    let mut out =
        format!("{} {}", when::date(check.on.as_ref()), words::check_mode(check.mode(), lang));
    if check.exception != 0 {
        let why = words::visit_exception(check.exception(), lang);
        out.push_str(&lang.pick(format!("（{why}）"), format!(" ({why})")));
    }
    out
}

fn said(word: &pb::SiteWord, names: &Names, lang: Lang) -> String {
    let (time, city) = (when::time(word.word_time.as_ref()), names.city(word.city));
    let kind = words::site_word(word.kind(), lang);
    let what = match (&word.listing, &word.check) {
        (Some(listing), _) => listed(listing, lang),
        (None, Some(check)) => checked(check, lang),
        (None, None) => String::new(),
    };
    let misfit = match word.misfit_reason.as_str() {
        "" => String::new(),
        reason => {
            lang.pick(format!("（未生效：{reason}）"), format!(" (did not take effect: {reason})"))
        }
    };
    let text = table::clean_lines(&word.text);
    format!("{time}  {city}  {kind}  {what}{misfit}  {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_shows_its_listing_and_its_checks() {
        let date = |year, month, day| Some(pb::Date { year, month, day });
        let listing = pb::SiteListed {
            status: pb::ListingStatus::Removed.into(),
            admitted_on: date(2026, 1, 1),
            expires_on: date(2026, 12, 31),
            removed_for: pb::RemovalBasis::FalsifiedData.into(),
            monitoring: vec![pb::MonitoringKind::Power.into()],
        };
        let check = pb::SiteChecked {
            on: date(2026, 5, 6),
            mode: pb::CheckMode::OnSite.into(),
            exception: pb::VisitException::Complaint.into(),
            ..Default::default()
        };
        let word = pb::SiteWord {
            kind: pb::SiteWordKind::Checked.into(),
            check: Some(check),
            text: "现场\u{1b}[2J正常".into(),
            ..Default::default()
        };
        let site = pb::Site {
            name: "agreements/0/sites/0123456789abcdef0123456789abcdef".to_owned(),
            city: 371_500,
            facts: Some(pb::SiteFacts {
                county_code: 371_522,
                tier: pb::SiteTier::Key.into(),
                media: vec![pb::Medium::Water.into()],
                closed: true,
                ..Default::default()
            }),
            record: Some(pb::SiteRecord {
                name: "示例\u{1b}[2J纸业".into(), ..Default::default()
            }),
            listing: Some(listing),
            years: vec![pb::SiteYear { year: 2026, counted: 2, excepted: 1, off_site: 4 }],
            words: vec![word],
            ..pb::Site::default()
        };
        let told = text(&site, &Names::new(Lang::Zh), Lang::Zh);
        for part in [
            "聊城",
            "重点",
            "已关停",
            "移出清单（2026-01-01 至 2026-12-31），监测数据弄虚作假，用电监控，今日无效",
            "现场 2 次，例外情形 1 次，非现场 4 次",
            "2026-05-06 现场检查（投诉举报）",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        assert!(!told.contains('\u{1b}'));
    }
}

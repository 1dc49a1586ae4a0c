//! Sites (检查对象) as they are told to people: what is known, the positive list, what was said since.
//!
//! In scope: rows and lines. Out of scope: sheets that other programs read (`cli/site/sheet.rs`).

use super::history::not_taken;
use super::names::Names;
use super::plan::short;
use super::sheet::Sheet;
use super::text::{clean, clean_lines};
use super::when;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What it may pollute, in words.
#[must_use]
pub fn media(facts: &pb::SiteFacts, lang: Lang) -> String {
    let words: Vec<&str> = facts.media().map(|one| words::medium(one, lang)).collect();
    words.join(lang.pick("、", ", "))
}

/// What is known of a site, but for what was said since.
#[must_use]
pub fn sheet(site: &pb::Site, names: &Names, lang: Lang) -> Sheet {
    let mut sheet = Sheet::default();
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
    sheet
}

fn record(sheet: &mut Sheet, record: Option<&pb::SiteRecord>, lang: Lang) {
    let Some(record) = record else {
        sheet.row(lang.pick("名称", "name"), lang.pick("已删除", "erased"));
        return;
    };
    sheet
        .row(lang.pick("名称", "enterprise"), clean(&record.name))
        .row(lang.pick("信用代码", "credit code"), clean(&record.uscc));
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
            sheet.row(label, clean(value));
        }
    }
}

/// A listing in one line.
#[must_use]
pub fn listed(listing: &pb::SiteListed, lang: Lang) -> String {
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
    if check.taken_back {
        out.push_str(lang.pick("（结果已更正，此次不计）", " (corrected since: taken back)"));
    }
    out
}

/// What was said of it, in one line.
#[must_use]
pub fn said(word: &pb::SiteWord, names: &Names, lang: Lang) -> String {
    let (time, city) = (when::time(word.word_time.as_ref()), names.city(word.city));
    let kind = words::site_word(word.kind(), lang);
    let what = match (&word.listing, &word.check) {
        (Some(listing), _) => listed(listing, lang),
        (None, Some(check)) => checked(check, lang),
        (None, None) => String::new(),
    };
    let misfit = not_taken(&word.misfit_reason, lang);
    let text = clean_lines(&word.text);
    format!("{time}  {city}  {kind}  {what}{misfit}  {text}")
}

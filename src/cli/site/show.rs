//! `liandong site show`.

use clap::Args;
use serde_json::json;

use super::{name, shape};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::lang::Lang;
use crate::shown::site as told;
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

/// One site for people.
#[must_use]
pub fn text(site: &pb::Site, names: &Names, lang: Lang) -> String {
    let mut sheet = told::sheet(site, names, lang);
    sheet.row(lang.pick("全名", "name"), site.name.clone());
    let said = site.words.iter().map(|word| told::said(word, names, lang) + "\n");
    sheet.text() + &said.collect::<String>()
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

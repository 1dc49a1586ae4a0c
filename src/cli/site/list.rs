//! `liandong site list`.

use clap::Args;
use serde_json::json;

use super::{shape, short, tier};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{table, when, words};
use crate::domain::CountyCode;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::site as told;
use crate::wire::pb::v1 as pb;

/// Which sites.
#[derive(Args, Debug, Default)]
pub struct FilterArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只看此市 · only sites of this city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
    /// 只看此县（市、区） · only this county
    #[arg(long, value_name = "CODE", value_parser = county)]
    pub county: Option<u32>,
    /// 只看此类别：重点、一般、特殊 · only this pool: key, general, special
    #[arg(long, value_parser = tier)]
    pub tier: Option<pb::SiteTier>,
    /// 只看此日在正面清单内的 · only those on the positive list on this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub listed_on: Option<pb::Date>,
    /// 只看此日不在正面清单内的 · only those not on the positive list on this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub unlisted_on: Option<pb::Date>,
    /// 只看此信用代码 · only this credit code
    #[arg(long, default_value = "", hide_default_value = true)]
    pub uscc: String,
}

fn county(text: &str) -> Result<u32, String> {
    CountyCode::parse(text).map(CountyCode::as_u32).map_err(|wrong| wrong.to_string())
}

impl FilterArgs {
    /// The request that asks for them.
    ///
    /// # Errors
    /// [`Failure`] when there is no such agreement.
    pub async fn request(&self, session: &Session) -> Result<pb::ListSitesRequest, Failure> {
        let parent = name::parent(session, self.agreement.as_deref()).await?;
        Ok(pb::ListSitesRequest {
            parent,
            city: self.city.map_or(0, CityCode::as_u32),
            county_code: self.county.unwrap_or_default(),
            tier: self.tier.map_or(0, i32::from),
            listed_on: self.listed_on,
            unlisted_on: self.unlisted_on,
            uscc: self.uscc.clone(),
            ..pb::ListSitesRequest::default()
        })
    }
}

/// Arguments of a list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Which sites.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let mut request = args.filter.request(session).await?;
    (request.page_size, request.page_token) = (args.page.page_size, args.page.page_token);
    let answer = session.client.sites().list_sites(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "sites": page.sites.iter().map(shape::site).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
            "total_is_partial": page.total_is_partial,
            "cursor": page.cursor,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListSitesResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "名称", "信用代码", "市", "县", "类别", "污染要素", "正面清单"],
        ["number", "name", "credit code", "city", "county", "pool", "media", "positive list"],
    );
    let mut lines = table::table(&headers);
    for site in &page.sites {
        let (facts, record) =
            (site.facts.clone().unwrap_or_default(), site.record.clone().unwrap_or_default());
        let listed = match (&site.listing, site.listed_today) {
            (None, _) => String::new(),
            (Some(_), true) => lang.pick("有效", "in force").to_owned(),
            (Some(listing), false) => words::listing_status(listing.status(), lang).to_owned(),
        };
        let mut tier = words::site_tier(facts.tier(), lang).to_owned();
        if facts.closed {
            tier.push_str(lang.pick("，已关停", ", closed"));
        }
        lines.add_row([
            short(&site.name).to_owned(),
            table::clean(&record.name),
            table::clean(&record.uscc),
            names.city(site.city),
            format!("{:06}", facts.county_code),
            tier,
            told::media(&facts, lang),
            listed,
        ]);
    }
    let (shown, total) = (page.sites.len(), page.total_size);
    let least = if page.total_is_partial { lang.pick("至少 ", "at least ") } else { "" };
    let mut out = lang.pick(
        format!("{lines}\n显示 {shown} 个，共 {least}{total} 个\n"),
        format!("{lines}\n{shown} of {least}{total} sites\n"),
    );
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_site_stands() {
        let site = pb::Site {
            name: "agreements/0/sites/0123456789abcdef0123456789abcdef".to_owned(),
            city: 130_400,
            facts: Some(pb::SiteFacts { closed: true, tier: 1, ..Default::default() }),
            record: Some(pb::SiteRecord { name: "示例\u{1b}[2J".into(), ..Default::default() }),
            listing: Some(pb::SiteListed::default()),
            listed_today: true,
            ..pb::Site::default()
        };
        let page = pb::ListSitesResponse {
            sites: vec![site],
            total_size: 7,
            next_page_token: "t".into(),
            ..Default::default()
        };
        let text = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        for part in ["01234567 ", "邯郸", "重点，已关停", "有效", "共 7 个", "--page-token t"]
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}

//! `liandong site new` and `change`.

use clap::Args;
use tonic::Response;

use super::{done, medium, name, permit, read, tier};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name as agreements};
use crate::cli::failure::Failure;
use crate::domain::CountyCode;
use crate::wire::pb::v1 as pb;

/// What can be said of a site.
#[derive(Args, Debug, Default, Clone)]
pub struct Said {
    /// 企业名称 · name of the enterprise
    #[arg(long)]
    pub name: Option<String>,
    /// 统一社会信用代码 · credit code
    #[arg(long)]
    pub uscc: Option<String>,
    /// 所在县（市、区）代码 · county code
    #[arg(long, value_name = "CODE", value_parser = county)]
    pub county: Option<u32>,
    /// 类别：重点、一般、特殊 · pool: key, general, special
    #[arg(long, value_parser = tier)]
    pub tier: Option<pb::SiteTier>,
    /// 污染要素，可多个，以逗号隔开 · what it may pollute, joined by commas
    #[arg(long, value_delimiter = ',', value_parser = medium)]
    pub medium: Vec<pb::Medium>,
    /// 排污许可管理类别 · how its discharge is permitted
    #[arg(long, value_parser = permit)]
    pub permit_kind: Option<pb::PermitKind>,
    /// 排污许可证编号 · permit number
    #[arg(long)]
    pub permit_number: Option<String>,
    /// 行业代码，如 C2221 · trade, GB/T 4754
    #[arg(long)]
    pub industry: Option<String>,
    /// 经度（CGCS2000） · longitude
    #[arg(long, requires = "lat")]
    pub lon: Option<String>,
    /// 纬度（CGCS2000） · latitude
    #[arg(long, requires = "lon")]
    pub lat: Option<String>,
    /// 坐标系 · reference system of the coordinates
    #[arg(long, default_value = "EPSG:4490")]
    pub crs: String,
    /// 地址 · address
    #[arg(long)]
    pub address: Option<String>,
    /// 已关停 · it is shut
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    pub closed: Option<bool>,
    /// 同一企业在本协议中的另一厂区 · another plant of an enterprise that is here already
    #[arg(long)]
    pub another_plant: bool,
}

fn county(text: &str) -> Result<u32, String> {
    CountyCode::parse(text).map(CountyCode::as_u32).map_err(|wrong| wrong.to_string())
}

impl Said {
    /// Puts what was said in the place of what is there.
    fn put(&self, facts: &mut pb::SiteFacts, record: &mut pb::SiteRecord) {
        let set = |to: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                to.clone_from(given);
            }
        };
        set(&mut record.name, &self.name);
        set(&mut record.uscc, &self.uscc);
        set(&mut record.permit_number, &self.permit_number);
        set(&mut record.industry_code, &self.industry);
        if self.address.is_some() || self.lon.is_some() {
            let location = record.location.get_or_insert_default();
            set(&mut location.address, &self.address);
            set(&mut location.longitude, &self.lon);
            set(&mut location.latitude, &self.lat);
            if self.lon.is_some() {
                location.crs.clone_from(&self.crs);
            }
        }
        facts.county_code = self.county.unwrap_or(facts.county_code);
        facts.tier = self.tier.map_or(facts.tier, i32::from);
        facts.permit_kind = self.permit_kind.map_or(facts.permit_kind, i32::from);
        facts.closed = self.closed.unwrap_or(facts.closed);
        if !self.medium.is_empty() {
            facts.media = self.medium.iter().copied().map(i32::from).collect();
        }
    }
}

/// Arguments of a new site.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// What it is.
    #[command(flatten)]
    pub said: Said,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Registers one.
///
/// # Errors
/// [`Failure`] when the node refuses; when the answer was lost it names the flags for a safe retry.
pub async fn run(session: &Session, args: NewArgs) -> Result<(), Failure> {
    let (mut facts, mut record) = (pb::SiteFacts::default(), pb::SiteRecord::default());
    args.said.put(&mut facts, &mut record);
    let request = pb::CreateSiteRequest {
        parent: agreements::agreement(session, args.agreement.as_deref()).await?,
        facts: Some(facts),
        record: Some(record),
        another_plant: args.said.another_plant,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
        validate_only: false,
    };
    let request_id = request.request_id.clone();
    let answer = session.client.sites().create_site(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.site, done.receipt)))
}

/// Arguments of a change.
#[derive(Args, Debug)]
pub struct ChangeArgs {
    /// 检查对象：编号前几位、信用代码或全名 · the beginning of its id, its credit code or its name
    #[arg(value_name = "SITE")]
    pub site: String,
    /// 所依据的版本（默认现取） · etag the change rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// What changes; what is not given stays.
    #[command(flatten)]
    pub said: Said,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Changes one: what is not given stays as it is.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn change(session: &Session, args: ChangeArgs) -> Result<(), Failure> {
    let found = read(session, &name(session, &args.site).await?).await?;
    let mut facts = found.facts.unwrap_or_default();
    let mut record = found.record.unwrap_or_default();
    args.said.put(&mut facts, &mut record);
    let request = pb::UpdateSiteRequest {
        name: found.name,
        etag: args.etag.unwrap_or(found.etag),
        facts: Some(facts),
        record: Some(record),
        another_plant: args.said.another_plant,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.sites().update_site(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.site, done.receipt)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let mut facts = pb::SiteFacts {
            county_code: 371_522,
            media: vec![pb::Medium::Water.into()],
            closed: true,
            ..pb::SiteFacts::default()
        };
        let mut record =
            pb::SiteRecord { name: "示例纸业".into(), ..pb::SiteRecord::default() };
        let said = Said {
            tier: Some(pb::SiteTier::Key),
            address: Some("莘县".into()),
            closed: Some(false),
            ..Said::default()
        };
        said.put(&mut facts, &mut record);
        assert_eq!(
            (facts.county_code, facts.tier(), facts.media.len()),
            (371_522, pb::SiteTier::Key, 1)
        );
        assert!(!facts.closed);
        assert_eq!(record.name, "示例纸业");
        let location = record.location.unwrap();
        assert_eq!((location.address.as_str(), location.crs.as_str()), ("莘县", ""));
    }
}

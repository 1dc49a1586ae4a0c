//! Words for sites, positive lists and checks.

use super::short;
use crate::domain::site::{
    CheckMode, LeftOut, ListingStatus, MonitoringKind, PermitKind, RemovalBasis, SiteTier,
    VisitException,
};
use crate::domain::{Invalid, Words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// The word of a code, and reading a code from its word in either language or its name.
macro_rules! words {
    ($(
        $(#[$meta:meta])* $word:ident $parse:ident = $list:ident $prefix:literal $unset:expr;
    )+) => {$(
        $(#[$meta])*
        #[must_use]
        pub fn $word(one: pb::$list, lang: Lang) -> &'static str {
            match $list::parse(short(one.as_str_name(), $prefix)) {
                Ok(known) => lang.pick(known.zh(), known.en()),
                Err(_) => lang.pick($unset.0, $unset.1),
            }
        }

        #[doc = concat!("Reads what [`", stringify!($word), "`] writes, or the code.")]
        ///
        /// # Errors
        /// [`Invalid`] for anything else.
        pub fn $parse(text: &str) -> Result<pb::$list, Invalid> {
            let is = |one: &&$list| one.zh() == text || one.en().eq_ignore_ascii_case(text);
            let code = match $list::ALL.iter().find(is) {
                Some(one) => *one,
                None => $list::parse(&text.to_ascii_uppercase().replace('-', "_"))?,
            };
            let name = format!("{}{}", $prefix, code.code());
            let unknown = crate::domain::InvalidReason::CodeUnknown;
            pb::$list::from_str_name(&name).ok_or_else(|| unknown.into())
        }
    )+};
}

words! {
    /// In which pool a site is.
    site_tier parse_tier = SiteTier "SITE_TIER_" ("未填", "not given");
    /// How its discharge is permitted.
    permit_kind parse_permit = PermitKind "PERMIT_KIND_" ("未填", "not given");
    /// Where a site stands on the positive list.
    listing_status parse_status = ListingStatus "LISTING_STATUS_" ("未填", "not given");
    /// Why a site is taken off it.
    removal_basis parse_removal = RemovalBasis "REMOVAL_BASIS_" ("未填", "not given");
    /// By what a site is watched from afar.
    monitoring_kind parse_monitoring = MonitoringKind "MONITORING_KIND_" ("未填", "not given");
    /// How a check is made.
    check_mode parse_mode = CheckMode "CHECK_MODE_" ("未填", "not given");
    /// Why a site is visited all the same.
    visit_exception parse_exception = VisitException "VISIT_EXCEPTION_" ("无", "none");
}

/// Why a site is left out.
#[must_use]
pub fn left_out(one: pb::LeftOut, lang: Lang) -> &'static str {
    match LeftOut::parse(short(one.as_str_name(), "LEFT_OUT_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("无", "nothing"),
    }
}

/// What comes of asking whether a site may be visited.
#[must_use]
pub fn visit_verdict(one: pb::VisitVerdict, lang: Lang) -> &'static str {
    match one {
        pb::VisitVerdict::Unspecified => lang.pick("未知", "unknown"),
        pb::VisitVerdict::Fine => lang.pick("可以安排", "may be visited"),
        pb::VisitVerdict::Excepted => lang.pick("有例外情形，可以安排", "may be visited, excepted"),
        pb::VisitVerdict::LeftOut => lang.pick("不予安排", "left out"),
    }
}

/// What was said of a site.
#[must_use]
pub fn site_word(one: pb::SiteWordKind, lang: Lang) -> &'static str {
    match one {
        pb::SiteWordKind::Unspecified => lang.pick("未知事项", "unknown"),
        pb::SiteWordKind::Changed => lang.pick("修改登记", "changed"),
        pb::SiteWordKind::Listed => lang.pick("正面清单", "positive list"),
        pb::SiteWordKind::Checked => lang.pick("检查", "check"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_sites_are_read_by_each_of_their_names() {
        for text in ["重点", "key", "KEY"] {
            assert_eq!(parse_tier(text), Ok(pb::SiteTier::Key), "{text}");
        }
        for text in ["非现场监管发现线索", "off-site-clue"] {
            assert_eq!(parse_exception(text), Ok(pb::VisitException::OffSiteClue), "{text}");
        }
        assert!(parse_exception("无").is_err());
        assert_eq!(visit_exception(pb::VisitException::Unspecified, Lang::Zh), "无");
    }
}

//! Why the domain says no to what is said of a site.

use super::Line;
use tonic::Code::{Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, PermissionDenied};

/// Sites, positive lists, checks.
#[rustfmt::skip]
pub(super) const SITES: &[Line] = &[
    ("SITE_INVALID", InvalidArgument,
        "检查对象不在本市辖区，或登记内容不合规定，请核对",
        "the site is of another area, or its facts or its listing do not fit; check them"),
    ("NOT_SITE_CITY", PermissionDenied,
        "检查对象在另一城市辖区，请由该市登记、修改",
        "the site stands in the area of another city, which registers and changes it"),
    ("COUNTY_NOT_OWN", InvalidArgument,
        "县级区划代码不在本市辖区，检查对象由所在地的市登记",
        "the county is not in the own area; the city where the site stands registers it"),
    ("SITE_KNOWN", AlreadyExists,
        "这一信用代码在本协议中已登记（{site}）；确是同一企业另一厂区的，请注明",
        "the credit code is that of site {site}; change it, or say that this is another plant"),
    ("SITE_CHANGED", Aborted,
        "检查对象在此期间已有修改，请重新查看后再决定",
        "the site has moved on to {current}; read it again, then decide"),
    ("LISTING_DATES", InvalidArgument,
        "正面清单到期日期早于列入日期，请核对",
        "the last day on the list is before the first; check both"),
    ("REMOVAL_BASIS", InvalidArgument,
        "移出正面清单须填写原因，其他情形不填",
        "the basis of a removal is given exactly when a site is removed"),
    ("CHECK_IN_FUTURE", InvalidArgument,
        "检查日期晚于今天，检查结束后再登记",
        "the check lies after today; record it once it was made"),
    ("CHECK_TOO_OLD", InvalidArgument,
        "只登记上年1月1日以来的检查，请核对日期",
        "checks are recorded since 1 January of last year; check the day"),
    ("CHECK_PLAN_UNKNOWN", InvalidArgument,
        "属于联合检查计划的检查请在计划中报告结果，此处计划编号请留空",
        "a check of a plan is reported in the plan; leave the plan out here"),
    ("LISTING_BEGINS_LATER", InvalidArgument,
        "现有清单仍有效，续期请保留原列入日期，只改到期日期",
        "the site is on the list today; keep the first day, move the last"),
    ("SITE_PLANTS", FailedPrecondition,
        "这一信用代码在本协议中登记的检查对象已达 {most} 个，请核对信用代码",
        "the credit code has {most} sites in this agreement already; check it"),
    ("SITE_CLOSED", FailedPrecondition,
        "该对象已关停，不安排现场检查；恢复生产的请先修改登记，有例外情形的请注明",
        "the site is closed; change its facts if it works again, or name an exception"),
    ("SITE_ON_POSITIVE_LIST", FailedPrecondition,
        "该企业在正面清单内，一般不开展现场检查（2021年4月正面清单指导意见，原文未核对）；可开展非现场检查，\
        有例外情形的请注明",
        "the site is on the positive list (guideline of April 2021, its text was not at \
        hand); check it off site, or name an exception"),
    ("SITE_CAPPED", FailedPrecondition,
        "该企业本年度现场检查已达频次上限（国办发〔2024〕54号）；可开展非现场检查，\
        有例外情形的请注明",
        "the yearly cap of checks on site is reached (document 54 of 2024 of the State \
        Council's office); check it off site, or name an exception"),
];

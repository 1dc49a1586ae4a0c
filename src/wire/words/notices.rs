//! Words for notices.

use super::short;
use crate::domain::Words;
use crate::domain::notice::{NoticeKind, NoticeLevel};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What a notice is about.
#[must_use]
pub fn notice_kind(one: pb::NoticeKind, lang: Lang) -> &'static str {
    match NoticeKind::parse(short(one.as_str_name(), "NOTICE_KIND_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知通报", "unknown notice"),
    }
}

/// How grave an emergency is; empty for a notice without a level.
#[must_use]
pub fn notice_level(one: pb::NoticeLevel, lang: Lang) -> &'static str {
    let known = match one {
        pb::NoticeLevel::Unspecified => return "",
        pb::NoticeLevel::One => NoticeLevel::One,
        pb::NoticeLevel::Two => NoticeLevel::Two,
        pb::NoticeLevel::Three => NoticeLevel::Three,
        pb::NoticeLevel::Four => NoticeLevel::Four,
    };
    lang.pick(known.zh(), known.en())
}

/// Which notices a list shows.
#[must_use]
pub fn notice_filter(one: pb::NoticeFilter, lang: Lang) -> &'static str {
    match one {
        pb::NoticeFilter::Unspecified => lang.pick("全部", "all"),
        pb::NoticeFilter::Awaiting => lang.pick("待本市签收", "waiting for this city"),
        pb::NoticeFilter::Issued => lang.pick("本市发出", "issued by this city"),
        pb::NoticeFilter::Unacknowledged => {
            lang.pick("本市发出、尚有未签收", "issued by this city, not acknowledged by all")
        }
    }
}

/// Whether this city has the text of a notice.
#[must_use]
pub fn notice_text(one: pb::NoticeTextState, lang: Lang) -> &'static str {
    match one {
        pb::NoticeTextState::Unspecified => lang.pick("正文读取不到", "cannot be read"),
        pb::NoticeTextState::Here => lang.pick("正文已收到", "here"),
        pb::NoticeTextState::NotForUs => lang.pick("这份通报不是发给本市的", "not for this city"),
        pb::NoticeTextState::OnItsWay => {
            lang.pick("正文还在传送，收到后方可签收", "on its way; it can be acknowledged then")
        }
        pb::NoticeTextState::Erased => lang.pick("正文已依法删除", "erased"),
    }
}

/// How far a notice has got with a city that is not known to hold it; `here` says that it is the
/// own one, and what it says can be read.
#[must_use]
pub fn not_held(one: &pb::NoticeRecipient, here: bool, lang: Lang) -> &'static str {
    match (here, one.hold_unknown) {
        (true, _) => lang.pick("正文已收到", "here"),
        (false, true) => lang.pick("尚不知是否送达", "not known to have it yet"),
        (false, false) => lang.pick("尚未送达", "has not arrived"),
    }
}

/// What was said of a notice.
#[must_use]
pub fn report_kind(one: pb::NoticeReportKind, lang: Lang) -> &'static str {
    match one {
        pb::NoticeReportKind::Unspecified => lang.pick("未知事项", "unknown"),
        pb::NoticeReportKind::Acknowledged => lang.pick("签收", "acknowledged"),
        pb::NoticeReportKind::Reported => lang.pick("续报或反馈", "news"),
        pb::NoticeReportKind::Ended => lang.pick("解除", "ended"),
    }
}

/// Reads a kind by its code, such as `EMERGENCY`, or by either of its words.
#[must_use]
pub fn parse_notice_kind(text: &str) -> Option<pb::NoticeKind> {
    let code = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
    let known = NoticeKind::ALL.iter().find(|one| {
        one.code() == code || one.zh() == text.trim() || one.en().eq_ignore_ascii_case(text.trim())
    })?;
    pb::NoticeKind::from_str_name(&format!("NOTICE_KIND_{}", known.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_each_of_its_names() {
        for one in NoticeKind::ALL {
            let found = [one.code(), one.zh(), one.en()].map(parse_notice_kind);
            let [Some(first), ..] = found else { panic!("{}", one.code()) };
            assert_eq!(found, [Some(first); 3]);
            assert_eq!(notice_kind(first, Lang::Zh), one.zh());
        }
        assert_eq!(parse_notice_kind("移送"), None);
        assert_eq!(notice_kind(pb::NoticeKind::Unspecified, Lang::Zh), "未知通报");
        let levels = [pb::NoticeLevel::One, pb::NoticeLevel::Two, pb::NoticeLevel::Three];
        let words = levels.map(|level| notice_level(level, Lang::Zh));
        assert_eq!(words, ["Ⅰ级", "Ⅱ级", "Ⅲ级"]);
    }
}

//! The columns of a sheet: headings in both languages, where a value stands in the sample shape,
//! and what kind of cell it is.
//!
//! In scope: one table, and the words that stand for codes. Out of scope: reading and writing.

use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What kind of value the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text as it is.
    Text,
    /// A number that is a name, which spreadsheets spoil.
    Id,
    /// A day.
    Date,
    /// An instant.
    Time,
    /// A code with a word for it.
    Code(Codes),
    /// 是 or 否.
    YesNo,
    /// A city: its name and its code.
    City,
    /// Officers: certificate and unit, joined by `；`.
    Officers,
    /// A list or object as JSON, in the sample shape.
    Json,
    /// Only shown: import passes it over.
    Shown,
}

/// Lists of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// 线索来源.
    Source,
    /// 污染要素.
    Medium,
    /// 违法类型.
    Violation,
    /// 当事人类型.
    Party,
    /// 数据级别.
    Level,
    /// 状态; only shown.
    State,
}

/// One column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading in Chinese.
    pub zh: &'static str,
    /// Heading in English.
    pub en: &'static str,
    /// Path in the sample shape.
    pub path: &'static str,
    /// Path in the messages of the API, by which a node names a field.
    pub message: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    /// A row without it is refused.
    pub required: bool,
}

const fn column(
    zh: &'static str,
    en: &'static str,
    path: &'static str,
    message: &'static str,
    kind: Kind,
) -> Column {
    Column { zh, en, path, message, kind, required: false }
}

const fn required(column: Column) -> Column {
    Column { required: true, ..column }
}

/// All columns, in the order of an export.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    column("编号", "number", "case_id", "number", Kind::Id),
    column("联动协议", "agreement", "agreement", "parent", Kind::Text),
    column("状态", "state", "state", "", Kind::Code(Codes::State)),
    column("首报市", "reported by", "originating_city", "", Kind::City),
    column("承办市", "handled by", "handling_city", "", Kind::City),
    column("办理权", "turn", "turn_city", "", Kind::City),
    column("最近办理日期", "last legal date", "last_effective_on", "", Kind::Shown),
    column("仅存本市记录数", "entries held only here", "only_here", "", Kind::Shown),
    column("未生效操作数", "entries without effect", "misfit_count", "", Kind::Shown),
    column("专项行动", "campaigns", "campaigns", "", Kind::Shown),
    column("自有系统", "own system", "external_ref.system", "external_ref.system", Kind::Text),
    column("自有系统编号", "number in own system", "external_ref.number", "external_ref.number",
        Kind::Id),
    column("登记日期", "reported on", "reported_on", "effective_on", Kind::Date),
    required(column("案由", "title", "title", "record.title", Kind::Text)),
    column("简要情况", "summary", "summary_zh", "record.summary", Kind::Text),
    required(column("线索来源", "source", "source", "facts.source", Kind::Code(Codes::Source))),
    required(column("污染要素", "medium", "medium", "facts.medium", Kind::Code(Codes::Medium))),
    required(column("违法类型", "violation", "violation_code", "facts.violation",
        Kind::Code(Codes::Violation))),
    required(column("发现时间", "discovered at", "discovered_at", "facts.discover_time_ms",
        Kind::Time)),
    column("违法行为起始日", "occurred from", "occurred_from", "facts.occurred_from", Kind::Date),
    column("违法行为终止日", "occurred to", "occurred_to", "facts.occurred_to", Kind::Date),
    column("县级代码", "county code", "location.county_code", "facts.county_code", Kind::Id),
    column("经度", "longitude", "location.lon", "record.location.longitude", Kind::Text),
    column("纬度", "latitude", "location.lat", "record.location.latitude", Kind::Text),
    column("坐标系", "coordinate system", "location.crs", "record.location.crs", Kind::Text),
    column("地址", "address", "location.address_zh", "record.location.address", Kind::Text),
    column("当事人类型", "party type", "party.type", "record.party.type", Kind::Code(Codes::Party)),
    column("当事单位名称", "party name", "party.name", "record.party.name", Kind::Text),
    column("统一社会信用代码", "credit code", "party.uscc", "record.party.uscc", Kind::Id),
    column("当事人（隐名）", "masked name", "party.masked_name", "record.party.masked_name",
        Kind::Text),
    column("行业代码", "industry code", "party.industry_code", "record.party.industry_code",
        Kind::Id),
    column("排污许可证编号", "permit number", "party.permit_no", "record.party.permit_number",
        Kind::Id),
    column("正面清单", "positive list", "party.positive_list", "record.party.positive_list",
        Kind::YesNo),
    column("数据级别", "data level", "data_level", "facts.data_level", Kind::Code(Codes::Level)),
    column("立案号", "case file number", "case_no", "record.case_file_number", Kind::Id),
    column("执法人员", "officers", "officers", "record.officers", Kind::Officers),
    column("污染物", "pollutants", "pollutants", "record.pollutants", Kind::Json),
    column("法律依据", "legal bases", "legal_basis", "record.legal_bases", Kind::Json),
    column("法律适用说明", "choice of law", "law_choice_zh", "record.law_choice", Kind::Text),
    column("证据", "evidence", "evidence", "record.evidence", Kind::Json),
    column("处罚", "penalty", "penalty", "record.penalty", Kind::Json),
    column("边界范围外共享理由", "reason outside the belt", "belt_reason", "record.belt_reason",
        Kind::Text),
    column("自然人姓名", "person", "person.name", "person.name", Kind::Text),
    column("身份证件号码", "id number", "person.id_number", "person.id_number", Kind::Id),
    column("联系电话", "telephone", "person.phone", "person.phone", Kind::Id),
    column("住址", "home address", "person.address", "person.address", Kind::Text),
];

impl Column {
    /// Its heading.
    #[must_use]
    pub fn heading(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    /// Import reads it.
    #[must_use]
    pub fn is_read(&self) -> bool {
        match self.kind {
            Kind::Shown | Kind::Code(Codes::State) => false,
            // Whose case it is; who handles it now is for the record to say.
            Kind::City => self.path == "originating_city",
            Kind::Text
            | Kind::Id
            | Kind::Date
            | Kind::Time
            | Kind::Code(_)
            | Kind::YesNo
            | Kind::Officers
            | Kind::Json => true,
        }
    }

    /// The column with this heading, in either language, or with this path.
    #[must_use]
    pub fn named(text: &str) -> Option<&'static Self> {
        let text = text.trim();
        COLUMNS
            .iter()
            .find(|one| one.zh == text || one.en.eq_ignore_ascii_case(text) || one.path == text)
    }

    /// The column of a field, by its path in the sample shape or in the API; of an item of a list,
    /// the column of the list.
    #[must_use]
    pub fn of_field(field: &str) -> Option<&'static Self> {
        let is = |path: &str| {
            !path.is_empty()
                && field
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        let by = |of: fn(&Self) -> &'static str| COLUMNS.iter().find(|one| is(of(one)));
        by(|one| one.message).or_else(|| by(|one| one.path))
    }
}

impl Codes {
    /// Every code of the list with its word, as `(CODE, word)`.
    #[must_use]
    pub fn all(self, lang: Lang) -> Vec<(&'static str, &'static str)> {
        macro_rules! list {
            ($kind:ident, $prefix:literal, $word:expr) => {
                (1..)
                    .map_while(|number| pb::$kind::try_from(number).ok())
                    .map(|one| (words::short(one.as_str_name(), $prefix), $word(one, lang)))
                    .collect()
            };
        }
        match self {
            Self::Source => list!(Source, "SOURCE_", words::source),
            Self::Medium => list!(Medium, "MEDIUM_", words::medium),
            Self::Violation => list!(Violation, "VIOLATION_", words::violation),
            Self::Party => list!(PartyType, "PARTY_TYPE_", words::party_type),
            Self::Level => list!(DataLevel, "DATA_LEVEL_", words::data_level),
            Self::State => list!(CaseState, "CASE_STATE_", words::state),
        }
    }

    /// The code for a word in either language, or for itself.
    #[must_use]
    pub fn code(self, text: &str) -> Option<&'static str> {
        let all = self.all(Lang::Zh).into_iter().chain(self.all(Lang::En));
        let mut all = all.filter(|(code, word)| {
            code.eq_ignore_ascii_case(text) || word.eq_ignore_ascii_case(text)
        });
        all.next().map(|(code, _)| code)
    }

    /// The word for a code; the code when there is none.
    #[must_use]
    pub fn word(self, code: &str, lang: Lang) -> String {
        let found = self.all(lang).into_iter().find(|(known, _)| *known == code);
        found.map_or(code, |(_, word)| word).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_heading_and_word_means_one_thing() {
        let count = COLUMNS.len();
        assert!(count < crate::limits::IMPORT_COLUMNS_MAX);
        for of in [|c: &Column| c.zh, |c: &Column| c.en, |c: &Column| c.path] {
            assert_eq!(COLUMNS.iter().map(of).collect::<BTreeSet<_>>().len(), count);
        }
        for codes in [
            Codes::Source,
            Codes::Medium,
            Codes::Violation,
            Codes::Party,
            Codes::Level,
            Codes::State,
        ] {
            for lang in [Lang::Zh, Lang::En] {
                for (code, word) in codes.all(lang) {
                    assert_eq!(codes.code(word), Some(code), "{word}");
                    assert_eq!(codes.code(code), Some(code));
                    assert_eq!(codes.word(code, lang), word);
                }
            }
            assert_eq!(codes.code("无此"), None);
        }
    }

    #[test]
    fn fields_lead_to_their_columns() {
        let heading = |field| Column::of_field(field).map(|column| column.zh);
        assert_eq!(heading("record.party.uscc"), Some("统一社会信用代码"));
        assert_eq!(heading("record.officers[1].unit"), Some("执法人员"));
        assert_eq!(heading("violation_code"), Some("违法类型"));
        assert_eq!(heading("location.county_code"), Some("县级代码"));
        assert_eq!(heading("record.titles"), None);
    }
}

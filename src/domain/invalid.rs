//! What is wrong with a value somebody typed or sent, field by field.
//!
//! Every `parse_` of this module ends in a value that cannot be wrong or in an [`Invalid`]. The
//! reason is stable and meant for programs; its words are meant for the person at the form.

use super::code::{Language, Words, coded};

/// One field that cannot be taken as it is. Nothing was changed; correct it and send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", .field.as_ref().map_or_else(String::new, |f| format!("{f}: ")), .reason.en())]
pub struct Invalid {
    /// Path of the field from the record down, such as `evidence[2].sha256`; `None` while it is
    /// not known where the value came from.
    pub field: Option<String>,
    /// Why.
    pub reason: InvalidReason,
    /// The limit that was passed, where there is one, in the unit the reason speaks of.
    pub limit: Option<u64>,
}

impl Invalid {
    /// The same complaint with a limit, for reasons that have one.
    #[must_use]
    pub fn with_limit(reason: InvalidReason, limit: usize) -> Self {
        Self { field: None, reason, limit: u64::try_from(limit).ok() }
    }

    /// Names the field; called again further out, it puts the outer name in front.
    #[must_use]
    pub fn at(mut self, outer: &str) -> Self {
        self.field = Some(match self.field {
            Some(inner) => format!("{outer}.{inner}"),
            None => outer.to_owned(),
        });
        self
    }

    /// The stable reason, such as `USCC_CHECK`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason.code()
    }

    /// A sentence for the person who typed the value, with the limit where there is one.
    #[must_use]
    pub fn explain(&self, language: Language) -> String {
        let text = self.reason.word(language);
        match (language, self.limit) {
            (_, None) => text.to_owned(),
            (Language::Zh, Some(limit)) => format!("{text}（上限 {limit}）"),
            (Language::En, Some(limit)) => format!("{text} (limit {limit})"),
        }
    }
}

impl From<InvalidReason> for Invalid {
    fn from(reason: InvalidReason) -> Self {
        Self { field: None, reason, limit: None }
    }
}

coded! {
    /// Why a value cannot be taken.
    InvalidReason {
        Required "REQUIRED" "此项必填" "this field is required";
        CodeUnknown "CODE_UNKNOWN" "代码不在代码表中" "code is not in the code list";
        Duplicate "DUPLICATE" "同一项填写了两次" "the same item is given twice";
        ListTooLong "LIST_TOO_LONG" "条目过多" "list has too many items";
        RecordTooLarge "RECORD_TOO_LARGE" "案件内容过大，较长材料请作为证据文件上传"
            "record is too large, send long material as an evidence file";
        DateFormat "DATE_FORMAT" "日期应写作 2026-01-31 的形式" "date must look like 2026-01-31";
        DateRange "DATE_RANGE" "没有这一天，或年份不在 1900 至 2199 之间"
            "no such day, or the year is not between 1900 and 2199";
        DatesOrder "DATES_ORDER" "开始日期晚于结束日期" "first date is after the last date";
        TextEmpty "TEXT_EMPTY" "内容为空" "text is empty";
        TextTooLong "TEXT_TOO_LONG" "文字过长，以字节计，一个汉字三字节"
            "text is too long, counted in bytes, three for a Chinese character";
        TextControl "TEXT_CONTROL" "含有不可见的控制字符" "text has invisible control characters";
        TextBidi "TEXT_BIDI" "含有改变文字方向的字符" "text has characters that change its direction";
        TextLineBreak "TEXT_LINE_BREAK" "此项只能写一行" "this field takes one line only";
        UsccLength "USCC_LENGTH" "统一社会信用代码应为 18 位"
            "unified social credit code must have 18 characters";
        UsccStart "USCC_START" "统一社会信用代码至少填写前 8 位"
            "give at least the first 8 characters of the credit code";
        UsccAlphabet "USCC_ALPHABET"
            "统一社会信用代码只能用数字和大写字母，不用 I、O、S、V、Z，第 3 至 8 位为数字"
            "credit code takes digits and letters but I, O, S, V, Z; places 3 to 8 are digits";
        UsccOrgCheck "USCC_ORG_CHECK" "第 9 至 17 位主体标识码的校验位不对，请核对是否录错"
            "check digit of the organisation code (places 9 to 17) is wrong, look for a slip";
        UsccCheck "USCC_CHECK" "统一社会信用代码末位校验码不对，请核对是否录错"
            "last check digit of the credit code is wrong, look for a typing error";
        CountyCode "COUNTY_CODE" "县级区划代码应为 6 位数字，且精确到县（市、区）"
            "county code must be six digits down to county level";
        CoordinateFormat "COORDINATE_FORMAT" "经纬度应为十进制度数，如 115.137564"
            "coordinates must be decimal degrees such as 115.137564";
        CoordinatePrecision "COORDINATE_PRECISION" "经纬度小数最多 7 位"
            "coordinates have at most 7 decimals";
        CoordinateRange "COORDINATE_RANGE" "坐标不在我国大陆范围内"
            "coordinates are outside mainland China";
        LonLatSwapped "LON_LAT_SWAPPED" "经度和纬度似乎填反了"
            "longitude and latitude seem to be swapped";
        CrsGcj02 "CRS_GCJ02" "这是火星坐标（GCJ-02，高德、腾讯地图），偏移约 500 米，请换用 CGCS2000 坐标"
            "GCJ-02 coordinates (Amap, Tencent) are off by some 500 m, use CGCS2000";
        CrsBd09 "CRS_BD09" "这是百度坐标（BD-09），偏移可达上千米，请换用 CGCS2000 坐标"
            "BD-09 coordinates (Baidu) are off by up to a kilometre, use CGCS2000";
        CrsUnsupported "CRS_UNSUPPORTED" "只接受 CGCS2000（EPSG:4490）坐标"
            "only CGCS2000 (EPSG:4490) coordinates are taken";
        DecimalFormat "DECIMAL_FORMAT" "数值应写作 12.5 的形式，不带正号、指数和多余的零"
            "number must look like 12.5, without plus sign, exponent or leading zeros";
        DecimalLength "DECIMAL_LENGTH" "数值过长" "number is too long";
        MoneyFormat "MONEY_FORMAT" "金额以元为单位，小数最多两位，如 286000 或 286000.50"
            "amount is in yuan with at most two decimals, such as 286000 or 286000.50";
        MoneyRange "MONEY_RANGE" "金额为负或过大" "amount is negative or too large";
        NameNotMasked "NAME_NOT_MASKED" "自然人姓名须隐去，如“张某某”“某村民”，不得含数字"
            "a natural person's name must be masked, such as 张某某 or 某村民, without digits";
        CertNo "CERT_NO" "执法证号应为 8 至 20 位数字或大写字母"
            "officer certificate number must be 8 to 20 digits or capital letters";
        PollutantCode "POLLUTANT_CODE" "污染物编码应如 w01018、a21026，噪声如 Leq"
            "pollutant code must look like w01018 or a21026, or Leq for noise";
        UnitUnknown "UNIT_UNKNOWN" "计量单位不在单位表中" "unit is not in the list of units";
        ArticleFormat "ARTICLE_FORMAT" "法条应为条号数字，如 1107，“之一”写作 338-1"
            "article must be a number such as 1107, or 338-1 for an inserted article";
        ArticleUnknown "ARTICLE_UNKNOWN" "这部法律没有这一条" "this law has no such article";
        LawRepealed "LAW_REPEALED" "行为开始时该法已经废止，确须适用的请在法律适用说明中写明理由"
            "this law was repealed before the act began; if it applies, say why in law_choice";
        Digest "DIGEST" "摘要应为 64 位小写十六进制" "digest must be 64 lower-case hexadecimal digits";
        Mime "MIME" "文件类型应写作 application/pdf 的形式"
            "media type must look like application/pdf";
        FileSize "FILE_SIZE" "文件为空或过大" "file is empty or too large";
        BadFilename "BAD_FILENAME"
            "文件名不合规：不要带路径、不可见字符、系统保留名，首尾不要有空格或点"
            "not a plain file name: no folders, invisible characters, reserved names, outer dots";
        LevelSecret "LEVEL_SECRET" "不交换级内容不得进入交换系统，请在本市系统办理"
            "content that must not be exchanged cannot be put here, keep it in the own system";
        IndustryCode "INDUSTRY_CODE" "行业代码应为门类字母加 2 至 4 位数字，如 C3021"
            "industry code must be a letter and 2 to 4 digits, such as C3021";
        PermitNo "PERMIT_NO" "排污许可证编号应为 18 位信用代码加 3 位数字和 1 位校验码"
            "permit number must be a credit code, three digits and one character";
        FineMismatch "FINE_MISMATCH" "处罚种类与罚款金额不一致：有罚款必填金额，无罚款不填"
            "an amount is given exactly when the penalty includes a fine";
        HalfDay "HALF_DAY" "半天应写作 2026-07-03上午 或 2026-07-03下午 的形式"
            "half day must look like 2026-07-03 AM or 2026-07-03 PM";
        PeriodTooLong "PERIOD_TOO_LONG" "时段过长，以天计" "period is too long, counted in days";
        OutOfRange "OUT_OF_RANGE" "数值为零或超出允许范围" "number is zero or beyond what is allowed";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code_and_words() {
        for (place, reason) in InvalidReason::ALL.iter().enumerate() {
            assert_eq!(InvalidReason::parse(reason.code()), Ok(*reason));
            assert!(reason.zh().chars().any(|c| c > '\u{2e80}'), "{reason}");
            assert!(reason.en().is_ascii() || reason.en().contains('某'), "{reason}");
            assert!(!reason.en().ends_with('.') && !reason.zh().ends_with('。'), "{reason}");
            let later = InvalidReason::ALL.iter().skip(place + 1);
            assert!(later.clone().all(|other| other.code() != reason.code()), "{reason}");
        }
    }

    #[test]
    fn the_field_grows_from_the_inside_out() {
        let wrong = Invalid::from(InvalidReason::UsccCheck).at("uscc").at("party");
        assert_eq!(wrong.to_string(), format!("party.uscc: {}", InvalidReason::UsccCheck.en()));
        let long = Invalid::with_limit(InvalidReason::TextTooLong, 384);
        assert!(long.explain(Language::Zh).ends_with("（上限 384）"));
    }
}

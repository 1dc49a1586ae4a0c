//! Why a packet, a message or a value does not count. Codes are stable; nothing here can carry a
//! byte of what came in, so that no password gets into a log or a report.

use std::fmt;

use crate::domain::code::coded;

coded! {
    /// Why a packet is not taken; it is not answered, so that the device sends it again.
    Refusal {
        Length "LENGTH" "包头后的长度不是四位数字" "the length is not four digits";
        TooLong "TOO_LONG" "数据段超过上限" "the data segment is over the limit";
        Crc "CRC" "CRC 校验不符" "the CRC does not match";
        Truncated "TRUNCATED" "数据在包中间中断" "the data ends in the middle of a packet";
        NotAscii "NOT_ASCII" "含有非 ASCII 字节（如 GBK 汉字）"
            "holds bytes that are not printable ASCII, such as GBK text";
        Form "FORM" "数据段不是“字段=值”的形式" "the segment is not made of name=value fields";
        NoCp "NO_CP" "缺少 CP=&&…&&" "CP=&&...&& is missing";
        FieldMissing "FIELD_MISSING" "缺少必备字段" "a required field is missing";
        FieldValue "FIELD_VALUE" "字段值不合规定" "a field has a value it may not have";
        FieldTwice "FIELD_TWICE" "字段重复" "a field stands twice";
        Split "SPLIT" "拆分标志与包号不符" "the flag and the numbers of a split packet disagree";
        SplitTooMany "SPLIT_TOO_MANY" "拆分包数超过上限" "more parts than may be joined";
        SplitDiffers "SPLIT_DIFFERS" "拆分包内容互相矛盾" "parts of a packet contradict each other";
        SplitIncomplete "SPLIT_INCOMPLETE" "拆分包没有到齐" "not all parts of a packet came";
        DataTime "DATA_TIME" "DataTime 缺失或不是该类数据的时间"
            "DataTime is missing or no time of such data";
    }
}

coded! {
    /// Why a message that was taken is not judged.
    Passed {
        OtherData "OTHER_DATA" "不是要比对的数据类型" "not of the kinds of data that count";
        NotASource "NOT_A_SOURCE" "不是污染源数据（ST 非 31、32）"
            "not of a pollution source (ST is neither 31 nor 32)";
        UnknownStation "UNKNOWN_STATION" "限值文件中没有该 MN"
            "the station is not in the file of limits";
        InFuture "IN_FUTURE" "数据时间晚于今天" "the data is of a day to come";
    }
}

coded! {
    /// Why a value is not compared with its limit.
    Ignored {
        NoLimit "NO_LIMIT" "未设限值" "no limit is set for it";
        NoFlag "NO_FLAG" "没有数据标记" "has no data flag";
        Fault "FLAG_D" "标记 D：仪器故障" "flag D: instrument fault";
        Maintenance "FLAG_M" "标记 M：维护" "flag M: maintenance";
        Calibration "FLAG_C" "标记 C：校准" "flag C: calibration";
        Stopped "FLAG_F" "标记 F：停运" "flag F: stopped";
        Communication "FLAG_B" "标记 B：通信异常" "flag B: communication";
        Above "FLAG_T" "标记 T：超测定上限" "flag T: over range";
        OtherFlag "FLAG_OTHER" "其他标记" "another flag";
        NoValue "NO_VALUE" "没有所需的值" "the value needed is missing";
        BadValue "BAD_VALUE" "不是数值" "not a number";
        OverRange "OVER_RANGE" "超过量程" "above the range of the instrument";
    }
}

/// A packet that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// Which field of the standard, if it is about one.
    pub field: Option<&'static str>,
    /// The limit that was passed, if there is one.
    pub limit: Option<usize>,
}

impl Refused {
    /// About this field.
    #[must_use]
    pub const fn at(reason: Refusal, field: &'static str) -> Self {
        Self { reason, field: Some(field), limit: None }
    }

    /// Over this limit.
    #[must_use]
    pub const fn over(reason: Refusal, limit: usize) -> Self {
        Self { reason, field: None, limit: Some(limit) }
    }
}

impl From<Refusal> for Refused {
    fn from(reason: Refusal) -> Self {
        Self { reason, field: None, limit: None }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.code())?;
        if let Some(field) = self.field {
            write!(f, " {field}")?;
        }
        if let Some(limit) = self.limit {
            write!(f, " > {limit}")?;
        }
        Ok(())
    }
}

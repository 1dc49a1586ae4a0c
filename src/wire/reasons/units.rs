//! Reasons about units, and about the days on which cities can come.

use tonic::Code::{Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, PermissionDenied};

use super::Line;

/// Reasons about units.
#[rustfmt::skip]
pub(super) const UNITS: &[Line] = &[
    ("UNIT_INVALID", InvalidArgument,
        "执法力量的内容不完整，或没有写明时段，请核对部门、证件有效期和时段",
        "the unit lacks what its kind needs, or no half days are named"),
    ("NOT_UNIT_CITY", PermissionDenied,
        "这是另一城市的执法力量，由该市登记、修改和占用",
        "the unit is of another city, which registers, changes and blocks it"),
    ("UNIT_KNOWN", AlreadyExists,
        "本市在这份协议中已登记同一编号的执法力量，请直接使用，或核对证号、牌号是否录错",
        "this city has a unit of this number in the agreement; use it, or check the number"),
    ("UNIT_CHANGED", Aborted,
        "这项执法力量刚被修改过，请重新查看后再决定是否修改",
        "the unit was changed meanwhile; read it again, then decide"),
    ("UNIT_RETIRED", FailedPrecondition,
        "这项执法力量已停用，无需登记占用；如恢复使用，请先修改",
        "the unit is retired; if it is used again, change it first"),
    ("UNIT_WHOLE_CITY", InvalidArgument,
        "全市日历由节点在首次登记占用时建立，不能另行登记或修改",
        "the calendar of the whole city is opened with its first block, and never changed"),
    ("PERIOD_PAST", InvalidArgument,
        "时段止于今天之前，已过去的日子不必登记，请核对日期",
        "the period ends before today; check the days"),
    ("PERIOD_TOO_FAR", InvalidArgument,
        "时段超出今后 3 年，请核对年份",
        "the period ends more than three years ahead; check the year"),
    ("CITY_NOT_MEMBER", InvalidArgument,
        "{city} 不是这份协议的成员市，请核对行政区划代码",
        "{city} is not a member of this agreement; check its code"),
    ("SLOT_LENGTH", InvalidArgument,
        "行动时长按半天数或整天数填写，只填一项",
        "give the length in half days or in days, and not in both"),
];

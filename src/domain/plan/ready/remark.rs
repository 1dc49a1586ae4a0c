//! What people have to know of a plan, and what is no obstacle to it.
//!
//! In scope: remarks and their words. Out of scope: what stands in the way ([`super::Finding`]).

use super::{Finding, Look};
use crate::domain::code::{Language, Words};
use crate::domain::date::Date;
use crate::domain::half_day::HalfDay;
use crate::domain::plan::PlanStage;
use crate::domain::site::LeftOut;
use crate::ids::{CityCode, SubjectId};

/// Something that is shown beside a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remark {
    /// A city has withheld its part of a draw.
    WithheldBefore {
        /// Which.
        city: CityCode,
    },
    /// A city had not shown its part of a draw when the plan was revised after others had.
    SilentAtRevision {
        /// Which.
        city: CityCode,
    },
    /// A city had not shown its part of a draw when the plan was revised, or at last cancelled,
    /// after others had.
    SilentAtCancel {
        /// Which.
        city: CityCode,
    },
    /// The plan was cancelled after cities had shown their parts of a draw.
    LateCancel,
    /// The plan was revised after cities had shown their parts of a draw.
    LateRevisions {
        /// How often.
        times: u32,
    },
    /// A target because its city withheld, for which the city has nobody who can lead: it is owed.
    Owed {
        /// Which.
        site: SubjectId,
    },
    /// A city may lack officers of its own at sites that are drawn: some keep away from several.
    MayLackLeads {
        /// Which.
        city: CityCode,
        /// When first.
        at: HalfDay,
    },
    /// The own city is bound to a part of a draw that its node cannot show: the node got another
    /// key.
    KeyChanged,
    /// A visit does not take place: what stands against it came after the plan was scheduled.
    VisitStopped {
        /// Which site.
        site: SubjectId,
        /// Why.
        why: LeftOut,
    },
    /// Who was due at a drawn target is not of the team that came.
    DueAbsent {
        /// Which site.
        site: SubjectId,
        /// Who.
        officer: SubjectId,
    },
    /// Of the team that came to a drawn target, who was not due there.
    NotDue {
        /// Which site.
        site: SubjectId,
        /// Who.
        officer: SubjectId,
    },
    /// Who was drawn for a target is not sent by its city any more.
    DrawnNotSent {
        /// Which site.
        site: SubjectId,
        /// Who.
        officer: SubjectId,
    },
    /// Who was drawn for a target was declared to keep away from it since.
    DrawnRecused {
        /// Which site.
        site: SubjectId,
        /// Who.
        officer: SubjectId,
    },
    /// Who has arrived at more visits of a day than the half days of the plan allow.
    AtSeveral {
        /// Who.
        officer: SubjectId,
        /// A site at which the officer cannot have been as well.
        site: SubjectId,
        /// The day.
        on: Date,
    },
    /// A check on site was reported, and nobody is known to have come.
    NoArrival {
        /// Which site.
        site: SubjectId,
    },
    /// A city stands among those that withheld, and has shown that part of the draw all the same.
    ShownAllTheSame {
        /// Which.
        city: CityCode,
    },
}

/// All remarks on a plan.
#[must_use]
pub fn remarks(look: &Look<'_>) -> Vec<Remark> {
    let plan = look.plan;
    let withheld = plan.resting.withheld.iter();
    let mut remarks: Vec<Remark> =
        withheld.map(|city| Remark::WithheldBefore { city: *city }).collect();
    let silent = |city: &CityCode| match plan.late_cancel {
        false => Remark::SilentAtRevision { city: *city },
        true => Remark::SilentAtCancel { city: *city },
    };
    remarks.extend(plan.silent.iter().map(silent));
    remarks.extend(plan.late_cancel.then_some(Remark::LateCancel));
    if plan.late_revisions > 0 {
        remarks.push(Remark::LateRevisions { times: plan.late_revisions });
    }
    if let (Some(rule), PlanStage::Open) = (plan.facts.draw(), plan.stage) {
        remarks.extend(plan.facts.participants().filter_map(|city| {
            look.may_lack_leads(rule, city).map(|at| Remark::MayLackLeads { city, at })
        }));
    }
    let visits = look.visits();
    let defaults: Vec<_> = visits.iter().filter(|one| one.by_default).cloned().collect();
    remarks.extend(look.hosts(&defaults).into_iter().filter_map(|finding| {
        if let Finding::HostShort { site, .. } = finding {
            return Some(Remark::Owed { site });
        }
        None
    }));
    if plan.stage != PlanStage::Open {
        remarks.extend(look.sites(&visits).into_iter().filter_map(|finding| {
            if let Finding::SiteLeftOut { site, why } = finding {
                return Some(Remark::VisitStopped { site, why });
            }
            None
        }));
    }
    remarks
}

impl Remark {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::WithheldBefore { .. } => "WITHHELD_BEFORE",
            Self::SilentAtRevision { .. } => "SILENT_AT_REVISION",
            Self::SilentAtCancel { .. } => "SILENT_AT_CANCEL",
            Self::LateCancel => "LATE_CANCEL",
            Self::LateRevisions { .. } => "LATE_REVISIONS",
            Self::Owed { .. } => "VISIT_OWED",
            Self::MayLackLeads { .. } => "MAY_LACK_LEADS",
            Self::KeyChanged => "NODE_KEY_CHANGED",
            Self::VisitStopped { .. } => "VISIT_STOPPED",
            Self::DueAbsent { .. } => "DUE_ABSENT",
            Self::NotDue { .. } => "NOT_DUE",
            Self::DrawnNotSent { .. } => "DRAWN_NOT_SENT",
            Self::DrawnRecused { .. } => "DRAWN_RECUSED",
            Self::AtSeveral { .. } => "AT_SEVERAL_SITES",
            Self::NoArrival { .. } => "NO_ARRIVAL",
            Self::ShownAllTheSame { .. } => "SHOWN_ALL_THE_SAME",
        }
    }

    /// What is remarked, for people.
    #[must_use]
    pub fn explain(
        self,
        language: Language,
        name: &dyn Fn(CityCode) -> String,
        record: &dyn Fn(SubjectId) -> String,
    ) -> String {
        match language {
            Language::Zh => self.zh(name, record),
            Language::En => self.en(name, record),
        }
    }

    fn zh(self, name: &dyn Fn(CityCode) -> String, record: &dyn Fn(SubjectId) -> String) -> String {
        let team = |site, officer, said: &str| {
            format!("{}抽中检查{}，{said}", record(officer), record(site))
        };
        match self {
            Self::WithheldBefore { city } => format!("{}此前未按承诺公开随机数", name(city)),
            Self::SilentAtRevision { city } => {
                format!("有市公开随机数后方案修订，当时{}尚未公开", name(city))
            }
            Self::SilentAtCancel { city } => {
                format!("有市公开随机数后方案修订或取消，当时{}尚未公开", name(city))
            }
            Self::LateCancel => {
                "有市公开随机数后方案取消，就同一行动另行发起，等于重新抽取".to_owned()
            }
            Self::LateRevisions { times } => {
                format!("随机数公开后方案又修订 {times} 次，等于重新抽取")
            }
            Self::Owed { site } => {
                format!("{}因该市未公开随机数列入检查，属地人员不足，应另行补查", record(site))
            }
            Self::MayLackLeads { city, at } => format!(
                "{}有人员须回避多家对象，{at}如抽中这些对象，属地执法人员可能不足，\
                 可增派人员后重新确认",
                name(city)
            ),
            Self::KeyChanged => "本市节点密钥已更换，本市的抽取承诺无法公开：\
                请重新提交承诺；已排定的，到公开之日再提交，由发起市重新抽取"
                .to_owned(),
            Self::VisitStopped { site, why } => {
                format!("{}{}，本次不再检查", record(site), why.zh())
            }
            Self::DueAbsent { site, officer } => {
                format!("{}应到{}检查，实际未到场", record(officer), record(site))
            }
            Self::NotDue { site, officer } => {
                format!("{}未抽中检查{}，实际到场", record(officer), record(site))
            }
            Self::DrawnNotSent { site, officer } => team(site, officer, "所在市已将其换下"),
            Self::DrawnRecused { site, officer } => team(site, officer, "所在市后来申报其回避"),
            Self::AtSeveral { officer, site, on } => format!(
                "{}于{on}在{}登记到场，同一半天已在另一处登记，请核对",
                record(officer),
                record(site)
            ),
            Self::NoArrival { site } => {
                format!("{}已报现场检查，未登记到场人员，请补录", record(site))
            }
            Self::ShownAllTheSame { city } => {
                format!("{}曾列为未公开随机数，但当次随机数其实已公开", name(city))
            }
        }
    }

    fn en(self, name: &dyn Fn(CityCode) -> String, record: &dyn Fn(SubjectId) -> String) -> String {
        match self {
            Self::WithheldBefore { city } => {
                format!("{} has withheld its part of the draw before", name(city))
            }
            Self::SilentAtRevision { city } => {
                format!("{} had not shown its part when the plan was revised", name(city))
            }
            Self::SilentAtCancel { city } => {
                let city = name(city);
                format!("{city} had not shown its part when the plan was revised or cancelled")
            }
            Self::LateCancel => {
                "cancelled after reveals: the same action proposed anew is as good \
                as a draw made again"
                    .to_owned()
            }
            Self::LateRevisions { times } => {
                format!("revised {times} times after reveals, each as good as a draw made again")
            }
            Self::Owed { site } => {
                format!("{} is a target because its city withheld, and owed", record(site))
            }
            Self::MayLackLeads { city, at } => format!(
                "{} may lack officers on {at} if sites are drawn that the same ones keep away \
                 from; it may send more and confirm again",
                name(city)
            ),
            Self::KeyChanged => "the own node's key has changed, so it cannot show what the city \
                is bound to: commit again; once settled, on the day of the reveal, and the \
                initiator draws again"
                .to_owned(),
            Self::VisitStopped { site, why } => {
                format!("{} is not visited: {}", record(site), why.en())
            }
            Self::DueAbsent { site, officer } => {
                format!("{} was due at {} and did not come", record(officer), record(site))
            }
            Self::NotDue { site, officer } => {
                format!("{} came to {} and was not drawn for it", record(officer), record(site))
            }
            Self::DrawnNotSent { site, officer } => {
                let (officer, site) = (record(officer), record(site));
                format!("{officer} was drawn for {site}, and its city has swapped the officer out")
            }
            Self::DrawnRecused { site, officer } => {
                let (officer, site) = (record(officer), record(site));
                format!("{officer} was drawn for {site}, and declared recused from it since")
            }
            Self::AtSeveral { officer, site, on } => {
                let (officer, site) = (record(officer), record(site));
                format!("{officer} arrived at {site} on {on}, and elsewhere in the same half day")
            }
            Self::NoArrival { site } => {
                format!("{} was checked on site, and nobody is recorded there", record(site))
            }
            Self::ShownAllTheSame { city } => {
                format!("{} is named as withholding, and has shown that part", name(city))
            }
        }
    }
}

//! What people have to know of a plan, and what is no obstacle to it.
//!
//! In scope: remarks and their words. Out of scope: what stands in the way ([`super::Finding`]).

use super::{Finding, Look};
use crate::domain::code::{Language, Words};
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
        match (self, language) {
            (Self::WithheldBefore { city }, Language::Zh) => {
                format!("{}此前未按承诺公开随机数", name(city))
            }
            (Self::WithheldBefore { city }, Language::En) => {
                format!("{} has withheld its part of the draw before", name(city))
            }
            (Self::SilentAtRevision { city }, Language::Zh) => {
                format!("有市公开随机数后方案修订，当时{}尚未公开", name(city))
            }
            (Self::SilentAtRevision { city }, Language::En) => {
                format!("{} had not shown its part when the plan was revised", name(city))
            }
            (Self::SilentAtCancel { city }, _) => silent_at_cancel(language, &name(city)),
            (Self::LateCancel, _) => late_cancel(language).to_owned(),
            (Self::LateRevisions { times }, Language::Zh) => {
                format!("随机数公开后方案又修订 {times} 次，等于重新抽取")
            }
            (Self::LateRevisions { times }, Language::En) => {
                format!("revised {times} times after reveals, each as good as a draw made again")
            }
            (Self::Owed { site }, Language::Zh) => {
                format!("{}因该市未公开随机数列入检查，属地人员不足，应另行补查", record(site))
            }
            (Self::Owed { site }, Language::En) => {
                format!("{} is a target because its city withheld, and owed", record(site))
            }
            (Self::MayLackLeads { city, at }, _) => may_lack(language, &name(city), at),
            (Self::KeyChanged, Language::Zh) => "本市节点密钥已更换，本市的抽取承诺无法公开：\
                请重新提交承诺；已排定的，到公开之日再提交，由发起市重新抽取"
                .to_owned(),
            (Self::KeyChanged, Language::En) => {
                "the own node's key has changed, so it cannot show \
                what the city is bound to: commit again; once settled, on the day of the reveal, \
                and the initiator draws again"
                    .to_owned()
            }
            (Self::VisitStopped { site, why }, Language::Zh) => {
                format!("{}{}，本次不再检查", record(site), why.zh())
            }
            (Self::VisitStopped { site, why }, Language::En) => {
                format!("{} is not visited: {}", record(site), why.en())
            }
            (Self::DueAbsent { site, officer }, Language::Zh) => {
                format!("{}应到{}检查，实际未到场", record(officer), record(site))
            }
            (Self::DueAbsent { site, officer }, Language::En) => {
                format!("{} was due at {} and did not come", record(officer), record(site))
            }
            (Self::NotDue { site, officer }, Language::Zh) => {
                format!("{}未抽中检查{}，实际到场", record(officer), record(site))
            }
            (Self::NotDue { site, officer }, Language::En) => {
                format!("{} came to {} and was not drawn for it", record(officer), record(site))
            }
            (Self::ShownAllTheSame { city }, Language::Zh) => {
                format!("{}曾列为未公开随机数，但当次随机数其实已公开", name(city))
            }
            (Self::ShownAllTheSame { city }, Language::En) => {
                format!("{} is named as withholding, and has shown that part", name(city))
            }
        }
    }
}

fn silent_at_cancel(language: Language, city: &str) -> String {
    match language {
        Language::Zh => format!("有市公开随机数后方案修订或取消，当时{city}尚未公开"),
        Language::En => {
            format!("{city} had not shown its part when the plan was revised or cancelled")
        }
    }
}

const fn late_cancel(language: Language) -> &'static str {
    match language {
        Language::Zh => "有市公开随机数后方案取消，就同一行动另行发起，等于重新抽取",
        Language::En => {
            "cancelled after reveals: the same action proposed anew is as good as a draw made again"
        }
    }
}

fn may_lack(language: Language, city: &str, at: HalfDay) -> String {
    match language {
        Language::Zh => format!(
            "{city}有人员须回避多家对象，{at}如抽中这些对象，属地执法人员可能不足，\
             可增派人员后重新确认"
        ),
        Language::En => format!(
            "{city} may lack officers on {at} if sites are drawn that the same ones keep away \
             from; it may send more and confirm again"
        ),
    }
}

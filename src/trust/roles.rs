//! Who may call what: one table, role by method.

use super::spiffe::Role;

/// What a group of methods does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads; everybody.
    Read,
    /// Writes cases: coordinators, inspectors, systems.
    WriteCases,
    /// Runs the node: administrators.
    Administer,
    /// Between cities: nodes on the peer port, no person or system.
    Nodes,
}

impl Access {
    /// Whether a role has it.
    #[must_use]
    pub const fn allows(self, role: Role) -> bool {
        match (self, role) {
            (Self::Read, _)
            | (Self::WriteCases, Role::Coordinator | Role::Inspector | Role::System)
            | (Self::Administer, Role::Admin) => true,
            (Self::Nodes, _)
            | (Self::WriteCases, Role::Auditor | Role::Admin)
            | (
                Self::Administer,
                Role::Coordinator | Role::Inspector | Role::System | Role::Auditor,
            ) => false,
        }
    }
}

/// Every method of every service. One that is not listed can be called by nobody; a test compares
/// the list with the descriptors.
pub const TABLE: &[(&str, Access)] = &[
    ("/liandong.v1.CaseService/CreateCase", Access::WriteCases),
    ("/liandong.v1.CaseService/GetCase", Access::Read),
    ("/liandong.v1.CaseService/ListCases", Access::Read),
    ("/liandong.v1.CaseService/ListDeadlines", Access::Read),
    ("/liandong.v1.CaseService/ComputeStatistics", Access::Read),
    ("/liandong.v1.CaseService/UpdateCase", Access::WriteCases),
    ("/liandong.v1.CaseService/StartVerification", Access::WriteCases),
    ("/liandong.v1.CaseService/DismissClue", Access::WriteCases),
    ("/liandong.v1.CaseService/FileCase", Access::WriteCases),
    ("/liandong.v1.CaseService/StartInvestigation", Access::WriteCases),
    ("/liandong.v1.CaseService/ServeNotice", Access::WriteCases),
    ("/liandong.v1.CaseService/OpenHearing", Access::WriteCases),
    ("/liandong.v1.CaseService/DecideCase", Access::WriteCases),
    ("/liandong.v1.CaseService/DecideNoPenalty", Access::WriteCases),
    ("/liandong.v1.CaseService/WithdrawCase", Access::WriteCases),
    ("/liandong.v1.CaseService/RevokeDecision", Access::WriteCases),
    ("/liandong.v1.CaseService/StartEnforcement", Access::WriteCases),
    ("/liandong.v1.CaseService/RequestCourtEnforcement", Access::WriteCases),
    ("/liandong.v1.CaseService/CloseCase", Access::WriteCases),
    ("/liandong.v1.CaseService/ArchiveCase", Access::WriteCases),
    ("/liandong.v1.CaseService/TransferToPolice", Access::WriteCases),
    ("/liandong.v1.CaseService/ReturnFromPolice", Access::WriteCases),
    ("/liandong.v1.CaseService/OfferTransfer", Access::WriteCases),
    ("/liandong.v1.CaseService/AcceptTransfer", Access::WriteCases),
    ("/liandong.v1.CaseService/ReturnTransfer", Access::WriteCases),
    ("/liandong.v1.CaseService/DisputeTransfer", Access::WriteCases),
    ("/liandong.v1.CaseService/DesignateJurisdiction", Access::WriteCases),
    ("/liandong.v1.CaseService/AdoptProposal", Access::WriteCases),
    ("/liandong.v1.CaseService/RefuseProposal", Access::WriteCases),
    ("/liandong.v1.CaseService/AcknowledgeTransfer", Access::WriteCases),
    ("/liandong.v1.CaseService/RequestRecall", Access::WriteCases),
    ("/liandong.v1.CaseService/RequestAssistance", Access::WriteCases),
    ("/liandong.v1.CaseService/AnswerAssistance", Access::WriteCases),
    ("/liandong.v1.CaseService/AddNote", Access::WriteCases),
    ("/liandong.v1.CaseService/AssignCase", Access::WriteCases),
    ("/liandong.v1.CaseService/AddEvidence", Access::WriteCases),
    ("/liandong.v1.CaseService/ProposeAmendment", Access::WriteCases),
    ("/liandong.v1.CaseService/RecordPoliceDetention", Access::WriteCases),
    ("/liandong.v1.CaseService/RecordMilestone", Access::WriteCases),
    ("/liandong.v1.CaseService/WithdrawMilestone", Access::WriteCases),
    ("/liandong.v1.CaseService/RecordPartsReceived", Access::WriteCases),
    ("/liandong.v1.CaseService/GrantPart", Access::WriteCases),
    ("/liandong.v1.CaseService/LinkContinuation", Access::WriteCases),
    ("/liandong.v1.CaseService/GetCaseHistory", Access::Read),
    ("/liandong.v1.CaseService/WatchCases", Access::Read),
    ("/liandong.v1.AgreementService/ListAgreements", Access::Read),
    ("/liandong.v1.AgreementService/GetAgreement", Access::Read),
    ("/liandong.v1.AgreementService/VerifyAgreement", Access::Read),
    ("/liandong.v1.AgreementService/AddAgreementFiles", Access::Administer),
    ("/liandong.v1.CatalogService/List", Access::Read),
    ("/liandong.v1.CatalogService/FindLegalBases", Access::Read),
    ("/liandong.v1.NodeService/GetStatus", Access::Read),
    ("/liandong.v1.NodeService/WhoAmI", Access::Read),
    ("/liandong.v1.NodeService/ListLogs", Access::Read),
    ("/liandong.v1.NodeService/GetFoldHash", Access::Read),
    ("/liandong.v1.NodeService/OverrideRecovery", Access::Administer),
    ("/liandong.v1.NodeService/ErasePart", Access::Administer),
    ("/liandong.v1.NodeService/SuspendCity", Access::Administer),
    ("/liandong.v1.NodeService/ResumeCity", Access::Administer),
    ("/liandong.v1.NoticeService/CreateNotice", Access::WriteCases),
    ("/liandong.v1.NoticeService/GetNotice", Access::Read),
    ("/liandong.v1.NoticeService/ListNotices", Access::Read),
    ("/liandong.v1.NoticeService/AcknowledgeNotice", Access::WriteCases),
    ("/liandong.v1.NoticeService/ReportOnNotice", Access::WriteCases),
    ("/liandong.v1.NoticeService/EndNotice", Access::WriteCases),
    ("/liandong.v1.NoticeService/WatchNotices", Access::Read),
    ("/liandong.v1.MeetingService/CreateMeeting", Access::WriteCases),
    ("/liandong.v1.MeetingService/GetMeeting", Access::Read),
    ("/liandong.v1.MeetingService/ListMeetings", Access::Read),
    ("/liandong.v1.MeetingService/RecordMinutes", Access::WriteCases),
    ("/liandong.v1.MeetingService/ConfirmMinutes", Access::WriteCases),
    ("/liandong.v1.MeetingService/CancelMeeting", Access::WriteCases),
    ("/liandong.v1.MeetingService/GetNextChair", Access::Read),
    ("/liandong.v1.EvidenceService/RecordReceipt", Access::WriteCases),
    ("/liandong.v1.EvidenceService/RecogniseEvidence", Access::WriteCases),
    ("/liandong.v1.EvidenceService/DeclineEvidence", Access::WriteCases),
    ("/liandong.v1.EvidenceService/RecordCustody", Access::WriteCases),
    ("/liandong.v1.ReferralService/ReferCase", Access::WriteCases),
    ("/liandong.v1.ReferralService/RecordPoliceAnswer", Access::WriteCases),
    ("/liandong.v1.ReferralService/RecordProcuratorateCopy", Access::WriteCases),
    ("/liandong.v1.ReferralService/RecordProcuratorateOpinion", Access::WriteCases),
    ("/liandong.v1.ReferralService/TagCampaign", Access::WriteCases),
    ("/liandong.v1.EvidenceFileService/Upload", Access::WriteCases),
    ("/liandong.v1.EvidenceFileService/GetUpload", Access::Read),
    ("/liandong.v1.EvidenceFileService/GetFile", Access::Read),
    ("/liandong.v1.EvidenceFileService/Download", Access::Read),
    ("/liandong.v1.EvidenceFileService/Fetch", Access::WriteCases),
    ("/liandong.v1.SiteService/CreateSite", Access::WriteCases),
    ("/liandong.v1.SiteService/GetSite", Access::Read),
    ("/liandong.v1.SiteService/ListSites", Access::Read),
    ("/liandong.v1.SiteService/UpdateSite", Access::WriteCases),
    ("/liandong.v1.SiteService/SetListing", Access::WriteCases),
    ("/liandong.v1.SiteService/RecordCheck", Access::WriteCases),
    ("/liandong.v1.SiteService/CheckVisit", Access::Read),
    ("/liandong.peer.v1.PeerService/Exchange", Access::Nodes),
    ("/liandong.peer.v1.PeerService/Alert", Access::Nodes),
    ("/liandong.peer.v1.PeerService/HoldsNotice", Access::Nodes),
    ("/liandong.peer.v1.PeerService/FetchEvidence", Access::Nodes),
    ("/liandong.v1.UnitService/CreateUnit", Access::WriteCases),
    ("/liandong.v1.UnitService/GetUnit", Access::Read),
    ("/liandong.v1.UnitService/ListUnits", Access::Read),
    ("/liandong.v1.UnitService/UpdateUnit", Access::WriteCases),
    ("/liandong.v1.UnitService/BlockUnit", Access::WriteCases),
    ("/liandong.v1.UnitService/FreeUnit", Access::WriteCases),
    ("/liandong.v1.UnitService/QueryFreeBusy", Access::Read),
    ("/liandong.v1.UnitService/FindSlots", Access::Read),
    ("/liandong.v1.PlanService/CreatePlan", Access::WriteCases),
    ("/liandong.v1.PlanService/RevisePlan", Access::WriteCases),
    ("/liandong.v1.PlanService/AmendPlan", Access::WriteCases),
    ("/liandong.v1.PlanService/MovePlan", Access::WriteCases),
    ("/liandong.v1.PlanService/AnswerPlan", Access::WriteCases),
    ("/liandong.v1.PlanService/ResolveAnswer", Access::WriteCases),
    ("/liandong.v1.PlanService/SwapUnits", Access::WriteCases),
    ("/liandong.v1.PlanService/CommitDraw", Access::WriteCases),
    ("/liandong.v1.PlanService/RevealDraw", Access::WriteCases),
    ("/liandong.v1.PlanService/CheckIn", Access::WriteCases),
    ("/liandong.v1.PlanService/ReportVisit", Access::WriteCases),
    ("/liandong.v1.PlanService/OpenFinding", Access::WriteCases),
    ("/liandong.v1.PlanService/ReportResults", Access::WriteCases),
    ("/liandong.v1.PlanService/ReleaseUnits", Access::WriteCases),
    ("/liandong.v1.PlanService/CreateDraft", Access::WriteCases),
    ("/liandong.v1.PlanService/UpdateDraft", Access::WriteCases),
    ("/liandong.v1.PlanService/DeleteDraft", Access::WriteCases),
    ("/liandong.v1.PlanService/GetDraft", Access::Read),
    ("/liandong.v1.PlanService/ListDrafts", Access::Read),
    ("/liandong.v1.PlanService/GetPlan", Access::Read),
    ("/liandong.v1.PlanService/ListPlans", Access::Read),
    ("/liandong.v1.PlanService/ExportCalendar", Access::Read),
];

/// What a method needs; `None` for a method that nobody may call.
#[must_use]
pub fn access(method: &str) -> Option<Access> {
    TABLE.iter().find(|(name, _)| *name == method).map(|(_, access)| *access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_and_running_are_apart() {
        let may = |role, method| access(method).is_some_and(|a| a.allows(role));
        assert!(may(Role::Coordinator, "/liandong.v1.CaseService/FileCase"));
        assert!(!may(Role::Auditor, "/liandong.v1.CaseService/FileCase"));
        assert!(!may(Role::Admin, "/liandong.v1.CaseService/CreateCase"));
        assert!(may(Role::Auditor, "/liandong.v1.CaseService/ListCases"));
        assert!(may(Role::Admin, "/liandong.v1.NodeService/OverrideRecovery"));
        assert!(may(Role::Admin, "/liandong.v1.NodeService/SuspendCity"));
        assert!(!may(Role::Coordinator, "/liandong.v1.NodeService/ResumeCity"));
        assert!(!may(Role::System, "/liandong.v1.AgreementService/AddAgreementFiles"));
        assert_eq!(access("/liandong.v1.CaseService/NotListed"), None);
        for role in Role::ALL {
            assert!(!may(role, "/liandong.peer.v1.PeerService/Exchange"), "{role:?}");
            assert!(!may(role, "/liandong.peer.v1.PeerService/Alert"), "{role:?}");
        }
    }
}

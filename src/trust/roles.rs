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
}

impl Access {
    /// Whether a role has it.
    #[must_use]
    pub const fn allows(self, role: Role) -> bool {
        match (self, role) {
            (Self::Read, _)
            | (Self::WriteCases, Role::Coordinator | Role::Inspector | Role::System)
            | (Self::Administer, Role::Admin) => true,
            (Self::WriteCases, Role::Auditor | Role::Admin)
            | (
                Self::Administer,
                Role::Coordinator | Role::Inspector | Role::System | Role::Auditor,
            ) => false,
        }
    }
}

/// Methods that do not write cases; every other method of `CaseService` does.
const TABLE: &[(&str, Access)] = &[
    ("/liandong.v1.CaseService/GetCase", Access::Read),
    ("/liandong.v1.CaseService/ListCases", Access::Read),
    ("/liandong.v1.CaseService/GetCaseHistory", Access::Read),
    ("/liandong.v1.CaseService/WatchCases", Access::Read),
    ("/liandong.v1.AgreementService/ListAgreements", Access::Read),
    ("/liandong.v1.AgreementService/GetAgreement", Access::Read),
    ("/liandong.v1.AgreementService/VerifyAgreement", Access::Read),
    ("/liandong.v1.AgreementService/AddAgreementFiles", Access::Administer),
    ("/liandong.v1.NodeService/GetStatus", Access::Read),
    ("/liandong.v1.NodeService/WhoAmI", Access::Read),
    ("/liandong.v1.NodeService/ListLogs", Access::Read),
    ("/liandong.v1.NodeService/GetFoldHash", Access::Read),
    ("/liandong.v1.NodeService/OverrideRecovery", Access::Administer),
];

/// What a method needs; `None` for a method that nobody may call.
#[must_use]
pub fn access(method: &str) -> Option<Access> {
    let listed = TABLE.iter().find(|(name, _)| *name == method).map(|(_, access)| *access);
    let case = method.strip_prefix("/liandong.v1.CaseService/").is_some_and(|m| !m.is_empty());
    listed.or(case.then_some(Access::WriteCases))
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
        assert!(!may(Role::System, "/liandong.v1.AgreementService/AddAgreementFiles"));
        assert_eq!(access("/liandong.peer.v1.PeerService/Exchange"), None);
    }
}

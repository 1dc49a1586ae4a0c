//! A part is erased by an operator, between two real nodes (依法删除): gone from both disks, from every
//! answer and from search, and only by whoever may.

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;

use super::api::{HERE, THERE, history};
use super::exchange::arrived;
use super::nodes::{Nodes, case_request, exe, plan, until};
use super::sharing::on_disk;

const TITLE: &str = "ERASED-TITLE-77e1";
const NAME: &str = "ERASED-NAME-03c4";

fn refused<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> (Code, String, String) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone());
    let field = violations.and_then(|all| all.into_iter().next()).map(|one| one.field);
    (status.code(), reason, field.unwrap_or_default())
}

fn erasing(agreement: &str, entry: &str, part: u32, id: &str) -> pb::ErasePartRequest {
    pb::ErasePartRequest {
        agreement: agreement.to_owned(),
        entry: entry.to_owned(),
        part,
        reason: pb::ErasureReason::Law.into(),
        request_id: id.to_owned(),
    }
}

async fn by_name(client: &Client, agreement: &str) -> usize {
    let parent = agreement.to_owned();
    let party_name = NAME.to_owned();
    let asked = pb::ListCasesRequest { parent, page_size: 9, party_name, ..Default::default() };
    client.cases().list_cases(asked).await.unwrap().into_inner().cases.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_erased_on_both_sides_and_by_nobody_else() {
    let mut nodes = Nodes::start_all(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    super::api::ready(&here, &agreement).await;
    let mut request = case_request(&agreement, TITLE);
    if let Some(record) = request.record.as_mut() {
        let (name, uscc) = (NAME.to_owned(), "91371522YYYY90011A".to_owned());
        let r#type = pb::PartyType::LegalPerson.into();
        record.party = Some(pb::Party { name, uscc, r#type, ..Default::default() });
    }
    let case = here.cases().create_case(request).await.unwrap().into_inner().case.unwrap();
    arrived(&there, &case.name).await;
    let opening = history(&here, &case.name).await[0].clone();
    let entry = opening.entry.as_str();
    assert_eq!(opening.header.unwrap().parts.len(), 2);
    until("it is found by its party", || async {
        (by_name(&there, &agreement).await == 1).then_some(())
    })
    .await;
    assert!([HERE, THERE].iter().all(|code| on_disk(&nodes, *code, "data/journal", NAME)));

    // Nobody but the author's operator, nothing but what may go, and with a reason.
    let (admin, stranger) =
        (nodes.client_as(HERE, Role::Admin).await, nodes.client_as(THERE, Role::Admin).await);
    let ask = |part, id: &str| erasing(&agreement, entry, part, id);
    let said = refused(here.nodes().erase_part(ask(0, "e1")).await);
    assert_eq!((said.0, said.1), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".into()));
    let bad = |code, reason: &str, field: &str| (code, reason.to_owned(), field.to_owned());
    let said = refused(stranger.nodes().erase_part(ask(0, "e2")).await);
    assert_eq!(said, bad(Code::InvalidArgument, "PART_NOT_ERASABLE", "entry"));
    let said = refused(admin.nodes().erase_part(ask(6, "e3")).await);
    assert_eq!(said, bad(Code::InvalidArgument, "PART_NOT_ERASABLE", "part"));
    let said = refused(admin.nodes().erase_part(ask(1, "e4")).await);
    assert_eq!((said.0, said.1), (Code::FailedPrecondition, "NUMBER_NOT_ERASABLE".into()));
    let said = refused(admin.nodes().erase_part(erasing(&agreement, "here", 0, "e5")).await);
    assert_eq!(said, bad(Code::InvalidArgument, "POSITION_FORMAT", "entry"));
    let unsaid = pb::ErasePartRequest { reason: 0, ..ask(0, "e6") };
    let said = refused(admin.nodes().erase_part(unsaid).await);
    assert_eq!(said, bad(Code::InvalidArgument, "REQUIRED", "reason"));
    assert_eq!(arrived(&there, &case.name).await.record.unwrap().title, TITLE, "nothing was done");

    // Once; a repetition is the same one.
    let done = admin.nodes().erase_part(ask(0, "e7")).await.unwrap().into_inner();
    let again = admin.nodes().erase_part(ask(0, "e7")).await.unwrap().into_inner();
    assert_eq!(done.entry, again.entry);
    let said = refused(admin.nodes().erase_part(ask(0, "e8")).await);
    assert_eq!((said.0, said.1), (Code::FailedPrecondition, "PART_ERASED_BEFORE".into()));
    for (code, client) in [(HERE, &here), (THERE, &there)] {
        until("it is gone from the disk", || async {
            (!on_disk(&nodes, code, "data", NAME)).then_some(())
        })
        .await;
        let left = arrived(client, &case.name).await;
        assert!(!format!("{left:?}").contains(NAME) && left.name == case.name);
        assert_eq!(by_name(client, &agreement).await, 0, "nor is it found any more");
        assert_eq!(history(client, &case.name).await[0].erased_parts, [0]);
    }
    // Over a restart as well, and the case goes on.
    nodes.kill(THERE);
    nodes.start(THERE);
    let there = nodes.client(THERE).await;
    assert_eq!(history(&there, &case.name).await[0].erased_parts, [0]);
    assert!(!on_disk(&nodes, THERE, "", TITLE), "nor is it in a log file");
    super::api::verify(&here, &arrived(&here, &case.name).await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_before_it_erases() {
    let nodes = Nodes::start_all(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    let agreement = nodes.fleet.agreements[0].name();
    let here = nodes.client(HERE).await;
    super::api::ready(&here, &agreement).await;
    let case = here.cases().create_case(case_request(&agreement, TITLE)).await.unwrap();
    let case = case.into_inner().case.unwrap();
    let entry = history(&here, &case.name).await[0].entry.clone();
    let uuid = agreement.trim_start_matches("agreements/").to_owned();
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(exe());
        command.args(["erase", &entry, "--part", "0", "--reason", "law", "--agreement", &uuid]);
        command.args(["--profile", "client.toml"]).args(more);
        let output = command.current_dir(nodes.fleet.folder(HERE)).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = run(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("不能恢复") && said.contains("--yes"), "{said}");
    assert_eq!(history(&here, &case.name).await[0].erased_parts, [0; 0]);
    let (code, said) = run(&["--yes"]);
    assert_eq!(code, Some(1), "a coordinator may not: {said}");
    assert!(said.contains("ROLE_NOT_ALLOWED"), "{said}");
    let by_admin = ["--cert", "certs/admin.pem", "--key", "certs/admin.key"];
    let (code, said) = run(&[&by_admin[..], &["--yes"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("已删除"), "{said}");
    assert_eq!(history(&here, &case.name).await[0].erased_parts, [0]);
    let (code, said) = run(&[&by_admin[..], &["--yes"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("PART_ERASED_BEFORE"), "{said}");
}

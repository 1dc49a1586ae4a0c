//! Finding a case or an agreement by what people call it.
//!
//! In scope: numbers (LD-聊邯-2026-聊0005), the own system's numbers (`ext:…`), resource names,
//! agreements by short name or id. Out of scope: reading the case.

use tonic::Status;

use super::Session;
use crate::cli::failure::{Exit, Failure};
use crate::import::agreement;
use crate::wire::pb::v1 as pb;

/// Finds the case and reads it.
///
/// # Errors
/// [`Failure`] when there is none, or more than one.
pub async fn case(session: &Session, given: &str) -> Result<pb::Case, Failure> {
    let lang = session.context.lang;
    let mut cases = session.client.cases();
    let found = if given.starts_with("agreements/") {
        let request = pb::GetCaseRequest { name: given.to_owned() };
        let answer = cases.get_case(request).await;
        answer.map_err(|status| session.client.failure(&status))?.into_inner().case
    } else {
        let request = by_number(given);
        let answer = cases.list_cases(request).await;
        let mut found =
            answer.map_err(|status| session.client.failure(&status))?.into_inner().cases;
        if found.len() > 1 {
            return Err(ambiguous(given, &found, session));
        }
        found.pop()
    };
    found.ok_or_else(|| {
        Failure::new(
            Exit::Refused,
            "NOT_FOUND",
            lang.pick(format!("找不到案件 {given}"), format!("no case {given}")),
        )
        .advise(lang.pick(
            "编号如 LD-聊邯-2026-聊0005；自有系统的编号写作 ext:编号；查询用 liandong case list",
            "numbers look like LD-聊邯-2026-聊0005; your own system's are written ext:NUMBER; \
             search with liandong case list",
        ))
    })
}

/// A list request that finds one case by its number.
fn by_number(given: &str) -> pb::ListCasesRequest {
    let (number, external_number) = match given.strip_prefix("ext:") {
        Some(own) => (String::new(), own.to_owned()),
        None => (given.to_owned(), String::new()),
    };
    pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        page_size: 2,
        number,
        external_number,
        ..pb::ListCasesRequest::default()
    }
}

fn ambiguous(given: &str, found: &[pb::Case], session: &Session) -> Failure {
    let lang = session.context.lang;
    let mut failure =
        Failure::usage(lang.pick(
            format!("{given} 对应多件案件"),
            format!("{given} is the number of several cases"),
        ));
    failure.details.extend(found.iter().map(|case| case.name.clone()));
    failure.advise(lang.pick("改用上面的全名", "use one of the names above"))
}

/// The resource name of an agreement given as such, as an id, or by its short name.
///
/// # Errors
/// [`Failure`] when it is unknown, or not given and not the only one.
pub async fn agreement(session: &Session, given: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = given.and_then(agreement::resource_name) {
        return Ok(name);
    }
    let all = agreements(session).await?;
    let found = given.map_or_else(|| agreement::only(&all), |given| agreement::called(&all, given));
    found.map(|one| one.name.clone()).ok_or_else(|| unclear(session, given, &all))
}

/// What a list is asked of: an agreement given as in [`agreement`], or all of the node.
///
/// # Errors
/// [`Failure`] when it is unknown.
pub async fn parent(session: &Session, given: Option<&str>) -> Result<String, Failure> {
    match given {
        Some(given) => agreement(session, Some(given)).await,
        None => Ok("agreements/-".to_owned()),
    }
}

/// The agreement whose members are exactly these cities.
///
/// # Errors
/// [`Failure`] when there is none, or more than one.
pub async fn agreement_of(session: &Session, cities: &[u32]) -> Result<String, Failure> {
    let all = agreements(session).await?;
    let found = agreement::of(&all, cities).map(|one| one.name.clone());
    found.ok_or_else(|| unclear(session, Some(&session.names.list(cities.iter().copied())), &all))
}

/// The agreements of the node.
///
/// # Errors
/// [`Failure`] when it refuses.
pub async fn agreements(session: &Session) -> Result<Vec<pb::Agreement>, Failure> {
    all(session).await.map_err(|status| session.client.failure(&status))
}

/// The same as the node answers it.
///
/// # Errors
/// What the node says.
pub(super) async fn all(session: &Session) -> Result<Vec<pb::Agreement>, Status> {
    let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
    let answer = session.client.agreements().list_agreements(request).await;
    Ok(answer?.into_inner().agreements)
}

fn unclear(session: &Session, given: Option<&str>, all: &[pb::Agreement]) -> Failure {
    let lang = session.context.lang;
    let what = match given {
        Some(given) => lang.pick(
            format!("没有唯一的联动协议“{given}”"),
            format!("there is no single agreement {given:?}"),
        ),
        None => lang.pick("没有指明联动协议".to_owned(), "no agreement was named".to_owned()),
    };
    let mut failure = Failure::usage(what);
    for one in all {
        let members = session.names.list(one.members.iter().map(|member| member.city));
        failure.details.push(format!("{}  {}  {members}", one.short_name, one.name));
    }
    failure.advise(lang.pick(
        "加 --agreement，写上面的简称或全名",
        "use --agreement with a short name or a name from above",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_numbers_are_marked() {
        assert_eq!(by_number("ext:A-1").external_number, "A-1");
        assert_eq!(by_number("LD-聊邯-2026-聊0005").number, "LD-聊邯-2026-聊0005");
    }
}

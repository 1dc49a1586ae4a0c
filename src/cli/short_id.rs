//! Records that people name by the beginning of their id, as lists show it.
//!
//! In scope: the short form, and finding the one record it begins. Out of scope: cases, which have
//! numbers of their own ([`super::case::name`]).

use super::failure::{Exit, Failure};
use crate::lang::Lang;
pub(super) use crate::shown::plan::short;

/// Pages looked through for a record.
const PAGES_MAX: usize = 10;
/// Fewer digits name nothing.
pub const SHORT_MIN: usize = 4;

/// What a kind of record is called.
pub(super) struct Kind {
    /// Its list, such as `liandong notice list`.
    pub list: &'static str,
    /// Chinese, such as 通报.
    pub zh: &'static str,
    /// Several of it in Chinese, such as 多份通报.
    pub several_zh: &'static str,
    /// English, such as notice.
    pub en: &'static str,
}

/// The name of a record given as such, or by the beginning of its id; `page` reads the names behind
/// a token, and the next token.
///
/// # Errors
/// [`Failure`] when there is none or more than one, or when a page cannot be read.
pub(super) async fn name(
    given: &str,
    kind: &Kind,
    lang: Lang,
    page: impl AsyncFnMut(String) -> Result<(Vec<String>, String), Failure>,
) -> Result<String, Failure> {
    if given.starts_with("agreements/") {
        return Ok(given.to_owned());
    }
    let Kind { list, zh, several_zh, en } = kind;
    let none = |why: String| {
        Failure::new(Exit::Refused, "NOT_FOUND", why).advise(lang.pick(
            format!("用 {list} 中的编号（至少 {SHORT_MIN} 位）或全名"),
            format!("give a number of {list}, at least {SHORT_MIN} digits, or a full name"),
        ))
    };
    let long = given.len() >= SHORT_MIN;
    let found = if long { matching(given, page).await? } else { Vec::new() };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(none(lang.pick(format!("找不到{zh} {given}"), format!("no {en} {given}")))),
        several => {
            let mut failure = none(lang.pick(
                format!("{given} 对应{several_zh}"),
                format!("{given} begins the id of several {en}s"),
            ));
            failure.details.extend(several.iter().cloned());
            Err(failure)
        }
    }
}

async fn matching(
    given: &str,
    mut page: impl AsyncFnMut(String) -> Result<(Vec<String>, String), Failure>,
) -> Result<Vec<String>, Failure> {
    let given = given.to_ascii_lowercase();
    let begins = |name: &String| name.rsplit('/').next().is_some_and(|id| id.starts_with(&given));
    let (mut found, mut token) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let (names, next) = page(token).await?;
        found.extend(names.into_iter().filter(begins));
        token = next;
        if token.is_empty() {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_record_is_found_over_all_pages() {
        let kind =
            Kind {
                list: "liandong x list", zh: "通报", several_zh: "多份通报", en: "notice"
            };
        let page = async |token: String| {
            let (nth, next) = if token.is_empty() { ('a', "2") } else { ('b', "") };
            let names = vec![format!("agreements/0/notices/{nth}bcd0123456789")];
            Ok((names, next.to_owned()))
        };
        let ask = async |given: &str| name(given, &kind, Lang::En, page).await;
        assert_eq!(ask("BBCD").await.unwrap(), "agreements/0/notices/bbcd0123456789");
        assert_eq!(short("agreements/0/notices/bbcd0123456789"), "bbcd0123");
        assert_eq!(ask("agreements/0/x").await.unwrap(), "agreements/0/x");
        for none in ["bbc", "cbcd"] {
            assert_eq!(ask(none).await.unwrap_err().reason, "NOT_FOUND", "{none}");
        }
        let twice = async |_: String| Ok((vec!["a/abcd1".into(), "a/abcd2".into()], String::new()));
        let failure = name("abcd", &kind, Lang::Zh, twice).await.unwrap_err();
        assert_eq!((failure.details.len(), failure.what.as_str()), (2, "abcd 对应多份通报"));
    }
}

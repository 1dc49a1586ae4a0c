//! What a form or a query holds, as it was typed.
//!
//! In scope: decoding, and giving back what was typed when it is refused. Out of scope: what it
//! means; the services judge it.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, RawQuery, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use maud::html;

use crate::lang::Lang;
use crate::limits::CONSOLE_FORM_BYTES_MAX;
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

use super::Console;
use super::layout::Desk;
use super::refusal::Refusal;

/// How long a form may take to come.
const FORM_WITHIN: Duration = Duration::from_secs(15);

/// Fields of a form or a query, in their order; a name may occur several times.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=b&c=d`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Of fields that came in another way.
    #[must_use]
    pub const fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The first value of a field without space around it; empty when it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of a field as it was typed, space around it and all.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// All values of a field that are not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of = move |(key, value): &'a (String, String)| (key == name).then(|| value.trim());
        self.0.iter().filter_map(of).filter(|value| !value.is_empty())
    }

    /// What the fields are called, those that are empty too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// All fields as they were sent, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().cloned()
    }

    /// All fields that are not empty, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().map(|(key, value)| (key.as_str(), value.trim()));
        all.filter(|(_, value)| !value.is_empty())
    }

    /// Only these fields.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| names.contains(&name.as_str()));
        self
    }

    /// The form with one field changed; without it when `value` is empty.
    #[must_use]
    pub fn put(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// A city's code; 0 when nothing was chosen.
    #[must_use]
    pub fn city(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// A whole number; 0 when the field is empty.
    ///
    /// # Errors
    /// [`Refusal`] at the field.
    pub fn number(&self, name: &str, lang: Lang) -> Result<u32, Refusal> {
        match self.text(name) {
            "" => Ok(0),
            text => text.parse().map_err(|_| {
                let text = clean(text);
                let what = lang.pick(
                    format!("“{text}”不是整数，请填 0 或正整数（半角数字）"),
                    format!("“{text}” is no whole number from 0 on"),
                );
                Refusal::field(name, what)
            }),
        }
    }

    /// A day; none when the field is empty.
    ///
    /// # Errors
    /// [`Refusal`] at the field.
    pub fn date(&self, name: &str, lang: Lang) -> Result<Option<pb::Date>, Refusal> {
        match self.text(name) {
            "" => Ok(None),
            text => when::parse_date(text).map(Some).map_err(|_| {
                let text = clean(text);
                let what = lang.pick(
                    format!("“{text}”不是日期，应如 2026-11-20"),
                    format!("“{text}” is no date such as 2026-11-20"),
                );
                Refusal::field(name, what)
            }),
        }
    }

    /// A day that must be there.
    ///
    /// # Errors
    /// [`Refusal`] at the field.
    pub fn day(&self, name: &str, lang: Lang) -> Result<pb::Date, Refusal> {
        let missing =
            || Refusal::field(name, lang.pick("此项必填", "this field is required").into());
        self.date(name, lang)?.ok_or_else(missing)
    }

    /// A time in Beijing as browsers write it, in milliseconds since 1970; it must be there.
    ///
    /// # Errors
    /// [`Refusal`] at the field.
    pub fn time(&self, name: &str, lang: Lang) -> Result<i64, Refusal> {
        let text = self.text(name);
        let whole =
            if text.len() == 16 { format!("{text}:00+08:00") } else { format!("{text}+08:00") };
        when::parse_millis(&whole).map_err(|_| {
            let what = match clean(text).as_str() {
                "" => lang.pick("此项必填", "this field is required").to_owned(),
                text => lang.pick(
                    format!("“{text}”不是时间，应如 2026-11-20 14:05"),
                    format!("“{text}” is no time such as 2026-11-20 14:05"),
                ),
            };
            Refusal::field(name, what)
        })
    }

    /// The same with another value of a field.
    #[must_use]
    pub fn holding(mut self, name: &str, value: String) -> Self {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value));
        self
    }

    /// The query again with one field changed; without it when `value` is empty.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(key, value)| key != name && !value.is_empty());
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(kept);
        if !value.is_empty() {
            out.append_pair(name, value);
        }
        out.finish()
    }
}

impl FromRequest<Console> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        // A form is a few KiB: whoever takes longer holds memory on purpose.
        let body = axum::body::Bytes::from_request(request, console);
        let too_long = match tokio::time::timeout(FORM_WITHIN, body).await {
            Ok(Ok(body)) => return Ok(Self::parse(&body)),
            Ok(Err(_)) => true,
            Err(_) => false,
        };
        let desk = Desk::from_request_parts(&mut parts, console).await?;
        Err(unread(&desk, parts.uri.path(), too_long))
    }
}

/// A page that says why a form was not read: it is longer than any may be, or did not come in time.
fn unread(desk: &Desk, path: &str, too_long: bool) -> Response {
    let lang = desk.lang();
    let (most, seconds) = (CONSOLE_FORM_BYTES_MAX / 1024, FORM_WITHIN.as_secs());
    // Each byte of a character is written as three.
    let characters = CONSOLE_FORM_BYTES_MAX / 9_000;
    let (code, what) = match too_long {
        true => (
            StatusCode::PAYLOAD_TOO_LARGE,
            lang.pick(
                format!("填写的内容过长：一次提交最多 {most} KiB，约 {characters} 千个汉字"),
                format!(
                    "the form is too long: one may have {most} KiB, some {characters} thousand \
                     Chinese characters"
                ),
            ),
        ),
        false => (
            StatusCode::REQUEST_TIMEOUT,
            lang.pick(
                format!("提交的内容在 {seconds} 秒内没有传完"),
                format!("the form did not come within {seconds} seconds"),
            ),
        ),
    };
    let advice = match too_long {
        true => lang.pick(
            "请返回原表单，删减后再提交；长篇材料请作为证据文件上传",
            "go back to the form, shorten it and send it again; long papers are files of evidence",
        ),
        false => lang.pick(
            "请检查网络，返回原表单再提交",
            "look after the connection, go back to the form and send it again",
        ),
    };
    let refusal = Refusal { what, advice: advice.to_owned(), ..Refusal::default() };
    let title = lang.pick("没有提交成功", "The form was not taken");
    let back = path.rsplit_once('/').map_or("/", |(page, _)| page);
    let main = html! {
        h1 { (title) }
        (super::parts::refused(&refusal, lang))
        p { a href={ (back) @if back.is_empty() { "/" } } {
            (lang.pick("返回原页面（不含刚才填写的内容）",
                "back to the page (without what was typed)"))
        } }
    };
    (code, desk.page(title, &main)).into_response()
}

/// The query of a page.
#[derive(Clone, Debug, Default)]
pub struct Query(pub Form);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        Ok(Self(Form::parse(query.unwrap_or_default().as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_typed() {
        let form = Form::parse("a=%E8%81%8A+1&b=&a=2&on=2026-02-30".as_bytes());
        assert_eq!((form.text("a"), form.text("c")), ("聊 1", ""));
        assert_eq!(Form::parse(b"a=+1%09").raw("a"), " 1\t");
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["聊 1", "2"]);
        assert_eq!(form.date("b", Lang::Zh).unwrap(), None);
        let refusal = form.date("on", Lang::Zh).unwrap_err();
        assert_eq!(refusal.at("on"), Some("“2026-02-30”不是日期，应如 2026-11-20"));
        let form = Form::parse(b"at=2026-11-20T08:05&all=2026-11-20T08:05:00&no=8");
        assert_eq!(form.time("at", Lang::Zh).unwrap(), 1_795_133_100_000);
        assert_eq!(form.time("all", Lang::Zh), form.time("at", Lang::Zh));
        for (name, why) in [("no", "“8”不是时间，应如 2026-11-20 14:05"), ("none", "此项必填")]
        {
            assert_eq!(form.time(name, Lang::Zh).unwrap_err().at(name), Some(why));
        }
        assert_eq!(Form::parse(b"a=1&b=2").with("b", "3"), "a=1&b=3");
        assert_eq!(Form::parse(b"a=1&b=2").with("a", ""), "b=2");
        let put = Form::parse(b"a=1&b=2&a=3").put("a", "4").put("b", "");
        assert_eq!(put.pairs().collect::<Vec<_>>(), [("a", "4")]);
        assert_eq!(Form::parse(b"a=1&b=2").only(&["b"]).pairs().count(), 1);
    }
}

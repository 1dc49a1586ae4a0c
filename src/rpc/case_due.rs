//! Deadlines for answers: of one case, and of a city by their last days, in cases and notices.

use prost::Message;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::cursor;
use super::notice_read;
use super::page_token::{self, Seal};
use crate::domain::Date;
use crate::domain::deadline::{Clock, Deadline};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::due::{Key, Span};
use crate::node::reader::Reader;
use crate::view;
use crate::wire::case as read;
use crate::wire::notice;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// What a page token carries: day, agreement, case, clock, and place in the case.
const PLACE_NUMBERS: usize = 7;

impl CaseApi {
    /// The terms that run in a case, soonest first.
    pub(super) fn deadlines_of(
        &self,
        agreement: AgreementId,
        subject: SubjectId,
    ) -> Vec<pb::Deadline> {
        let reader = self.node.reader();
        let rows = reader.view();
        let Some(found) = view::case(&rows, agreement, subject) else { return Vec::new() };
        let all = self.due.of_case(&self.node, &rows, (agreement, subject), &found);
        let now_ms = self.node.now_ms();
        all.iter().map(|deadline| read::deadline_to_pb(deadline, now_ms)).collect()
    }

    /// One page of a city's deadlines, off the threads that serve calls.
    pub(super) async fn due_page(
        &self,
        who: Called,
        asked: pb::ListDeadlinesRequest,
    ) -> Result<pb::ListDeadlinesResponse, Refused> {
        let api = self.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let method = "/liandong.v1.CaseService/ListDeadlines";
            let mut line = AuditLine::new(api.door(), &who, method, &asked.parent);
            let listed = api.due_list(&who, &asked, &mut line);
            line.end(&listed);
            listed
        });
        listed.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn due_list(
        &self,
        who: &Called,
        asked: &pb::ListDeadlinesRequest,
        line: &mut AuditLine,
    ) -> Result<pb::ListDeadlinesResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let city = match asked.city {
            0 => self.node.city(),
            code => read::city("city", code)?,
        };
        let span = Span {
            city,
            from: read::date("from", asked.from.as_ref())?,
            until: read::date("until", asked.until.as_ref())?,
            latest_first: asked.latest_first,
            suspended: asked.suspended,
        };
        let book = self.node.book();
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let bound =
            pb::ListDeadlinesRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let filter = [b"deadlines ".as_slice(), &bound.encode_to_vec()].concat();
        let seal = Seal::new(&self.node, &who.caller.identity, filter);
        let after = seal.open::<PLACE_NUMBERS>(&asked.page_token)?.and_then(|n| key(city, n));
        self.due.look(&self.node);
        // One more tells whether there is a next page.
        let (found, total, as_of) = self.due.list(&span, &agreements, after, size + 1);
        let suspended = Span { suspended: true, ..Span::of(city) };
        let (_, suspended, _) = self.due.list(&suspended, &agreements, None, 0);
        let reader = self.node.reader();
        let (mut deadlines, mut bytes, mut last) = (Vec::new(), 0, None);
        for (key, deadline) in found.iter().take(size) {
            let written = self.due_out(&reader, (*key, deadline), line);
            bytes += written.encoded_len();
            if bytes > PAGE_BYTES_MAX && !deadlines.is_empty() {
                break;
            }
            deadlines.push(written);
            last = Some(*key);
        }
        let more = last.filter(|_| deadlines.len() < found.len());
        Ok(pb::ListDeadlinesResponse {
            deadlines,
            next_page_token: more.map(|key| seal.close(&place(key))).unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            calendar_years: self.due.years(),
            cursor: cursor::at(&self.node, as_of),
            suspended_size: u32::try_from(suspended).unwrap_or(u32::MAX),
        })
    }

    fn due_out(
        &self,
        reader: &Reader,
        (key, deadline): (Key, &Deadline),
        line: &mut AuditLine,
    ) -> pb::CaseDeadline {
        let now_ms = self.node.now_ms();
        if key.clock.is_of_notice() {
            let found = view::notice(&reader.view(), key.agreement, key.subject);
            let title = found.and_then(|found| {
                line.shown(found.notice.issuer);
                notice_read::record(reader, &reader.entry(found.opened_at).ok()?)
            });
            return pb::CaseDeadline {
                name: notice::name_of(key.agreement, key.subject),
                title: title.map(|record| record.title.as_str().to_owned()).unwrap_or_default(),
                deadline: Some(read::deadline_to_pb(deadline, now_ms)),
                ..pb::CaseDeadline::default()
            };
        }
        let found = view::case(&reader.view(), key.agreement, key.subject);
        let (number, title) =
            found.as_ref().map(|found| case_read::heading(reader, found)).unwrap_or_default();
        if let Some(found) = &found {
            line.shown(found.case.originating);
        }
        let turn = found.as_ref().and_then(|found| found.case.turn);
        pb::CaseDeadline {
            name: read::name_of(key.agreement, key.subject),
            number,
            title,
            state: read::state_number(found.map(|found| found.case.state)),
            deadline: Some(read::deadline_to_pb(deadline, now_ms)),
            turn_city: turn.map_or(0, CityCode::as_u32),
        }
    }
}

/// A key as numbers for a page token.
fn place(key: Key) -> [u64; PLACE_NUMBERS] {
    let halves = |id: &[u8; 16]| {
        let all = u128::from_be_bytes(*id);
        [(all >> 64) as u64, all as u64]
    };
    let [a, b] = halves(key.agreement.as_bytes());
    let [c, d] = halves(key.subject.as_bytes());
    let on = key.on.days_since_epoch().cast_unsigned();
    let clock = Clock::ALL.iter().position(|one| *one == key.clock).unwrap_or(0) as u64;
    [on, a, b, c, d, clock, u64::from(key.nth)]
}

fn key(city: CityCode, [on, a, b, c, d, clock, nth]: [u64; PLACE_NUMBERS]) -> Option<Key> {
    let whole = |high: u64, low: u64| ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
    Some(Key {
        city,
        on: Date::from_days_since_epoch(on.cast_signed())?,
        agreement: AgreementId::new(whole(a, b)),
        subject: SubjectId::new(whole(c, d)),
        clock: *Clock::ALL.get(usize::try_from(clock).ok()?)?,
        nth: u32::try_from(nth).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        let city = CityCode::from_u32(371_500).unwrap();
        let key_of = |on: &str, clock| Key {
            city,
            on: on.parse().unwrap(),
            agreement: AgreementId::new(*b"0123456789abcdef"),
            subject: SubjectId::new([0xff; 16]),
            clock,
            nth: 3,
        };
        for one in [key_of("2026-11-28", Clock::Assistance), key_of("1969-12-31", Clock::Filing)] {
            assert_eq!(key(city, place(one)), Some(one));
        }
        assert_eq!(key(city, [u64::MAX >> 1, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(key(city, [0, 0, 0, 0, 0, 99, 0]), None);
    }
}

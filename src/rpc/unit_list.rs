//! Lists of units: what a list takes, pages, total.
//!
//! In scope: one page of an answer. Out of scope: one unit ([`super::unit_read`]).

use prost::Message;

use super::caller::Called;
use super::cursor;
use super::page_token::{self, Seal};
use super::unit_read::written;
use super::unit_service::UnitApi;
use crate::domain::{Date, Department, UnitKind};
use crate::ids::{AgreementId, CityCode};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::roster::Line;
use crate::view;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;
use crate::wire::unit as write;

/// What a list takes.
struct Filter {
    agreements: Vec<AgreementId>,
    city: Option<CityCode>,
    kind: Option<UnitKind>,
    department: Option<Department>,
    valid_on: Option<Date>,
    with_retired: bool,
}

impl Filter {
    fn read(api: &UnitApi, asked: &pb::ListUnitsRequest) -> Result<Self, Refused> {
        let city = (asked.city != 0).then(|| read::city("city", asked.city)).transpose()?;
        Ok(Self {
            agreements: api.agreements(&asked.parent)?,
            city,
            kind: write::kind("kind", asked.kind)?,
            department: write::department("department", asked.department)?,
            valid_on: read::date("valid_on", asked.valid_on.as_ref())?,
            with_retired: asked.with_retired,
        })
    }

    fn takes(&self, line: &Line) -> bool {
        let facts = &line.facts;
        self.agreements.contains(&line.unit.0)
            && self.city.is_none_or(|city| city == line.city)
            && self.kind.is_none_or(|kind| kind == facts.kind)
            && self.department.is_none_or(|one| Some(one) == facts.department)
            && self.valid_on.is_none_or(|day| facts.counts_on(day))
            && (self.with_retired || !facts.retired)
    }
}

impl UnitApi {
    /// The agreements a request is about.
    fn agreements(&self, parent: &str) -> Result<Vec<AgreementId>, Refused> {
        let book = self.desk.node.book();
        match read::parent(parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND")),
            None => Ok(book.iter().map(|(id, _)| *id).collect()),
        }
    }

    pub(super) fn page(
        &self,
        who: &Called,
        asked: &pb::ListUnitsRequest,
    ) -> Result<pb::ListUnitsResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let filter = Filter::read(self, asked)?;
        let bound =
            pb::ListUnitsRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let bound = [b"units ".as_slice(), &bound.encode_to_vec()].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<2>(&asked.page_token)?;
        let roster = self.roster.open(&self.desk.node);
        let as_of = roster.as_of();
        let below = from.map(|[below, _]| below);
        let mut fits = roster.newest_first(below).filter(|line| filter.takes(line));
        // One more tells whether there is a next page.
        let mut lines: Vec<_> = fits.by_ref().take(size + 1).map(|l| (l.unit, l.opened)).collect();
        let total = match from {
            Some([_, total]) => total,
            None => (lines.len() + fits.by_ref().count()) as u64,
        };
        drop(fits);
        drop(roster);
        let more = lines.len() > size;
        lines.truncate(size);
        let (mut units, mut bytes, mut last, mut cut) = (Vec::new(), 0, None, more);
        let reader = self.desk.node.reader();
        for (unit, opened) in lines {
            let found = view::unit(&reader.view(), unit.0, unit.1);
            let Some(found) = found else { continue };
            let unit = written(&reader, unit, &found);
            bytes += unit.encoded_len();
            if bytes > PAGE_BYTES_MAX && !units.is_empty() {
                cut = true;
                break;
            }
            units.push(unit);
            last = Some(opened);
        }
        let next = last.filter(|_| cut).map(|below| seal.close(&[below, total]));
        Ok(pb::ListUnitsResponse {
            units,
            next_page_token: next.unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            cursor: cursor::at(&self.desk.node, as_of),
        })
    }
}

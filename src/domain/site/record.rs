//! What people typed of a site: a part that all members may hold.

use crate::domain::invalid::Invalid;
use crate::domain::place::Coordinates;
use crate::domain::record::{parse_coordinates, parse_industry, parse_permit_no};
use crate::domain::text::Line;
use crate::domain::uscc::Uscc;
use crate::limits::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX};

/// Who and where a site is, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SiteRecord {
    /// What the enterprise is called.
    pub name: Line,
    /// Its credit code, by which its own city counts checks.
    pub uscc: Uscc,
    /// Number of its discharge permit.
    pub permit_no: Option<String>,
    /// Its trade (GB/T 4754), such as C3021.
    pub industry_code: Option<String>,
    /// The place in words.
    pub address: Option<Line>,
    /// Exact place, CGCS2000.
    pub coordinates: Option<Coordinates>,
}

/// A record as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteDraft {
    /// Required.
    pub name: String,
    /// Required.
    pub uscc: String,
    /// See [`SiteRecord::permit_no`].
    pub permit_no: String,
    /// See [`SiteRecord::industry_code`].
    pub industry_code: String,
    /// See [`SiteRecord::address`].
    pub address: String,
    /// Longitude, latitude and reference system; see [`Coordinates::parse`].
    pub coordinates: Option<(String, String, String)>,
}

impl SiteRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// Every wrong field, in the order of the form; never an empty list.
    pub fn parse(draft: &SiteDraft) -> Result<Self, Vec<Invalid>> {
        let name = Line::parse(&draft.name, NAME_BYTES_MAX).map_err(|e| e.at("name"));
        let uscc = Uscc::parse(draft.uscc.trim()).map_err(|e| e.at("uscc"));
        let permit_no = parse_permit_no(&draft.permit_no).map_err(|e| e.at("permit_number"));
        let industry_code = parse_industry(&draft.industry_code).map_err(|e| e.at("industry_code"));
        let address = match draft.address.trim() {
            "" => Ok(None),
            line => Line::parse(line, ADDRESS_BYTES_MAX).map(Some),
        };
        let address = address.map_err(|e| e.at("address").at("location"));
        let coordinates = parse_coordinates(draft.coordinates.as_ref());
        let coordinates = coordinates.map_err(|e| e.at("location"));
        match (name, uscc, permit_no, industry_code, address, coordinates) {
            (
                Ok(name),
                Ok(uscc),
                Ok(permit_no),
                Ok(industry_code),
                Ok(address),
                Ok(coordinates),
            ) => Ok(Self { name, uscc, permit_no, industry_code, address, coordinates }),
            (name, uscc, permit_no, industry_code, address, coordinates) => {
                let of_texts = [name.err(), uscc.err(), permit_no.err(), industry_code.err()];
                let of_place = [address.err(), coordinates.err()];
                Err(of_texts.into_iter().chain(of_place).flatten().collect())
            }
        }
    }
}

//! Sites as rows of a sheet: what import reads and export writes.
//!
//! In scope: columns and their headings, from a row to a site and back. Out of scope: cells as
//! spreadsheets leave them, CSV ([`crate::shown::table`]), whether a site is right.

use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, words};
use crate::domain::CountyCode;
use crate::lang::Lang;
use crate::shown::site as told;
use crate::shown::table::{Wrong, cells, csv};
use crate::wire::pb::v1 as pb;

use super::{medium, permit, short, tier};

/// One column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading in Chinese.
    pub zh: &'static str,
    /// Heading in English.
    pub en: &'static str,
    /// Path in the request, by which a node names a field; empty of what is only shown.
    pub field: &'static str,
    /// A row without it is refused.
    pub required: bool,
    /// A number that is a name, which spreadsheets spoil.
    is_id: bool,
}

const fn column(zh: &'static str, en: &'static str, field: &'static str) -> Column {
    Column { zh, en, field, required: false, is_id: false }
}

const fn id(column: Column) -> Column {
    Column { is_id: true, ..column }
}

const fn required(column: Column) -> Column {
    Column { required: true, ..column }
}

/// The column that says in which agreement a site is.
pub const AGREEMENT: &str = "联动协议";

/// All columns, in the order of an export.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    id(column("编号", "number", "")),
    column(AGREEMENT, "agreement", ""),
    column("所在市", "city", ""),
    required(column("企业名称", "name", "record.name")),
    required(id(column("统一社会信用代码", "credit code", "record.uscc"))),
    required(id(column("县级代码", "county code", "facts.county_code"))),
    required(column("类别", "pool", "facts.tier")),
    required(column("污染要素", "media", "facts.media")),
    column("许可管理类别", "permit kind", "facts.permit_kind"),
    id(column("排污许可证编号", "permit number", "record.permit_number")),
    id(column("行业代码", "industry code", "record.industry_code")),
    column("地址", "address", "record.location.address"),
    column("经度", "longitude", "record.location.longitude"),
    column("纬度", "latitude", "record.location.latitude"),
    column("坐标系", "coordinate system", "record.location.crs"),
    column("已关停", "closed", "facts.closed"),
    column("另一厂区", "another plant", "another_plant"),
    column("正面清单", "positive list", ""),
];

impl Column {
    /// Its heading.
    #[must_use]
    pub fn heading(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    fn named(text: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|one| one.zh == text || one.en.eq_ignore_ascii_case(text))
    }

    /// The column of a field of a request.
    #[must_use]
    pub fn of_field(field: &str) -> Option<&'static Self> {
        let own = COLUMNS.iter().filter(|one| !one.field.is_empty());
        let fits =
            |one: &&Self| field == one.field || field.starts_with(&format!("{}[", one.field));
        // A fault of both coordinates is shown at the first of them.
        let place = |one: &&Self| field == "record.location" && one.zh == "经度";
        own.clone().find(fits).or_else(|| own.into_iter().find(place))
    }
}

/// Prints the headings that are read, as a file that a spreadsheet opens.
pub fn template(lang: Lang) {
    let read = COLUMNS.iter().filter(|one| !one.field.is_empty());
    let headings: Vec<String> = read.map(|one| one.heading(lang).to_owned()).collect();
    print!("\u{feff}{}", csv::line(&headings));
}

/// All headings.
#[must_use]
pub fn headings(lang: Lang) -> Vec<String> {
    COLUMNS.iter().map(|one| one.heading(lang).to_owned()).collect()
}

/// The columns of a file, in its order.
#[derive(Debug)]
pub struct Headings(Vec<&'static Column>);

impl Headings {
    /// Reads the first row; one that is unknown is refused, so that a misspelt one is not lost.
    ///
    /// # Errors
    /// [`Failure`] naming what is unknown, given twice or missing.
    pub fn read(first: &[String], lang: Lang) -> Result<Self, Failure> {
        let see = lang.pick(
            "可用的表头见 liandong site import --template",
            "liandong site import --template prints the headings",
        );
        let mut columns: Vec<&'static Column> = Vec::new();
        for cell in first {
            let text = cells::unescaped(cell).trim();
            let shown: String = table::clean(text).chars().take(60).collect();
            let Some(column) = Column::named(text).filter(|one| !columns.contains(one)) else {
                return Err(Failure::local(lang.pick(
                    format!("不认识表头“{shown}”，或出现两次"),
                    format!("there is no heading {shown:?}, or it stands there twice"),
                ))
                .advise(see));
            };
            columns.push(column);
        }
        match COLUMNS.iter().find(|one| one.required && !columns.contains(one)) {
            None => Ok(Self(columns)),
            Some(missing) => Err(Failure::local(lang.pick(
                format!("缺少“{}”一列", missing.zh),
                format!("the column {:?} is missing", missing.en),
            ))
            .advise(see)),
        }
    }

    /// A heading proves that its Chinese characters were read as they were written.
    #[must_use]
    pub fn prove_chinese(first: &[String]) -> bool {
        let is_known = |cell: &String| Column::named(cells::unescaped(cell)).is_some();
        first.iter().any(|cell| !cell.is_ascii() && is_known(cell))
    }

    /// Reads a row; `None` when all its cells are empty.
    ///
    /// # Errors
    /// [`Wrong`] naming the column.
    pub fn site(&self, row: &[String], lang: Lang) -> Result<Option<Draft>, Wrong> {
        if row.iter().all(|cell| cells::unescaped(cell).is_empty()) {
            return Ok(None);
        }
        if row.len() != self.0.len() {
            let (got, want) = (row.len(), self.0.len());
            return Err(Wrong::new(
                "CELLS",
                lang.pick(
                    format!("此行有 {got} 格，表头有 {want} 格"),
                    format!("{got} cells under {want} headings"),
                ),
                lang.pick("检查此行的逗号和引号", "look for commas and quotes"),
            ));
        }
        let mut draft = Draft::default();
        for (column, cell) in self.0.iter().zip(row) {
            let text = cells::unescaped(cell);
            if column.field.is_empty() {
                // Only shown; but a row must not go into another agreement than it names.
                if column.zh == AGREEMENT {
                    text.clone_into(&mut draft.agreement);
                }
                continue;
            }
            let read = match (text.is_empty(), column.required) {
                (true, true) => {
                    let what = lang.pick("此格必填", "this cell must be filled");
                    Err(Wrong::new("REQUIRED", what, lang.pick("补填", "fill it")))
                }
                (true, false) => Ok(()),
                (false, _) if column.is_id => {
                    cells::id(text, lang).and_then(|text| draft.set(column.field, &text, lang))
                }
                (false, _) => draft.set(column.field, text, lang),
            };
            read.map_err(|wrong| wrong.at(column.heading(lang)))?;
        }
        Ok(Some(draft))
    }
}

/// A site as a row says it.
#[derive(Debug, Default)]
pub struct Draft {
    /// Facts.
    pub facts: pb::SiteFacts,
    /// Who and where it is.
    pub record: pb::SiteRecord,
    /// It is another plant.
    pub another_plant: bool,
    /// The agreement in which it is, if the file says so.
    pub agreement: String,
}

impl Draft {
    fn set(&mut self, field: &str, text: &str, lang: Lang) -> Result<(), Wrong> {
        let (facts, record, given) = (&mut self.facts, &mut self.record, text.to_owned());
        match field {
            "record.name" => record.name = given,
            "record.uscc" => record.uscc = given,
            "record.permit_number" => record.permit_number = given,
            "record.industry_code" => record.industry_code = given,
            "record.location.address" => record.location.get_or_insert_default().address = given,
            "record.location.longitude" => {
                record.location.get_or_insert_default().longitude = given;
            }
            "record.location.latitude" => record.location.get_or_insert_default().latitude = given,
            "record.location.crs" => record.location.get_or_insert_default().crs = given,
            "facts.county_code" => facts.county_code = county(text, lang)?,
            "facts.tier" => facts.tier = known(tier(text), text, lang)?.into(),
            "facts.permit_kind" => facts.permit_kind = known(permit(text), text, lang)?.into(),
            "facts.media" => {
                let all = text.split(['、', ',', '，', '；', ';']).map(str::trim);
                let all = all.filter(|one| !one.is_empty());
                let read = all.map(|one| known(medium(one), one, lang).map(i32::from));
                facts.media = read.collect::<Result<_, _>>()?;
            }
            "facts.closed" => facts.closed = yes(text, lang)?,
            "another_plant" => self.another_plant = yes(text, lang)?,
            _ => {}
        }
        Ok(())
    }
}

fn county(text: &str, lang: Lang) -> Result<u32, Wrong> {
    let read = CountyCode::parse(text).map(CountyCode::as_u32);
    read.map_err(|wrong| {
        let what =
            wrong.explain(lang.pick(crate::domain::Language::Zh, crate::domain::Language::En));
        Wrong::new(wrong.reason(), what, lang.pick("写作 371522", "write it like 371522"))
    })
}

fn known<T>(read: Result<T, String>, text: &str, lang: Lang) -> Result<T, Wrong> {
    read.map_err(|advice| {
        let what = lang.pick(format!("没有“{text}”"), format!("there is no {text:?}"));
        Wrong::new("CODE_UNKNOWN", what, advice)
    })
}

fn yes(text: &str, lang: Lang) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "是" | "yes" | "true" => Ok(true),
        "否" | "no" | "false" => Ok(false),
        _ => known(Err(lang.pick("写“是”或“否”", "write yes or no").to_owned()), text, lang),
    }
}

/// A site as the cells of a row, in the order of [`COLUMNS`]; `another_plant` says that the file
/// has one of the same enterprise already.
#[must_use]
pub fn row(site: &pb::Site, another_plant: bool, names: &Names, lang: Lang) -> Vec<String> {
    let facts = site.facts.clone().unwrap_or_default();
    let record = site.record.clone().unwrap_or_default();
    let location = record.location.clone().unwrap_or_default();
    let parent = site.name.split_once("/sites/").map_or("", |(parent, _)| parent);
    let permit = match facts.permit_kind {
        0 => "",
        _ => words::permit_kind(facts.permit_kind(), lang),
    };
    let crs = if location.longitude.is_empty() { String::new() } else { location.crs.clone() };
    let yes = |it_is: bool| if it_is { lang.pick("是", "yes") } else { "" }.to_owned();
    let listing = site.listing.as_ref().map(|listing| told::listed(listing, lang));
    let cells = [
        short(&site.name).to_owned(),
        names.agreement(parent),
        names.city(site.city),
        record.name,
        record.uscc,
        format!("{:06}", facts.county_code),
        words::site_tier(facts.tier(), lang).to_owned(),
        told::media(&facts, lang),
        permit.to_owned(),
        record.permit_number,
        record.industry_code,
        location.address,
        location.longitude,
        location.latitude,
        crs,
        yes(facts.closed),
        yes(another_plant),
        listing.unwrap_or_default(),
    ];
    let written = |(column, cell): (&Column, String)| match (column.is_id, cell.is_empty()) {
        (_, true) => cell,
        (true, false) => cells::kept_as_text(&cell),
        (false, false) => cells::escaped(&cell),
    };
    COLUMNS.iter().zip(cells).map(written).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn cells_of(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    const PLAIN: [&str; 5] = ["企业名称", "统一社会信用代码", "县级代码", "类别", "污染要素"];

    #[test]
    fn a_row_becomes_a_site_and_a_wrong_cell_is_named() {
        let first =
            cells_of(&[&PLAIN[..], &["经度", "纬度", "已关停", "编号", AGREEMENT]].concat());
        let headings = Headings::read(&first, Lang::Zh).unwrap();
        let good = [
            "'=示例",
            "\t91371522YYYY90011A",
            "371522",
            "重点",
            "水、AIR",
            "115.1",
            "36.2",
            "否",
            "1e234567",
            "聊邯",
        ];
        let read = |at: usize, cell: &str| {
            let mut row = cells_of(&good);
            cell.clone_into(&mut row[at]);
            headings.site(&row, Lang::Zh)
        };
        let media = crate::shown::table::columns::Codes::Medium.all(Lang::Zh);
        let water = media.iter().find(|(code, _)| *code == "WATER").unwrap().1;
        let draft = read(4, &format!("{water}、AIR")).unwrap().unwrap();
        assert_eq!((draft.record.name.as_str(), draft.facts.county_code), ("=示例", 371_522));
        assert_eq!(draft.record.uscc, "91371522YYYY90011A");
        assert_eq!(draft.facts.media, [2, 1]);
        assert_eq!(draft.record.location.unwrap().crs, "", "never guessed: the node refuses it");
        assert_eq!(draft.agreement, "聊邯");
        assert!(headings.site(&cells_of(&[""; 10]), Lang::Zh).unwrap().is_none());
        for (at, cell, column, reason) in [
            (0, "", "企业名称", "REQUIRED"),
            (1, "9.13715E+17", "统一社会信用代码", "EXCEL_SCIENTIFIC"),
            (2, "371500", "县级代码", "COUNTY_CODE"),
            (3, "要紧", "类别", "CODE_UNKNOWN"),
            (4, "水和气", "污染要素", "CODE_UNKNOWN"),
            (7, "或许", "已关停", "CODE_UNKNOWN"),
        ] {
            let wrong = read(at, cell).unwrap_err();
            assert_eq!((wrong.column.as_str(), wrong.reason.as_str()), (column, reason));
        }
        let short = headings.site(&cells_of(&["a"]), Lang::Zh).unwrap_err();
        assert_eq!(short.reason, "CELLS");
        for bad in [&["企业名称", "企业名称"][..], &["企业"], &PLAIN[..4]] {
            assert!(Headings::read(&cells_of(bad), Lang::Zh).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_exported_is_read_back() {
        for of in [|c: &Column| c.zh, |c: &Column| c.en] {
            let all: BTreeSet<&str> = COLUMNS.iter().map(of).collect();
            assert_eq!(all.len(), COLUMNS.len());
        }
        let location = pb::Location {
            longitude: "115.137564".into(),
            latitude: "36.243400".into(),
            crs: "EPSG:4490".into(),
            address: "莘县".into(),
        };
        let site = pb::Site {
            name: "agreements/0/sites/0123456789abcdef0123456789abcdef".into(),
            city: 371_500,
            facts: Some(pb::SiteFacts {
                county_code: 371_522,
                tier: pb::SiteTier::General.into(),
                media: vec![1, 2],
                permit_kind: pb::PermitKind::Simplified.into(),
                closed: true,
            }),
            record: Some(pb::SiteRecord {
                name: "=示例纸业".into(),
                uscc: "91371522YYYY90011A".into(),
                permit_number: "91371522YYYY90011A001P".into(),
                industry_code: "C2221".into(),
                location: Some(location),
            }),
            ..pb::Site::default()
        };
        for lang in [Lang::Zh, Lang::En] {
            let headings = Headings::read(&headings(lang), lang).unwrap();
            let row = row(&site, true, &Names::new(lang), lang);
            let draft = headings.site(&row, lang).unwrap().unwrap();
            assert!(draft.another_plant);
            assert_eq!(Some(draft.facts), site.facts);
            assert_eq!(Some(draft.record), site.record);
        }
    }

    #[test]
    fn fields_lead_to_their_columns() {
        let heading = |field| Column::of_field(field).map(|column| column.zh);
        assert_eq!(heading("record.uscc"), Some("统一社会信用代码"));
        assert_eq!(heading("record.location"), Some("经度"));
        assert_eq!(heading("facts.media[1]"), Some("污染要素"));
        assert_eq!(heading("parent"), None);
    }
}

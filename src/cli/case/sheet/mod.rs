//! Cases as rows of a sheet: what import reads and export writes.
//!
//! In scope: encodings of files, the way from a row to the sample shape of [`super::draft`]. Out of
//! scope: columns, cells and CSV ([`crate::shown::table`]), what is done with a row
//! ([`super::import`], [`super::export`]).

pub mod encoding;
pub mod rows;

pub use crate::shown::table::{Wrong, cells, columns, csv, written};

#[cfg(test)]
mod tests {
    use super::super::draft;
    use super::rows::Headings;
    use super::written::{Beside, cells, headings, value};
    use crate::lang::Lang;
    use crate::shown::names::Names;
    use crate::wire::pb::v1 as pb;

    #[test]
    fn every_sample_comes_back_from_json_and_from_cells() {
        let samples = draft::read_all(include_str!("../../../../demo/sample-cases.json")).unwrap();
        for lang in [Lang::Zh, Lang::En] {
            let names = Names::new(lang);
            let columns = Headings::read(&headings(lang), lang).unwrap();
            for sample in &samples {
                let record = crate::wire::case::record(Some(&sample.record)).unwrap();
                let case = pb::Case {
                    number: sample.case_id.clone(),
                    facts: Some(sample.facts.clone()),
                    record: Some(crate::wire::record::record_to_pb(&record)),
                    person: sample.person.clone(),
                    ..pb::Case::default()
                };
                let campaigns = "“两打”专项行动".to_owned();
                let reported_on = sample.reported_on;
                let beside = Beside { reported_on, only_here: 2, campaigns };
                let value = value(&case, &beside, &names);
                let row = cells(&value, &names, lang);
                let again = columns.value(&row, lang).unwrap().unwrap();
                for value in [value, again] {
                    let read = draft::parse(value).unwrap();
                    assert_eq!(Some(&read.facts), case.facts.as_ref());
                    assert_eq!(Some(&read.record), case.record.as_ref(), "{row:?}");
                    assert_eq!(
                        (read.person, read.reported_on),
                        (case.person.clone(), sample.reported_on)
                    );
                    assert_eq!(read.case_id, sample.case_id);
                }
            }
        }
    }
}

//! A charter on paper: a draft nobody has signed, or a copy with some signatures.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::table::{self, Sheet};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::log::Note;
use crate::log::note::SignatureLine;
use crate::trust::charter::{self, Charter, SignedCharter};

/// A charter and the right signatures under it.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The text.
    pub charter: Charter,
    /// Lines of members, each right.
    pub lines: Vec<SignatureLine>,
    /// Who has signed, ascending.
    pub signed: Vec<CityCode>,
}

impl Paper {
    /// Reads a draft or a signed copy.
    ///
    /// # Errors
    /// [`Failure`] when it is neither, or a signature is wrong.
    pub fn read(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let bytes = files::read(path, lang)?;
        Self::parse(&bytes).map_err(|why| {
            let shown = path.display();
            Failure::local(lang.pick(
                format!("{shown}：不是可用的协议文件（{why}）"),
                format!("{shown}: is not a usable agreement ({why})"),
            ))
            .advise(lang.pick(
                "协议文本不得手改；需要改动时重新起草，由各市重新签署",
                "the text may not be edited; draft it anew and let every city sign again",
            ))
        })
    }

    /// The same from bytes; the reason in English.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(charter) = Charter::parse(&text) {
            return Ok(Self { charter, lines: Vec::new(), signed: Vec::new() });
        }
        let signed = SignedCharter::parse(&bytes.to_vec().into()).map_err(|e| chain(&e))?;
        let note = Note::parse(bytes).map_err(|e| e.to_string())?;
        Ok(Self {
            charter: signed.charter().clone(),
            lines: note.signatures().to_vec(),
            signed: signed.signed().to_vec(),
        })
    }

    /// Adds the lines of another copy of the same text.
    ///
    /// # Errors
    /// [`Failure`] when the texts differ.
    pub fn join(&mut self, other: Self, lang: Lang) -> Result<(), Failure> {
        if other.charter.hash() != self.charter.hash() {
            return Err(Failure::local(lang.pick(
                "两份文件的协议文本不同，不能合并".to_owned(),
                "the two files hold different texts".to_owned(),
            ))
            .detail(self.charter.hash().to_string())
            .detail(other.charter.hash().to_string())
            .advise(lang.pick(
                "向起草方要同一份文本，核对散列值后再签",
                "get the same text from the city that drafted it and compare the hash",
            )));
        }
        for line in other.lines {
            if !self.lines.iter().any(|l| l.as_str() == line.as_str()) {
                self.lines.push(line);
            }
        }
        self.signed.extend(other.signed);
        self.signed.sort_unstable();
        self.signed.dedup();
        Ok(())
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`Failure`] when there are more lines than a note may have.
    pub fn bytes(&self) -> Result<Vec<u8>, Failure> {
        if self.lines.is_empty() {
            return Ok(self.charter.text().into_bytes());
        }
        let note = charter::note(&self.charter, self.lines.clone());
        note.map(|n| n.to_vec()).map_err(|e| Failure::local(e.to_string()))
    }

    /// Members that have not signed, ascending.
    #[must_use]
    pub fn missing(&self) -> Vec<CityCode> {
        let all = self.charter.members.iter().map(|m| m.city);
        all.filter(|city| !self.signed.contains(city)).collect()
    }

    /// For people.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let charter = &self.charter;
        let mut sheet = Sheet::default();
        let term = lang.pick("至", "to");
        let missing: Vec<String> = self.missing().iter().map(|c| self.name(*c)).collect();
        let complete = if missing.is_empty() {
            lang.pick("各市均已签署", "signed by all members").to_owned()
        } else {
            let names = missing.join(lang.pick("、", ", "));
            lang.pick(format!("尚缺 {names}"), format!("not signed by {names}"))
        };
        let pairs: Vec<String> =
            charter.border_pairs.iter().map(|(a, b)| format!("{a}–{b}")).collect();
        sheet
            .row(lang.pick("协议", "title"), charter.title.clone())
            .row(lang.pick("简称", "short name"), charter.short_name.clone())
            .row(lang.pick("编号", "id"), charter.agreement.to_string())
            .row(lang.pick("版本", "version"), charter.version.to_string())
            .row(
                lang.pick("期限", "term"),
                format!("{} {term} {}", charter.begin_on, charter.end_on),
            )
            .row(
                lang.pick("边界地带", "border belt"),
                lang.pick(
                    format!("{} 米", charter.belt_metres),
                    format!("{} m", charter.belt_metres),
                ),
            )
            .row(lang.pick("接壤", "borders"), pairs.join(lang.pick("、", ", ")))
            .row(lang.pick("时限", "deadlines"), deadlines(charter, lang))
            .row(lang.pick("散列值", "hash"), charter.hash().to_string())
            .row(lang.pick("签署", "signatures"), complete);
        format!("{}\n{}\n", sheet.text(), self.members(lang))
    }

    fn members(&self, lang: Lang) -> comfy_table::Table {
        let headers = lang.pick(
            ["代码", "名称", "简称", "城市公钥", "签署"],
            ["code", "name", "short", "public city key", "signed"],
        );
        let mut table = table::table(&headers);
        for member in &self.charter.members {
            let signed = self.signed.contains(&member.city);
            table.add_row([
                member.city.to_string(),
                table::clean(&member.name),
                table::clean(&member.short_name),
                member.city_key.to_string(),
                if signed { lang.pick("已签", "yes") } else { lang.pick("未签", "no") }.to_owned(),
            ]);
        }
        table
    }

    fn name(&self, city: CityCode) -> String {
        let member = self.charter.members.iter().find(|m| m.city == city);
        member.map_or_else(|| city.to_string(), |m| table::clean(&m.name))
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let charter = &self.charter;
        let member = |m: &charter::Member| {
            json!({
                "city": m.city.to_string(),
                "name": m.name,
                "short_name": m.short_name,
                "city_key": m.city_key.to_string(),
                "signed": self.signed.contains(&m.city),
            })
        };
        json!({
            "agreement": charter.agreement.to_string(),
            "short_name": charter.short_name,
            "title": charter.title,
            "version": charter.version,
            "begin_on": charter.begin_on.to_string(),
            "end_on": charter.end_on.to_string(),
            "belt_metres": charter.belt_metres,
            "hash": charter.hash().to_string(),
            "members": charter.members.iter().map(member).collect::<Vec<_>>(),
            "complete": self.missing().is_empty(),
        })
    }
}

fn deadlines(charter: &Charter, lang: Lang) -> String {
    let d = &charter.deadlines;
    lang.pick(
        format!(
            "通报签收 {} 个工作日；移送签收 {}、答复 {} 个工作日；进展每 {} 天；\
             结果 {} 个工作日；应急 {} 分钟",
            d.notice_ack_workdays,
            d.transfer_ack_workdays,
            d.transfer_answer_workdays,
            d.progress_days,
            d.outcome_workdays,
            d.emergency_minutes
        ),
        format!(
            "notice acknowledged in {} workdays; transfer acknowledged in {}, answered in {}; \
             progress every {} days; outcome in {} workdays; emergencies {} minutes",
            d.notice_ack_workdays,
            d.transfer_ack_workdays,
            d.transfer_answer_workdays,
            d.progress_days,
            d.outcome_workdays,
            d.emergency_minutes
        ),
    )
}

/// An error with what lies behind it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

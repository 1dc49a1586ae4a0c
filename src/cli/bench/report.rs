//! What was measured, as a table for people and as JSON for comparing runs.
//!
//! In scope: figures, their floors, ratios and budgets. Out of scope: how they came about.

use serde_json::{Value, json};

use crate::cli::table;
use crate::lang::Lang;

/// One figure of a run.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// Stable name, such as `write.alone.64`.
    pub id: String,
    /// What it is, in Chinese and English.
    pub what: (String, String),
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Median and 99th percentile of one operation, milliseconds.
    pub percentiles_ms: Option<(f64, f64)>,
    /// Id of the figure of the same unit it is compared with.
    pub floor: Option<String>,
    /// What DESIGN asks for.
    pub budget: Option<Budget>,
}

/// What is asked of a figure.
#[derive(Clone, Debug)]
pub struct Budget {
    /// For people of either language; `×` is the ratio to the floor.
    pub text: String,
    /// Where it is met.
    pub bound: Bound,
}

/// A bound on a figure.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// The figure itself, at least.
    AtLeast(f64),
    /// The figure itself, at most.
    AtMost(f64),
    /// Its ratio to the floor, at least.
    RatioAtLeast(f64),
    /// Its ratio to the floor, at most.
    RatioAtMost(f64),
    /// Median and 99th percentile, milliseconds, at most.
    PercentilesAtMost(f64, f64),
}

impl Figure {
    /// A figure without floor and budget.
    pub fn new(id: &str, zh: &str, en: &str, value: f64, unit: &'static str) -> Self {
        let what = (zh.to_owned(), en.to_owned());
        Self { id: id.to_owned(), what, value, unit, ..Self::default() }
    }

    /// Adds how long one operation took.
    pub fn taking(mut self, p50_ms: f64, p99_ms: f64) -> Self {
        self.percentiles_ms = Some((p50_ms, p99_ms));
        self
    }

    /// Names the figure it is compared with.
    pub fn over(mut self, floor: &str) -> Self {
        self.floor = Some(floor.to_owned());
        self
    }

    /// Says what is asked of it.
    pub fn within(mut self, text: &str, bound: Bound) -> Self {
        self.budget = Some(Budget { text: text.to_owned(), bound });
        self
    }
}

/// How much of everything there was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// Entries caught up on.
    pub entries: u64,
    /// Cases that lists were read from.
    pub cases: u64,
    /// Plans that lists were read from.
    pub plans: u64,
    /// Units of each of the cities of these plans.
    pub units: u64,
    /// Bytes of the file that crossed.
    pub file_bytes: u64,
}

/// All figures of a run, in the order they were measured.
#[derive(Clone, Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure.
    pub fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    fn value(&self, id: &str) -> Option<f64> {
        self.figures.iter().find(|f| f.id == id).map(|f| f.value)
    }

    /// The figure divided by its floor; `None` where the floor was not measured.
    fn ratio(&self, figure: &Figure) -> Option<f64> {
        let floor = self.value(figure.floor.as_deref()?)?;
        (floor > 0.0).then(|| figure.value / floor)
    }

    /// Whether the budget is met; `None` where nothing is asked or it cannot be told.
    fn met(&self, figure: &Figure) -> Option<bool> {
        Some(match figure.budget.as_ref()?.bound {
            Bound::AtLeast(bound) => figure.value >= bound,
            Bound::AtMost(bound) => figure.value <= bound,
            Bound::RatioAtLeast(bound) => self.ratio(figure)? >= bound,
            Bound::RatioAtMost(bound) => self.ratio(figure)? <= bound,
            Bound::PercentilesAtMost(p50, p99) => {
                let (got50, got99) = figure.percentiles_ms?;
                got50 <= p50 && got99 <= p99
            }
        })
    }

    /// For people.
    pub fn table(&self, lang: Lang) -> String {
        let heads = lang.pick(
            ["测量", "数值", "单位", "p50 毫秒", "p99 毫秒", "底线", "比值", "目标", "达到"],
            ["measured", "value", "unit", "p50 ms", "p99 ms", "floor", "ratio", "budget", "met"],
        );
        let mut table = table::table(&heads);
        for figure in &self.figures {
            let percentile = |pick: fn((f64, f64)) -> f64| {
                figure.percentiles_ms.map(|p| short(pick(p))).unwrap_or_default()
            };
            let floor = figure.floor.as_deref().and_then(|id| self.value(id));
            let met = self
                .met(figure)
                .map_or("", |met| if met { lang.pick("是", "yes") } else { lang.pick("否", "no") });
            table.add_row([
                lang.pick(figure.what.0.clone(), figure.what.1.clone()),
                short(figure.value),
                figure.unit.to_owned(),
                percentile(|p| p.0),
                percentile(|p| p.1),
                floor.map(short).unwrap_or_default(),
                self.ratio(figure).map(short).unwrap_or_default(),
                figure.budget.as_ref().map(|b| b.text.clone()).unwrap_or_default(),
                met.to_owned(),
            ]);
        }
        table.to_string()
    }

    /// For programs.
    pub fn json(&self, quick: bool, sizes: Sizes) -> Value {
        let figure = |figure: &Figure| {
            json!({
                "id": figure.id,
                "what": figure.what.1,
                "value": figure.value,
                "unit": figure.unit,
                "p50_ms": figure.percentiles_ms.map(|p| p.0),
                "p99_ms": figure.percentiles_ms.map(|p| p.1),
                "floor": figure.floor,
                "ratio": self.ratio(figure),
                "budget": figure.budget.as_ref().map(|b| b.text.clone()),
                "met": self.met(figure),
            })
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "optimised": !cfg!(debug_assertions),
            "cpus": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            "quick": quick,
            "catch_up_entries": sizes.entries,
            "list_cases": sizes.cases,
            "list_plans": sizes.plans,
            "units_a_city": sizes.units,
            "file_bytes": sizes.file_bytes,
            "figures": self.figures.iter().map(figure).collect::<Vec<_>>(),
        })
    }
}

/// Three digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.add(Figure::new("call.64", "空", "empty", 1000.0, "ops/s").taking(1.0, 4.0));
        let write = Figure::new("write.64", "写", "write", 690.0, "ops/s").taking(3.0, 9.0);
        report.add(write.over("call.64").within("≥ 0.70", Bound::RatioAtLeast(0.7)));
        report
    }

    #[test]
    fn ratios_and_budgets_are_told() {
        let json = report().json(true, Sizes::default());
        assert_eq!(json["figures"][1]["ratio"], 0.69);
        assert_eq!(json["figures"][1]["met"], false);
        assert_eq!(json["figures"][0]["met"], Value::Null);
        let table = report().table(Lang::En);
        assert!(table.contains("0.69") && table.contains("no"), "{table}");
    }

    #[test]
    fn a_floor_that_was_not_measured_judges_nothing() {
        let mut report = Report::default();
        let write = Figure::new("write.64", "写", "write", 690.0, "ops/s");
        report.add(write.over("call.64").within("≥ 0.70", Bound::RatioAtLeast(0.7)));
        assert_eq!(report.json(true, Sizes::default())["figures"][0]["met"], Value::Null);
    }

    #[test]
    fn bounds_hold_on_both_sides() {
        let met = |bound| {
            let mut report = Report::default();
            let figure = Figure::new("a", "", "", 5.0, "").taking(2.0, 5.0).over("b");
            report.add(figure.within("", bound));
            report.add(Figure::new("b", "", "", 2.0, ""));
            report.json(true, Sizes::default())["figures"][0]["met"].as_bool().unwrap()
        };
        assert!(met(Bound::RatioAtLeast(2.5)) && !met(Bound::RatioAtLeast(2.6)));
        assert!(met(Bound::RatioAtMost(2.5)) && !met(Bound::RatioAtMost(2.4)));
        assert!(met(Bound::AtLeast(5.0)) && !met(Bound::AtLeast(5.1)));
        assert!(met(Bound::AtMost(5.0)) && !met(Bound::AtMost(4.9)));
        assert!(met(Bound::PercentilesAtMost(2.0, 5.0)));
        assert!(!met(Bound::PercentilesAtMost(1.9, 5.0)));
        assert!(!met(Bound::PercentilesAtMost(2.0, 4.9)));
    }
}

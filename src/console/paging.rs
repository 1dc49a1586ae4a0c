//! Long pages in parts: which things stand on one of them, and the way to the others.
//!
//! In scope: where parts begin. Out of scope: lists that a service pages ([`super::parts::next`]).

use maud::{Markup, html};

use crate::lang::Lang;

/// A part of what there is.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    firsts: Vec<usize>,
    total: usize,
    first: usize,
    end: usize,
}

impl Part {
    /// The part with the thing at a place, or the last one: of no more things than `count_max`, and
    /// together no heavier than `weight_max`, unless one alone is.
    #[must_use]
    pub fn of(weights: &[usize], (count_max, weight_max): (usize, usize), at: usize) -> Self {
        let (mut firsts, mut count, mut sum) = (Vec::new(), 0, 0_usize);
        for (nth, weight) in weights.iter().enumerate() {
            if nth == 0 || count == count_max || sum.saturating_add(*weight) > weight_max {
                firsts.push(nth);
                (count, sum) = (0, 0);
            }
            (count, sum) = (count + 1, sum.saturating_add(*weight));
        }
        let total = weights.len();
        let first = firsts.iter().copied().filter(|first| *first <= at).max().unwrap_or(0);
        let end = firsts.iter().copied().find(|next| *next > first).unwrap_or(total);
        Self { firsts, total, first, end }
    }

    /// What of all there is stands in it.
    pub fn shown<T>(&self, all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        all.into_iter().skip(self.first).take(self.end - self.first)
    }

    /// Which part this is, and links to all; nothing while there is but one.
    #[must_use]
    pub fn others(&self, here: &str, lang: Lang) -> Markup {
        let Self { firsts, total, first, end } = self;
        let ends = firsts.iter().skip(1).chain([total]);
        html! {
            @if firsts.len() > 1 {
                p .hint .noprint {
                    (lang.pick(
                        format!("共 {total} 项，这里是第 {} 至 {end} 项：", first + 1),
                        format!("{total} in all, here {} to {end}: ", first + 1),
                    ))
                    @for (from, until) in firsts.iter().zip(ends) {
                        a href={ (here) "?from=" (from) }
                            aria-current=[(from == first).then_some("page")] {
                            (from + 1) "–" (until)
                        }
                        " "
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_in_one_part_that_has_room_for_it() {
        let weights = [5, 5, 5, 20, 1, 1, 1, 1];
        let shown = |at: usize| {
            let part = Part::of(&weights, (3, 12), at);
            part.shown(0..weights.len()).collect::<Vec<_>>()
        };
        assert_eq!(shown(0), [0, 1]);
        assert_eq!(shown(2), [2]);
        assert_eq!(shown(3), [3], "heavier than any part may be");
        assert_eq!((shown(5), shown(usize::MAX)), (vec![4, 5, 6], vec![7]));
        let of = |at| Part::of(&weights, (3, 12), at).others("/here", Lang::Zh).into_string();
        let said = of(4);
        assert!(said.contains("共 8 项，这里是第 5 至 7 项"), "{said}");
        assert!(said.contains(r#"href="/here?from=4" aria-current="page">5–7</a>"#), "{said}");
        assert_eq!(Part::of(&[1; 3], (3, 12), 9).others("/here", Lang::Zh).into_string(), "");
        assert_eq!(Part::of(&[], (3, 12), 0).shown(0..0).count(), 0);
    }
}

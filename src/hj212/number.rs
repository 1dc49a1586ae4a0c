//! Measured numbers: compared and divided as the decimals they are. No float.

use std::cmp::Ordering;

use crate::domain::quantity::Decimal;

/// Reads a number as devices write it: zeros in front go, zeros at the end stay.
#[must_use]
pub fn parse(text: &str) -> Option<Decimal> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let stripped = digits.trim_start_matches('0');
    let whole = if stripped.is_empty() || stripped.starts_with('.') { "0" } else { "" };
    let whole = if digits.starts_with('0') { whole } else { "" };
    let plain = format!("{whole}{stripped}");
    // -0 is 0.
    let zero = !plain.bytes().any(|b| (b'1'..=b'9').contains(&b));
    Decimal::parse(&format!("{}{plain}", if zero { "" } else { sign })).ok()
}

/// Sign, digits before and after the point.
fn parts(number: &Decimal) -> (bool, &str, &str) {
    let text = number.as_str();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    (digits.len() < text.len(), whole, decimals)
}

/// Which of two numbers is larger; how exact they are does not count.
#[must_use]
pub fn compare(a: &Decimal, b: &Decimal) -> Ordering {
    let (a_minus, a_whole, a_decimals) = parts(a);
    let (b_minus, b_whole, b_decimals) = parts(b);
    let by_size = || {
        let (a, b) = (a_decimals.trim_end_matches('0'), b_decimals.trim_end_matches('0'));
        a_whole.len().cmp(&b_whole.len()).then(a_whole.cmp(b_whole)).then(a.cmp(b))
    };
    match (a_minus, b_minus) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => by_size(),
        (true, true) => by_size().reverse(),
    }
}

/// By how many times `value` is above `limit` (超标倍数), to two decimals, half up; `None` when that
/// is less than 0.01, the limit is not above zero, or the numbers are too long to say.
#[must_use]
pub fn excess(value: &Decimal, limit: &Decimal) -> Option<Decimal> {
    let scale = parts(value).2.len().max(parts(limit).2.len());
    let whole = |number: &Decimal| {
        let (minus, whole, decimals) = parts(number);
        let size: i128 = format!("{whole}{decimals:0<scale$}").parse().ok()?;
        Some(if minus { -size } else { size })
    };
    let (value, limit) = (whole(value)?, whole(limit)?);
    if limit <= 0 || value <= limit {
        return None;
    }
    let above = value.checked_sub(limit)?.checked_mul(200)?.checked_add(limit)?;
    let hundredths = above.checked_div(limit.checked_mul(2)?)?;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    if hundredths > 0 { Decimal::parse(&text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn numbers_of_devices_are_read() {
        for (text, want) in [
            ("83.2", "83.2"),
            ("0083.20", "83.20"),
            ("000", "0"),
            ("0.50", "0.50"),
            ("-00.0", "0.0"),
            ("-07", "-7"),
        ] {
            assert_eq!(number(text).as_str(), want, "{text}");
        }
        for bad in ["", "-", ".5", "5.", "1e3", "+1", "NaN", "--", "1,5", "0x1", "00.", "1 "] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn they_are_compared_as_decimals() {
        let above = |a, b| compare(&number(a), &number(b));
        for (a, b, want) in [
            ("100", "99.9", Ordering::Greater),
            ("80.0", "80", Ordering::Equal),
            ("80.01", "80.1", Ordering::Less),
            ("-1", "0", Ordering::Less),
            ("-2", "-1", Ordering::Less),
            ("9999999999999999999999.1", "9999999999999999999999", Ordering::Greater),
        ] {
            assert_eq!(above(a, b), want, "{a} {b}");
            assert_eq!(above(b, a), want.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn the_excess_is_rounded_to_hundredths() {
        let times = |v, l| excess(&number(v), &number(l)).map(|times| times.to_string());
        assert_eq!(times("83.2", "50"), Some("0.66".to_owned()));
        assert_eq!(times("61.3", "50"), Some("0.23".to_owned()));
        assert_eq!(times("300", "50.0"), Some("5.00".to_owned()));
        for (value, limit) in [("50", "50"), ("50.001", "50"), ("1", "0"), ("1", "-1")] {
            assert_eq!(times(value, limit), None, "{value} {limit}");
        }
        assert_eq!(times("9999999999999999999999.1", "0.1111111111111111111111"), None);
    }

    proptest! {
        #[test]
        fn comparing_agrees_with_whole_numbers(a in -99_999..99_999_i64, b in -99_999..99_999_i64) {
            let text = |n: i64| {
                let sign = if n < 0 { "-" } else { "" };
                format!("{sign}{}.{:03}", n.abs() / 1000, n.abs() % 1000)
            };
            prop_assert_eq!(compare(&number(&text(a)), &number(&text(b))), a.cmp(&b));
        }

        #[test]
        fn reading_never_panics(text in "-?[0-9.]{0,30}|.*") {
            let _ = parse(&text);
        }
    }
}

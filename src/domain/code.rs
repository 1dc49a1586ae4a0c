//! Code lists: closed enums that everybody writes with the same UPPER_SNAKE code.
//!
//! In scope: the [`Words`] trait and the macro that writes an enum, its codes and its words in
//! one row, so that no list can forget one of them. Out of scope: what the codes mean to a case.

/// The two languages people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// 简体中文.
    Zh,
    /// English.
    En,
}

/// What stands between the two languages of a text for people.
pub const BETWEEN: &str = " · ";

/// A text for people in Chinese and English, which a page takes apart again by [`BETWEEN`].
#[must_use]
pub fn both(zh: &str, en: &str) -> String {
    let [zh, en] = [zh, en].map(|text| text.replace(BETWEEN, "·"));
    format!("{zh}{BETWEEN}{en}")
}

/// A value that has a short name in both languages, ready to be put on a page.
pub trait Words {
    /// The Chinese word, without punctuation at its end.
    fn zh(&self) -> &'static str;
    /// The English word, lower case, without punctuation at its end.
    fn en(&self) -> &'static str;
    /// The word in the language asked for.
    fn word(&self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        }
    }
}

/// Writes a unit-only enum with `ALL`, `code`, `parse`, `Display` (the code) and [`Words`].
///
/// One row a variant: name, stable code, Chinese, English. The codes never change.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$inner:meta])* $variant:ident $code:literal $zh:literal $en:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = concat!($zh, " (", $en, ").")] $(#[$inner])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, upper-case letters, digits and underscores.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Reads a code exactly as [`Self::code`] writes it.
            ///
            /// # Errors
            /// `CODE_UNKNOWN` for any other text.
            pub fn parse(code: &str) -> Result<Self, $crate::domain::invalid::Invalid> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::domain::invalid::InvalidReason::CodeUnknown.into()),
                }
            }
        }

        impl $crate::domain::code::Words for $name {
            fn zh(&self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }
            fn en(&self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(crate) use coded;

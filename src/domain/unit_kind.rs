//! What can be booked for a joint action: people, vehicles, drones, boats, and a city as a whole.
//!
//! In scope: the list, and how Chinese counts them. Out of scope: which units a city has.

use super::code::{Language, Words, coded};

coded! {
    /// What sort of unit something is.
    UnitKind {
        Officer "OFFICER" "执法人员" "officer";
        Vehicle "VEHICLE" "执法车辆" "vehicle";
        Uav "UAV" "无人机" "drone";
        Boat "BOAT" "执法船艇" "boat";
        WholeCity "WHOLE_CITY" "全市" "city as a whole";
    }
}

impl UnitKind {
    /// Those that a plan may ask for by number; a city as a whole is none of them.
    pub const COUNTED: [Self; 4] = [Self::Officer, Self::Vehicle, Self::Uav, Self::Boat];

    /// So many of them, for people: `执法人员2名`, `2 officers`.
    #[must_use]
    pub fn counted(self, count: u32, language: Language) -> String {
        let (noun, measure) = match self {
            Self::Officer => ("执法人员", "名"),
            Self::Vehicle => ("执法车辆", "辆"),
            Self::Uav => ("无人机", "架"),
            Self::Boat => ("执法船艇", "艘"),
            Self::WholeCity => ("全市", ""),
        };
        match language {
            Language::Zh => format!("{noun}{count}{measure}"),
            Language::En => {
                let end = if count == 1 { "" } else { "s" };
                format!("{count} {}{end}", self.en())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_as_people_count_them() {
        assert_eq!(UnitKind::Officer.counted(2, Language::Zh), "执法人员2名");
        assert_eq!(UnitKind::Boat.counted(1, Language::Zh), "执法船艇1艘");
        assert_eq!(UnitKind::Officer.counted(1, Language::En), "1 officer");
        assert_eq!(UnitKind::Uav.counted(2, Language::En), "2 drones");
        assert!(!UnitKind::COUNTED.contains(&UnitKind::WholeCity));
    }
}

//! Departments that send people to joint actions (进一次门、查多项事).
//!
//! In scope: the list. Out of scope: which of their checks are made at a site, who is sent.
//!
//! The six of which joint checks are known stand first; the others are those that the checks of
//! an enterprise may concern besides.

use super::code::coded;

coded! {
    /// Which department a person, a vehicle or a check belongs to.
    Department {
        EcologyEnvironment "ECOLOGY_ENVIRONMENT" "生态环境" "ecology and environment";
        MarketSupervision "MARKET_SUPERVISION" "市场监管" "market supervision";
        Housing "HOUSING" "住建" "housing and construction";
        Water "WATER" "水利" "water resources";
        PublicSecurity "PUBLIC_SECURITY" "公安" "public security";
        Health "HEALTH" "卫健" "health";
        Transport "TRANSPORT" "交通运输" "transport";
        Agriculture "AGRICULTURE" "农业农村" "agriculture";
        Emergency "EMERGENCY" "应急管理" "emergency management";
        Other "OTHER" "其他" "other";
    }
}

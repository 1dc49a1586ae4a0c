//! `liandong roles`: who may call what, from the one table.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::{Context, table, words};
use crate::lang::Lang;
use crate::trust::roles::{Access, TABLE};
use crate::trust::spiffe::Role;
use crate::wire::pb::v1 as pb;

/// Prints the matrix.
///
/// # Errors
/// None; the form is that of every command.
pub fn run(context: &Context) -> Result<(), Failure> {
    if context.json {
        context.print_json(&shape());
    } else {
        println!("{}", matrix(context.lang));
    }
    Ok(())
}

/// A role as people say it.
#[must_use]
pub fn word(role: Role, lang: Lang) -> &'static str {
    let same = match role {
        Role::Coordinator => pb::ActorRole::Coordinator,
        Role::Inspector => pb::ActorRole::Inspector,
        Role::System => pb::ActorRole::System,
        Role::Auditor => pb::ActorRole::Auditor,
        Role::Admin => pb::ActorRole::Admin,
    };
    words::actor_role(same, lang)
}

fn kind(access: Access, lang: Lang) -> &'static str {
    match access {
        Access::Read => lang.pick("查询", "read"),
        Access::WriteCases => lang.pick("办理", "write"),
        Access::Administer => lang.pick("管理", "administer"),
        Access::Nodes => lang.pick("市间交换，只限节点", "between nodes only"),
    }
}

fn short(method: &str) -> &str {
    method.trim_start_matches('/').trim_start_matches("liandong.")
}

fn matrix(lang: Lang) -> comfy_table::Table {
    let mut headers = vec![lang.pick("方法", "method"), lang.pick("类别", "kind")];
    headers.extend(Role::ALL.map(|role| word(role, lang)));
    let mut table = table::table(&headers);
    for (method, access) in TABLE {
        let mut row = vec![short(method).to_owned(), kind(*access, lang).to_owned()];
        row.extend(Role::ALL.map(|role| {
            let may = access.allows(role);
            if may { lang.pick("可", "yes") } else { "–" }.to_owned()
        }));
        table.add_row(row);
    }
    table
}

fn shape() -> Value {
    let row = |(method, access): &(&str, Access)| {
        let allowed = Role::ALL.into_iter().map(|role| (role.name(), access.allows(role)));
        let allowed: Map<String, Value> =
            allowed.map(|(name, may)| (name.to_owned(), json!(may))).collect();
        json!({ "method": method, "kind": kind(*access, Lang::En), "roles": allowed })
    };
    json!({ "methods": TABLE.iter().map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_has_a_row_for_every_method() {
        assert_eq!(shape()["methods"].as_array().map(Vec::len), Some(TABLE.len()));
        let text = matrix(Lang::Zh).to_string();
        assert!(text.contains("v1.CaseService/FileCase") && text.contains("联络员"), "{text}");
    }
}

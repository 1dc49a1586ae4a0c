//! The console: pages for coordinators, served by the node itself on its api port.
//!
//! The console is the first user of the API: every page is made of answers of the same services
//! that other programs call, asked in the name of whoever looks, and every form ends in the same
//! call. So a page can show or do nothing that the API would not let this person see or do, and
//! each look and each write has its line in the audit.
//!
//! In scope: routes, pages, forms, what a browser may load and send. Out of scope: who may do what,
//! what a record means (the services behind [`api`]); words that the command line has too
//! ([`crate::shown`]).
//!
//! Invariants:
//! 1. A page holds other people's text only escaped. (`script_in_any_field_is_shown_as_text`)
//! 2. Nothing is written on a request from another site. (`a_write_from_another_site_is_refused`)
//! 3. A browser is told to load nothing but what this node serves.
//!    (`every_answer_says_what_may_run`)
//! 4. What is typed into a form that ends in a write stands in no address.
//!    (`the_steps_of_a_proposal_keep_what_is_typed_and_put_none_of_it_into_an_address`)

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::Date;
use crate::domain::plan::ready::PlanRules;
use crate::ids::CityCode;
use crate::limits::{
    CONSOLE_FORM_BYTES_MAX, CONSOLE_SHEET_BYTES_MAX, CONSOLE_SHEET_TEXT_BYTES_MAX,
    CONSOLE_UPLOAD_BYTES_MAX,
};

pub mod api;
mod assets;
mod case;
mod case_acts;
mod case_change;
mod case_correct;
mod case_fields;
mod case_forms;
mod case_from;
mod case_import;
mod case_list;
mod case_new;
mod case_referral;
mod case_sheet;
mod codes;
pub mod done;
mod due;
mod ending;
pub mod events;
mod evidence;
mod evidence_file;
mod evidence_sent;
mod form;
mod inbox;
mod inbox_acts;
mod layout;
mod links;
mod map;
mod map_draw;
pub mod map_ground;
mod map_marks;
mod map_pick;
mod map_view;
mod notice_new;
mod notices;
mod paging;
mod parts;
mod plan;
mod plan_acts;
mod plan_arrival;
mod plan_days;
mod plan_drafts;
mod plan_draw;
mod plan_findings;
mod plan_free;
mod plan_list;
mod plan_month;
mod plan_new;
mod plan_recusals;
mod plan_revise;
mod plan_shifts;
mod plan_sites;
mod plan_slots;
mod plan_stale;
mod plan_visits;
mod plan_week;
mod print;
mod refusal;
mod register;
pub mod safe;
mod site;
pub mod ticket;
mod upload;
mod visitor;

/// What the pages are made from.
#[derive(Clone)]
pub struct Console {
    /// The services of the api port.
    pub api: api::Api,
    /// The own city.
    pub city: CityCode,
    /// What maps are drawn on.
    pub ground: map_ground::Ground,
    /// How many entries are applied; changes whenever there is something new to see.
    pub changes: watch::Receiver<u64>,
    /// Pages that are told of it.
    pub listening: events::Listening,
    /// Ends streams when the node stops.
    pub stop: CancellationToken,
    /// Where pages learn that something was just recorded on them.
    pub marks: done::Marks,
    /// Today in Beijing, by the node's clock; none while that is out of range.
    pub today: Today,
    /// Parameters of plans, as the node judges by them.
    pub plan_rules: PlanRules,
}

/// Tells the day.
pub type Today = Arc<dyn Fn() -> Option<Date> + Send + Sync>;

/// The routes of the console. Whoever serves them puts a [`crate::trust::acceptor::Peer`] into each
/// request.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route("/", get(inbox::show))
        .route("/cases", get(case_list::show))
        .route("/cases/new", get(case_new::show).post(case_new::create))
        .route("/cases.csv", get(case_sheet::send))
        .route(
            "/cases/import",
            post(case_import::take).get(case_import::show).layer(DefaultBodyLimit::max(
                CONSOLE_SHEET_TEXT_BYTES_MAX + CONSOLE_SHEET_BYTES_MAX,
            )),
        )
        .route("/cases/template.csv", get(case_import::template))
        .route("/case/{agreement}/{id}", get(case::show))
        .route("/case/{agreement}/{id}/evidence", get(evidence::show))
        .route(
            "/case/{agreement}/{id}/evidence/add",
            post(evidence::put)
                .get(layout::page_of_form)
                .layer(DefaultBodyLimit::max(CONSOLE_UPLOAD_BYTES_MAX)),
        )
        .route(
            "/case/{agreement}/{id}/evidence/{act}",
            post(evidence::act).get(layout::page_of_form),
        )
        .route("/case/{agreement}/{id}/file/{sha256}", get(evidence_file::file))
        .route("/case/{agreement}/{id}/correct", get(case_correct::show).post(case_correct::act))
        .route("/case/{agreement}/{id}/{act}", post(case_acts::act).get(layout::page_of_form))
        .route("/case/{agreement}/{id}/print/{what}", get(print::case::show))
        .route("/notice/{agreement}/{id}/print/letter", get(print::notice::show))
        .route("/plan/{agreement}/{id}/print/{what}", get(print::plan::show))
        .route("/site/{agreement}/{id}", get(site::show))
        .route("/due", get(due::show))
        .route("/map", get(map::show))
        .route("/map/plan", get(map_pick::plan))
        .route("/notices", get(notices::list))
        .route("/notices/new", get(notice_new::show).post(notice_new::create))
        .route("/notice/{agreement}/{id}", get(notices::show))
        .route("/notice/{agreement}/{id}/{act}", post(notices::act).get(layout::page_of_form))
        .route("/plans", get(plan_list::show))
        .route("/plans/new", get(plan_new::show).post(plan_new::create))
        .route("/plans/new/form", post(plan_new::step).get(layout::page_of_form))
        .merge(plan_drafts::routes())
        .route("/plan/{agreement}/{id}", get(plan::show))
        .route("/plans/month", get(plan_month::show))
        .route("/plans/week", get(plan_week::show))
        .route("/plan/{agreement}/{id}/revise", get(plan_revise::show).post(plan_revise::act))
        .route(
            "/plan/{agreement}/{id}/revise/form",
            post(plan_revise::step).get(layout::page_of_form),
        )
        .route("/plan/{agreement}/{id}/draw", get(plan_draw::show))
        .route("/plan/{agreement}/{id}/draw.json", get(plan_draw::file))
        .route("/plan/{agreement}/{id}/visits", get(plan_visits::show))
        .route(
            "/plan/{agreement}/{id}/visits/{act}",
            post(plan_visits::act).get(layout::page_of_form),
        )
        .route("/plan/{agreement}/{id}/{act}", post(plan_acts::act).get(layout::page_of_form))
        .route("/plan/{agreement}/{id}/{act}/form", post(plan_acts::step).get(layout::page_of_form))
        .route("/links", get(links::show))
        .route("/events", get(events::follow))
        .route("/language", post(layout::choose_language))
        .route("/assets/{name}", get(assets::one))
        .route("/favicon.ico", get(assets::icon))
        .fallback(layout::no_such_page)
        .layer(DefaultBodyLimit::max(CONSOLE_FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn(safe::guard))
        .with_state(console)
}

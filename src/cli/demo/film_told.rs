//! What people read of the film ([`super::film`]) while the demo runs.

use super::film::{BYTES, Crossed, Way};
use super::show::Show;
use crate::cli::names::Names;

/// A city has listed it and taken it in.
pub fn taken_in(show: &Show, city: u32, way: Way) {
    let (name, size) = (Names::new(show.lang()).city(city), mib(BYTES));
    let (Some(cut), Some(resumed)) = (way.cut_at.map(mib), way.resumed_at.map(mib)) else {
        return show.say(
            &format!("{name} 的执法录像 {size} 先前已上传"),
            &format!("{name} has taken in its film of {size} before"),
        );
    };
    let all = mib(way.bytes);
    show.say(
        &format!(
            "{name} 登记并上传执法录像 {size}：传到 {cut} 时断线，从 {resumed} 处续传，共发出 {all}"
        ),
        &format!(
            "{name} lists and takes in a film of {size}: cut at {cut}, gone on with at {resumed}, \
             {all} sent in all"
        ),
    );
}

/// Its sender was killed while this city fetched it.
pub fn cut(show: &Show, to: u32, cut_at: Option<u64>) {
    let (to, size) = (Names::new(show.lang()).city(to), mib(BYTES));
    match cut_at.map(mib) {
        Some(cut) => show.say(
            &format!("{to}正在调取该录像，对方节点中断：{size} 中已收到 {cut}，原样保留"),
            &format!("{to} was fetching that film: {cut} of {size} are there and stay"),
        ),
        None => show.say(
            &format!("{to}已在此前一刻收齐该录像 {size}"),
            &format!("{to} had all {size} of that film a moment before"),
        ),
    }
}

/// It is there, whole and right.
pub fn received(show: &Show, film: &Crossed, way: Way) {
    let names = Names::new(show.lang());
    let (to, from) = (names.city(film.to), names.city(film.from));
    if let Some(resumed) = way.resumed_at.map(mib) {
        let all = mib(way.bytes);
        show.say(
            &format!("{to}从 {resumed} 处接着调取，合计传输 {all}，没有从头再来"),
            &format!("{to} goes on at {resumed}, {all} in all: nothing came twice"),
        );
    }
    show.say(
        &format!("{to}核对 SHA-256 与 SM3 一致，已登记收到{from}的录像"),
        &format!("{to} finds SHA-256 and SM3 right and records its receipt of {from}'s film"),
    );
}

/// Mebibytes, for people.
fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

//! The scrub over real processes: damage that nobody reads is found, and fetched again.

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::disk::{reason, record_with};
use super::kills::quick_plan;
use super::nodes::{Nodes, opening, until, until_or};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

async fn status(client: &Client) -> pb::Status {
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    answer.into_inner().status.unwrap()
}

async fn open(client: &Client, agreement: &str, title: &str) -> pb::Case {
    let mut request = opening(agreement, 0, title);
    request.record.as_mut().unwrap().title = title.to_owned();
    until("a case", || async {
        let answer = client.cases().create_case(request.clone()).await.ok()?;
        answer.into_inner().case
    })
    .await
}

/// Flips a bit of the record that holds a text, under the running node.
fn damage(nodes: &Nodes, text: &str) {
    let file = nodes.fleet.folder(HERE).join("data/journal/00000000.seg");
    let bytes = std::fs::read(&file).unwrap();
    let at = (record_with(&bytes, text) + 200) as u64;
    let file = std::fs::File::options().read(true).write(true).open(&file).unwrap();
    let mut byte = [0];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut byte, at).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[byte[0] ^ 0x20], at).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_nobody_reads_is_found_and_fetched_again() {
    let mut plan = quick_plan();
    plan.extra_config += "scrub_s = 2\n";
    let mut nodes = Nodes::start_all(&plan);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let held = open(&client, &agreement, "nobody-reads-this").await;
    let there = nodes.client(THERE).await;
    until("the other city holds it, and this one knows", || async {
        let request = pb::GetCaseRequest { name: held.name.clone() };
        there.cases().get_case(request).await.ok()?;
        let logs = status(&client).await.logs;
        let own = logs.into_iter().find(|log| log.own)?;
        own.cosignatures.iter().any(|one| one.size == own.stored_size).then_some(())
    })
    .await;
    until("all was read once, and nothing is wrong", || async {
        let status = status(&client).await;
        let scrub = status.scrub?;
        let well = scrub.last_damaged_count == 0 && scrub.last_bytes > 1_000;
        (well && scrub.last_end_time.is_some() && status.damage.is_empty()).then_some(())
    })
    .await;
    nodes.kill(THERE);
    damage(&nodes, "nobody-reads-this");
    let found = until("it is found without a reader", || async {
        let status = status(&client).await;
        let told = status.warnings.iter().any(|w| w.contains("正从其他城市取回"));
        status.damage.into_iter().next().filter(|_| told)
    })
    .await;
    assert!(!found.only_here && found.to_index > found.from_index, "{found:?}");
    // A second one, which no other city has ever held.
    let alone = open(&client, &agreement, "held-only-here").await;
    damage(&nodes, "held-only-here");
    until("that it is held only here is told", || async {
        let status = status(&client).await;
        let told = status.warnings.iter().any(|w| w.contains("未见其他城市存有"));
        let ranges = status.damage.iter().map(|one| one.only_here);
        (told && ranges.collect::<Vec<_>>() == [false, true]).then_some(())
    })
    .await;
    nodes.start(THERE);
    let explain = || async { format!("{:?}", status(&client).await.damage) };
    let mended = || async {
        let status = status(&client).await;
        let gone = !status.warnings.iter().any(|w| w.contains("正从其他城市取回"));
        (gone && status.damage.len() == 1).then_some(())
    };
    until_or("the first is fetched again", mended, explain).await;
    let read = async |name: &str| {
        let request = pb::GetCaseRequest { name: name.to_owned() };
        client.cases().get_case(request).await.map(|a| a.into_inner().case.unwrap())
    };
    let again = until("it is read again", || async { read(&held.name).await.ok() }).await;
    assert_eq!(again, held);
    // Writes go on all the while, until nobody has the damaged one in memory any more: 512 batches
    // that were read lately stay there.
    for n in 0..530 {
        open(&client, &agreement, &format!("later-{n}")).await;
    }
    let refused = read(&alone.name).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::DataLoss, "ENTRY_CORRUPT".into()));
    let left = status(&client).await.damage;
    assert!(left.iter().all(|one| one.only_here), "{left:?}");
}

//! `liandong demo`: several cities on this machine, forty sample cases, one city killed half-way
//! while it sends a file, and eight joint actions.
//!
//! In scope: the course of the demo. Out of scope: folders and keys ([`super::fleet`]).
//!
//! The demo plays the operators of all cities; in real use nobody holds two city keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use self::alarm::Alarm;
use self::cities::{Cities, Door};
use self::feed::{Feed, Progress, Stage, Walked, waits_after};
use self::film::{Crossed, Film};
use self::folder::Folder;
use self::picture::Picture;
use self::report::Story;
use self::script::{Count, Script};
use self::show::Show;
use super::Context;
use super::failure::{Exit, Failure};
use super::fleet::{FIVE, Fleet, Plan};
use super::names::Names;
use crate::domain::Date;
use crate::import::draft::{self, Draft};
use crate::lang::Lang;

mod agree;
mod alarm;
mod ask;
mod cities;
mod feed;
mod film;
mod film_told;
mod folder;
mod picture;
mod plans;
mod report;
mod script;
mod scripted;
mod show;

const SAMPLES: &str = include_str!("../../../demo/sample-cases.json");
const BOUNDARIES: &str = include_str!("../../../data/cities.geojson");
/// The day the samples were made; moves dated up to it must not lie in the future.
const SAMPLES_AS_OF: &str = "2026-11-20";
/// The city that is killed, where it takes part.
const DEZHOU: u32 = 371_400;
/// Pairs of the five that share a border.
const BORDERS: [(u32, u32); 6] = [
    (371_500, 130_400),
    (371_500, 410_900),
    (371_500, 371_400),
    (371_500, 370_900),
    (130_400, 410_900),
    (410_900, 370_900),
];

/// Arguments of `demo`.
#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// 城市数 · how many cities
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=5))]
    pub cities: u8,
    /// 各市一致即退出 · end as soon as all cities agree
    #[arg(long)]
    pub until_synced: bool,
    /// 保留数据的目录，再次运行时接着用 · folder that keeps the data; a second run goes on with it
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// 起始端口，默认选用空闲端口 · first port; free ones are picked when absent
    #[arg(long, value_name = "PORT")]
    pub base_port: Option<u16>,
    /// 最多等待多少秒达成一致 · seconds to wait for agreement
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub within: u64,
}

/// Runs the demo.
///
/// # Errors
/// [`Failure`]: [`Exit::NotSynced`] when the cities do not agree in time.
pub async fn run(context: &Context, args: DemoArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut stop = std::pin::pin!(stop_asked()?);
    let folder = Folder::open(args.dir.as_deref())?;
    // Dropped in reverse: the processes end before their folder goes.
    let mut demo = Demo::lay_out(&args, &folder, lang)?;
    let (picture, story) = tokio::select! {
        played = demo.play() => played?,
        () = &mut stop => {
            return Err(Failure::new(
                Exit::NotSynced,
                "INTERRUPTED",
                lang.pick("演示被中断", "the demo was interrupted"),
            ));
        }
    };
    if context.json {
        context.print_json(&report::json(&demo.cities, &picture, &story));
    } else {
        print!("{}", report::text(&demo.cities, &picture, &story.plans, lang));
    }
    if args.until_synced {
        return Ok(());
    }
    if !context.json {
        let consoles = lang.pick(
            "在浏览器中打开各市的控制台（链接只能用一次）：",
            "open a city's console in a browser (each link works once):",
        );
        println!("\n{consoles}");
        print!("{}", report::consoles(&demo.cities, lang));
        println!("\n{}", lang.pick("可直接粘贴的命令：", "commands to paste:"));
        print!("{}", report::commands(&demo.cities, lang));
    }
    demo.show.say("各市继续运行，按 Ctrl-C 结束", "the cities go on; Ctrl-C ends them");
    stop.await;
    demo.show.say("正在停止各市节点", "stopping the cities");
    Ok(())
}

/// Comes true when Ctrl-C or SIGTERM arrives.
fn stop_asked() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let wrong = |e: std::io::Error| Failure::local(format!("signals: {e}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrong)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(wrong)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Everything the demo has in hand.
struct Demo {
    cities: Cities,
    fresh: bool,
    within: Duration,
    lang: Lang,
    show: Show,
}

impl Demo {
    fn lay_out(args: &DemoArgs, folder: &Folder, lang: Lang) -> Result<Self, Failure> {
        check_clock(lang)?;
        let show = Show::begin(lang);
        let plan = plan(usize::from(args.cities), args.base_port);
        let fresh = !Fleet::is_in(folder.path());
        let fleet = Fleet::open_or_lay_out(folder.path(), &plan)?;
        let codes: Vec<u32> = fleet.cities.iter().map(|city| city.code).collect();
        if codes != plan.cities {
            return Err(Failure::usage(lang.pick(
                format!("{} 中已有另外几市的数据", folder.path().display()),
                format!("{} holds the data of other cities", folder.path().display()),
            ))
            .advise(lang.pick("换一个 --dir，或改 --cities", "use another --dir or --cities")));
        }
        let shown = fleet.dir().display();
        let (zh, en) = if folder.is_temporary() {
            ("（结束时删除）", " (removed at the end)")
        } else {
            ("", "")
        };
        show.say(
            &format!(
                "演示同时扮演 {} 市的管理员：各市的城市密钥都在 {shown}{zh}；\
                 正式使用时，谁也不会同时持有两市的密钥",
                codes.len()
            ),
            &format!(
                "the demo plays the operators of {} cities: all city keys lie in {shown}{en}; in \
                 real use nobody holds the keys of two",
                codes.len()
            ),
        );
        let within = Duration::from_secs(args.within);
        Ok(Self { cities: Cities::new(fleet, args.base_port, lang)?, fresh, within, lang, show })
    }

    /// Starts, feeds, kills one city, brings it back, waits until all agree.
    async fn play(&mut self) -> Result<(Picture, Story), Failure> {
        let drafts = samples()?;
        let scripts = scripts(&self.cities.codes(), &drafts)?;
        let away = self.who_goes()?;
        let alarm = Alarm::of(&self.cities.fleet.agreements, away)
            .ok_or_else(|| Failure::local("no agreement"))?;
        let plans = plans::of(&self.cities.fleet)?;
        let count = Count::of(&scripts, &alarm, &plans);
        let doors = self.start_all().await?;
        let total = scripts.iter().map(|script| script.steps.len()).sum();
        self.show.say(
            &format!("办理 {} 件案件，共 {total} 步", scripts.len()),
            &format!("{} cases, {total} steps", scripts.len()),
        );
        self.show.begin_bar(total);
        let (progress, seen) = watch::channel(vec![0; scripts.len()]);
        let (told, stage) = watch::channel(Stage::Before);
        let agreements = &self.cities.fleet.agreements;
        let feed = Arc::new(Feed {
            doors: doors.clone(),
            agreements: agreements.iter().map(|a| (a.members.clone(), a.name())).collect(),
            fresh: self.fresh,
            lang: self.lang,
            bar: self.show.bar(),
            progress,
            away,
            stage,
        });
        let walking = feed.walk_all(scripts.clone());
        let taking = self.take_one_away((away, &alarm), &scripts, &doors, (seen, told));
        let (walked, (notice, meanwhile, file)) = tokio::try_join!(walking, taking)?;
        self.show.end_bar();
        self.tell_walked(walked);
        self.show.say(
            &format!("登记名录库和执法力量，办理 {} 个联合行动方案", plans.len()),
            &format!("registers sites and units, and plays {} joint actions", plans.len()),
        );
        // Days are told from today, which may be another one by now.
        let plans = plans::of(&self.cities.fleet)?;
        let plans = plans::play(&mut self.cities, &doors, (&plans, &drafts), &self.show).await?;
        let fleet = &self.cities.fleet;
        let picture = agree::until_all_agree(&doors, fleet, self.within, self.lang).await?;
        let elapsed_ms = self.show.elapsed().as_millis();
        self.show.say("各市一致", "all cities agree");
        Ok((picture, Story { count, walked, away, meanwhile, notice, file, plans, elapsed_ms }))
    }

    async fn start_all(&mut self) -> Result<BTreeMap<u32, Door>, Failure> {
        let names = Names::new(self.lang);
        let codes = self.cities.codes();
        for code in &codes {
            self.cities.start(*code).await?;
        }
        let mut doors = BTreeMap::new();
        for code in codes {
            doors.insert(code, self.cities.ready(code).await?);
            let name = names.city(code);
            let api = self.cities.fleet.city(code).map(|c| c.api.to_string()).unwrap_or_default();
            self.show.say(&format!("{name} 就绪，接口 {api}"), &format!("{name} is up, api {api}"));
        }
        Ok(doors)
    }

    /// The city that will be killed.
    fn who_goes(&self) -> Result<u32, Failure> {
        let codes = self.cities.codes();
        let away = if codes.contains(&DEZHOU) { Some(&DEZHOU) } else { codes.last() };
        away.copied().ok_or_else(|| Failure::local("no city"))
    }

    /// Has one city take in a film and send it to another one. Kills it in the middle of that, when
    /// what needs it stands still and half of the rest is done; lets the others go on and tell each
    /// other of an emergency; brings it back. Returns the notice, how many steps the others made
    /// meanwhile, and what came of the film.
    async fn take_one_away(
        &mut self,
        (away, alarm): (u32, &Alarm),
        scripts: &[Script],
        doors: &BTreeMap<u32, Door>,
        (mut seen, told): (watch::Receiver<Progress>, watch::Sender<Stage>),
    ) -> Result<(String, usize, Crossed), Failure> {
        let name = Names::new(self.lang).city(away);
        let mut film = self.take_in_a_film((away, alarm), doors).await?;
        let gone = |_| Failure::local("the scripts broke off");
        seen.wait_for(|progress| is_time(away, scripts, progress)).await.map_err(gone)?;
        let fetching = film.begin_fetch(doors).await?;
        let pid = self.cities.kill(away)?;
        let before: usize = seen.borrow().iter().sum();
        told.send_replace(Stage::Away);
        self.show.say(
            &format!("{name} 的进程 {pid} 被强行终止（SIGKILL），其余各市照常办理"),
            &format!("process {pid} of {name} is killed (SIGKILL); the others go on"),
        );
        if let Some(fetching) = fetching {
            let cut_at = film.is_cut(doors, fetching).await?;
            film_told::cut(&self.show, film.to(), cut_at);
        }
        let notice = self.tell_the_others((away, alarm), doors).await?;
        seen.wait_for(|progress| only_waits_for(away, scripts, progress)).await.map_err(gone)?;
        let meanwhile = seen.borrow().iter().sum::<usize>().saturating_sub(before);
        let pid = self.cities.start(away).await?;
        self.cities.ready(away).await?;
        told.send_replace(Stage::Back);
        self.show.say(
            &format!("此间其余各市办理 {meanwhile} 步；{name} 恢复，新进程 {pid}，正在补齐"),
            &format!("steps meanwhile: {meanwhile}; {name} is back as process {pid}, catching up"),
        );
        alarm.acknowledge(doors, (&notice, away), self.lang).await?;
        self.show.say(
            &format!("{name} 收到突发事件提醒并签收，发出市已知悉"),
            &format!("{name} is rung and acknowledges the emergency; its issuer knows"),
        );
        let way = film.fetch_the_rest(doors).await?;
        let file = film.receive(doors).await?;
        film_told::received(&self.show, &file, way);
        Ok((notice, meanwhile, file))
    }

    /// The city that will be killed takes in a film, cut on its way and gone on with.
    async fn take_in_a_film(
        &self,
        (away, alarm): (u32, &Alarm),
        doors: &BTreeMap<u32, Door>,
    ) -> Result<Film, Failure> {
        let folder = self.cities.fleet.dir();
        let mut film = Film::make(folder, alarm, away, self.lang).await?;
        film.list(doors).await?;
        let way = film.upload(doors).await?;
        film_told::taken_in(&self.show, away, way);
        Ok(film)
    }

    /// An emergency while one city is away: the others acknowledge at once.
    async fn tell_the_others(
        &self,
        (away, alarm): (u32, &Alarm),
        doors: &BTreeMap<u32, Door>,
    ) -> Result<String, Failure> {
        let notice = alarm.issue(doors, self.lang).await?;
        let others: Vec<u32> = alarm.told.iter().copied().filter(|city| *city != away).collect();
        for city in &others {
            alarm.acknowledge(doors, (&notice, *city), self.lang).await?;
        }
        let names = Names::new(self.lang);
        let (issuer, name) = (names.city(alarm.issuer), names.city(away));
        let (zh, en) = match others.as_slice() {
            [] => (String::new(), String::new()),
            others => {
                let others = names.list(others.iter().copied());
                (format!("{others}已签收，"), format!("{others} acknowledge it; "))
            }
        };
        self.show.say(
            &format!("{issuer}发出突发事件通报：{zh}{name} 无法接通，持续提醒"),
            &format!("{issuer} issues an emergency: {en}{name} is away and goes on being rung"),
        );
        Ok(notice)
    }

    fn tell_walked(&self, walked: Walked) {
        let Walked { new, replayed, left_alone } = walked;
        if self.fresh {
            self.show.say(
                &format!(
                    "{} 步办理完毕，其中 {replayed} 步答复丢失后重问，未重复登记",
                    new + replayed
                ),
                &format!(
                    "{} steps are done; {replayed} were asked again after a lost answer and done \
                     once",
                    new + replayed
                ),
            );
        } else {
            self.show.say(
                &format!(
                    "新办 {new} 步，先前已办 {replayed} 步，另有 {left_alone} 件已续办，不再处理"
                ),
                &format!("{new} steps new, {replayed} done before, {left_alone} cases left alone"),
            );
        }
    }
}

/// Scripts that do not need the city have come to where they wait for it to be away, and half of
/// the others' steps are done.
fn is_time(away: u32, scripts: &[Script], progress: &Progress) -> bool {
    let all = || scripts.iter().zip(progress);
    let arrived =
        all().all(|(script, done)| waits_after(script, away).is_none_or(|at| *done >= at));
    let needing = all().filter(|(script, _)| waits_after(script, away).is_none());
    let (made, steps) = needing
        .fold((0, 0), |(made, steps), (script, done)| (made + done, steps + script.steps.len()));
    arrived && made >= steps / 2
}

/// Every script has ended, or its next step is the city's or rests on one of it.
fn only_waits_for(away: u32, scripts: &[Script], progress: &Progress) -> bool {
    scripts.iter().zip(progress).all(|(script, done)| {
        let next = script.steps.get(*done);
        let last = done.checked_sub(1).and_then(|last| script.steps.get(last));
        next.is_none_or(|next| next.city == away || last.is_some_and(|last| last.city == away))
    })
}

/// What to lay out for the first `count` of the five.
fn plan(count: usize, base_port: Option<u16>) -> Plan {
    let cities: Vec<u32> = FIVE.iter().take(count).map(|(code, ..)| *code).collect();
    let short = |code: u32| FIVE.iter().find(|(c, ..)| *c == code).map_or("", |(.., s)| *s);
    let both = |(a, b): &&(u32, u32)| cities.contains(a) && cities.contains(b);
    let mut agreements: Vec<(String, Vec<u32>)> = BORDERS
        .iter()
        .filter(both)
        .map(|(a, b)| (format!("{}{}", short(*a), short(*b)), vec![*a, *b]))
        .collect();
    match count {
        3 => agreements.push(("三市".to_owned(), cities.clone())),
        4 => agreements.push(("四市".to_owned(), cities.clone())),
        5 => agreements.push(("五市".to_owned(), cities.clone())),
        // Two have one agreement, and it is for all.
        _ => {}
    }
    let boundaries = Some(BOUNDARIES.to_owned());
    // One certificate plays a whole bureau here, so it may call more often than one person.
    let extra_config = "[limits]\nperson_calls_per_s_max = 1000\n".to_owned();
    Plan { cities, agreements, base_port, boundaries, extra_config }
}

fn samples() -> Result<Vec<Draft>, Failure> {
    draft::read_all(SAMPLES).map_err(|e| Failure::local(format!("samples: {e}")))
}

/// The samples that these cities share, and the scripted cases.
fn scripts(cities: &[u32], drafts: &[Draft]) -> Result<Vec<Script>, Failure> {
    let here = |draft: &&Draft| draft.shared_with.iter().all(|c| cities.contains(c));
    let recorded: Result<Vec<_>, _> = drafts.iter().filter(here).map(script::recorded).collect();
    let mut all = recorded?;
    all.extend(scripted::all(cities)?);
    Ok(all)
}

/// Nodes refuse moves dated in the future, so this machine's date must not be before the samples.
fn check_clock(lang: Lang) -> Result<(), Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    let as_of = Date::parse(SAMPLES_AS_OF).map_err(|e| Failure::local(e.to_string()))?;
    match Date::beijing(now) {
        Some(today) if today >= as_of => Ok(()),
        _ => Err(Failure::local(lang.pick(
            format!("本机日期早于样例数据的日期 {SAMPLES_AS_OF}，节点会拒绝未来日期的办理"),
            format!("this machine's date is before {SAMPLES_AS_OF}, the day of the samples"),
        ))
        .advise(lang.pick("校准本机时钟", "set this machine's clock"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_cities_have_six_borders_and_one_common_agreement() {
        let five = plan(5, None);
        assert_eq!(five.agreements.len(), 7);
        assert_eq!(plan(2, None).agreements, [("聊邯".to_owned(), vec![371_500, 130_400])]);
        let scripts = scripts(&five.cities, &samples().unwrap()).unwrap();
        assert_eq!(scripts.len(), 44, "forty samples and four of our own");
        for script in &scripts {
            let fits = five.agreements.iter().any(|(_, members)| {
                let mut members = members.clone();
                members.sort_unstable();
                members == script.members
            });
            assert!(fits, "{} has no agreement", script.id);
        }
    }

    #[test]
    fn the_others_have_gone_as_far_as_they_can() {
        let scripts = scripts(&plan(5, None).cities, &samples().unwrap()).unwrap();
        let mut progress = vec![0; scripts.len()];
        assert!(!only_waits_for(DEZHOU, &scripts, &progress));
        for (script, done) in scripts.iter().zip(&mut progress) {
            let own = script.steps.iter().position(|step| step.city == DEZHOU);
            *done = own.unwrap_or(script.steps.len());
        }
        assert!(only_waits_for(DEZHOU, &scripts, &progress));
        assert!(!only_waits_for(410_900, &scripts, &progress), "Dezhou's own are left");
    }
    #[test]
    fn something_is_left_to_do_without_the_city_that_goes() {
        for count in 2..=5 {
            let cities = plan(count, None).cities;
            let away = if cities.contains(&DEZHOU) { DEZHOU } else { cities[count - 1] };
            let scripts = scripts(&cities, &samples().unwrap()).unwrap();
            // As far as anything may go before it is away, whatever is fast and whatever slow.
            let furthest =
                |script: &Script| waits_after(script, away).unwrap_or(script.steps.len());
            let progress: Progress = scripts.iter().map(furthest).collect();
            assert!(is_time(away, &scripts, &progress), "{count} cities: it comes to be killed");
            assert!(!only_waits_for(away, &scripts, &progress), "{count} cities");
            let left = scripts.iter().zip(&progress).map(|(s, done)| s.steps.len() - done);
            assert!(left.sum::<usize>() >= 5, "{count} cities");
            // A step of another city that is slow is waited for.
            let place = scripts.iter().position(|s| waits_after(s, away) > Some(0)).unwrap();
            let mut slow = progress.clone();
            slow[place] -= 1;
            assert!(!is_time(away, &scripts, &slow), "{count} cities");
        }
    }
}

//! The watchdog: when each periodic task last came round, and starting those again that did not.
//!
//! A task says [`Pulse::done`] each time it has done what it is there for. One that ends, panics or
//! has not come round for a while is started again, with pauses that double, and counted. What a
//! thread of its own does cannot be taken from it: it is watched, and people are told.
//!
//! In scope: ages, restarts, what people are told of a late task. Out of scope: what tasks do.
//!
//! Invariants:
//! 1. A task that hangs is shown late, is ended and started again, and is shown well once it comes
//!    round. (`a_task_that_hangs_is_shown_and_started_again`)
//! 2. A task that panics or ends is started again and counted; one that is told to stop is not.
//!    (`a_task_that_ends_is_started_again_until_it_is_told_to_stop`)
//! 3. Pauses double while a task does not come round at all. (`pauses_double_up_to_a_minute`)

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::api::status::TaskStatus;
use crate::domain::both;
use crate::node::core::Now;

/// First pause before a task is started again; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A task is looked at so many times within the time it may take.
const LOOKS: u32 = 8;

/// Both clocks, as of now.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// What is known of a task.
#[derive(Debug)]
struct Task {
    /// Of this run, on the clock that never goes back.
    begun_ms: u64,
    done: Option<Now>,
    restarts: u64,
    /// The last of them: when, and why.
    restarted: Option<(i64, String)>,
    failure: Option<String>,
    /// It can be ended and started again.
    is_kept: bool,
}

/// Ages of all tasks of a node; clones share them.
#[derive(Clone)]
pub struct Watchdog {
    clock: Clock,
    late_ms: u64,
    tasks: Arc<Mutex<BTreeMap<String, Task>>>,
}

/// With what a task says that it came round.
#[derive(Clone)]
pub struct Pulse {
    watchdog: Watchdog,
    name: String,
}

impl std::fmt::Debug for Pulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pulse").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Pulse {
    /// The task has done what it is there for.
    pub fn done(&self) {
        let now = (self.watchdog.clock)();
        self.watchdog.change(&self.name, |task| {
            task.done = Some(now);
            task.failure = None;
        });
    }

    /// It could not; it goes on trying, and is late if it never can.
    pub fn failed(&self, why: &str) {
        self.watchdog.change(&self.name, |task| task.failure = Some(why.to_owned()));
    }
}

impl Watchdog {
    /// A task that has not come round for `late_ms` is late.
    #[must_use]
    pub fn new(clock: Clock, late_ms: u64) -> Self {
        Self { clock, late_ms, tasks: Arc::default() }
    }

    /// Watches a task that cannot be ended from outside: a thread.
    #[must_use]
    pub fn watch(&self, name: &str) -> Pulse {
        self.begin(name, false)
    }

    /// Runs a task until `stop`: one that ends, panics or is late is started again.
    pub fn keep<T>(
        &self,
        name: &str,
        stop: CancellationToken,
        run: impl Fn(Pulse) -> T + Send + 'static,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        let (watchdog, name) = (self.clone(), name.to_owned());
        // Known from now on, also if the runtime does not come to it for a while.
        let mut pulse = watchdog.begin(&name, true);
        tokio::spawn(async move {
            let mut pause = PAUSE_FIRST;
            loop {
                let task = AbortOnDropHandle::new(tokio::spawn(run(pulse)));
                let ended = tokio::select! {
                    ended = watchdog.ended(&name, task) => ended,
                    () = stop.cancelled() => return,
                };
                if stop.is_cancelled() {
                    return;
                }
                pause = next_pause(pause, ended.came_round);
                let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::error!(task = %name, why = %ended.why, wait_ms, "a task is started again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => return,
                }
                pulse = watchdog.begin_again(&name, &ended.why);
            }
        });
    }

    /// Runs a thread until `stop`: one that panics or ends is started again. One that hangs is only
    /// shown.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn keep_thread(
        &self,
        name: &str,
        stop: CancellationToken,
        run: impl Fn(Pulse) + Send + 'static,
    ) -> std::io::Result<()> {
        let (watchdog, task) = (self.clone(), name.to_owned());
        let mut pulse = self.begin(name, false);
        let thread = move || {
            let mut pause = PAUSE_FIRST;
            loop {
                let running = std::panic::AssertUnwindSafe(|| run(pulse.clone()));
                let ended = std::panic::catch_unwind(running);
                if stop.is_cancelled() {
                    return;
                }
                let why = if ended.is_ok() { "it has ended" } else { "it has panicked" };
                pause = next_pause(pause, watchdog.last_ms(&task).1);
                let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::error!(%task, %why, wait_ms, "a task is started again");
                std::thread::sleep(pause);
                pulse = watchdog.begin_again(&task, why);
            }
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(thread).map(drop)
    }

    /// Ages of all tasks, by name.
    #[must_use]
    pub fn statuses(&self) -> Vec<TaskStatus> {
        let now = (self.clock)();
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let status = |(name, task): (&String, &Task)| {
            let age_ms = now.mono_ms.saturating_sub(task.done.map_or(task.begun_ms, |d| d.mono_ms));
            TaskStatus {
                name: name.clone(),
                done_ms: task.done.map(|done| done.wall_ms),
                age_ms,
                late_ms: self.late_ms,
                restarts: task.restarts,
                restarted: task.restarted.clone(),
                failure: task.failure.clone(),
                is_late: age_ms > self.late_ms,
                is_kept: task.is_kept,
            }
        };
        tasks.iter().map(status).collect()
    }

    fn begin(&self, name: &str, is_kept: bool) -> Pulse {
        let begun_ms = (self.clock)().mono_ms;
        let (done, failure, restarted) = (None, None, None);
        let task = Task { begun_ms, done, restarts: 0, restarted, failure, is_kept };
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), task);
        Pulse { watchdog: self.clone(), name: name.to_owned() }
    }

    fn begin_again(&self, name: &str, why: &str) -> Pulse {
        let now = (self.clock)();
        self.change(name, |task| {
            task.begun_ms = now.mono_ms;
            task.restarts += 1;
            task.restarted = Some((now.wall_ms, why.to_owned()));
        });
        Pulse { watchdog: self.clone(), name: name.to_owned() }
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Task)) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = tasks.get_mut(name) {
            change(task);
        }
    }

    /// Since when this run has not come round.
    fn last_ms(&self, name: &str) -> (u64, bool) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(task) = tasks.get(name) else { return (0, false) };
        let done_ms = task.done.map_or(0, |done| done.mono_ms);
        (done_ms.max(task.begun_ms), task.done.is_some_and(|d| d.mono_ms >= task.begun_ms))
    }

    /// Returns once a run has ended or is late; dropping its handle ends it.
    async fn ended(&self, name: &str, mut task: AbortOnDropHandle<()>) -> Ended {
        let look = (Duration::from_millis(self.late_ms) / LOOKS).max(Duration::from_millis(1));
        loop {
            tokio::select! {
                ended = &mut task => {
                    let why = match ended {
                        Ok(()) => "it has ended".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    return Ended { why, came_round: self.last_ms(name).1 };
                }
                () = tokio::time::sleep(look) => {
                    let (last_ms, came_round) = self.last_ms(name);
                    let age_ms = (self.clock)().mono_ms.saturating_sub(last_ms);
                    if age_ms > self.late_ms {
                        let why = format!("it has not come round for {age_ms} ms");
                        return Ended { why, came_round };
                    }
                }
            }
        }
    }
}

/// How a run of a task was over.
struct Ended {
    why: String,
    /// It had come round before.
    came_round: bool,
}

fn next_pause(pause: Duration, came_round: bool) -> Duration {
    if came_round { PAUSE_FIRST } else { (pause * 2).min(PAUSE_MAX) }
}

/// What people call a task: Chinese, English.
#[must_use]
pub fn words(name: &str) -> [String; 2] {
    let (zh, en) = match name {
        "audit" => ("审计落盘", "writing the audit"),
        "dial" => ("安排市间连接", "planning links"),
        "evidence" => ("证据文件清理", "collecting evidence files"),
        "evidence check" => ("证据文件核对", "checking evidence files"),
        "guard" => ("副本标记写入", "the mark against old copies"),
        "inbox" => ("收取签署文件", "taking in signed files"),
        "nudge" => ("事项提醒", "nudging this city"),
        "reload" => ("证书与名册更新", "reloading certificates"),
        "ring" => ("突发事件提醒", "ringing other cities"),
        "scrub" => ("数据巡检", "reading all data again"),
        "tick" => ("市间交换与送达", "exchange and receipts"),
        "views" => ("查询数据写入", "writing the views"),
        "writer" => ("登记与办理写入", "the writing thread"),
        other => {
            let city = other.strip_prefix("dial ").unwrap_or(other);
            return [format!("连接 {city}"), format!("dialling {city}")];
        }
    };
    [zh.to_owned(), en.to_owned()]
}

/// What an operator is told of a task; nothing while it comes round.
#[must_use]
pub fn warning(task: &TaskStatus) -> Option<String> {
    if !task.is_late {
        return None;
    }
    let ([zh, en], seconds, restarts) = (words(&task.name), task.age_ms / 1000, task.restarts);
    let failure = task.failure.as_ref();
    let why_zh = failure.map_or_else(String::new, |why| format!("（{why}）"));
    let why_en = failure.map_or_else(String::new, |why| format!(" ({why})"));
    Some(if task.is_kept {
        both(
            &format!(
                "后台任务“{zh}”已 {seconds} 秒没有完成{why_zh}，已重新启动 {restarts} 次；\
                 如持续出现，请重启本市节点并保留其运行输出"
            ),
            &format!(
                "the task “{en}” has not come round for {seconds} s{why_en} and was started anew \
                 {restarts} times; if it goes on, restart the node and keep what it printed"
            ),
        )
    } else {
        both(
            &format!(
                "后台任务“{zh}”已 {seconds} 秒没有完成{why_zh}：请检查磁盘，必要时重启本市节点"
            ),
            &format!(
                "the task “{en}” has not come round for {seconds} s{why_en}: check the disk, and \
                 restart the node if need be"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use super::*;

    /// A clock that is set by hand, and a watchdog that runs by it.
    fn by_hand(late_ms: u64) -> (Arc<AtomicU64>, Watchdog) {
        let hand = Arc::new(AtomicU64::new(1_000));
        let clock = Arc::clone(&hand);
        let now = move || {
            let mono_ms = clock.load(Ordering::SeqCst);
            Now { mono_ms, wall_ms: 1_000_000 + i64::try_from(mono_ms).unwrap() }
        };
        (hand, Watchdog::new(Arc::new(now), late_ms))
    }

    async fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn one(watchdog: &Watchdog) -> TaskStatus {
        watchdog.statuses().into_iter().next().unwrap()
    }

    #[tokio::test]
    async fn a_task_that_hangs_is_shown_and_started_again() {
        let (hand, watchdog) = by_hand(100);
        let (runs, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (counted, freed) = (Arc::clone(&runs), CancellationToken::new());
        let dropped = freed.clone();
        watchdog.keep("tick", stop.clone(), move |pulse| {
            let (run, held) = (counted.fetch_add(1, Ordering::SeqCst), dropped.clone());
            async move {
                if run == 0 {
                    // What hangs holds on to something; being ended lets go of it.
                    let _held = held.drop_guard();
                    pulse.done();
                    std::future::pending::<()>().await;
                }
                loop {
                    pulse.done();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        until("it comes round once", || one(&watchdog).done_ms.is_some()).await;
        assert_eq!(warning(&one(&watchdog)), None);
        // Time passes for everybody; the task hangs.
        hand.store(1_101, Ordering::SeqCst);
        let late = one(&watchdog);
        assert!(late.is_late && late.age_ms == 101 && late.done_ms == Some(1_001_000), "{late:?}");
        assert!(warning(&late).unwrap().contains("市间交换与送达"));
        until("it is ended", || freed.is_cancelled()).await;
        until("another one runs", || runs.load(Ordering::SeqCst) == 2).await;
        until("and comes round", || !one(&watchdog).is_late).await;
        let well = one(&watchdog);
        assert_eq!((well.restarts, well.failure.clone(), warning(&well)), (1, None, None));
        let (when_ms, why) = well.restarted.unwrap();
        assert_eq!((when_ms, why.as_str()), (1_001_101, "it has not come round for 101 ms"));
        stop.cancel();
    }

    #[tokio::test]
    async fn a_task_that_ends_is_started_again_until_it_is_told_to_stop() {
        let (_, watchdog) = by_hand(1_000_000);
        let (runs, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let counted = Arc::clone(&runs);
        watchdog.keep("reload", stop.clone(), move |pulse| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                pulse.done();
                assert!(run > 0, "planted");
            }
        });
        until("a panic and an end are followed by another run", || {
            one(&watchdog).restarts >= 2 && runs.load(Ordering::SeqCst) >= 3
        })
        .await;
        stop.cancel();
        tokio::time::sleep(PAUSE_FIRST).await;
        let before = runs.load(Ordering::SeqCst);
        tokio::time::sleep(PAUSE_FIRST * 2).await;
        assert_eq!(runs.load(Ordering::SeqCst), before, "it goes on after the stop");
    }

    #[tokio::test]
    async fn a_thread_that_panics_is_started_again() {
        let (_, watchdog) = by_hand(1_000_000);
        let (runs, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (counted, stopped) = (Arc::clone(&runs), stop.clone());
        let run = move |pulse: Pulse| {
            pulse.done();
            assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "planted");
            while !stopped.is_cancelled() {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        watchdog.keep_thread("scrub", stop.clone(), run).unwrap();
        until("another run", || one(&watchdog).restarts == 1).await;
        until("it runs", || runs.load(Ordering::SeqCst) == 2).await;
        stop.cancel();
    }

    #[test]
    fn a_thread_that_fails_is_late_in_the_end() {
        let (hand, watchdog) = by_hand(100);
        let pulse = watchdog.watch("guard");
        hand.store(1_050, Ordering::SeqCst);
        pulse.failed("no space");
        assert_eq!(warning(&one(&watchdog)), None, "it goes on trying");
        hand.store(1_101, Ordering::SeqCst);
        assert!(warning(&one(&watchdog)).unwrap().contains("no space"));
        pulse.done();
        assert_eq!(warning(&one(&watchdog)), None);
        assert_eq!(one(&watchdog).failure, None);
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut pause = PAUSE_FIRST;
        let mut all = Vec::new();
        for _ in 0..9 {
            pause = next_pause(pause, false);
            all.push(pause.as_millis());
        }
        assert_eq!(all, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(next_pause(pause, true), PAUSE_FIRST);
    }

    #[test]
    fn tasks_have_names_for_people() {
        assert_eq!(words("dial 130400")[0], "连接 130400");
        assert_eq!(words("tick")[1], "exchange and receipts");
    }
}

//! What an answer makes of what is remembered of a feed: its new state, when it is asked next, and why. Pure.

use super::{pace, silence};
use crate::article::{Entry, Id};
use crate::config::{PollConfig, Site};
use crate::fetch::{Facts, FetchError, Validators, public};
use crate::parse::Schedule;
use crate::store::{FeedState, Hub, Moved, Window};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use std::fmt::Display;
use std::time::Duration;
use url::Url;

/// So many polls after one without conditions, the next is: some servers answer 304 for ever.
const CONDITIONAL: u32 = 49;
/// A feed is asked so often in the time in which it brings one entry.
const ASKED_AN_ENTRY: i32 = 4;
/// Of how many entries the rhythm is taken.
const LATEST: usize = 10;
/// How much faster a feed is asked at most after entries were missed, and for how long.
const MOST_HURRY: u32 = 32;
const HURRIED: TimeDelta = TimeDelta::days(7);
/// A feed that is gone for good may be asked again by hand, but not more often.
const STOPPED_FOR: TimeDelta = TimeDelta::days(1);

/// Between which times a feed is asked.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The first guess.
    pub every: Duration,
    pub at_least: Duration,
    pub at_most: Duration,
    /// Its hub tells of it: it is asked as rarely as it may be.
    pub pushed: bool,
}

impl Bounds {
    pub fn of(site: &Site, poll: &PollConfig) -> Bounds {
        Bounds { every: site.every, at_least: poll.at_least, at_most: poll.at_most, pushed: false }
    }
}

/// Which feeds are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Whose time has come.
    Due,
    /// Each, unless its server said no.
    All,
}

/// Whether a feed is asked now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    Ask,
    NotDue,
    /// The server's own word.
    Wait(DateTime<Utc>),
    /// Gone for good since then.
    Stopped(DateTime<Utc>),
}

/// The longest that a server may ask to wait.
const HELD_FOR: TimeDelta = TimeDelta::hours(24);

/// Without the times that cannot be: they are of a clock that was wrong, and would be waited for as long as it was.
pub fn credible(before: FeedState, bounds: &Bounds, now: DateTime<Utc>) -> FeedState {
    let most = pace::delta(bounds.at_most).max(HELD_FOR) + pace::delta(bounds.at_least) * 2;
    let past = |at: Option<DateTime<Utc>>| at.map(|at| at.min(now));
    FeedState {
        next: before.next.filter(|next| *next - now <= most),
        not_before: before.not_before.filter(|until| *until - now <= HELD_FOR),
        hurry: before.hurry.filter(|(_, until)| *until - now <= HURRIED),
        last_success: past(before.last_success),
        stopped: past(before.stopped),
        failing: past(before.failing),
        emptied: past(before.emptied),
        ..before
    }
}

pub fn turn(before: &FeedState, which: Which, now: DateTime<Utc>) -> Turn {
    if let Some(until) = before.not_before.filter(|until| *until > now) {
        return Turn::Wait(until);
    }
    let not_yet = before.next.is_some_and(|next| next > now);
    match before.stopped {
        Some(since) if which == Which::Due || not_yet => Turn::Stopped(since),
        None if which == Which::Due && not_yet => Turn::NotDue,
        _ => Turn::Ask,
    }
}

/// What to ask, and with which validators.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    pub url: Url,
    pub validators: Validators,
}

/// Every fiftieth time nothing is believed: neither validators nor where the feed moved to.
pub fn question(url: &Url, before: &FeedState) -> Question {
    if before.conditional >= CONDITIONAL {
        return Question { url: url.clone(), validators: Validators::default() };
    }
    let moved = before.moved.as_ref().filter(|moved| moved.times >= 2);
    let url = moved.map_or(url, |moved| &moved.to).clone();
    Question { url, validators: before.validators.clone() }
}

/// What came of a question.
#[derive(Debug)]
pub enum Heard<'a> {
    /// 304, with the validators to use from now on.
    NotModified(Validators),
    /// The bytes of the last time.
    Same(Validators),
    Read {
        validators: Validators,
        hash: String,
        shown: Box<Shown>,
    },
    NotAFeed(&'a str),
    Failed(&'a FetchError),
}

/// What a feed showed.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Shown {
    pub window: Window,
    pub oldest: Option<DateTime<Utc>>,
    /// The first of the last time is still among them.
    pub overlaps: bool,
    pub schedule: Schedule,
    /// On which its entries were published.
    pub days: Vec<NaiveDate>,
    pub hub: Option<Hub>,
}

impl Shown {
    /// `before`: what it showed then. Dates in the future count for nothing.
    pub fn of(entries: &[Entry], schedule: Schedule, before: &Window, now: DateTime<Utc>) -> Shown {
        let dates = entries.iter().filter_map(|entry| entry.published.or(entry.updated)).map(|at| at.to_utc());
        let mut dates: Vec<DateTime<Utc>> = dates.filter(|at| *at <= now).collect();
        dates.sort_unstable_by(|a, b| b.cmp(a));
        let last = dates.len().min(LATEST).saturating_sub(1);
        let latest = dates.get(last).filter(|_| last >= 2).map(|at| (u32::try_from(last).unwrap_or(0), *at));
        let newest = dates.first().copied();
        let top: Option<Id> = entries.first().filter(|_| newest.is_none()).map(|entry| entry.id.clone());
        let overlaps = before.top.as_ref().is_none_or(|top| entries.iter().any(|entry| entry.id == *top));
        let items = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let oldest = dates.last().copied();
        let days = silence::days(dates.into_iter().map(silence::day));
        Shown { window: Window { items, top, newest, latest }, oldest, overlaps, schedule, days, hub: None }
    }

    /// Whether entries came and went unseen: all that is shown is newer than all that was.
    fn rolled_over(&self, before: &Window) -> bool {
        match (self.oldest, before.newest) {
            (Some(oldest), Some(newest)) => oldest > newest,
            _ => before.items > 0 && self.window.items > 0 && !self.overlaps,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Decided {
    pub state: FeedState,
    /// Also in `state`.
    pub next: DateTime<Utc>,
    /// What happened and what decided on `next`, in plain words.
    pub why: String,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// All that a decision is made of, but the answer's kind.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The feed's address in the configuration.
    pub url: &'a Url,
    pub before: &'a FeedState,
    /// The question that was answered so.
    pub asked: &'a Question,
    pub facts: &'a Facts,
    pub bounds: &'a Bounds,
    pub now: DateTime<Utc>,
}

pub fn decide(case: Case, heard: Heard) -> Decided {
    let before = case.before;
    match heard {
        Heard::NotModified(validators) => {
            well(case, FeedState { validators, ..before.clone() }, Vec::new(), "unchanged (304)")
        }
        Heard::Same(validators) => {
            well(case, FeedState { validators, ..before.clone() }, Vec::new(), "unchanged (the same bytes)")
        }
        Heard::Read { validators, hash, shown } => {
            let what = format!("read, {} entries", shown.window.items);
            let (state, notes) = read(before, validators, hash, *shown, case.now);
            well(case, state, notes, &what)
        }
        // what was not a feed must not answer 304 next time
        Heard::NotAFeed(why) => {
            let before = FeedState { validators: Validators::default(), body_hash: None, ..before.clone() };
            failed(case, before, why.to_owned())
        }
        Heard::Failed(error) => refused(case, error),
    }
}

/// After a hub's word, which may hold the new entries alone: it says nothing of what the feed shows, and the next poll asks
/// as if there had been none, at the feed's own moment within `at_most`.
pub fn pushed(case: Case, shown: Shown) -> Decided {
    let Case { url, before, bounds, now, .. } = case;
    let days = silence::days(before.days.iter().copied().chain(shown.days));
    let own = pace::own_moment(url.as_str(), bounds.at_most, bounds.at_most, now);
    // one that fails, or asked to wait, keeps its time
    let next = before.next.filter(|_| before.failures > 0 || before.not_before.is_some()).unwrap_or(own);
    let why = format!("told by its hub, {} entries", shown.window.items);
    let state = FeedState { days, next: Some(next), ..before.clone() };
    Decided { state, next, why, notes: Vec::new() }
}

/// The state after a body with entries, or without.
fn read(
    before: &FeedState,
    validators: Validators,
    hash: String,
    shown: Shown,
    now: DateTime<Utc>,
) -> (FeedState, Vec<String>) {
    let (had, has) = (before.window.items, shown.window.items);
    let Shown { schedule, hub, .. } = shown.clone();
    let mut state = FeedState { validators, body_hash: Some(hash), schedule, hub, ..before.clone() };
    let mut notes = Vec::new();
    if has == 0 {
        state.emptied = before.emptied.or(Some(now));
        notes.push(if had > 0 {
            format!("it shows no entry, though it showed {had}")
        } else {
            "it shows no entry".into()
        });
        // what it showed stays known, for the day when it shows some again
        return (state, notes);
    }
    state.emptied = None;
    if shown.rolled_over(&before.window) {
        state.rolled_over += 1;
        let times = before.hurry.filter(|(_, until)| *until > now).map_or(1, |(times, _)| times);
        state.hurry = Some(((times * 2).min(MOST_HURRY), now + HURRIED));
        notes.push("entries may have been missed: all that it shows is new".to_owned());
    }
    let news = shown.window.newest > before.window.newest || shown.window.top != before.window.top;
    // without dates, what is new was published when it was first seen
    let today = Some(silence::day(now)).filter(|_| news && shown.window.newest.is_none());
    state.days = silence::days(before.days.iter().copied().chain(shown.days).chain(today));
    state.interval = if news { before.interval.map(|seconds| seconds / 2) } else { before.interval };
    state.window = shown.window;
    (state, notes)
}

/// The server answered as it should.
fn well(case: Case, mut state: FeedState, mut notes: Vec<String>, what: &str) -> Decided {
    let Case { before, bounds, now, .. } = case;
    state.moved = moved(case);
    state.hurry = state.hurry.filter(|(_, until)| *until > now);
    if let Some(Moved { to, times: 2 }) = state.moved.as_ref().filter(|_| state.moved != before.moved) {
        notes.push(format!("it has moved for good: put {} into the configuration", public(to)));
    }
    state.conditional = if before.conditional >= CONDITIONAL { 0 } else { before.conditional + 1 };
    (state.failures, state.last_error, state.not_before, state.stopped) = (0, None, None, None);
    state.failing = None;
    state.last_success = Some(now);
    let interval = interval(&state, before, bounds, now);
    state.interval = Some(interval.as_secs());
    let (next, by) = after_success(case, &state, interval);
    state.next = Some(next);
    Decided { state, next, why: format!("{what}; {by}"), notes }
}

/// Counts how often in a row the same permanent redirect was met. Once it is followed unasked it stays, unless the new
/// address fails or the old one stops leading there.
fn moved(case: Case) -> Option<Moved> {
    let (known, to) = (case.before.moved.clone(), case.facts.moved.as_ref());
    if case.asked.url != *case.url {
        // a move of the new address counts anew
        return to.map(|to| Moved { to: to.clone(), times: 1 }).or(known);
    }
    let to = to?;
    let times = known.filter(|known| known.to == *to).map_or(1, |known| known.times.saturating_add(1));
    Some(Moved { to: to.clone(), times: times.min(3) })
}

/// By what the feed's entries show of its rhythm; where they have no dates, longer while nothing comes.
fn interval(state: &FeedState, before: &FeedState, bounds: &Bounds, now: DateTime<Utc>) -> Duration {
    let seconds = |duration: Duration| duration.as_secs().max(1);
    let own = match state.window.latest {
        // the silence since the last one counts, so that a feed that fell asleep is asked less
        Some((gaps, since)) => {
            let gap = (now - since) / i32::try_from(gaps + 1).unwrap_or(i32::MAX);
            u64::try_from((gap / ASKED_AN_ENTRY).num_seconds()).unwrap_or(0)
        }
        None => match (before.interval, state.interval) {
            (Some(_), Some(shorter)) if state.interval != before.interval => shorter,
            (Some(same), _) => same + same / 4,
            _ => seconds(bounds.every),
        },
    };
    let (least, most) = (seconds(bounds.at_least), seconds(bounds.at_most));
    if bounds.pushed {
        return Duration::from_secs(most);
    }
    let hurried = state.hurry.map_or(own, |(times, _)| own / u64::from(times));
    Duration::from_secs(hurried.clamp(least, most.max(least)))
}

/// At the feed's own moment within its interval, so that feeds stay spread, over restarts too; not before the server says
/// that it is worth while, nor in hours that it excludes, but within `at_most` in any case.
fn after_success(case: Case, state: &FeedState, interval: Duration) -> (DateTime<Utc>, String) {
    let Case { url, facts, bounds, now, .. } = case;
    let every = humantime::format_duration(interval);
    let own = pace::own_moment(url.as_str(), interval, bounds.at_most, now).max(now + pace::delta(bounds.at_least));
    if state.hurry.is_some() {
        return (own, format!("every {every}, since entries were missed"));
    }
    let hint =
        facts.freshness.max(state.schedule.seconds.map(Duration::from_secs)).map(|hint| hint.min(bounds.at_most));
    let worth = hint.map_or(own, |hint| own.max(now + pace::delta(hint)));
    let latest = now + pace::delta(bounds.at_most);
    let open = after_skipped(&state.schedule, worth).min(latest);
    let by = match (open > worth, worth > own) {
        (true, _) => "not in the hours or days that it excludes".to_owned(),
        (_, true) => format!("the server says that it stays so for {}", shown(hint.unwrap_or_default())),
        _ if state.window.latest.is_some() => format!("every {every}, by its own rhythm"),
        _ => format!("every {every}"),
    };
    (open, by)
}

fn shown(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs()))
}

/// The first moment from `at` on that is in no hour and on no day (GMT) to skip; `at` where all are.
fn after_skipped(schedule: &Schedule, at: DateTime<Utc>) -> DateTime<Utc> {
    let skipped = |at: &DateTime<Utc>| {
        schedule.skip_hours >> at.hour() & 1 == 1 || schedule.skip_days >> at.weekday().num_days_from_monday() & 1 == 1
    };
    let into_hour = TimeDelta::seconds(i64::from(at.minute() * 60 + at.second()));
    let hours = (1..=7 * 24).map(|hour| at - into_hour + TimeDelta::hours(hour));
    if !skipped(&at) { at } else { hours.into_iter().find(|at| !skipped(at)).unwrap_or(at) }
}

/// The server, or the way to it, said no.
fn refused(case: Case, error: &FetchError) -> Decided {
    let Case { url, bounds, now, .. } = case;
    let before = case.before.clone();
    match error {
        // Nobody asked. The feeds of the host come before the one that had it held asks again, and each time in another
        // order, those first that never were: one that is busy for ever must not keep the same neighbours from being asked.
        FetchError::Held { until, .. } => {
            let never = before.last_success.is_none() && before.failures == 0;
            let within = bounds.at_least / if never { 60 } else { 10 };
            let next = *until + jitter(url, until.timestamp(), within);
            let state = FeedState { not_before: Some(*until), next: Some(next), ..before };
            Decided { state, next, why: error.to_string(), notes: Vec::new() }
        }
        // the configured address itself said it: where a feed moved to may be gone again
        FetchError::Gone { status: 410 } if case.asked.url == *url => {
            let next = now + STOPPED_FOR;
            let why = format!("{}: it is not asked any more", case.facts.says(error));
            let (failures, last_error) = (before.failures + 1, Some(why.clone()));
            let stopped = Some(before.stopped.unwrap_or(now));
            let failing = before.failing.or(Some(now));
            let state = FeedState { failures, last_error, stopped, failing, next: Some(next), ..before };
            Decided { state, next, why, notes: Vec::new() }
        }
        FetchError::Busy { until: Some(until), .. } => {
            let decided = failed(case, before, case.facts.says(error));
            let after = TimeDelta::from_std(bounds.at_least).unwrap_or(TimeDelta::zero());
            let next = decided.next.max(*until + after + jitter(url, 1, bounds.at_least));
            let state = FeedState { not_before: Some(*until), next: Some(next), ..decided.state };
            Decided {
                state,
                next,
                why: format!("{}; as it asks (Retry-After)", case.facts.says(error)),
                notes: Vec::new(),
            }
        }
        _ => failed(case, before, case.facts.says(error)),
    }
}

/// Asked again after waits that double, and a little later than that, up to the bound: feeds that fell together do not
/// rise together. Where the new address of a feed that moved failed, the old one is asked again.
fn failed(case: Case, before: FeedState, why: String) -> Decided {
    let Case { url, bounds, now, .. } = case;
    let failures = before.failures.saturating_add(1);
    let wait = pace::backoff(bounds.every, failures, bounds.at_most - bounds.at_most / 10).max(bounds.at_least);
    let next = now + pace::delta(wait) + jitter(url, failures, wait / 10);
    let said = format!("{why}; failed {failures} times in a row, again after {}", shown(wait));
    let (last_error, failing, next) = (Some(why), before.failing.or(Some(now)), Some(next));
    // the old address may be gone for good, and is asked now and then only
    let (moved, conditional) = match case.asked.url == *url && before.moved.is_some() {
        true => (before.moved.clone(), 0),
        false => (None, before.conditional),
    };
    let state = FeedState { failures, last_error, failing, next, not_before: None, moved, conditional, ..before };
    Decided { next: state.next.unwrap_or(now), state, why: said, notes: Vec::new() }
}

/// Less than `within`, and the same for the same feed and the same failure.
fn jitter(url: &Url, nth: impl Display, within: Duration) -> TimeDelta {
    let within = within.as_secs().max(1);
    TimeDelta::seconds(i64::try_from(pace::hash(&format!("{nth} {url}")) % within).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const BOUNDS: Bounds =
        Bounds { every: HOUR, at_least: HOUR, at_most: Duration::from_secs(24 * 3600), pushed: false };

    fn noon() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    fn url(path: &str) -> Url {
        Url::parse("http://a.example").unwrap().join(path).unwrap()
    }

    /// After one answer to what is asked in `before`.
    fn after(url: &Url, before: &FeedState, heard: Heard, facts: &Facts) -> Decided {
        let asked = question(url, before);
        decide(Case { url, before, asked: &asked, facts, bounds: &BOUNDS, now: noon() }, heard)
    }

    #[test]
    fn feeds_that_fell_together_do_not_rise_together() {
        let error = FetchError::Status { status: 500 };
        let before = FeedState { failures: 3, ..FeedState::default() };
        let urls: Vec<Url> = (0..50).map(|n| url(&format!("/{n}"))).collect();
        let waits = urls.iter().map(|url| after(url, &before, Heard::Failed(&error), &Facts::default()).next - noon());
        let mut waits: Vec<TimeDelta> = waits.collect();
        waits.sort_unstable();
        assert!(waits[0] >= TimeDelta::hours(8) && waits[49] <= TimeDelta::minutes(8 * 66));
        waits.dedup();
        assert!(waits.len() > 40, "{}", waits.len());
    }

    #[test]
    fn a_feed_that_is_not_asked_loses_nothing() {
        let before = FeedState { failures: 2, last_success: Some(noon()), ..FeedState::default() };
        let until = noon() + TimeDelta::hours(3);
        let held = FetchError::Held { host: "a.example".to_owned(), until };
        let decided = after(&url("/rss"), &before, Heard::Failed(&held), &Facts::default());
        assert_eq!((decided.state.failures, decided.state.not_before), (2, Some(until)));
        assert!(decided.next >= until && decided.next < until + TimeDelta::hours(1));
        assert_eq!(turn(&decided.state, Which::All, noon()), Turn::Wait(until));
        assert_eq!(turn(&decided.state, Which::Due, until), Turn::NotDue);
    }

    #[test]
    fn what_a_wrong_clock_planned_is_not_waited_for() {
        let state = |hours: i64| {
            let at = Some(noon() + TimeDelta::hours(hours));
            FeedState { next: at, not_before: at, failing: at, ..FeedState::default() }
        };
        let asked = |hours| turn(&credible(state(hours), &BOUNDS, noon()), Which::Due, noon());
        assert_eq!(asked(24 * 365), Turn::Ask);
        assert_eq!(asked(25), Turn::NotDue, "not the server's word any more");
        assert_eq!(asked(24), Turn::Wait(noon() + TimeDelta::hours(24)));
        assert_eq!(credible(state(5), &BOUNDS, noon()).failing, Some(noon()));
    }

    #[test]
    fn a_feed_that_moved_is_neither_stopped_nor_forgotten_by_one_address_alone() {
        let moved = Some(Moved { to: url("/new"), times: 3 });
        let before = FeedState { moved, ..FeedState::default() };
        let gone = after(&url("/rss"), &before, Heard::Failed(&FetchError::Gone { status: 410 }), &Facts::default());
        assert_eq!((gone.state.stopped, gone.state.moved), (None, None), "the old one is asked again");
        let fiftieth = FeedState { conditional: CONDITIONAL, ..before };
        let lost = Heard::Failed(&FetchError::Network("no such host".to_owned()));
        let old_is_gone = after(&url("/rss"), &fiftieth, lost, &Facts::default());
        assert_eq!(question(&url("/rss"), &old_is_gone.state).url, url("/new"));
    }

    #[test]
    fn whoever_is_due_is_asked_and_nobody_else() {
        let (before, after) = (noon() - TimeDelta::hours(1), Some(noon() + TimeDelta::hours(1)));
        let (past, stopped) = (Some(before), Turn::Stopped(before));
        let none = FeedState::default;
        let table = [
            (none(), Turn::Ask, Turn::Ask),
            (FeedState { next: after, ..none() }, Turn::NotDue, Turn::Ask),
            (FeedState { next: past, ..none() }, Turn::Ask, Turn::Ask),
            (FeedState { next: past, not_before: past, ..none() }, Turn::Ask, Turn::Ask),
            (FeedState { stopped: past, next: after, ..none() }, stopped.clone(), stopped.clone()),
            (FeedState { stopped: past, next: past, ..none() }, stopped, Turn::Ask),
        ];
        for (state, due, all) in table {
            assert_eq!((turn(&state, Which::Due, noon()), turn(&state, Which::All, noon())), (due, all), "{state:?}");
        }
    }

    #[test]
    fn hours_and_days_to_skip_end() {
        let all = Schedule { skip_days: 127, ..Schedule::default() };
        assert_eq!(after_skipped(&all, noon()), noon());
        // Tuesday, then Wednesday's first hour
        let some = Schedule { skip_days: 0b10, skip_hours: 1, ..Schedule::default() };
        assert_eq!(after_skipped(&some, noon()), noon() + TimeDelta::hours(13));
    }
}

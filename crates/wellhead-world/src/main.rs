//! Plays worlds: one and shows what happens in it, or many and shows those that break a promise.

use clap::Parser;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use wellhead_types::planted::Planted;
use wellhead_world::planted::{ROWS, find};
use wellhead_world::{Verdict, run, run_with};

/// A world makes and drops a million small things.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Worlds in which a planted bug may show, of which one must show it.
const PLANTED_SEEDS: usize = 16;

/// Worlds that are played when nothing else is said.
const SEEDS: u64 = 256;

/// A world that takes so long, a hundred times what it should, goes round in circles. There is no way to stop it.
const ENDLESS: Duration = Duration::from_secs(60);

/// The data plane on virtual time, among upstreams, clients and faults from a seed.
#[derive(Parser)]
#[command(name = "wellhead-world")]
struct Options {
    /// Plays one world and prints everything that happens in it.
    #[arg(long, conflicts_with_all = ["seeds", "planted"])]
    seed: Option<u64>,
    /// Plays many: FROM..TO, the last one not included. Prints those that break a promise. 0..256 if nothing is said.
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Plants one bug after another, and fails unless each is found.
    #[arg(long)]
    planted: bool,
    /// With --seed: plants this bug, by its number in the list of --planted.
    #[arg(long, requires = "seed")]
    bug: Option<usize>,
    /// Threads.
    #[arg(long)]
    threads: Option<usize>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text}: expected FROM..TO, such as 0..256");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to) = (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from < to { Ok(from..to) } else { Err(wrong()) }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut out = std::io::stdout();
    let good = match (options.seed, options.seeds, options.planted) {
        (Some(seed), _, _) => one(&mut out, seed, options.bug),
        (None, None, true) => all_planted(&mut out, options.threads),
        (None, seeds, planted) => {
            let worlds = many(&mut out, seeds.unwrap_or(0..SEEDS), options.threads);
            if planted {
                worlds.and_then(|good| Ok(all_planted(&mut out, options.threads)? && good))
            } else {
                worlds
            }
        }
    };
    match good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Nobody reads any more.
        Err(_) => ExitCode::from(2),
    }
}

fn one(out: &mut impl Write, seed: u64, bug: Option<usize>) -> std::io::Result<bool> {
    let bug = bug.and_then(|number| Planted::IN_WORLDS.get(number).copied());
    let verdict = run_with(seed, true, bug);
    writeln!(out, "seed {seed}: {:?}, hash {:016x}, {:?}", verdict.theme, verdict.hash, verdict.rungs)?;
    report(out, &verdict)?;
    Ok(verdict.wrong.is_empty())
}

fn report(out: &mut impl Write, verdict: &Verdict) -> std::io::Result<()> {
    for wrong in verdict.wrong.iter().take(20) {
        writeln!(out, "  {wrong}")?;
    }
    if verdict.wrong.len() > 20 {
        writeln!(out, "  … and {} more", verdict.wrong.len() - 20)?;
    }
    Ok(())
}

/// Does something with every number of a range, on several threads. When one of them does not come to an end, says so
/// and ends the process.
#[expect(clippy::disallowed_methods, reason = "a thread that goes round in circles cannot be stopped")]
fn on_threads<T: Send>(
    numbers: Range<u64>,
    threads: Option<usize>,
    work: impl Fn(u64, &dyn Fn(u64)) -> T + Sync,
    done: impl Fn(T) + Sync,
) {
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicU64::new(numbers.start);
    let playing: Vec<_> = (0..threads.max(1)).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = playing
            .iter()
            .map(|own| {
                let (next, work, done, end) = (&next, &work, &done, numbers.end);
                scope.spawn(move || {
                    let plays = |seed| *lock(own) = Some((seed, Instant::now()));
                    loop {
                        let number = next.fetch_add(1, Relaxed);
                        if number >= end {
                            return;
                        }
                        done(work(number, &plays));
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::park_timeout(Duration::from_millis(20));
            let endless = |own: &Mutex<Option<(u64, Instant)>>| {
                lock(own).filter(|(_, since)| since.elapsed() > ENDLESS).map(|(seed, _)| seed)
            };
            if let Some(seed) = playing.iter().find_map(endless) {
                let command = format!("cargo run -q -p wellhead-world -- --seed {seed}");
                // Whoever has stopped reading sees the exit status.
                drop(writeln!(std::io::stdout(), "seed {seed} breaks promises: it does not end: {command}"));
                std::process::exit(1);
            }
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn many(out: &mut (impl Write + Send), seeds: Range<u64>, threads: Option<usize>) -> std::io::Result<bool> {
    let count = seeds.end - seeds.start;
    let totals = Mutex::new((out, 0_u64, BTreeMap::<String, u64>::new()));
    let work = |seed, plays: &dyn Fn(u64)| {
        plays(seed);
        run(seed, false)
    };
    on_threads(seeds, threads, work, |verdict: Verdict| {
        let mut totals = lock(&totals);
        let (out, failed, rungs) = &mut *totals;
        verdict.rungs.iter().for_each(|(name, n)| *rungs.entry(name.clone()).or_insert(0) += n);
        if !verdict.wrong.is_empty() {
            *failed += 1;
            // A reader that has gone is found when the summary is written.
            drop(writeln!(
                out,
                "seed {} ({:?}) breaks promises: {}",
                verdict.seed,
                verdict.theme,
                verdict.command()
            ));
            drop(report(out, &verdict));
        }
    });
    let (out, failed, rungs) = totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (name, n) in &rungs {
        writeln!(out, "{n:>9} {name}")?;
    }
    writeln!(out, "{count} worlds, {failed} of them break promises")?;
    Ok(failed == 0)
}

fn all_planted(out: &mut (impl Write + Send), threads: Option<usize>) -> std::io::Result<bool> {
    let shared = Mutex::new((out, true));
    let work = |number: u64, plays: &dyn Fn(u64)| {
        let row = &ROWS[usize::try_from(number).unwrap_or(0)];
        (number, row, find(row, PLANTED_SEEDS, plays))
    };
    on_threads(0..ROWS.len() as u64, threads, work, |(number, row, found)| {
        let mut shared = lock(&shared);
        let (out, good) = &mut *shared;
        let bug = row.bug;
        // A reader that has gone is found at the end.
        drop(match found {
            Some((verdict, what)) => {
                writeln!(out, "{number:>2} {bug:?}: found with seed {}: {what}", verdict.seed)
            }
            None => {
                *good = false;
                writeln!(out, "{number:>2} {bug:?}: NOT FOUND in {PLANTED_SEEDS} worlds")
            }
        });
    });
    let (out, good) = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    out.flush()?;
    Ok(good)
}

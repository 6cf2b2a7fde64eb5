//! Writes all the time until stdin ends, then reads all back: what a user would notice of a fault, and what was lost.

use crate::endpoint::Endpoint;
use crate::keys::Keys;
use crate::outcome::Failure;
use redis::AsyncTypedCommands;
use redis::aio::ConnectionLike;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, stdin};
use tokio::time::{interval, sleep};

const WORKERS: usize = 4;
const KEYS: usize = 50;
const PACE: Duration = Duration::from_millis(20); // 50 writes a second for each worker
const PAUSE: Duration = Duration::from_millis(100);
const REPORT: Duration = Duration::from_millis(250);
const READ_BACK: Duration = Duration::from_secs(20);
const SHOWN_ERRORS: usize = 3;

/// What all workers and the reports share.
#[derive(Default)]
struct Figures {
    ended: AtomicBool,
    writes: [AtomicU64; WORKERS],
    errors: AtomicU64,
    texts: Mutex<Vec<String>>,
}

/// What one worker has seen in the end.
struct Written {
    acknowledged: HashMap<String, u64>,
    longest_gap: Duration,
}

pub async fn run<E: Endpoint>(endpoint: &E, keys: &Keys) -> Result<(), Failure> {
    let connection = endpoint.connect().await?;
    let figures = Arc::new(Figures::default());
    let all = keys.spread(WORKERS * KEYS, "load");
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            // every fourth key is a worker's own, so that each worker writes to all shards
            let own = all.iter().skip(number).step_by(WORKERS).cloned().collect();
            tokio::spawn(write(connection.clone(), own, figures.clone(), number))
        })
        .collect();
    report_until_end_of_input(&figures).await;
    let mut written = Vec::new();
    for worker in workers {
        written.push(worker.await?);
    }
    let lost = read_back(connection, &written, &figures).await;
    let longest = written
        .iter()
        .map(|one| one.longest_gap)
        .max()
        .unwrap_or_default();
    println!(
        "{}",
        json!({
            "final": true,
            "acknowledged": figures.writes.iter().map(|one| one.load(Relaxed)).sum::<u64>(),
            "errors": figures.errors.load(Relaxed),
            "lost": lost,
            "longest_gap": longest.as_secs_f64(),
            "last_errors": *figures.texts.lock().unwrap_or_else(PoisonError::into_inner),
        })
    );
    Ok(())
}

async fn report_until_end_of_input(figures: &Figures) {
    let mut beat = interval(REPORT);
    let (mut input, mut discarded) = (stdin(), [0; 64]);
    loop {
        tokio::select! {
            _ = beat.tick() => {
                let writes: Vec<u64> = figures.writes.iter().map(|one| one.load(Relaxed)).collect();
                let errors = figures.errors.load(Relaxed);
                println!("{}", json!({"acknowledged": writes.iter().sum::<u64>(), "errors": errors, "workers": writes}));
            }
            read = input.read(&mut discarded) => {
                if matches!(read, Ok(0) | Err(_)) {
                    figures.ended.store(true, Relaxed);
                    return;
                }
            }
        }
    }
}

async fn write(
    mut connection: impl ConnectionLike + Send + Sync,
    keys: Vec<String>,
    figures: Arc<Figures>,
    number: usize,
) -> Written {
    let mut counter = first_value();
    let mut written = Written {
        acknowledged: HashMap::new(),
        longest_gap: Duration::ZERO,
    };
    let mut waiting_since = Instant::now();
    for key in keys.iter().cycle() {
        if figures.ended.load(Relaxed) {
            break;
        }
        counter += 1;
        let outcome = connection.set(key, counter).await;
        written.longest_gap = written.longest_gap.max(waiting_since.elapsed());
        match outcome {
            Ok(()) => {
                written.acknowledged.insert(key.clone(), counter);
                figures.writes[number].fetch_add(1, Relaxed);
                sleep(PACE).await;
                waiting_since = Instant::now(); // its own pace is no gap
            }
            Err(error) => {
                figures.errors.fetch_add(1, Relaxed);
                figures.note(error.to_string());
                sleep(PAUSE).await;
            }
        }
    }
    written
}

/// How many keys have an older value than was acknowledged; one that nobody can read in time counts, too.
async fn read_back(
    mut connection: impl ConnectionLike + Send + Sync,
    written: &[Written],
    figures: &Figures,
) -> usize {
    let started = Instant::now();
    let mut lost = 0;
    for (key, acknowledged) in written.iter().flat_map(|one| &one.acknowledged) {
        let found = loop {
            match connection.get(key).await {
                Ok(value) => break value.and_then(|text| text.parse().ok()).unwrap_or(0),
                Err(error) => figures.note(error.to_string()),
            }
            if started.elapsed() > READ_BACK {
                break 0;
            }
            sleep(PAUSE).await;
        };
        lost += usize::from(found < *acknowledged);
    }
    lost
}

impl Figures {
    fn note(&self, text: String) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.retain(|other| *other != text);
        texts.push(text);
        if texts.len() > SHOWN_ERRORS {
            texts.remove(0);
        }
    }
}

/// Higher than any value of an earlier run.
fn first_value() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs() * 1_000_000
}

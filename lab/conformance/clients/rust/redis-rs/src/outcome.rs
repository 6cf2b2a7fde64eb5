//! Runs one behaviour, and says in one line of JSON how it went.

use serde_json::json;
use std::fmt::Debug;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);
// an error may quote the whole answer
const LONGEST_DETAIL: usize = 300;
const LONGEST_VALUE: usize = 120;

/// Whatever went wrong, as the client says it, or a wrong answer.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub async fn report(behaviour: &str, attempt: impl Future<Output = Result<(), Failure>>) {
    let started = Instant::now();
    let failure = match timeout(LIMIT, attempt).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(first(LONGEST_DETAIL, &failure.to_string())),
        Err(_) => Some(format!("no answer in {} s", LIMIT.as_secs())),
    };
    let line = json!({
        "behaviour": behaviour,
        "outcome": if failure.is_none() { "pass" } else { "fail" },
        "detail": failure.unwrap_or_default(),
        "seconds": started.elapsed().as_secs_f64(),
    });
    println!("{line}");
}

pub fn expect<T: PartialEq + Debug>(got: T, wanted: T) -> Result<(), Failure> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{} in place of {}", shown(&got), shown(&wanted)).into())
}

fn shown(value: &impl Debug) -> String {
    first(LONGEST_VALUE, &format!("{value:?}"))
}

fn first(characters: usize, text: &str) -> String {
    text.chars().take(characters).collect()
}

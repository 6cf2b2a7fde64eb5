//! The conformance program of redis-rs: `commands`, `connect` or `load`, a line of JSON for each result.

mod behaviours;
mod cluster;
mod endpoint;
mod envoy;
mod keys;
mod load;
mod outcome;
mod per_node;
mod single;

use cluster::Cluster;
use endpoint::Endpoint;
use keys::Keys;
use outcome::{Failure, report};
use single::Single;
use std::env;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mode = env::args().nth(1).unwrap_or_default();
    if env::var("LAB_WAY")?.starts_with("envoy") {
        let client = envoy::client()?;
        return run(&mode, &Single { client }).await;
    }
    run(&mode, &Cluster).await
}

async fn run(mode: &str, endpoint: &impl Endpoint) -> Result<(), Failure> {
    match mode {
        "commands" => behaviours::commands(endpoint, &Keys::read()?).await,
        "connect" => report("connect", behaviours::connect(endpoint)).await,
        "load" => load::run(endpoint, &Keys::read()?).await?,
        _ => return Err(format!("mode is {mode:?}; allowed: commands, connect, load").into()),
    }
    Ok(())
}

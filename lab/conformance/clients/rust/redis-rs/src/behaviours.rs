//! What the client is asked to do, the same with a cluster and with one endpoint.

use crate::endpoint::Endpoint;
use crate::keys::{Keys, SLOTS};
use crate::outcome::{Failure, expect, report};
use futures::{TryStreamExt, stream};
use redis::{AsyncTypedCommands, Script, cmd, pipe};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

const IN_FLIGHT: usize = 256;
const PIPELINED_KEYS: usize = 250; // a SET and a GET each: 500 commands
const TRANSACTIONS: usize = 60;
const SCRIPTS: usize = 12;
const REPLICATION: Duration = Duration::from_secs(5);
const ROLE: &str = "return string.match(redis.call('INFO', 'replication'), 'role:(%a+)')";

pub async fn commands(endpoint: &impl Endpoint, keys: &Keys) {
    report("all_slots", all_slots(endpoint, keys)).await;
    report("pipeline_500", pipeline(endpoint, keys)).await;
    report("multi_exec", transactions(endpoint, keys)).await;
    report("evalsha", script(endpoint, keys)).await;
    report("pubsub", message(endpoint, keys)).await;
    report("blpop", blocking_pop(endpoint, keys)).await;
    report("scan", scan(endpoint, keys)).await;
    report("replica_read", replica_read(endpoint, keys)).await;
}

pub async fn connect(endpoint: &impl Endpoint) -> Result<(), Failure> {
    let mut connection = endpoint.connect().await?;
    let key = format!("{}:connect", crate::keys::CLIENT);
    connection.set(&key, "value").await?;
    expect(connection.get(&key).await?, Some("value".to_owned()))
}

/// One connection takes many commands at a time.
async fn all_slots(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let connection = endpoint.connect().await?;
    stream::iter(keys.spread(SLOTS, "slot").into_iter().map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |key| {
            let mut connection = connection.clone();
            async move {
                connection.set(&key, &key).await?;
                expect(connection.get(&key).await?, Some(key))
            }
        })
        .await
}

async fn pipeline(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let keys = keys.spread(PIPELINED_KEYS, "pipeline");
    expect(endpoint.set_and_get(keys.clone()).await?, keys)
}

async fn transactions(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let mut connection = endpoint.connect().await?;
    for key in keys.spread(TRANSACTIONS, "transaction") {
        let (first, second) = (format!("{key}:a"), format!("{key}:b"));
        let answers: Vec<String> = pipe()
            .atomic()
            .set(&first, &key)
            .set(&second, &key)
            .get(&first)
            .get(&second)
            .query_async(&mut connection)
            .await?;
        expect(
            answers,
            vec!["OK".to_owned(), "OK".to_owned(), key.clone(), key],
        )?;
    }
    Ok(())
}

async fn script(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let mut connection = endpoint.connect().await?;
    let script = Script::new("return KEYS[1] .. ARGV[1]");
    script.prepare_invoke().load_async(&mut connection).await?;
    for key in keys.spread(SCRIPTS, "script") {
        let answer: String = cmd("EVALSHA")
            .arg(script.get_hash())
            .arg(1)
            .arg(&key)
            .arg("!")
            .query_async(&mut connection)
            .await?;
        expect(answer, format!("{key}!"))?;
    }
    Ok(())
}

async fn message(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let channel = keys.at(0, "channel");
    let mut publisher = endpoint.connect().await?;
    let hello = async {
        publisher.publish(&channel, "hello").await?;
        Ok(())
    };
    expect(
        endpoint.message(&channel, hello).await?,
        Some("hello".to_owned()),
    )
}

async fn blocking_pop(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let list = keys.at(0, &format!("list-{}", unique())); // whatever an earlier run left behind is another list
    let mut connection = endpoint.connect().await?;
    let started = Instant::now();
    expect(connection.blpop(&list, 1.0).await?, None)?;
    if started.elapsed() < Duration::from_secs(1) {
        return Err(format!(
            "BLPOP of an empty list waited {:?} in place of 1 s",
            started.elapsed()
        )
        .into());
    }
    connection.rpush(&list, "job").await?;
    expect(
        connection.blpop(&list, 1.0).await?,
        Some([list, "job".to_owned()]),
    )
}

async fn scan(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let written = keys.spread(PIPELINED_KEYS, "scan");
    endpoint.set_and_get(written.clone()).await?;
    let found = endpoint.scan().await?;
    let there = written.iter().filter(|key| found.contains(*key)).count();
    if there < written.len() {
        return Err(format!("SCAN found {there} of {} keys", written.len()).into());
    }
    let size: usize = cmd("DBSIZE")
        .query_async(&mut endpoint.connect().await?)
        .await?;
    expect(found.len(), size)
}

async fn replica_read(endpoint: &impl Endpoint, keys: &Keys) -> Result<(), Failure> {
    let (key, value) = (keys.at(0, "replica"), unique());
    endpoint.connect().await?.set(&key, &value).await?;
    let mut replicas = endpoint.connect_to_replicas().await?;
    let started = Instant::now();
    let mut read = replicas.get(&key).await?;
    while read.as_ref() != Some(&value) && started.elapsed() < REPLICATION {
        sleep(Duration::from_millis(50)).await;
        read = replicas.get(&key).await?;
    }
    expect(read, Some(value))?;
    let role: String = cmd("EVAL_RO")
        .arg(ROLE)
        .arg(1)
        .arg(&key)
        .query_async(&mut replicas)
        .await?;
    expect(role, "slave".to_owned())
}

/// No earlier run's value.
fn unique() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_nanos().to_string()
}

//! The cluster client: asynchronous, but for what only its synchronous connection can do.

use crate::endpoint::Endpoint;
use crate::outcome::Failure;
use crate::per_node;
use redis::cluster::cluster_pipe;
use redis::cluster_async::ClusterConnection;
use redis::cluster_read_routing::RandomReplicaStrategy;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Msg, Value, cmd, from_redis_value, from_redis_value_ref};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

pub struct Cluster;

impl Endpoint for Cluster {
    type Connection = ClusterConnection;

    async fn connect(&self) -> Result<ClusterConnection, Failure> {
        Ok(per_node::builder()?.build()?.get_async_connection().await?)
    }

    async fn connect_to_replicas(&self) -> Result<ClusterConnection, Failure> {
        let client = per_node::builder()?
            .read_routing_strategy(RandomReplicaStrategy)
            .build()?;
        Ok(client.get_async_connection().await?)
    }

    /// The asynchronous connection takes a pipeline for one slot only, the synchronous one for all.
    async fn set_and_get(&self, keys: Vec<String>) -> Result<Vec<String>, Failure> {
        tokio::task::spawn_blocking(move || {
            let mut connection = per_node::builder()?.build()?.get_connection()?;
            let mut pipeline = cluster_pipe();
            for key in &keys {
                pipeline.set(key, key).ignore().get(key);
            }
            Ok(pipeline.query(&mut connection)?)
        })
        .await?
    }

    /// Messages come as RESP3 pushes, on whatever connection the subscription is.
    async fn message(
        &self,
        channel: &str,
        publish: impl Future<Output = Result<(), Failure>>,
    ) -> Result<Option<String>, Failure> {
        let (sender, mut pushes) = mpsc::unbounded_channel();
        let client = per_node::builder()?.push_sender(sender).build()?;
        let mut connection = client.get_async_connection().await?;
        connection.subscribe(channel).await?;
        publish.await?;
        while let Ok(Some(push)) = timeout(PATIENCE, pushes.recv()).await {
            if let Some(message) = Msg::from_push_info(push) {
                return Ok(Some(message.get_payload()?));
            }
        }
        Ok(None)
    }

    async fn scan(&self) -> Result<HashSet<String>, Failure> {
        let mut connection = self.connect().await?;
        let mut keys = HashSet::new();
        for (host, port) in primaries(&mut connection).await? {
            let mut cursor = 0;
            loop {
                let route = SingleNodeRoutingInfo::ByAddress {
                    host: host.clone(),
                    port,
                };
                let page = cmd("SCAN").arg(cursor).arg("COUNT").arg(1000).to_owned();
                let answer = connection
                    .route_command(page, RoutingInfo::SingleNode(route))
                    .await?;
                let (next, found): (u64, Vec<String>) = from_redis_value(answer)?;
                keys.extend(found);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        Ok(keys)
    }
}

/// A shard in CLUSTER SLOTS is its first and its last slot, then its nodes, the primary first: name, port and more.
async fn primaries(connection: &mut ClusterConnection) -> Result<Vec<(String, u16)>, Failure> {
    let shards: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(connection).await?;
    let mut primaries = HashSet::new();
    for shard in shards {
        let primary: Vec<Value> = from_redis_value_ref(&shard[2])?;
        primaries.insert((
            from_redis_value_ref(&primary[0])?,
            from_redis_value_ref(&primary[1])?,
        ));
    }
    Ok(primaries.into_iter().collect())
}

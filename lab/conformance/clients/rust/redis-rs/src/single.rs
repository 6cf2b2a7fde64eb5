//! The client of one endpoint, with a connection that comes back by itself.

use crate::endpoint::Endpoint;
use crate::outcome::Failure;
use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, cmd, pipe};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

pub struct Single {
    pub client: Client,
}

impl Endpoint for Single {
    type Connection = ConnectionManager;

    async fn connect(&self) -> Result<ConnectionManager, Failure> {
        let timeouts = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(4)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        Ok(self
            .client
            .get_connection_manager_with_config(timeouts)
            .await?)
    }

    /// One can say no more of replicas than READONLY.
    async fn connect_to_replicas(&self) -> Result<ConnectionManager, Failure> {
        let mut connection = self.connect().await?;
        cmd("READONLY").exec_async(&mut connection).await?;
        Ok(connection)
    }

    async fn set_and_get(&self, keys: Vec<String>) -> Result<Vec<String>, Failure> {
        let mut pipeline = pipe();
        for key in &keys {
            pipeline.set(key, key).ignore().get(key);
        }
        Ok(pipeline.query_async(&mut self.connect().await?).await?)
    }

    async fn message(
        &self,
        channel: &str,
        publish: impl Future<Output = Result<(), Failure>>,
    ) -> Result<Option<String>, Failure> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        publish.await?;
        match timeout(PATIENCE, subscription.on_message().next()).await {
            Ok(Some(message)) => Ok(Some(message.get_payload()?)),
            _ => Ok(None),
        }
    }

    async fn scan(&self) -> Result<HashSet<String>, Failure> {
        let mut connection = self.connect().await?;
        let mut keys = HashSet::new();
        let mut pages = cmd("SCAN")
            .cursor_arg(0)
            .arg("COUNT")
            .arg(1000)
            .clone()
            .iter_async(&mut connection)
            .await?;
        while let Some(key) = pages.next_item().await {
            keys.insert(key?);
        }
        Ok(keys)
    }
}

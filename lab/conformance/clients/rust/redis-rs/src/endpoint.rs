//! What differs between the client of a cluster and that of one endpoint.

use crate::outcome::Failure;
use redis::aio::ConnectionLike;
use std::collections::HashSet;

pub trait Endpoint: Send + Sync {
    type Connection: ConnectionLike + Clone + Send + Sync + 'static;

    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Failure>> + Send;

    /// A connection that reads from replicas.
    fn connect_to_replicas(&self) -> impl Future<Output = Result<Self::Connection, Failure>>;

    /// SET of each key to its own name and GET, all in one pipeline; the answers to the GETs.
    fn set_and_get(&self, keys: Vec<String>) -> impl Future<Output = Result<Vec<String>, Failure>>;

    /// Subscribes, lets `publish` run, and gives the message that arrives.
    fn message(
        &self,
        channel: &str,
        publish: impl Future<Output = Result<(), Failure>>,
    ) -> impl Future<Output = Result<Option<String>, Failure>>;

    /// All keys, by SCAN.
    fn scan(&self) -> impl Future<Output = Result<HashSet<String>, Failure>>;
}

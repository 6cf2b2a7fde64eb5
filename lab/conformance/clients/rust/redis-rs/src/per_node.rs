use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::{ProtocolVersion, TlsCertificates};
use std::{env, error::Error, fs, time::Duration};

pub fn builder() -> Result<ClusterClientBuilder, Box<dyn Error + Send + Sync>> {
    let endpoint = format!(
        "rediss://{}:{}",
        env::var("LAB_ENDPOINT")?,
        env::var("LAB_PORT")?
    );
    Ok(ClusterClient::builder([endpoint])
        .username(env::var("LAB_USERNAME")?)
        .password(env::var("LAB_PASSWORD")?)
        .certs(TlsCertificates {
            client_tls: None,
            root_cert: Some(fs::read(env::var("LAB_CA_FILE")?)?),
        })
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(Duration::from_secs(4))
        .response_timeout(Duration::from_secs(2)))
}

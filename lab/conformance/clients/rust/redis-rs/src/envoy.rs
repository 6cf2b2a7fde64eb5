use redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, TlsCertificates};
use std::{env, error::Error, fs};

pub fn client() -> Result<Client, Box<dyn Error + Send + Sync>> {
    let endpoint = format!(
        "rediss://{}:{}",
        env::var("LAB_ENDPOINT")?,
        env::var("LAB_PORT")?
    );
    let login = RedisConnectionInfo::default()
        .set_username(env::var("LAB_USERNAME")?)
        .set_password(env::var("LAB_PASSWORD")?)
        .set_protocol(match env::var("LAB_WAY")?.as_str() {
            "envoy-resp3" => ProtocolVersion::RESP3,
            _ => ProtocolVersion::RESP2, // the default
        });
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(fs::read(env::var("LAB_CA_FILE")?)?),
    };
    Ok(Client::build_with_tls(
        endpoint.into_connection_info()?.set_redis_settings(login),
        certificates,
    )?)
}

import java.security.Security;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.SslOptions;

final class Envoy {

    static RedisClient client() throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "5");
        return RedisClient.builder()
                .hostAndPort(System.getenv("LAB_ENDPOINT"), Integer.parseInt(System.getenv("LAB_PORT")))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .sslOptions(SslOptions.builder()
                                .truststore(
                                        PrivateCa.trustStore(System.getenv("LAB_CA_FILE")),
                                        PrivateCa.PASSWORD.toCharArray())
                                .build())
                        .user(System.getenv("LAB_USERNAME"))
                        .password(System.getenv("LAB_PASSWORD"))
                        .build())
                .build();
    }
}

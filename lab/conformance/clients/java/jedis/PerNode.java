import java.security.Security;
import java.util.Set;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.SslOptions;

final class PerNode {

    static RedisClusterClient client() throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "5");
        return RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort(
                        System.getenv("LAB_ENDPOINT"), Integer.parseInt(System.getenv("LAB_PORT")))))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .sslOptions(SslOptions.builder()
                                .truststore(
                                        PrivateCa.trustStore(System.getenv("LAB_CA_FILE")),
                                        PrivateCa.PASSWORD.toCharArray())
                                .build())
                        .user(System.getenv("LAB_USERNAME"))
                        .password(System.getenv("LAB_PASSWORD"))
                        .readOnlyForRedisClusterReplicas() // only for executeCommandToReplica
                        .build())
                .build();
    }
}

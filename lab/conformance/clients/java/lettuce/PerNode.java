import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import java.io.File;
import java.time.Duration;

final class PerNode {

    static RedisClusterClient client() {
        RedisURI endpoint = RedisURI.Builder
                .redis(System.getenv("LAB_ENDPOINT"), Integer.parseInt(System.getenv("LAB_PORT")))
                .withSsl(true)
                .withAuthentication(System.getenv("LAB_USERNAME"), System.getenv("LAB_PASSWORD"))
                .withTimeout(Duration.ofSeconds(2))
                .build();
        RedisClusterClient client = RedisClusterClient.create(endpoint);
        client.setOptions(ClusterClientOptions.builder()
                .sslOptions(SslOptions.builder().trustManager(new File(System.getenv("LAB_CA_FILE"))).build())
                .build());
        return client;
    }
}

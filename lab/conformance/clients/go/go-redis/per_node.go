package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/redis/go-redis/v9"
)

// perNode opens a client through a HAProxy per node. The cluster client finds the nodes by their own names, and verifies
// each by that name. Whatever else the user wants (ClusterStateReloadInterval, replicas) is in the options already.
func perNode(options redis.ClusterOptions) (*redis.ClusterClient, error) {
	authority, err := os.ReadFile(os.Getenv("LAB_CA_FILE"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	options.Addrs = []string{os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")}
	options.TLSConfig = &tls.Config{RootCAs: roots}
	options.Username = os.Getenv("LAB_USERNAME")
	options.Password = os.Getenv("LAB_PASSWORD")
	return redis.NewClusterClient(&options), nil
}

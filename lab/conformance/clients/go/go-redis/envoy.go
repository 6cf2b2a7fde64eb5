package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/redis/go-redis/v9"
)

// envoy opens a client through Envoy, by its RESP2 or its RESP3 listener: a plain client, since Envoy hides the cluster,
// with its defaults, since it takes what the listener speaks.
func envoy(options redis.Options) (*redis.Client, error) {
	authority, err := os.ReadFile(os.Getenv("LAB_CA_FILE"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	options.Addr = os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")
	options.TLSConfig = &tls.Config{RootCAs: roots}
	options.Username = os.Getenv("LAB_USERNAME")
	options.Password = os.Getenv("LAB_PASSWORD")
	return redis.NewClient(&options), nil
}

package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/redis/rueidis"
)

// envoy opens a client through Envoy, by its RESP2 or its RESP3 listener.
func envoy(options rueidis.ClientOption) (rueidis.Client, error) {
	authority, err := os.ReadFile(os.Getenv("LAB_CA_FILE"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	options.InitAddress = []string{os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")}
	options.TLSConfig = &tls.Config{RootCAs: roots}
	options.Username = os.Getenv("LAB_USERNAME")
	options.Password = os.Getenv("LAB_PASSWORD")
	options.ForceSingleClient = true // Envoy answers CLUSTER SLOTS with the nodes' names, which lead nowhere here
	options.DisableCache = true      // Envoy has no CLIENT TRACKING
	// Envoy refuses HELLO 3 on its RESP2 listener
	options.AlwaysRESP2 = os.Getenv("LAB_WAY") == "envoy-resp2"
	return rueidis.NewClient(options)
}

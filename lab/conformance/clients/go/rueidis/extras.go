package main

import (
	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// extras are what rueidis has beyond the common list: with a cluster behind the names, or with one endpoint.
func extras(keys conformance.Keys) []conformance.Behaviour {
	if conformance.ByEnvoy() {
		return []conformance.Behaviour{
			{Name: "one_endpoint", Check: oneEndpoint(keys)},
			{Name: "pipelining", Check: pipelining(keys)},
			{Name: "conn_lifetime", Check: endpointLifetime(keys)},
		}
	}
	return []conformance.Behaviour{
		{Name: "defaults", Check: with(rueidis.ClientOption{}, keys, defaults)},
		{Name: "send_to_replicas", Check: with(rueidis.ClientOption{SendToReplicas: readOnly}, keys, sendToReplicas)},
		{Name: "client_side_caching", Check: clientSideCaching(keys)},
		{Name: "publish_from_every_node", Check: with(rueidis.ClientOption{}, keys, publishFromEveryNode)},
		{Name: "sharded_pubsub", Check: with(rueidis.ClientOption{}, keys, shardedPubSub)},
		{Name: "pipelining", Check: pipelining(keys)},
		{Name: "conn_lifetime", Check: with(rueidis.ClientOption{ConnLifetime: lifetime}, keys, nodesLifetime)},
	}
}

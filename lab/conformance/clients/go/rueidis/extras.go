package main

import (
	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// extras are what rueidis has beyond the common list: with a cluster behind the names, or with one endpoint.
func extras(l lab) []conformance.Behaviour {
	if conformance.Plain() {
		return []conformance.Behaviour{
			{Name: "one_endpoint", Check: oneEndpoint(l)},
			{Name: "pipelining", Check: pipelining(l)},
			{Name: "conn_lifetime", Check: endpointLifetime(l)},
		}
	}
	return []conformance.Behaviour{
		{Name: "defaults", Check: l.with(rueidis.ClientOption{}, defaults)},
		{Name: "send_to_replicas", Check: l.with(rueidis.ClientOption{SendToReplicas: readOnly}, sendToReplicas)},
		{Name: "client_side_caching", Check: clientSideCaching(l)},
		{Name: "publish_from_every_node", Check: l.with(rueidis.ClientOption{}, publishFromEveryNode)},
		{Name: "sharded_pubsub", Check: l.with(rueidis.ClientOption{}, shardedPubSub)},
		{Name: "pipelining", Check: pipelining(l)},
		{Name: "conn_lifetime", Check: l.with(rueidis.ClientOption{ConnLifetime: lifetime}, nodesLifetime)},
	}
}

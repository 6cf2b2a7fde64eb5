package main

import (
	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// commands are the behaviours that every client is asked for.
func commands(l lab) []conformance.Behaviour {
	defaults := rueidis.ClientOption{}
	return []conformance.Behaviour{
		{Name: "all_slots", Check: l.with(defaults, allSlots)},
		{Name: "pipeline_500", Check: l.with(defaults, pipeline500)},
		{Name: "multi_exec", Check: l.with(defaults, multiExec)},
		{Name: "evalsha", Check: l.with(defaults, evalSHA)},
		{Name: "pubsub", Check: l.with(defaults, pubSub)},
		{Name: "blpop", Check: l.with(defaults, blPop)},
		{Name: "scan", Check: l.with(defaults, scan)},
		{Name: "replica_read", Check: replicaRead(l)},
	}
}

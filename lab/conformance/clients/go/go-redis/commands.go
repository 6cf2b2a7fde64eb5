package main

import "nodeway.test/conformance"

// commands are the behaviours that every client is asked for.
func commands(l lab) []conformance.Behaviour {
	return []conformance.Behaviour{
		{Name: "all_slots", Check: l.with(l.open, allSlots)},
		{Name: "pipeline_500", Check: l.with(l.open, pipeline500)},
		{Name: "multi_exec", Check: l.with(l.open, multiExec)},
		{Name: "evalsha", Check: l.with(l.open, evalSHA)},
		{Name: "pubsub", Check: l.with(l.open, pubSub)},
		{Name: "blpop", Check: l.with(l.open, blPop)},
		{Name: "scan", Check: l.with(l.open, scan)},
		{Name: "replica_read", Check: replicaRead(l)},
	}
}

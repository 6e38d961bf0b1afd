// Makes Mesos-DNS' records of a master's state, and writes them as JSON: names to the places they stand for.
//
// The library fetches /master/state.json, which Mesos has no more since 1.0; the same is at /master/state.
package main

import (
	"encoding/json"
	"net/http"
	"os"
	"sort"

	"github.com/mesosphere/mesos-dns/logging"
	"github.com/mesosphere/mesos-dns/records"
	"github.com/mesosphere/mesos-dns/records/labels"
	"github.com/mesosphere/mesos-dns/records/state"
)

func main() {
	logging.SetupLogs()
	master := os.Args[1]
	answer, err := http.Get("http://" + master + "/master/state")
	must(err)
	defer answer.Body.Close()
	var read state.State
	must(json.NewDecoder(answer.Body).Decode(&read))

	generator := records.NewRecordGenerator()
	sources := []string{"netinfo", "mesos", "host"}
	must(generator.InsertState(read, "mesos", "ns1.mesos.", "127.0.0.1", []string{master}, sources, labels.RFC1123))
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"a": listed(generator.As), "srv": listed(generator.SRVs)}))
}

func listed(records map[string]map[string]struct{}) map[string][]string {
	lists := map[string][]string{}
	for name, values := range records {
		for value := range values {
			lists[name] = append(lists[name], value)
		}
		sort.Strings(lists[name])
	}
	return lists
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Takes an app through its life with go-marathon, and writes what the library made of each answer as a line of JSON.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"sort"
	"time"

	marathon "github.com/gambol99/go-marathon"
)

const patience = 20 * time.Second

var client marathon.Marathon

func main() {
	config := marathon.NewDefaultConfig()
	config.URL = os.Args[1]
	config.EventsTransport = marathon.EventsTransportSSE
	config.PollingWaitTime = 50 * time.Millisecond
	var err error
	client, err = marathon.NewClient(config)
	must(err)

	service()
	events := listen()
	life()
	killing()
	waiting()
	groups()
	refusals()
	deletion(events)
}

func service() {
	pong, err := client.Ping()
	must(err)
	info, err := client.Info()
	must(err)
	leader, err := client.Leader()
	must(err)
	tell("service", map[string]any{
		"ping": pong, "name": info.Name, "version": info.Version, "leader": leader, "infoLeader": info.Leader,
		"master": info.MarathonConfig.Master, "frameworkId": info.FrameworkID,
	})
}

// The kinds of events seen so far, once each is seen or patience ends.
func listen() func(wanted int) []string {
	channel, err := client.AddEventsListener(marathon.EventIDApplications | marathon.EventIDStreamAttached |
		marathon.EventIDDeploymentInfo | marathon.EventIDDeploymentSuccess | marathon.EventIDDeploymentFailed |
		marathon.EventIDGroupChangeSuccess | marathon.EventIDAPIRequest | marathon.EventIDAddHealthCheck)
	must(err)
	seen := map[string]bool{}
	return func(wanted int) []string {
		end := time.After(patience)
		for len(seen) < wanted {
			select {
			case event := <-channel:
				seen[event.Name] = true
			case <-end:
				return sortedKeys(seen)
			}
		}
		return sortedKeys(seen)
	}
}

func app(id string, instances int) *marathon.Application {
	return new(marathon.Application).Name(id).Command("exec sleep 1000").CPU(0.1).Memory(16).Count(instances)
}

func life() {
	created, err := client.CreateApplication(app("/web", 2).AddEnv("A", "1").AddLabel("team", "shop"))
	must(err)
	must(client.WaitOnApplication("/web", patience))
	for _, deployment := range created.DeploymentIDs() {
		must(client.WaitOnDeployment(deployment.DeploymentID, patience))
	}
	ok, err := client.ApplicationOK("/web")
	must(err)
	found, err := client.Application("/web")
	must(err)
	tell("created", map[string]any{
		"deployments": len(created.DeploymentIDs()), "ok": ok, "running": found.TasksRunning, "tasks": len(found.Tasks),
		"env": found.Env, "labels": found.Labels, "ports": len(*found.PortDefinitions),
	})

	names, err := client.ListApplications(url.Values{"label": {"team==shop"}})
	must(err)
	all, err := client.Applications(url.Values{"embed": {"apps.tasks"}})
	must(err)
	tell("listed", map[string]any{"names": names, "embedded": len(all.Apps[0].Tasks)})

	scaling, err := client.ScaleApplicationInstances("/web", 3, false)
	must(err)
	must(client.WaitOnDeployment(scaling.DeploymentID, patience))
	scaled, err := client.Application("/web")
	must(err)
	tell("scaled", map[string]any{
		"running":     scaled.TasksRunning,
		"keptConfig":  scaled.VersionInfo.LastConfigChangeAt == found.VersionInfo.LastConfigChangeAt,
		"movedScale":  scaled.VersionInfo.LastScalingAt > found.VersionInfo.LastScalingAt,
		"sameVersion": scaled.Version == scaling.Version,
	})

	updating, err := client.UpdateApplication(app("/web", 2).AddEnv("A", "2"), false)
	must(err)
	must(client.WaitOnDeployment(updating.DeploymentID, patience))
	versions, err := client.ApplicationVersions("/web")
	must(err)
	has, err := client.HasApplicationVersion("/web", found.Version)
	must(err)
	old, err := client.ApplicationByVersion("/web", found.Version)
	must(err)
	back, err := client.SetApplicationVersion("/web", &marathon.ApplicationVersion{Version: found.Version})
	must(err)
	must(client.WaitOnDeployment(back.DeploymentID, patience))
	restored, err := client.Application("/web")
	must(err)
	tell("rolled back", map[string]any{
		"count": len(versions.Versions), "has": has, "old": old.Env, "restored": restored.Env,
		"instances": restored.Instances,
	})

	restarting, err := client.RestartApplication("/web", false)
	must(err)
	must(client.WaitOnDeployment(restarting.DeploymentID, patience))
	restarted, err := client.Application("/web")
	must(err)
	tell("restarted", map[string]any{
		"running": restarted.TasksRunning, "kept": common(taskIDs(restored), taskIDs(restarted)),
	})
}

func killing() {
	before, err := client.Tasks("/web")
	must(err)
	victim := before.Tasks[0].ID
	killed, err := client.KillTask(victim, nil)
	must(err)
	replaced := await(func() bool {
		now, err := client.AllTasks(&marathon.AllTasksOpts{Status: "running"})
		must(err)
		for _, task := range now.Tasks {
			if task.ID == victim {
				return false
			}
		}
		return len(now.Tasks) == len(before.Tasks)
	})
	must(client.KillTasks([]string{before.Tasks[1].ID}, &marathon.KillTaskOpts{Scale: true}))
	scaled := await(func() bool {
		now, err := client.Application("/web")
		must(err)
		return *now.Instances == 1 && now.TasksRunning == 1 && len(now.Deployments) == 0
	})
	everything, err := client.KillApplicationTasks("/web", &marathon.KillApplicationTasksOpts{})
	must(err)
	tell("killed", map[string]any{
		"one": killed.ID == victim, "replaced": replaced, "scaled": scaled, "all": len(everything.Tasks),
	})
	must(client.WaitOnApplication("/web", patience))
}

// An app that fits nowhere: its deployment, its lock, its place in the queue, and the way out.
func waiting() {
	large, err := client.CreateApplication(app("/large", 1).CPU(64))
	must(err)
	id := large.DeploymentIDs()[0].DeploymentID
	_, locked := client.ScaleApplicationInstances("/large", 2, false)
	queued := await(func() bool {
		queue, err := client.Queue()
		must(err)
		return len(queue.Items) == 1 && queue.Items[0].Application.ID == "/large" && queue.Items[0].Delay.Overdue
	})
	deployments, err := client.Deployments()
	must(err)
	actions := []string{}
	for _, step := range deployments[0].Steps {
		for _, action := range step {
			actions = append(actions, action.Action+" "+action.App)
		}
	}
	must(client.DeleteQueueDelay("/large"))
	has, err := client.HasDeployment(id)
	must(err)
	_, err = client.DeleteDeployment(id, false)
	must(err)
	must(client.WaitOnDeployment(id, patience))
	_, gone := client.Application("/large")
	tell("waiting", map[string]any{
		"locked": text(locked), "id": id, "queued": queued, "deployments": len(deployments), "actions": actions,
		"affected": deployments[0].AffectedApps, "has": has, "gone": text(gone),
	})
}

func groups() {
	group := marathon.NewApplicationGroup("/shop").App(app("/shop/db", 1)).App(app("/shop/ui", 2))
	must(client.CreateGroup(group))
	must(client.WaitOnGroup("/shop", patience))
	found, err := client.Group("/shop")
	must(err)
	all, err := client.Groups()
	must(err)
	smaller, err := client.UpdateGroup("/shop", marathon.NewApplicationGroup("/shop").App(app("/shop/db", 1)), true)
	must(err)
	must(client.WaitOnDeployment(smaller.DeploymentID, patience))
	left, err := client.Group("/shop")
	must(err)
	deleting, err := client.DeleteGroup("/shop", false)
	must(err)
	must(client.WaitOnDeployment(deleting.DeploymentID, patience))
	has, err := client.HasGroup("/shop")
	must(err)
	tell("groups", map[string]any{
		"apps": len(found.Apps), "inRoot": len(all.Groups), "left": len(left.Apps), "has": has,
	})
}

func refusals() {
	_, duplicate := client.CreateApplication(app("/web", 1))
	_, missing := client.Application("/nothing")
	_, invalid := client.CreateApplication(app("/bad", 1).CPU(-1))
	_, rule := client.CreateApplication(new(marathon.Application).Name("/empty"))
	_, version := client.ApplicationByVersion("/web", "2000-01-01T00:00:00.000Z")
	_, deployment := client.DeleteDeployment("nothing", false)
	tell("refusals", map[string]any{
		"duplicate": text(duplicate), "missing": text(missing), "invalid": text(invalid), "rule": text(rule),
		"version": text(version), "deployment": text(deployment),
	})
}

func deletion(events func(wanted int) []string) {
	deleting, err := client.DeleteApplication("/web", false)
	must(err)
	must(client.WaitOnDeployment(deleting.DeploymentID, patience))
	names, err := client.ListApplications(nil)
	must(err)
	tell("deleted", map[string]any{"left": names, "events": events(8)})
}

func taskIDs(app *marathon.Application) []string {
	ids := []string{}
	for _, task := range app.Tasks {
		ids = append(ids, task.ID)
	}
	return ids
}

func common(a, b []string) int {
	count := 0
	for _, one := range a {
		for _, other := range b {
			if one == other {
				count++
			}
		}
	}
	return count
}

func await(condition func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}

func sortedKeys(set map[string]bool) []string {
	keys := []string{}
	for key := range set {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// An error as its code within the library and its text.
func text(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := err.(*marathon.APIError); ok {
		return fmt.Sprintf("%d %s", api.ErrCode, err)
	}
	return err.Error()
}

func tell(step string, result map[string]any) {
	result["step"] = step
	line, err := json.Marshal(result)
	must(err)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpmaster"
	"github.com/mesos/mesos-go/api/v1/lib/master"
	"github.com/mesos/mesos-go/api/v1/lib/master/calls"
)

// operator asks the master, and watches its stream.
type operator struct {
	ctx    context.Context
	sender calls.Sender
	stream mesos.Response
	mutex  sync.Mutex
	events []string
}

func newOperator(ctx context.Context, url string, codec httpcli.Opt) *operator {
	client := httpcli.New(httpcli.Endpoint(url+"/api/v1"), codec)
	return &operator{ctx: ctx, sender: httpmaster.NewSender(client.Send)}
}

func (o *operator) ask(call *master.Call) (*master.Response, error) {
	response, err := o.sender.Send(o.ctx, calls.NonStreaming(call))
	if err != nil {
		return nil, err
	}
	defer response.Close()
	answer := new(master.Response)
	return answer, response.Decode(answer)
}

// look reads what the master says of the one task that runs.
func (o *operator) look() error {
	for _, call := range []*master.Call{
		calls.GetHealth(), calls.GetVersion(), calls.GetAgents(), calls.GetFrameworks(), calls.GetTasks(), calls.GetState(),
	} {
		answer, err := o.ask(call)
		if err != nil {
			return err
		}
		switch answer.GetType() {
		case master.Response_GET_HEALTH:
			say("healthy", answer.GetGetHealth().GetHealthy())
		case master.Response_GET_VERSION:
			version := answer.GetGetVersion().GetVersionInfo()
			say("version", version.GetVersion())
		case master.Response_GET_AGENTS:
			for _, agent := range answer.GetGetAgents().GetAgents() {
				say("agent", agent.AgentInfo.Hostname, agent.Active, text(agent.AgentInfo.Attributes, "env"))
			}
		case master.Response_GET_FRAMEWORKS:
			for _, framework := range answer.GetGetFrameworks().GetFrameworks() {
				say("framework", framework.FrameworkInfo.Name, framework.Connected, framework.FrameworkInfo.GetFailoverTimeout())
			}
		case master.Response_GET_TASKS:
			for _, task := range answer.GetGetTasks().GetTasks() {
				say("task", task.TaskID.Value, task.GetState(), scalar(task.Resources, "cpus"), len(task.Statuses), "statuses")
			}
		case master.Response_GET_STATE:
			say("state", len(answer.GetGetState().GetGetTasks().GetTasks()), "task")
		default:
			return fmt.Errorf("%v answers %v", answer.GetType(), call.GetType())
		}
	}
	return nil
}

// refused shows that the words of the master come through.
func (o *operator) refused() {
	_, err := o.ask(calls.Teardown(mesos.FrameworkID{Value: "nobody"}))
	say("refused:", err)
}

func (o *operator) watch() error {
	stream, err := o.sender.Send(o.ctx, calls.NonStreaming(calls.Subscribe()))
	if err != nil {
		return err
	}
	o.stream = stream
	first, second := new(master.Event), new(master.Event)
	if err := errors.Join(stream.Decode(first), stream.Decode(second)); err != nil {
		return err
	}
	agents := first.GetSubscribed().GetGetState().GetGetAgents().GetAgents()
	say("watching:", first.GetType(), len(agents), "agent,", second.GetType())
	go func() {
		for {
			event := new(master.Event)
			if stream.Decode(event) != nil {
				return
			}
			if event.GetType() != master.Event_HEARTBEAT {
				o.mutex.Lock()
				o.events = append(o.events, wordOf(event))
				o.mutex.Unlock()
			}
		}
	}()
	return nil
}

// told waits until the stream has told of the end of the framework, and says all that it told.
func (o *operator) told() error {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		o.mutex.Lock()
		events := append([]string(nil), o.events...)
		o.mutex.Unlock()
		if n := len(events); n > 0 && events[n-1] == master.Event_FRAMEWORK_REMOVED.String() {
			say("watched:", events)
			return nil
		}
	}
	return fmt.Errorf("the operator stream did not tell of the teardown within %v", within)
}

func (o *operator) close() {
	o.stream.Close()
}

func wordOf(event *master.Event) string {
	if event.GetType() == master.Event_TASK_UPDATED {
		return event.GetTaskUpdated().GetState().String()
	}
	return event.GetType().String()
}

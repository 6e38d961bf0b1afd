// Command mesos-go is a framework on the unmodified client library of that name. It does, one after the other, all
// that a framework does, and writes a line for each thing that came true. Any other turn of events ends it with 1.
//
//	mesos-go MASTER protobuf|json
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpsched"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/calls"
)

const within = 30 * time.Second

// codecOf names the encodings that a client may be asked to speak; the library's own default is protobuf.
var codecOf = map[string]httpcli.Opt{
	"protobuf": nil,
	"json":     httpcli.Codec(codecs.ByMediaType[codecs.MediaTypeJSON]),
}

func main() {
	if err := run(os.Args[1], codecOf[os.Args[2]]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func run(master string, codec httpcli.Opt) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*within)
	defer cancel()
	client := httpcli.New(httpcli.Endpoint(master+"/api/v1/scheduler"), codec)
	f := &framework{ctx: ctx, caller: httpsched.NewCaller(client), events: make(chan *scheduler.Event, 100)}
	operator := newOperator(ctx, master, codec)
	if err := f.subscribe(); err != nil {
		return err
	}
	if err := operator.watch(); err != nil {
		return err
	}
	defer operator.close()
	offer, err := f.offer()
	if err != nil {
		return err
	}
	say("offered", offer.Hostname, scalar(offer.Resources, "cpus"), text(offer.Attributes, "env"), offer.GetAllocationInfo().GetRole())
	task := taskOn(offer)
	if err := f.call(calls.Accept(calls.OfferOperations{calls.OpLaunch(task)}.WithOffers(offer.ID)).With(calls.RefuseSeconds(0))); err != nil {
		return err
	}
	if err := f.until(mesos.TASK_STARTING, mesos.TASK_RUNNING); err != nil {
		return err
	}
	if err := operator.look(); err != nil {
		return err
	}
	if err := f.reconcile(task); err != nil {
		return err
	}
	if err := f.call(calls.Kill(task.TaskID.Value, offer.AgentID.Value)); err != nil {
		return err
	}
	if err := f.until(mesos.TASK_KILLED); err != nil {
		return err
	}
	if err := f.declineAndRevive(); err != nil {
		return err
	}
	operator.refused()
	if err := f.teardown(); err != nil {
		return err
	}
	return operator.told()
}

// framework is one subscription; its events are read as fast as they come.
type framework struct {
	ctx    context.Context
	caller calls.Caller
	id     string
	events chan *scheduler.Event
	early  []*scheduler.Event
	ended  error
}

func (f *framework) subscribe() error {
	info := &mesos.FrameworkInfo{
		User:            "root",
		Name:            "mesos-go",
		Roles:           []string{"ci"},
		FailoverTimeout: ref(3600.0),
		Capabilities: []mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE},
			{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE},
		},
		Labels: &mesos.Labels{Labels: []mesos.Label{{Key: "team", Value: ref("x")}}},
	}
	response, err := f.caller.Call(f.ctx, calls.Subscribe(info))
	if err != nil {
		return err
	}
	go func() {
		defer close(f.events)
		defer response.Close()
		for {
			event := new(scheduler.Event)
			if f.ended = response.Decode(event); f.ended != nil {
				return
			}
			f.events <- event
		}
	}()
	event, err := f.event(scheduler.Event_SUBSCRIBED)
	if err != nil {
		return err
	}
	subscribed := event.GetSubscribed()
	f.id = subscribed.GetFrameworkID().GetValue()
	say("subscribed", subscribed.GetHeartbeatIntervalSeconds(), subscribed.GetMasterInfo().GetVersion(), subscribed.GetMasterInfo().GetAddress().GetIP())
	return f.heartbeat()
}

// heartbeat waits for the first one, which may come after the first offers.
func (f *framework) heartbeat() error {
	var early []*scheduler.Event
	for {
		event, err := f.next()
		if err != nil {
			return err
		}
		if event.GetType() == scheduler.Event_HEARTBEAT {
			say("heartbeat")
			f.early = early
			return nil
		}
		early = append(early, event)
	}
}

func (f *framework) call(call *scheduler.Call) error {
	return calls.CallNoData(f.ctx, f.caller, call.With(calls.Framework(f.id)))
}

// event is the next one of a type; others are passed over.
func (f *framework) event(of scheduler.Event_Type) (*scheduler.Event, error) {
	for {
		event, err := f.next()
		if err != nil {
			return nil, fmt.Errorf("waiting for %v: %w", of, err)
		}
		if event.GetType() == of {
			return event, nil
		}
	}
}

func (f *framework) next() (*scheduler.Event, error) {
	if len(f.early) > 0 {
		event := f.early[0]
		f.early = f.early[1:]
		return event, nil
	}
	select {
	case event, open := <-f.events:
		if !open {
			return nil, fmt.Errorf("the stream ended: %v", f.ended)
		}
		if event.GetType() == scheduler.Event_ERROR {
			return nil, errors.New(event.GetError().GetMessage())
		}
		return event, nil
	case <-time.After(within):
		return nil, fmt.Errorf("nothing within %v", within)
	}
}

func (f *framework) offer() (mesos.Offer, error) {
	event, err := f.event(scheduler.Event_OFFERS)
	if err != nil {
		return mesos.Offer{}, err
	}
	return event.GetOffers().GetOffers()[0], nil
}

// update is the next one; it is acknowledged if it wants to be.
func (f *framework) update() (mesos.TaskStatus, error) {
	event, err := f.event(scheduler.Event_UPDATE)
	if err != nil {
		return mesos.TaskStatus{}, err
	}
	status := event.GetUpdate().GetStatus()
	if len(status.UUID) == 0 {
		return status, nil
	}
	return status, f.call(calls.Acknowledge(status.GetAgentID().GetValue(), status.TaskID.Value, status.UUID))
}

// until expects these states, in this order.
func (f *framework) until(states ...mesos.TaskState) error {
	for _, state := range states {
		status, err := f.update()
		if err != nil {
			return err
		}
		if status.GetState() != state {
			return fmt.Errorf("%v instead of %v: %s", status.GetState(), state, status.GetMessage())
		}
		say("update", status.TaskID.Value, status.GetState(), status.GetSource(), len(status.UUID), "bytes of uuid")
	}
	return nil
}

func (f *framework) reconcile(task mesos.TaskInfo) error {
	known := map[string]string{task.TaskID.Value: task.AgentID.Value}
	for _, tasks := range []map[string]string{known, {"ghost": ""}, nil} {
		if err := f.call(calls.Reconcile(calls.ReconcileTasks(tasks))); err != nil {
			return err
		}
		status, err := f.update()
		if err != nil {
			return err
		}
		say("reconciled", status.TaskID.Value, status.GetState(), status.GetReason())
	}
	return nil
}

// declineAndRevive gives an offer back for an hour, wants none, and then wants some again.
func (f *framework) declineAndRevive() error {
	offer, err := f.offer()
	if err != nil {
		return err
	}
	for _, call := range []*scheduler.Call{
		calls.Suppress(),
		calls.Decline(offer.ID).With(calls.RefuseSeconds(time.Hour)),
		calls.Revive(),
	} {
		if err := f.call(call); err != nil {
			return err
		}
	}
	again, err := f.offer()
	if err != nil {
		return err
	}
	say("offered again", again.Hostname, again.ID != offer.ID)
	return nil
}

func (f *framework) teardown() error {
	if err := f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN}); err != nil {
		return err
	}
	for range f.events {
	}
	if !errors.Is(f.ended, io.EOF) {
		return f.ended
	}
	say("torn down")
	return nil
}

func taskOn(offer mesos.Offer) mesos.TaskInfo {
	return mesos.TaskInfo{
		Name:    "sleep",
		TaskID:  mesos.TaskID{Value: "sleep.1"},
		AgentID: offer.AgentID,
		Command: &mesos.CommandInfo{
			Value:       ref("sleep $LONG"),
			Environment: &mesos.Environment{Variables: []mesos.Environment_Variable{{Name: "LONG", Value: ref("600")}}},
		},
		Resources: []mesos.Resource{amount("cpus", 0.5), amount("mem", 32)},
		Labels:    &mesos.Labels{Labels: []mesos.Label{{Key: "consul", Value: ref("sleep")}}},
		Data:      []byte{0, 255, 16},
	}
}

func amount(name string, value float64) mesos.Resource {
	return mesos.Resource{Name: name, Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: value}}
}

func scalar(resources []mesos.Resource, name string) float64 {
	sum := 0.0
	for _, resource := range resources {
		if resource.Name == name {
			sum += resource.GetScalar().GetValue()
		}
	}
	return sum
}

func text(attributes []mesos.Attribute, name string) string {
	for _, attribute := range attributes {
		if attribute.Name == name {
			return attribute.GetText().GetValue()
		}
	}
	return ""
}

func ref[T any](value T) *T { return &value }

func say(words ...any) {
	fmt.Println(strings.TrimSpace(fmt.Sprintln(words...)))
}

// Runs Traefik's Marathon provider, and writes each configuration that it gives Traefik as a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"syscall"

	"github.com/traefik/traefik/v2/pkg/config/dynamic"
	"github.com/traefik/traefik/v2/pkg/log"
	"github.com/traefik/traefik/v2/pkg/provider/marathon"
	"github.com/traefik/traefik/v2/pkg/safe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pool := safe.NewPool(ctx)
	log.SetOutput(os.Stderr)

	provider := &marathon.Provider{}
	provider.SetDefaults()
	provider.Endpoint = os.Args[1]
	provider.ExposedByDefault = false
	provider.RespectReadinessChecks = true
	if err := provider.Init(); err != nil {
		panic(err)
	}
	messages := make(chan dynamic.Message)
	go func() {
		if err := provider.Provide(messages, pool); err != nil {
			panic(err)
		}
	}()
	out := json.NewEncoder(os.Stdout)
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-messages:
			if err := out.Encode(message.Configuration); err != nil {
				panic(err)
			}
		}
	}
}

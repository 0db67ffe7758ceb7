// One step of a pod's lifecycle with k8s.io/cri-client, the library of crictl, for machines without crictl. The command line and
// the files are those of crictl: one process per step.
//
//	go-step --runtime-endpoint ENDPOINT runp POD.json | create POD CONTAINER.json POD.json | start CONTAINER | inspect CONTAINER
//	        | stop --timeout SECONDS CONTAINER | rm CONTAINER | stopp POD | rmp POD
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	endpoint := flag.String("runtime-endpoint", "", "")
	flag.Parse()
	command := flag.NewFlagSet("step", flag.ExitOnError)
	timeout := command.Int64("timeout", 0, "")
	if flag.NArg() < 2 {
		return errors.New("usage: go-step --runtime-endpoint ENDPOINT STEP ARGUMENT...")
	}
	if err := command.Parse(flag.Args()[1:]); err != nil {
		return err
	}
	ctx := context.Background()
	service, err := remote.NewRemoteRuntimeService(ctx, *endpoint, time.Minute, nil, false)
	if err != nil {
		return err
	}
	output, err := step(ctx, service, flag.Arg(0), command.Args(), *timeout)
	if output != "" {
		fmt.Println(output)
	}
	return err
}

func step(ctx context.Context, service internalapi.RuntimeService, name string, args []string, timeout int64) (string, error) {
	switch name {
	case "runp":
		var pod runtimeapi.PodSandboxConfig
		if err := read(args[0], &pod); err != nil {
			return "", err
		}
		return service.RunPodSandbox(ctx, &pod, "")
	case "create":
		if len(args) < 3 {
			return "", errors.New("usage: create POD CONTAINER.json POD.json")
		}
		var container runtimeapi.ContainerConfig
		var pod runtimeapi.PodSandboxConfig
		if err := errors.Join(read(args[1], &container), read(args[2], &pod)); err != nil {
			return "", err
		}
		return service.CreateContainer(ctx, args[0], &container, &pod)
	case "start":
		return "", service.StartContainer(ctx, args[0])
	case "inspect":
		status, err := service.ContainerStatus(ctx, args[0], false)
		if err != nil {
			return "", err
		}
		output, err := json.Marshal(map[string]any{"status": map[string]string{"state": status.Status.State.String()}})
		return string(output), err
	case "stop":
		return "", service.StopContainer(ctx, args[0], timeout)
	case "rm":
		return "", service.RemoveContainer(ctx, args[0])
	case "stopp":
		return "", service.StopPodSandbox(ctx, args[0])
	case "rmp":
		return "", service.RemovePodSandbox(ctx, args[0])
	}
	return "", fmt.Errorf("there is no step %q", name)
}

// Unknown fields are errors: a misspelled one would create a different pod than the other clients create.
func read(path string, config any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(config)
}

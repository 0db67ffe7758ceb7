// Measures k8s.io/cri-client, the client of crictl and the kubelet.
//
//	go-client SOCKET REPLY
//
// Reads a task as JSON from each line of its standard input. Answers each with one line of JSON: the milliseconds of every call,
// or an error message. REPLY is a file with the reply of ListContainers that the task "decode" decodes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
)

type task struct {
	Kind     string `json:"kind"`
	Method   string `json:"method"`
	N        int    `json:"n"`
	Calls    int    `json:"calls"`
	InFlight int    `json:"inFlight"`
}

type answer struct {
	Figures  []float64 `json:"figures,omitempty"`
	Contents []string  `json:"contents,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func main() {
	service, err := remote.NewRemoteRuntimeService(context.Background(), "unix://"+os.Args[1], time.Minute, nil, false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var t task
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			a.Error = err.Error()
		} else if a, err = t.run(service); err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return
		}
	}
}

func (t task) run(service internalapi.RuntimeService) (answer, error) {
	switch t.Kind {
	case "contents":
		contents, err := t.call(service, true)
		return answer{Contents: contents}, err
	case "decode":
		reply, err := os.ReadFile(os.Args[2])
		if err != nil {
			return answer{}, err
		}
		return t.measure(func() error { return proto.Unmarshal(reply, &runtimeapi.ListContainersResponse{}) })
	case "calls":
		return t.measure(func() error {
			_, err := t.call(service, false)
			return err
		})
	}
	return answer{}, fmt.Errorf("there is no task %q", t.Kind)
}

// Makes all calls of the task, with task.InFlight of them at a time.
func (t task) measure(call func() error) (answer, error) {
	times := make([]float64, t.Calls)
	errs := make([]error, t.InFlight)
	next := make(chan int, t.Calls)
	for i := range times {
		next <- i
	}
	close(next)
	var workers sync.WaitGroup
	for worker := range errs {
		workers.Go(func() {
			for i := range next {
				start := time.Now()
				if errs[worker] = call(); errs[worker] != nil {
					return
				}
				times[i] = float64(time.Since(start).Nanoseconds()) / 1e6
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return answer{}, err
		}
	}
	return answer{Figures: times}, nil
}

// Makes one call. Returns a line for each item if contents is true.
func (t task) call(service internalapi.RuntimeService, contents bool) ([]string, error) {
	ctx := context.Background()
	labels := map[string]string{"n": strconv.Itoa(t.N)}
	var lines []string
	switch t.Method {
	case "Version":
		version, err := service.Version(ctx, "")
		if contents && err == nil {
			lines = append(lines, version.RuntimeName)
		}
		return lines, err
	case "ListContainers":
		items, err := service.ListContainers(ctx, &runtimeapi.ContainerFilter{LabelSelector: labels})
		if contents {
			for _, item := range items {
				lines = append(lines, line(item.Id, item.CreatedAt, item.Labels))
			}
		}
		return lines, err
	case "ListPodSandbox":
		items, err := service.ListPodSandbox(ctx, &runtimeapi.PodSandboxFilter{LabelSelector: labels})
		if contents {
			for _, item := range items {
				lines = append(lines, line(item.Id, item.CreatedAt, item.Labels))
			}
		}
		return lines, err
	case "ListContainerStats":
		items, err := service.ListContainerStats(ctx, &runtimeapi.ContainerStatsFilter{LabelSelector: labels})
		if contents {
			for _, item := range items {
				lines = append(lines, line(item.Attributes.Id, item.Cpu.Timestamp, item.Attributes.Labels))
			}
		}
		return lines, err
	}
	return nil, fmt.Errorf("there is no method %q", t.Method)
}

func line(id string, time int64, labels map[string]string) string {
	return fmt.Sprintf("%s %d %s", id, time, labels["io.kubernetes.pod.uid"])
}

// The log reader of crictl and the kubelet, k8s.io/cri-client/pkg/logs. Prints its result as JSON.
//
//	go-reader read PATH TAIL
//	go-reader follow PATH LINES
//
// "read" counts the lines. A negative TAIL means all lines. "follow" prints the delay of each line: its content is the time at which
// it was written, in milliseconds since the epoch.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"syscall"
	"time"

	cri "k8s.io/cri-api/pkg/apis"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
)

type result struct {
	Lines      int       `json:"lines"`
	Seconds    float64   `json:"seconds"`
	CPUSeconds float64   `json:"cpuSeconds"`
	MaxRSS     int64     `json:"maxRssBytes"`
	DelaysMs   []float64 `json:"delaysMs,omitempty"`
}

type counter struct{ lines int }

func (c *counter) Write(data []byte) (int, error) {
	c.lines += bytes.Count(data, []byte("\n"))
	return len(data), nil
}

// clock records the delay of every line.
type clock struct {
	delays []float64
	left   int
	done   context.CancelFunc
}

func (c *clock) Write(data []byte) (int, error) {
	now := float64(time.Now().UnixNano()) / 1e6
	if written, err := strconv.ParseFloat(string(bytes.TrimSpace(data)), 64); err == nil {
		c.delays = append(c.delays, now-written)
		if c.left--; c.left == 0 {
			c.done()
		}
	}
	return len(data), nil
}

// running is a runtime in which all containers are running.
type running struct{ cri.RuntimeService }

func (running) ContainerStatus(context.Context, string, bool) (*runtime.ContainerStatusResponse, error) {
	return &runtime.ContainerStatusResponse{Status: &runtime.ContainerStatus{State: runtime.ContainerState_CONTAINER_RUNNING}}, nil
}

func main() {
	path := os.Args[2]
	number, err := strconv.ParseInt(os.Args[3], 10, 64)
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	options := &logs.LogOptions{}
	start := time.Now()
	out := result{}
	if os.Args[1] == "follow" {
		options.Follow = true
		c := &clock{left: int(number), done: cancel}
		// ReadLogs returns an error when its context is cancelled.
		_ = logs.ReadLogs(ctx, path, "id", options, running{}, c, c)
		out.DelaysMs = c.delays
		out.Lines = len(c.delays)
	} else {
		if number >= 0 {
			options.TailLines = &number
		}
		c := &counter{}
		check(logs.ReadLogs(ctx, path, "id", options, nil, c, c))
		out.Lines = c.lines
	}
	out.Seconds = time.Since(start).Seconds()
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	out.CPUSeconds = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	out.MaxRSS = usage.Maxrss * 1024
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

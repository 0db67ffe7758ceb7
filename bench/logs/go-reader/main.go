// The log reader of crictl and the kubelet, k8s.io/cri-client/pkg/logs. Prints what it did as JSON.
//
//	go-reader read PATH TAIL
//	go-reader follow PATH LINES
//
// Read gives the lines to writers that count them; TAIL below 0 means all. Follow reads lines that begin with the time at which they
// were written, in milliseconds since the epoch, and prints how late each of them came.
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
	LateMs     []float64 `json:"lateMs,omitempty"`
}

type counter struct{ lines int }

func (c *counter) Write(data []byte) (int, error) {
	c.lines += bytes.Count(data, []byte("\n"))
	return len(data), nil
}

// clock notes how late every line is.
type clock struct {
	late []float64
	left int
	done context.CancelFunc
}

func (c *clock) Write(data []byte) (int, error) {
	now := float64(time.Now().UnixNano()) / 1e6
	if written, err := strconv.ParseFloat(string(bytes.TrimSpace(data)), 64); err == nil {
		c.late = append(c.late, now-written)
		if c.left--; c.left == 0 {
			c.done()
		}
	}
	return len(data), nil
}

// running is a runtime whose containers all run.
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
		// Cancelling is an error to it.
		_ = logs.ReadLogs(ctx, path, "id", options, running{}, c, c)
		out.LateMs = c.late
		out.Lines = len(c.late)
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

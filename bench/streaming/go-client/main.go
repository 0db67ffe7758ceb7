// One transfer with client-go, the library of crictl and kubectl, on a streaming URL. Prints the result as JSON.
//
//	go-client WHAT TRANSPORT URL BYTES [PORT]
//
// WHAT is stdout, stdin or forward. "stdin" writes BYTES zeros. The others read until they have received BYTES bytes. "forward"
// opens its streams as client-go's PortForwarder does, but without a local listener.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

type counter struct{ bytes int64 }

func (c *counter) Write(data []byte) (int, error) {
	c.bytes += int64(len(data))
	return len(data), nil
}

type zeros struct{}

func (zeros) Read(data []byte) (int, error) {
	return len(data), nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 4 {
		return errors.New("usage: go-client stdout|stdin|forward spdy|websocket URL BYTES [PORT]")
	}
	what, transport := args[0], args[1]
	target, err := url.Parse(args[2])
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return err
	}
	started := time.Now()
	var moved int64
	switch what {
	case "stdout", "stdin":
		moved, err = command(what, transport, target, size)
	case "forward":
		moved, err = forward(target, size, args[4:])
	default:
		err = errors.New("there is no transfer " + what)
	}
	if err != nil {
		return err
	}
	seconds := time.Since(started).Seconds()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"bytes": moved, "seconds": seconds, "cpuSeconds": cpu})
}

func command(what, transport string, target *url.URL, size int64) (int64, error) {
	var executor remotecommand.Executor
	var err error
	if transport == "spdy" {
		executor, err = remotecommand.NewSPDYExecutor(&rest.Config{}, "POST", target)
	} else {
		executor, err = remotecommand.NewWebSocketExecutorForProtocols(&rest.Config{}, "GET", target.String(), "v4.channel.k8s.io")
	}
	if err != nil {
		return 0, err
	}
	var stdout, stderr counter
	options := remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}
	if what == "stdin" {
		options.Stdin = io.LimitReader(zeros{}, size)
	}
	if err := executor.StreamWithContext(context.Background(), options); err != nil {
		return 0, err
	}
	if what == "stdin" {
		return size, nil
	}
	return stdout.bytes, nil
}

func forward(target *url.URL, size int64, port []string) (int64, error) {
	if len(port) != 1 {
		return 0, errors.New("forward needs a PORT")
	}
	roundTripper, upgrader, err := spdy.RoundTripperFor(&rest.Config{})
	if err != nil {
		return 0, err
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, "POST", target)
	connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	headers := http.Header{}
	headers.Set(v1.PortHeader, port[0])
	headers.Set(v1.PortForwardRequestIDHeader, "0")
	headers.Set(v1.StreamType, v1.StreamTypeError)
	errorStream, err := connection.CreateStream(headers)
	if err != nil {
		return 0, err
	}
	errorStream.Close()
	headers.Set(v1.StreamType, v1.StreamTypeData)
	data, err := connection.CreateStream(headers)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, io.LimitReader(data, size))
}

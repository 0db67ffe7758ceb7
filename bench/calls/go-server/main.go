// A runtime that sends prepared replies: grpc-go with replies that were encoded in advance.
//
//	go-server FOLDER
//
// Serves gRPC on FOLDER/cri.sock and echoes bytes on FOLDER/echo.sock. The file FOLDER/METHOD.N is the reply to a method, where N
// is the label "n" in the filter of the request. FOLDER/Version is the reply to Version. Prints "ready" when it listens, and exits
// when its standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A codec that sends replies without encoding them again.
type prepared struct{}

func (prepared) Marshal(v any) ([]byte, error) {
	return v.([]byte), nil
}

func (prepared) Unmarshal(data []byte, v any) error {
	return proto.Unmarshal(data, v.(proto.Message))
}

func (prepared) Name() string {
	return "proto"
}

type replies map[string][]byte

func (r replies) method(name string, newRequest func() proto.Message, n func(proto.Message) string) grpc.MethodDesc {
	handler := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		request := newRequest()
		if err := decode(request); err != nil {
			return nil, err
		}
		file := name + n(request)
		reply, ok := r[file]
		if !ok {
			return nil, status.Errorf(codes.NotFound, "there is no reply %s", file)
		}
		return reply, nil
	}
	return grpc.MethodDesc{MethodName: name, Handler: handler}
}

func suffix(labels map[string]string) string {
	return "." + labels["n"]
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	r := replies{}
	for _, file := range files {
		if r[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return err
		}
	}
	echo, err := net.Listen("unix", filepath.Join(folder, "echo.sock"))
	if err != nil {
		return err
	}
	go serveEcho(echo)
	listener, err := net.Listen("unix", filepath.Join(folder, "cri.sock"))
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodec(prepared{}), grpc.MaxSendMsgSize(1<<30), grpc.MaxRecvMsgSize(1<<30))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "runtime.v1.RuntimeService", Methods: []grpc.MethodDesc{
		r.method("Version", func() proto.Message { return &runtimeapi.VersionRequest{} }, func(proto.Message) string { return "" }),
		r.method("ListContainers", func() proto.Message { return &runtimeapi.ListContainersRequest{} }, func(m proto.Message) string {
			return suffix(m.(*runtimeapi.ListContainersRequest).GetFilter().GetLabelSelector())
		}),
		r.method("ListPodSandbox", func() proto.Message { return &runtimeapi.ListPodSandboxRequest{} }, func(m proto.Message) string {
			return suffix(m.(*runtimeapi.ListPodSandboxRequest).GetFilter().GetLabelSelector())
		}),
		r.method("ListContainerStats", func() proto.Message { return &runtimeapi.ListContainerStatsRequest{} }, func(m proto.Message) string {
			return suffix(m.(*runtimeapi.ListContainerStatsRequest).GetFilter().GetLabelSelector())
		}),
	}}, nil)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Println("ready")
	return server.Serve(listener)
}

func serveEcho(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			_, _ = io.Copy(connection, connection)
		}()
	}
}

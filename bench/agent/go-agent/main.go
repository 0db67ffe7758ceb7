// The agent that ours is compared with: k8s.io/cri-client, the client of the kubelet and of crictl, with one fsnotify watcher.
//
//	go-agent ENDPOINT events|lists
//
// It watches the pods and containers of the node, by the runtime's events or by lists every second, and follows all logs. The line
// "work" on its standard input adds statistics every 10 seconds, and for each pod a probe every 10 seconds. It answers every line
// with its counts as JSON, and exits when the input ends.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
)

const period = 10 * time.Second

type counts struct {
	Pods       int `json:"pods"`
	Containers int `json:"containers"`
	Lines      int `json:"lines"`
	Statistics int `json:"statistics"`
	Probes     int `json:"probes"`
	Failures   int `json:"failures"`
}

type container struct{ podID, name string }

// logFile is a log that is being followed.
type logFile struct {
	file *os.File
	rest []byte
}

type agent struct {
	service internalapi.RuntimeService
	watcher *fsnotify.Watcher

	mutex      sync.Mutex
	counts     counts
	pods       map[string]bool
	containers map[string]container
	logs       map[string]*logFile
	working    bool
}

func main() {
	service, err := remote.NewRemoteRuntimeService(context.Background(), os.Args[1], time.Minute, nil, false)
	check(err)
	watcher, err := fsnotify.NewWatcher()
	check(err)
	a := &agent{
		service: service, watcher: watcher,
		pods: map[string]bool{}, containers: map[string]container{}, logs: map[string]*logFile{},
	}
	check(a.list())
	if os.Args[2] == "events" {
		go a.watchEvents()
	} else {
		go a.watchLists()
	}
	go a.follow()
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if lines.Text() == "work" {
			a.work()
		}
		a.mutex.Lock()
		now := a.counts
		now.Pods, now.Containers = len(a.pods), len(a.containers)
		a.mutex.Unlock()
		check(out.Encode(now))
	}
}

func (a *agent) watchLists() {
	for range time.Tick(time.Second) {
		a.note(a.list())
	}
}

func (a *agent) watchEvents() {
	events := make(chan *runtimeapi.ContainerEventResponse, 100)
	go func() { a.note(a.service.GetContainerEvents(context.Background(), events, nil)) }()
	for event := range events {
		if event.ContainerEventType == runtimeapi.ContainerEventType_CONTAINER_DELETED_EVENT {
			a.remove(event.ContainerId)
			continue
		}
		if event.PodSandboxStatus != nil {
			a.addPod(event.PodSandboxStatus.Id)
			for _, c := range event.ContainersStatuses {
				a.note(a.addContainer(c.Id, event.PodSandboxStatus.Id, c.Metadata.Name))
			}
		}
	}
}

// list replaces what the agent knows by what the runtime lists.
func (a *agent) list() error {
	ctx := context.Background()
	containers, err := a.service.ListContainers(ctx, nil)
	if err != nil {
		return err
	}
	pods, err := a.service.ListPodSandbox(ctx, nil)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, p := range pods {
		listed[p.Id] = true
		a.addPod(p.Id)
	}
	for _, c := range containers {
		listed[c.Id] = true
		if err := a.addContainer(c.Id, c.PodSandboxId, c.Metadata.Name); err != nil {
			return err
		}
	}
	for _, id := range a.known() {
		if !listed[id] {
			a.remove(id)
		}
	}
	return nil
}

func (a *agent) known() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	ids := make([]string, 0, len(a.pods)+len(a.containers))
	for id := range a.pods {
		ids = append(ids, id)
	}
	for id := range a.containers {
		ids = append(ids, id)
	}
	return ids
}

func (a *agent) addPod(id string) {
	a.mutex.Lock()
	isNew := !a.pods[id]
	a.pods[id] = true
	working := a.working
	a.mutex.Unlock()
	if isNew && working {
		go a.probe(id)
	}
}

// addContainer begins to follow the log of a new container.
func (a *agent) addContainer(id, podID, name string) error {
	a.mutex.Lock()
	_, isKnown := a.containers[id]
	a.containers[id] = container{podID, name}
	a.mutex.Unlock()
	if isKnown {
		return nil
	}
	reply, err := a.service.ContainerStatus(context.Background(), id, false)
	if status.Code(err) == codes.NotFound {
		return nil
	}
	if err != nil || reply.Status.LogPath == "" {
		return err
	}
	path := reply.Status.LogPath
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		// containerd replays events of pods that were removed before.
		return nil
	}
	if err != nil {
		return err
	}
	a.mutex.Lock()
	a.logs[path] = &logFile{file: file}
	a.mutex.Unlock()
	if err := a.watcher.Add(filepath.Dir(path)); err != nil {
		return err
	}
	a.read(path)
	return nil
}

func (a *agent) remove(id string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	delete(a.pods, id)
	delete(a.containers, id)
}

func (a *agent) follow() {
	for {
		select {
		case event := <-a.watcher.Events:
			if event.Has(fsnotify.Write) {
				a.read(event.Name)
			} else if event.Has(fsnotify.Remove) {
				a.forget(event.Name)
			}
		case err := <-a.watcher.Errors:
			a.note(err)
		}
	}
}

func (a *agent) forget(path string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if log := a.logs[path]; log != nil {
		log.file.Close()
		delete(a.logs, path)
	}
}

// read reads what was appended, and parses each complete line: timestamp, stream, tag and text.
func (a *agent) read(path string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	log := a.logs[path]
	if log == nil {
		return
	}
	data, err := io.ReadAll(log.file)
	if err != nil {
		a.counts.Failures++
		return
	}
	data = append(log.rest, data...)
	for {
		line, rest, isComplete := bytes.Cut(data, []byte("\n"))
		if !isComplete {
			log.rest = data
			return
		}
		data = rest
		fields := bytes.SplitN(line, []byte(" "), 4)
		if len(fields) != 4 {
			a.counts.Failures++
		} else if _, err := time.Parse(time.RFC3339Nano, string(fields[0])); err == nil && len(fields[3]) > 0 {
			a.counts.Lines++
		}
	}
}

func (a *agent) work() {
	a.mutex.Lock()
	a.working = true
	for id := range a.pods {
		go a.probe(id)
	}
	a.mutex.Unlock()
	go func() {
		for {
			stats, err := a.service.ListContainerStats(context.Background(), &runtimeapi.ContainerStatsFilter{})
			a.note(err)
			a.mutex.Lock()
			a.counts.Statistics += len(stats)
			a.mutex.Unlock()
			time.Sleep(period)
		}
	}()
}

// probe probes a pod from a random moment on, as the kubelet does, until the pod is removed.
func (a *agent) probe(podID string) {
	time.Sleep(time.Duration(rand.Int63n(int64(period))))
	for {
		id := ""
		a.mutex.Lock()
		exists := a.pods[podID]
		for candidate, c := range a.containers {
			if c.podID == podID && c.name == "main" {
				id = candidate
			}
		}
		a.mutex.Unlock()
		if !exists {
			return
		}
		if id != "" {
			if _, _, err := a.service.ExecSync(context.Background(), id, []string{"true"}, time.Minute); err == nil {
				a.mutex.Lock()
				a.counts.Probes++
				a.mutex.Unlock()
			}
		}
		time.Sleep(period)
	}
}

func (a *agent) note(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	a.mutex.Lock()
	a.counts.Failures++
	a.mutex.Unlock()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

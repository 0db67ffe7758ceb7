// Follows many logs with one fsnotify watcher: the follower of k8s.io/cri-client needs an inotify instance for each log, and the
// kernel allows a user 128 of them.
//
//	go-follower FOLDER COUNT
//
// Follows FOLDER/N/0.log for each N below COUNT, and prints "ready". Each line contains the time at which it was written, in
// milliseconds since the epoch. When the input ends, prints the delays of all lines as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/fsnotify/fsnotify"
)

// logFile is a log that is being followed.
type logFile struct {
	file *os.File
	rest []byte
}

func main() {
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	watcher, err := fsnotify.NewBufferedWatcher(1000)
	check(err)
	logs := map[string]*logFile{}
	for index := range count {
		path := filepath.Join(os.Args[1], strconv.Itoa(index), "0.log")
		file, err := os.Open(path)
		check(err)
		logs[path] = &logFile{file: file}
		check(watcher.Add(filepath.Dir(path)))
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	fmt.Println("ready")
	delays := []float64{}
	for {
		select {
		case event := <-watcher.Events:
			if log := logs[event.Name]; log != nil && event.Has(fsnotify.Write) {
				delays = append(delays, log.read()...)
			}
		case err := <-watcher.Errors:
			check(err)
		case <-ended:
			check(json.NewEncoder(os.Stdout).Encode(delays))
			return
		}
	}
}

// read reads what was appended, and returns the delay of each complete line.
func (log *logFile) read() (delays []float64) {
	data, err := io.ReadAll(log.file)
	check(err)
	log.rest = append(log.rest, data...)
	for {
		line, rest, isComplete := bytes.Cut(log.rest, []byte("\n"))
		if !isComplete {
			return delays
		}
		log.rest = rest
		fields := bytes.SplitN(line, []byte(" "), 4)
		if len(fields) != 4 {
			panic("malformed line")
		}
		_, err := time.Parse(time.RFC3339Nano, string(fields[0]))
		check(err)
		written, err := strconv.ParseFloat(string(fields[3]), 64)
		check(err)
		delays = append(delays, float64(time.Now().UnixNano())/1e6-written)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

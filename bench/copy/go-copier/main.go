// One copy as `kubectl cp` does it: Go's archive/tar over client-go's exec. Prints the result as JSON.
//
//	go-copier to LOCAL NAME URL TEST_URL
//	go-copier from LOCAL NAME URL
//
// "to" packs the file or folder LOCAL under NAME and sends it to the command of URL, `tar -xmf -`; like kubectl, it first runs the
// command of TEST_URL, `test -d`. "from" unpacks what the command of URL sends, `tar cf - NAME`, so that NAME becomes LOCAL.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 4 {
		return errors.New("usage: go-copier to|from LOCAL NAME URL [TEST_URL]")
	}
	local, name := args[1], args[2]
	started := time.Now()
	var err error
	switch {
	case args[0] == "to" && len(args) == 5:
		_ = execute(args[4], remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard})
		err = copyTo(local, name, args[3])
	case args[0] == "from":
		err = copyFrom(local, name, args[3])
	default:
		err = errors.New("there is no copy " + args[0])
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
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"seconds": seconds, "cpuSeconds": cpu})
}

func execute(target string, options remotecommand.StreamOptions) error {
	parsed, err := url.Parse(target)
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewSPDYExecutor(&rest.Config{}, "POST", parsed)
	if err != nil {
		return err
	}
	return executor.StreamWithContext(context.Background(), options)
}

func copyTo(local, name, target string) error {
	reader, writer := io.Pipe()
	go func() {
		archive := tar.NewWriter(writer)
		err := pack(archive, local, name)
		writer.CloseWithError(errors.Join(err, archive.Close()))
	}()
	var stderr bytes.Buffer
	err := execute(target, remotecommand.StreamOptions{Stdin: reader, Stdout: io.Discard, Stderr: &stderr})
	if err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	return nil
}

func pack(archive *tar.Writer, local, name string) error {
	info, err := os.Lstat(local)
	if err != nil {
		return err
	}
	header, err := tar.FileInfoHeader(info, local)
	if err != nil {
		return err
	}
	header.Name = name
	if info.IsDir() {
		entries, err := os.ReadDir(local)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return archive.WriteHeader(header)
		}
		for _, entry := range entries {
			if err := pack(archive, filepath.Join(local, entry.Name()), path.Join(name, entry.Name())); err != nil {
				return err
			}
		}
		return nil
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	file, err := os.Open(local)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}

func copyFrom(local, name, source string) error {
	reader, writer := io.Pipe()
	go func() {
		writer.CloseWithError(execute(source, remotecommand.StreamOptions{Stdout: writer, Stderr: io.Discard}))
	}()
	archive := tar.NewReader(reader)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Name != name && !strings.HasPrefix(header.Name, name+"/") {
			return errors.New("the archive contains " + header.Name)
		}
		if err := unpack(archive, header, filepath.Join(local, strings.TrimPrefix(header.Name, name))); err != nil {
			return err
		}
	}
}

func unpack(archive *tar.Reader, header *tar.Header, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if header.FileInfo().IsDir() {
		return os.MkdirAll(at, 0o755)
	}
	file, err := os.Create(at)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, archive); err != nil {
		return err
	}
	return file.Close()
}

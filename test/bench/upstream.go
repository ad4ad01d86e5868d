// Upstream of the benchmark, a process of its own: the ChatGPT backend without its rules, plain and as TLS behind a CONNECT
// proxy that leads every host to it. Arguments: the file of frames, key and certificate. Prints one JSON line with its ports.
// What it answers stands in the request's last `bench:<deltas>:<pause in ms>;`; every frame is flushed by itself.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// answer is the opening, the deltas and the closing of a stream, as SSE frames.
type answer struct {
	Opening, Deltas, Closing []string
}

var file struct {
	// Answers by their number of deltas.
	Answers map[string]answer
	// A delta's frame round its sequence number and its time stamp.
	Stamped [3]string
	// Bodies of other paths, by what the path holds.
	Catalogue string
	Models    string
}

const mark = "bench:"

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(handle), ErrorLog: log.New(io.Discard, "", 0)}
	plain, secure := listen(), listen()
	go server.Serve(plain)
	go server.ServeTLS(secure, os.Args[3], os.Args[2])
	connect := listen()
	go http.Serve(connect, http.HandlerFunc(tunnel(secure.Addr().String())))
	fmt.Printf("{\"plain\":%d,\"secure\":%d,\"proxy\":%d}\n", port(plain), port(secure), port(connect))
	// The harness ends us; without it there is nothing to wait for.
	io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

func tunnel(target string) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodConnect {
			http.Error(response, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		upstream, err := net.Dial("tcp", target)
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadGateway)
			return
		}
		client, _, err := response.(http.Hijacker).Hijack()
		if err != nil {
			upstream.Close()
			return
		}
		client.Write([]byte("HTTP/1.1 200 Connection Established\r\n\r\n"))
		go func() { io.Copy(upstream, client); upstream.Close() }()
		io.Copy(client, upstream)
		client.Close()
	}
}

func handle(response http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	path := request.URL.Path
	if strings.Contains(path, "/models") {
		list := file.Models
		if strings.Contains(path, "codex") {
			list = file.Catalogue
		}
		writeJSON(response, http.StatusOK, list)
		return
	}
	at := bytes.LastIndex(body, []byte(mark))
	if !strings.HasSuffix(path, "/responses") || at < 0 {
		writeJSON(response, http.StatusNotFound, "{}")
		return
	}
	asked, _, _ := bytes.Cut(body[at+len(mark):], []byte(";"))
	deltas, pause, _ := strings.Cut(string(asked), ":")
	response.Header().Set("content-type", "text/event-stream; charset=utf-8")
	response.Header().Set("x-request-id", "bench")
	response.WriteHeader(http.StatusOK)
	flush := response.(http.Flusher).Flush
	flush()
	write := func(frame string) {
		io.WriteString(response, frame)
		flush()
	}
	pauseMs, _ := strconv.Atoi(pause)
	count, _ := strconv.Atoi(deltas)
	if pauseMs > 0 {
		paced(write, count, time.Duration(pauseMs)*time.Millisecond)
		return
	}
	frames := file.Answers[deltas]
	for _, part := range [][]string{frames.Opening, frames.Deltas, frames.Closing} {
		for _, frame := range part {
			write(frame)
			// Streams take turns, as those of many machines would.
			runtime.Gosched()
		}
	}
}

// Streams start apart from each other, so that their deltas do not come in one turn. Each delta tells when it was sent.
func paced(write func(string), deltas int, pause time.Duration) {
	frames := file.Answers["0"]
	for _, frame := range frames.Opening {
		write(frame)
	}
	next := time.Now().Add(time.Duration(rand.Int63n(int64(pause))))
	for sent := 0; sent < deltas; sent++ {
		time.Sleep(time.Until(next))
		next = next.Add(pause)
		write(file.Stamped[0] + strconv.Itoa(sent+4) + file.Stamped[1] + fmt.Sprintf("t%016d ", monotonic()/1000) + file.Stamped[2])
	}
	for _, frame := range frames.Closing {
		write(frame)
	}
}

// The clock that the harness reads, in ns; Go's own tells no absolute value of it.
func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func writeJSON(response http.ResponseWriter, status int, body string) {
	response.Header().Set("content-type", "application/json")
	response.WriteHeader(status)
	io.WriteString(response, body)
}

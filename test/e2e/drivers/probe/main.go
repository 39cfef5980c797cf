// Command probe is the whole content of a test image: it writes, reads, tells, serves, grows and waits, as its arguments say in turn.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, argument := range os.Args[1:] {
		verb, rest, _ := strings.Cut(argument, "=")
		if err := act(verb, rest); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

func act(verb, rest string) error {
	switch verb {
	case "write":
		path, text, _ := strings.Cut(rest, ":")
		return os.WriteFile(path, []byte(text), 0o640)
	case "read":
		content, err := os.ReadFile(rest)
		fmt.Println(string(content))
		return err
	case "env":
		fmt.Println(os.Getenv(rest))
		return nil
	case "say":
		fmt.Println(rest)
		return nil
	case "serve":
		return serve(rest)
	case "get":
		return get(rest)
	case "hold":
		return hold(rest)
	case "grow":
		return grow(rest)
	case "wait":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return nil
	}
	return fmt.Errorf("probe knows no verb %q", verb)
}

// serve answers every request at the address with the name of its host, until it is told to stop.
func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		name, _ := os.Hostname()
		fmt.Fprint(response, name)
	}))
	return act("wait", "")
}

// get prints what a URL answers within five seconds.
func get(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// hold connects to an address and tells how the connection ends.
func hold(address string) error {
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	fmt.Println("connected")
	_, err = connection.Read(make([]byte, 1))
	fmt.Println("ended:", err)
	return nil
}

// grow takes this many MiB of memory and uses all of it.
func grow(mebibytes string) error {
	count, err := strconv.Atoi(mebibytes)
	if err != nil {
		return err
	}
	held := make([][]byte, count)
	for index := range held {
		held[index] = make([]byte, 1<<20)
		for at := 0; at < len(held[index]); at += 4096 {
			held[index][at] = 1
		}
	}
	fmt.Println("grown to", len(held), "MiB")
	return nil
}

// Command probe is the whole content of a test image: it writes, reads, tells and waits, as its arguments say in turn.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
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
	case "wait":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return nil
	}
	return fmt.Errorf("probe knows no verb %q", verb)
}

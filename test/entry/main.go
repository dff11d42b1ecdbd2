// Command entry uses packages apart and freeze as a program of others would,
// and prints their errors. Its file name says how it does so: "has-entry" calls
// RunIfWatcher and RunIfChild first in main, "no-entry" does not. Each process
// that gets past that place writes a line to FILE.log, so that the test sees
// how many there were.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"thinmount/lib/dm"
	"thinmount/lib/freeze"
	"thinmount/lib/reexec"
)

func main() {
	exe, err := os.Executable() // arguments and environment are not handed on
	if err != nil {
		panic(err)
	}
	if filepath.Base(exe) == "has-entry" {
		freeze.RunIfWatcher()
		reexec.RunIfChild()
	}
	if began(exe+".log") > most {
		return
	}
	ctx := context.Background()
	fmt.Println("unmount:", reexec.Unmount(ctx, "/nonexistent", 0))
	fmt.Println("sync:", syncFolder(ctx, filepath.Dir(exe)))
	fmt.Println("suspend:", suspend(ctx))
}

// most is how many processes a chain may have: then it ends by itself.
const most = 9

// began adds a line to the log, and returns how many there are.
func began(log string) int {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%q\n", os.Args)
	b, err := os.ReadFile(log)
	if err != nil {
		panic(err)
	}
	return strings.Count(string(b), "\n")
}

func syncFolder(ctx context.Context, dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return reexec.Sync(ctx, f, func() error { return nil })
}

// suspend asks for a suspension of a device of a made-up kernel. Its watcher,
// if it is one, asks the real kernel, which has no such device.
func suspend(ctx context.Context) error {
	c := dm.NewControl(func(uint, []byte) error { return nil })
	r := freeze.Request{Device: dm.ByName("none"), Limit: time.Minute}
	_, err := freeze.Suspended(ctx, c, r, func() error { return errors.New("was suspended") })
	return err
}

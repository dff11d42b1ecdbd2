// Package thincheck runs the programs of thin-provisioning-tools that check and
// mend the metadata of a thin pool that is not active. They are found by absolute
// path only, and get an environment of ours.
package thincheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

var (
	// errMissing says that the program is not installed.
	errMissing = errors.New("is not installed: apt-get install thin-provisioning-tools")
	// ErrDamaged says that the metadata is not sound; what the program has
	// found is in the error's text.
	ErrDamaged = errors.New("metadata is damaged")
)

// dirs is where programs are looked for.
var dirs = []string{"/usr/sbin/", "/sbin/", "/usr/bin/"}

func find(name string) (string, error) {
	for _, dir := range dirs {
		if st, err := os.Stat(dir + name); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return dir + name, nil
		}
	}
	return "", fmt.Errorf("%s %w", name, errMissing)
}

// Clear checks all of the metadata on a device, and takes off the mark that it
// needs a check if it is sound: else ErrDamaged, and nothing is changed but for
// blocks that are counted as used and are not, as a power cut leaves them. When
// ctx ends, the program is killed.
func Clear(ctx context.Context, device string) error {
	err := run(ctx, "thin_check", "--clear-needs-check-flag", device)
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if run(ctx, "thin_check", "--auto-repair", device) != nil { // unknown to old versions
		return err
	}
	return run(ctx, "thin_check", "--clear-needs-check-flag", device)
}

// run runs a program. That it fails is ErrDamaged, with what it says.
func run(ctx context.Context, name string, args ...string) error {
	path, err := find(name)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the signal comes when the thread that started it ends
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", path, ctx.Err())
	case errors.As(err, &exit):
		return fmt.Errorf("%w: %s: %w: %s", ErrDamaged, path, err, tail(said.String()))
	}
	return fmt.Errorf("%s: %w", path, err)
}

// tail is the end of what a program has said, in one line.
func tail(said string) string {
	const most = 300
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "?")), " ")
	if len(said) > most {
		said = "..." + strings.ToValidUTF8(said[len(said)-most:], "")
	}
	return said
}

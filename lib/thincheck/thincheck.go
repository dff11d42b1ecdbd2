// Package thincheck runs thin_check(8), which checks the metadata of a thin
// pool that is not active. The program is started by absolute path, without a
// shell, and with an environment of its own.
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
	// ErrDamaged says that the metadata is not sound. The error's text has what
	// the program has printed.
	ErrDamaged = errors.New("metadata is damaged")
)

// dirs are the folders in which programs are looked for.
var dirs = []string{"/usr/sbin/", "/sbin/", "/usr/bin/"}

func find(name string) (string, error) {
	for _, dir := range dirs {
		st, err := os.Stat(dir + name)
		if err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return dir + name, nil
		}
	}
	return "", fmt.Errorf("%s %w", name, errMissing)
}

// Clear checks all metadata on a device. If it is sound, Clear removes the
// needs_check flag; otherwise the error is ErrDamaged, and the flag stays.
// Blocks that are counted as used and are not, as a power cut leaves them, are
// freed. When ctx ends, the program is killed.
func Clear(ctx context.Context, device string) error {
	err := run(ctx, "thin_check", "--clear-needs-check-flag", device)
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	// Old versions do not know the option.
	if run(ctx, "thin_check", "--auto-repair", device) != nil {
		return err
	}
	return run(ctx, "thin_check", "--clear-needs-check-flag", device)
}

// run runs a program. If it fails, the error is ErrDamaged with what it has
// printed.
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

// tail is the end of what a program has printed, in one line.
func tail(said string) string {
	const most = 300
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "?")), " ")
	if len(said) > most {
		said = "..." + strings.ToValidUTF8(said[len(said)-most:], "")
	}
	return said
}

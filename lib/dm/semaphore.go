package dm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// udevWait bounds the wait for udev, which may be stopped or at work on
// something else. The device is usable without it: only its name may lag.
const udevWait = 10 * time.Second

// SysV semaphores, which x/sys does not have (semctl(2), semop(2)).
const (
	semMagic  = 0x0d4d << 16 // upper half of the key (libdm: DM_UDEV_SEMAPHORE_MAGIC)
	semSetVal = 16           // SETVAL
	semRemove = unix.IPC_RMID

	// Ours carry a mode of which the kernel uses no more than of libdm's 0600, and
	// the pid of their maker as their group (to which the mode gives nothing): so
	// that one can be told whose maker was killed (DropStaleSemaphores).
	semMode = 0o700
)

// semBuf is struct sembuf.
type semBuf struct {
	Num  uint16
	Op   int16
	Flag int16
}

// settledTurns is how many turns of the wait the name of a device has to be as it
// should before udev is taken to be done: it may live in another IPC namespace,
// where it cannot count our semaphore down.
const settledTurns = 10

// notified runs do with a cookie, and waits until udev has dealt with the event
// that do has caused. do says whether there is an event; settled, whether what
// udev does is to be seen. The semaphore goes whatever happens.
func notified(ctx context.Context, flags CookieFlags, do func(cookie uint32) (event bool, err error), settled func() bool) error {
	id, low, err := newSemaphore()
	if err != nil {
		// No semaphore to be had (their number is limited): do without waiting.
		_, err = do(flags.cookie())
		return err
	}
	defer semctl(id, semRemove, 0)
	event, err := do(flags.cookie() | low)
	if err != nil || !event {
		return err
	}
	return waitZero(ctx, id, settled)
}

// newSemaphore makes one with the value 1: udev counts it down.
func newSemaphore() (id uintptr, low uint32, err error) {
	for range 100 {
		low = 1 + rand.Uint32N(0xffff)
		id, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(semMagic|low), 1, unix.IPC_CREAT|unix.IPC_EXCL|semMode)
		if errno == unix.EEXIST {
			continue
		}
		if errno != 0 {
			return 0, 0, errno
		}
		semSign(id)
		if err := semctl(id, semSetVal, 1); err != nil {
			semctl(id, semRemove, 0)
			return 0, 0, err
		}
		return id, low, nil
	}
	return 0, 0, unix.EEXIST
}

func semctl(id uintptr, cmd, value uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_SEMCTL, id, 0, cmd|ipc64, value, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// semSign makes our pid the semaphore's group. Where that number is no group (in
// a user namespace), the semaphore stays unsigned.
func semSign(id uintptr) {
	perm := struct { // struct ipc64_perm, in front of struct semid64_ds (asm-generic/ipcbuf.h, sembuf.h)
		key, uid, gid, cuid, cgid, mode uint32
		rest                            [26]uint32
	}{gid: uint32(os.Getpid()), mode: semMode}
	unix.Syscall6(unix.SYS_SEMCTL, id, 0, unix.IPC_SET|ipc64, uintptr(unsafe.Pointer(&perm)), 0, 0)
}

// waitZero waits in short turns, so that a cancelled ctx ends it.
func waitZero(ctx context.Context, id uintptr, settled func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, udevWait)
	defer cancel()
	for turns := 0; turns < settledTurns; {
		turn := [2]int64{0, int64(100 * time.Millisecond)} // struct __kernel_timespec
		op := semBuf{}
		_, _, errno := unix.Syscall6(sysSemTimedOp, id, uintptr(unsafe.Pointer(&op)), 1, uintptr(unsafe.Pointer(&turn)), 0, 0)
		switch errno {
		case 0, unix.EIDRM, unix.EINVAL:
			return nil
		case unix.EAGAIN, unix.EINTR:
		default:
			return errno
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errUdev, ctx.Err())
		}
		if turns++; !settled() {
			turns = 0
		}
	}
	return nil
}

// errUdev says that udev did not finish. The command itself has worked.
var errUdev = errors.New("udev has not dealt with the device")

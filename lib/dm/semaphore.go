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

// udevWait bounds the wait for udev, which may be stopped, or busy with other
// events. The device is usable without it: only its name may be late.
const udevWait = 10 * time.Second

// SysV semaphores, which x/sys does not have (semctl(2), semop(2)).
const (
	semMagic  = 0x0d4d << 16 // upper half of the key (libdm: DM_UDEV_SEMAPHORE_MAGIC)
	semSetVal = 16           // SETVAL
	semRemove = unix.IPC_RMID

	// semMode marks our semaphores: libdm's have 0600, and the kernel does not
	// use the bit that is more (ipc/util.c, ipcperms). Their group is the pid
	// of the process that waits; the mode gives a group nothing.
	// DropStaleSemaphores finds by it those whose process was killed.
	semMode = 0o700
)

// semBuf is struct sembuf. Its fields have the same places on all machines.
type semBuf struct {
	Num  uint16
	Op   int16
	Flag int16
}

// settledTurns is for how many turns of the wait the name of a device must be
// right before udev is taken to be done. Where udev runs in another IPC
// namespace it cannot count our semaphore down.
const settledTurns = 10

// notified calls do with a cookie, and waits until udev has dealt with the
// event that do has caused. do reports whether the kernel sent one
// (DM_UEVENT_GENERATED_FLAG); settled reports whether the name of the device is
// as udev leaves it. The semaphore is removed in every case.
func notified(
	ctx context.Context, flags CookieFlags,
	do func(cookie uint32) (event bool, err error), settled func() bool,
) error {
	id, low, err := newSemaphore()
	if err != nil {
		// The number of semaphores is limited (sysctl kernel.sem). Without one
		// there is no wait.
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

// newSemaphore makes a semaphore with the value 1, which udev counts down to 0
// (udev rule 95-dm-notify.rules: dmsetup udevcomplete). low is the lower half
// of its key, which the cookie carries. It is not 0: that is a cookie without a
// semaphore. A key may be taken by another command: one of 100 keys at random
// is free.
func newSemaphore() (id uintptr, low uint32, err error) {
	for range 100 {
		low = 1 + rand.Uint32N(0xffff)
		key, flags := uintptr(semMagic|low), uintptr(unix.IPC_CREAT|unix.IPC_EXCL|semMode)
		// IPC_EXCL keeps us from a semaphore that another command counts down.
		id, _, errno := unix.Syscall(unix.SYS_SEMGET, key, 1, flags)
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

// semctl is semctl(2) for the one semaphore of a set. The kernel takes the
// argument as one word, a number or an address (ipc/sem.c, ksys_semctl).
func semctl(id uintptr, cmd, value uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_SEMCTL, id, 0, cmd|ipc64, value, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// semSign makes our pid the semaphore's group. In a user namespace that does
// not map the number the call fails, and the semaphore stays unsigned.
func semSign(id uintptr) {
	// struct ipc64_perm, the beginning of struct semid64_ds
	// (include/uapi/asm-generic/ipcbuf.h and sembuf.h).
	perm := struct {
		key, uid, gid, cuid, cgid, mode uint32
		rest                            [26]uint32
	}{gid: uint32(os.Getpid()), mode: semMode}
	unix.Syscall6(unix.SYS_SEMCTL, id, 0, unix.IPC_SET|ipc64, uintptr(unsafe.Pointer(&perm)), 0, 0)
}

// waitZero waits until the semaphore is 0 or gone, in turns of 100 ms, so that
// the end of ctx ends it. libdm waits without an end: a udev that is stopped,
// or that is in another IPC namespace, then stops the command for good.
func waitZero(ctx context.Context, id uintptr, settled func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, udevWait)
	defer cancel()
	for turns := 0; turns < settledTurns; {
		turn := [2]int64{0, int64(100 * time.Millisecond)} // struct __kernel_timespec
		// An operation of 0 waits for the value 0 (semop(2)).
		op := semBuf{}
		_, _, errno := unix.Syscall6(sysSemTimedOp, id,
			uintptr(unsafe.Pointer(&op)), 1, uintptr(unsafe.Pointer(&turn)), 0, 0)
		switch errno {
		// It is 0; it was removed during the wait; or before.
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

// errUdev says that udev did not finish in time. The command itself has worked.
var errUdev = errors.New("udev has not dealt with the device")

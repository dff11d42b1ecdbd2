//go:build 386 || arm || mips || mipsle

package dm

import "golang.org/x/sys/unix"

// sysSemTimedOp takes the timeout in 64 bits, as on all other machines.
const sysSemTimedOp = unix.SYS_SEMTIMEDOP_TIME64

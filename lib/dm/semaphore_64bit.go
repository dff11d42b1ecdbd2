//go:build !(386 || arm || mips || mipsle)

package dm

import "golang.org/x/sys/unix"

const sysSemTimedOp = unix.SYS_SEMTIMEDOP

package dm

// ipc64 asks semctl(2) for its present structures. The call of this
// architecture is the old one, which takes those of Linux 2.2 otherwise
// (ipc/sem.c, ksys_old_semctl; arch/arm/tools/syscall.tbl).
const ipc64 = 0x100

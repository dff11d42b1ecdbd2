//go:build kernel

package torture

import "slices"

// scenario is a command in a state. DIR1 and DIR2 are mount points.
type scenario struct {
	name   string
	before [][]string // brings the golden pool into the state
	argv   []string   // the command
	short  bool       // also in the short form
}

func cmd(words ...string) []string { return words }

// repair is the one command whose work no other one finishes in passing: after
// it was disturbed, and the next command has run, it has to run again.
var repair = cmd("thin-snap", "pool", "check", "--repair", "-y", "t")

// last is the command that clears away, after the next one, what a disturbed
// one may have left. Other commands look once a minute for what a run has left.
func (s scenario) last() []string {
	switch {
	case slices.Equal(s.argv, repair):
		return repair
	case s.argv[1] == "run":
		return cmd("thin-snap", "recover", "t")
	}
	return nil
}

// deleteTwo deletes spare and blank. A kill may leave one of them, and the same
// command finds it.
var deleteTwo = cmd("thin-snap", "delete", "-y", "t/[sb][pl]*")

// The golden pool is t, inactive, with the volumes base (ext4, a file in it),
// keep (a snapshot of base), spare (the same) and blank (never formatted).
func scenarios() []scenario {
	var (
		active   = cmd("thin-snap", "pool", "activate", "t")
		mounted  = cmd("mount.thin", "t/base", "DIR1", "-o", "rw")
		unmount  = cmd("umount.thin", "DIR1")
		snapshot = cmd("thin-snap", "snapshot", "t/base", "t/new")
		orphan   = [][]string{active,
			cmd("dmsetup", "message", "thin-t@@pool", "0", "create_snap 77 1")}
	)
	return []scenario{
		{"mount", [][]string{active}, mounted, false},
		{"mount-first", nil, mounted, true},
		{"mount-again", [][]string{mounted}, mounted, false},
		{"remount", [][]string{mounted}, cmd("mount.thin", "t/base", "DIR1", "-o", "remount,ro"),
			false},
		{"umount", [][]string{mounted, mounted}, unmount, false},
		{"umount-last", [][]string{mounted}, unmount, true},
		{"umount-force", [][]string{mounted, mounted}, cmd("umount.thin", "DIR1", "-f"), false},
		{"umount-lazy", [][]string{mounted}, cmd("umount.thin", "DIR1", "-l"), false},
		{"create", [][]string{active}, cmd("thin-snap", "create", "--size", "16M", "t/new"), false},
		{"create-fs", [][]string{active},
			cmd("thin-snap", "create", "--size", "16M", "--fs", "ext4", "t/new"), true},
		{"format", [][]string{active}, cmd("thin-snap", "format", "--fs", "ext4", "t/blank"),
			false},
		{"snapshot-idle", [][]string{active}, snapshot, false},
		{"snapshot-mounted", [][]string{mounted}, snapshot, true},
		{"snapshot-slow", [][]string{mounted, cmd("SLOW")}, snapshot, true},
		{"rename", [][]string{active}, cmd("thin-snap", "rename", "t/spare", "new"), true},
		{"rename-twice", [][]string{active, cmd("thin-snap", "rename", "t/spare", "new")},
			cmd("thin-snap", "rename", "t/new", "spare"), false},
		{"recover-rename", [][]string{active,
			killed("rename,renameat,renameat2", 1, "thin-snap", "rename", "t/spare", "new")},
			cmd("thin-snap", "recover", "t"), false},
		{"resize", [][]string{active}, cmd("thin-snap", "resize", "t/base", "+4M"), false},
		{"resize-mounted", [][]string{mounted}, cmd("thin-snap", "resize", "t/base", "+4M"), true},
		{"snapshot-read-only", [][]string{mounted},
			cmd("thin-snap", "snapshot", "--read-only", "t/base", "t/new"), false},
		{"snapshot-grow", [][]string{active}, cmd("thin-snap", "snapshot", "--size", "40M",
			"--grow-fs", "t/base", "t/new"), false},
		{"rollback", [][]string{active},
			cmd("thin-snap", "rollback", "--keep", "new", "t/spare", "keep"), true},
		{"rollback-discard", [][]string{active},
			cmd("thin-snap", "rollback", "--discard", "t/spare", "keep"), false},
		{"recover-rollback", [][]string{active,
			killed("rename,renameat,renameat2", 2, "thin-snap", "rollback", "--keep", "new",
				"t/spare", "keep")}, cmd("thin-snap", "recover", "t"), false},
		{"trim", [][]string{active}, cmd("thin-snap", "trim", "t/base"), false},
		{"set", [][]string{active}, cmd("thin-snap", "set", "t/spare", "a.b=1"), false},
		{"delete", [][]string{active}, cmd("thin-snap", "delete", "-y", "t/spare"), true},
		{"delete-active", [][]string{cmd("thin-snap", "activate", "t/spare")},
			cmd("thin-snap", "delete", "-y", "t/spare"), false},
		{"run", [][]string{active}, cmd("thin-snap", "run", "t/spare", "--", "true"), false},
		{"run-snapshot", [][]string{active}, cmd("thin-snap", "run", "--snapshot-of", "t/base",
			"--name", "new", "--key", "1", "--", "true"), true},
		{"run-ephemeral", [][]string{mounted}, cmd("thin-snap", "run", "--snapshot-of", "t/base",
			"--name", "new", "--ephemeral", "--", "touch", "x"), false},
		{"delete-two", [][]string{active}, deleteTwo, false},
		{"activate", [][]string{active}, cmd("thin-snap", "activate", "t/base"), false},
		{"deactivate", [][]string{cmd("thin-snap", "activate", "t/base")},
			cmd("thin-snap", "deactivate", "t/base"), false},
		{"pool-create", nil, cmd("thin-snap", "pool", "create", "--size", "64M", "--metadata-size",
			"2M", "u"), true},
		{"pool-create-devices", nil, cmd("thin-snap", "pool", "create", "--force", "--data",
			"/dev/vdc", "--metadata", "/dev/vdd", "--size", "64M", "--metadata-size", "2M", "u"),
			false},
		{"pool-activate", nil, active, false},
		{"pool-deactivate", [][]string{active}, cmd("thin-snap", "pool", "deactivate", "t"), false},
		{"pool-deactivate-unmount", [][]string{mounted, mounted},
			cmd("thin-snap", "pool", "deactivate", "--unmount", "t"), false},
		{"pool-grow", [][]string{mounted}, cmd("thin-snap", "pool", "grow", "--size", "+1M",
			"--metadata-size", "+1M", "t"), false},
		{"pool-set", [][]string{mounted},
			cmd("thin-snap", "pool", "set", "margin=20", "on-full=queue", "t"), false},
		{"umount-queue", [][]string{cmd("thin-snap", "pool", "set", "on-full=queue", "t"), mounted},
			unmount, false},
		{"pool-delete", nil, cmd("thin-snap", "pool", "delete", "-r", "-y", "t"), true},
		{"recover-create", [][]string{active,
			killed("rename,renameat,renameat2", 1, "thin-snap", "create", "--size", "16M",
				"t/new")}, cmd("thin-snap", "recover", "t"), true},
		{"recover-delete", [][]string{active,
			killed("pwrite64", 2, "thin-snap", "delete", "-y", "t/spare")},
			cmd("thin-snap", "recover", "t"), false},
		{"recover-format", [][]string{active,
			killed("pwrite64", 3, "thin-snap", "create", "--size", "16M", "--fs",
				"ext4", "t/new")}, cmd("thin-snap", "recover", "t"), false},
		{"recover-pool-create",
			[][]string{killed("rename,renameat,renameat2", 3, "thin-snap", "pool", "create",
				"--size", "64M", "--metadata-size", "2M", "u")}, cmd("thin-snap", "recover"),
			false},
		{"recover-pool-delete",
			[][]string{killed("unlink,unlinkat", 4, "thin-snap", "pool", "delete", "-r", "-y",
				"t")}, cmd("thin-snap", "recover"), false},
		{"check-repair", orphan, repair, false},
		{"list", [][]string{mounted}, cmd("thin-snap", "list"), false},
	}
}

// killed is a command that dies at a system call: what recovery is for.
func killed(call string, n int, argv ...string) []string {
	return append([]string{"KILLED", call, string(rune('0' + n))}, argv...)
}

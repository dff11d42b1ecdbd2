package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/usage"
)

// newApp returns the whole command line. It does not print errors or end the
// process; run does both.
func newApp(e *env) *cli.App {
	app := &cli.App{
		Name:      "thin-snap",
		Usage:     "volumes and snapshots on dm-thin",
		UsageText: "thin-snap [--debug] [-qv] COMMAND [OPTION...] [OPERAND...]",
		Description: "Makes pools, volumes in them, and snapshots of volumes. Mount them with\n" +
			"mount(8), or by fstab:\n\n" +
			"   thin-snap pool create demo\n" +
			"   thin-snap create --size 2G --fs ext4 demo/base\n" +
			"   mount -t thin demo/base /mnt\n" +
			"   thin-snap snapshot demo/base demo/one\n" +
			"\n" +
			"thin-snap help COMMAND, COMMAND --help and thin-snap(8) say more.",
		Flags: []cli.Flag{
			boolFlag("debug", "print every device-mapper ioctl to standard error"),
			boolFlag("quiet,q", "print no warnings and no progress; lists have names only"),
			boolFlag("verbose,v", "print what was done"),
			boolFlag("version,V", "print the version"),
		},
		Commands: []*cli.Command{
			poolCommand(e), createCommand(e), snapshotCommand(e), renameCommand(e),
			resizeCommand(e), rollbackCommand(e), deleteCommand(e), runCommand(e),
			listCommand(e), treeCommand(e), showCommand(e), setCommand(e), getCommand(e),
			unsetCommand(e), activateCommand(e), deactivateCommand(e), formatCommand(e),
			trimCommand(e), recoverCommand(e),
		},
		Writer:          e.stdout,
		ErrWriter:       e.stderr,
		HideHelpCommand: true,
		// a value of --filter may have a comma in it
		DisableSliceFlagSeparator: true,
		HideVersion:               true, // urfave's own version flag is -v
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsageError,
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				_, err := fmt.Fprintf(e.stdout, "thin-snap %s\n", e.version)
				return err
			}
			return noCommand(c)
		},
	}
	for _, c := range app.Commands {
		strict(c)
	}
	plainFlags(app.Flags)
	return app
}

// strict turns off two things of urfave/cli: a help command under each command,
// which would take an operand "h", and the help text for every mistake.
func strict(c *cli.Command) {
	c.HideHelpCommand = true
	c.OnUsageError = onUsageError
	plainFlags(c.Flags)
	for _, s := range c.Subcommands {
		strict(s)
	}
}

// plainFlags keeps "(default: false)" out of the help texts.
func plainFlags(flags []cli.Flag) {
	for _, f := range flags {
		if b, ok := f.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true
		}
	}
}

func onUsageError(_ *cli.Context, err error, _ bool) error {
	return &usage.Error{Message: err.Error()}
}

// noCommand is the action of a command that only has other commands below it.
func noCommand(c *cli.Context) error {
	return &usage.Error{Message: "no command given", Hint: "see " + c.Command.HelpName + " --help"}
}
